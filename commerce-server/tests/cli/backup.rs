//! A dump that is taken while orders are placed is a whole shop.

use std::process::Command;

use commerce_core::actor::Role;
use futures_util::future::join_all;
use http::StatusCode;
use test_servers::{Programs, Server as Database};
use tokio::task::spawn_blocking;

use crate::home::{Home, new_database, on_each_server};
use crate::running::{Caller, Server, order_of, succeed};

on_each_server!(async: a_dump_under_load_is_whole);

const ROUNDS: usize = 15;

/// What the client program of a database writes down of it.
fn dump<P: Programs>(url: &str) -> String {
    let parts: Vec<&str> = url.split([':', '/', '@']).filter(|part| !part.is_empty()).collect();
    let &[_, user, password, host, port, name] = parts.as_slice() else { panic!("a URL with all its parts") };
    let mut command = if P::SCHEME == "postgres" {
        let mut command = Command::new("pg_dump");
        command.args(["--no-owner", name]).env("PGPASSWORD", password);
        command.env("PGHOST", host).env("PGPORT", port).env("PGUSER", user);
        command
    } else {
        let mut command = Command::new("mariadb-dump");
        command.args([
            "--no-defaults",
            "--single-transaction",
            "--hex-blob",
            "--host",
            host,
            "--port",
            port,
            "--user",
            user,
            name,
        ]);
        command.env("MYSQL_PWD", password);
        command
    };
    let output = command.output().expect("it comes with the server");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn a_copy_of_a_file_is_whole() {
    let (home, copy) = (Home::sqlite(), Home::sqlite());
    home.stock(&[("mug", 10)]);
    let _server = Server::start(home.path(), &[]);
    home.sql(&format!("VACUUM INTO '{}'", copy.path().join("commerce.db").display()));
    assert!(succeed(copy.path(), &["replay", "--verify"]).contains("1 sku,"));
}

async fn a_dump_under_load_is_whole<P: Programs + Sync>() {
    let database = Database::<P>::shared();
    let url = database.url(&new_database(database));
    let home = Home::at(&url);
    home.stock(&[("mug", 1_000)]);
    let server =
        Server::start(home.path(), &["--orders-per-minute", "0", "--unpaid-orders", "0", "--unpaid-units", "0"]);
    let ann = Caller::guest(server.address).acting(home.path(), "ann", Role::Customer);
    assert_eq!(ann.order("first", &order_of("mug", 1)).await.expect("an answer").status, StatusCode::CREATED);

    let dumped = spawn_blocking(move || dump::<P>(&url));
    let body = order_of("mug", 1);
    for round in 0..ROUNDS {
        let keys: Vec<String> = (0..4).map(|number| format!("{round} {number}")).collect();
        for answer in join_all(keys.iter().map(|key| ann.order(key, &body))).await {
            assert_eq!(answer.expect("an answer").status, StatusCode::CREATED);
        }
    }
    let copy = new_database(database);
    database.sql(&copy, &dumped.await.expect("no panic")).expect("it is restored");
    let verified = succeed(Home::at(&database.url(&copy)).path(), &["replay", "--verify"]);
    assert!(!verified.contains(" 0 orders"), "{verified}");
    assert!(verified.contains("the tables agree with the events"), "{verified}");
}
