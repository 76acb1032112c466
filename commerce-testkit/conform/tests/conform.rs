//! The program on the servers of the tests.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use test_servers::{Galera, MariaDb, Postgres, ServerOptions, required};

/// Longer than it takes to sell an order.
const PATIENCE: Duration = Duration::from_secs(60);

fn conform(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_commerce-conform")).args(arguments).output().unwrap()
}

/// A share of each part: the whole contract is tried by the tests of the stores.
fn check(database: &str) {
    let output = conform(&[
        "--database",
        database,
        "--filter",
        "store::inbox",
        "--seconds",
        "4",
        "--kills",
        "2",
        "--callers",
        "4",
    ]);
    let (said, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{said}\n{log}");
    for line in
        ["contract        5      0", "races           3      0", "sale            1      0", "2 processes and 0 nodes"]
    {
        assert!(said.contains(line), "{line}: {said}");
    }
}

#[test]
fn sqlite_conforms_and_nothing_stays() {
    let directory = tempfile::tempdir().unwrap();
    check(directory.path().to_str().unwrap());
    assert_eq!(directory.path().read_dir().unwrap().count(), 0);
}

#[test]
fn postgres_conforms_and_nothing_stays() {
    let server = Postgres::shared();
    check(&server.url("postgres"));
    let left = server.sql("postgres", "SELECT count(*) FROM pg_database WHERE datname LIKE 'commerce_conform_%'");
    assert_eq!(left.unwrap().trim(), "0");
}

#[test]
fn mariadb_conforms_and_nothing_stays() {
    let server = MariaDb::shared();
    check(&server.url("mysql"));
    let left = server
        .sql("mysql", "SELECT count(*) FROM information_schema.schemata WHERE schema_name LIKE 'commerce_conform_%'");
    assert_eq!(left.unwrap().trim(), "0");
}

/// A process sells at each node of a cluster.
#[test]
fn galera_conforms() {
    let cluster = required(Galera::start(3));
    let urls: Vec<String> = cluster.nodes().iter().map(|node| node.url("mysql")).collect();
    let mut arguments = vec!["--database", &urls[0], "--only", "sale", "--seconds", "6", "--kills", "2"];
    arguments.extend(urls.iter().flat_map(|url| ["--node", url]));
    let output = conform(&arguments);
    let (said, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{said}\n{log}");
}

/// The sale finds an order that was told and is gone.
#[test]
fn a_database_that_loses_an_order_does_not_conform() {
    let server = required(Postgres::start(&ServerOptions::default()));
    let url = server.url("postgres");
    let selling = Command::new(env!("CARGO_BIN_EXE_commerce-conform"))
        .args(["--database", &url, "--only", "sale", "--seconds", "6", "--kills", "0", "--callers", "2"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let find = "SELECT datname FROM pg_database WHERE datname LIKE 'commerce_conform_%' ORDER BY datname LIMIT 1";
    let lose = "DELETE FROM orders WHERE id = (SELECT id FROM orders LIMIT 1)";
    let lost = |name: &str| {
        let gone = server.sql(name, &format!("WITH gone AS ({lose} RETURNING 1) SELECT count(*) FROM gone"));
        gone.is_ok_and(|rows| rows.trim() == "1")
    };
    let begun = Instant::now();
    while !server.sql("postgres", find).is_ok_and(|name| lost(name.trim())) {
        assert!(begun.elapsed() < PATIENCE, "an order is sold");
    }
    let output = selling.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("FAILED sale::what_was_told_is_there"), "{said}");
}

#[test]
fn what_cannot_be_tried_is_told_in_a_line_without_the_password() {
    let output = conform(&["--database", "postgres://ann:hush@127.0.0.1:1/shop"]);
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{log}");
    assert!(log.lines().count() == 1 && log.contains("cannot be reached") && !log.contains("hush"), "{log}");
    let directory = tempfile::tempdir().unwrap();
    let none = conform(&["--database", directory.path().to_str().unwrap(), "--filter", "nothing of that name"]);
    assert_eq!(none.status.code(), Some(2), "a misspelt filter is no success");
    let unknown = conform(&["--database", "oracle://127.0.0.1/shop"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("postgres:// or mysql://"));
}
