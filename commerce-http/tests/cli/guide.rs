use std::process::{Command, Stdio};

use commerce_core::actor::Role;

use crate::running::{Caller, Ended, Server, directory, stdout, stocked};

/// Pastes what a server printed into a shell.
fn follow(guide: &str) -> String {
    let output = Command::new("sh").arg("-c").arg(guide).stdin(Stdio::null()).output().expect("a shell");
    assert!(output.status.success(), "{output:?}");
    stdout(&output)
}

/// The printed lines need curl. A machine without it says so and goes on; in CI it fails.
fn has_curl() -> bool {
    let found = Command::new("curl").arg("--version").stdout(Stdio::null()).status().is_ok();
    assert!(found || std::env::var_os("CI").is_none(), "curl is not installed");
    if !found {
        eprintln!("skipped: curl is not installed, so nobody follows the printed lines");
    }
    found
}

/// What a server prints does not depend on how often it is started, but for its address.
fn printed(ended: &Ended, server: &Server) -> String {
    let first = ended.stdout.lines().next().expect("a line");
    let address = first.rsplit("http://").next().expect("an address");
    ended.stdout.replace(address, &server.address.to_string())
}

#[tokio::test]
async fn following_it_places_and_pays_an_order() {
    if !has_curl() {
        return;
    }
    let directory = directory();
    let ended = Server::start(directory.path(), &[]).stop();
    let server = Server::start(directory.path(), &[]);
    let answers = follow(&printed(&ended, &server));
    assert!(answers.contains("\"order_status\":\"paid\""), "{answers}");
    let admin = Caller::guest(server.address).acting(directory.path(), "ada", Role::Admin);
    let orders = admin.get("/v1/orders?status=paid").await.body;
    assert_eq!(orders["items"].as_array().map(Vec::len), Some(1), "{orders}");
}

#[tokio::test]
async fn it_sells_what_the_shop_has() {
    if !has_curl() {
        return;
    }
    let directory = stocked(&[("sold-out", 0), ("it's a mug", 3)]);
    let ended = Server::start(directory.path(), &[]).stop();
    assert!(!ended.stdout.contains("import"), "{}", ended.stdout);
    let server = Server::start(directory.path(), &[]);
    let answers = follow(&printed(&ended, &server));
    assert!(answers.contains("it's a mug") && answers.contains("\"order_status\":\"paid\""), "{answers}");
}
