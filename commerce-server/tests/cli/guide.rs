use std::fs;
use std::process::{Command, Stdio};

use commerce_core::actor::Role;

use crate::home::{DATABASE, Home, on_each_database};
use crate::running::{Caller, Ended, Server, stdout, stocked};

on_each_database!(following_it_places_and_pays_an_order);

/// Pastes what a server printed into a shell, which knows the URL of the database if it may have a password.
fn follow(guide: &str, home: &Home) -> String {
    let mut shell = Command::new("sh");
    shell
        .env_remove("COMMERCE_DATABASE")
        .envs(fs::read_to_string(home.path().join(DATABASE)).map(|url| ("COMMERCE_DATABASE", url)));
    let output = shell.arg("-c").arg(guide).stdin(Stdio::null()).output().expect("a shell");
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

async fn following_it_places_and_pays_an_order(home: Home) {
    if !has_curl() {
        return;
    }
    let ended = Server::start(home.path(), &[]).stop();
    let server = Server::start(home.path(), &[]);
    let answers = follow(&printed(&ended, &server), &home);
    assert!(answers.contains("\"order_status\":\"paid\""), "{answers}");
    let admin = Caller::guest(server.address).acting(home.path(), "ada", Role::Admin);
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
    let answers = follow(&printed(&ended, &server), &directory);
    assert!(answers.contains("it's a mug") && answers.contains("\"order_status\":\"paid\""), "{answers}");
}
