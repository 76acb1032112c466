//! `MariaDB`.

use test_servers::{MariaDb, ServerError, ServerOptions, required};

use crate::is_open;

fn start(options: &ServerOptions) -> MariaDb {
    required(MariaDb::start(options))
}

fn with_setting(name: &str, value: &str) -> ServerOptions {
    ServerOptions { settings: vec![(name.into(), value.into())], ..ServerOptions::default() }
}

#[test]
fn every_test_has_a_database() {
    let server = MariaDb::shared();
    server.create_database("first test").unwrap();
    server.create_database("second`test").unwrap();
    server.sql("first test", "CREATE TABLE things (name text); INSERT INTO things VALUES ('ä'), ('b')").unwrap();
    assert_eq!(server.sql("first test", "SELECT name FROM things ORDER BY name DESC").unwrap(), "b\nä\n");
    assert_eq!(server.sql("second`test", "SHOW TABLES").unwrap(), "");
    assert!(matches!(server.create_database("first test"), Err(ServerError::Command { .. })));
}

#[test]
fn only_one_user_can_come_over_the_network() {
    let server = MariaDb::shared();
    let url = server.url("shop");
    assert!(url.starts_with("mysql://commerce:"), "{url}");
    assert!(url.ends_with(&format!("@127.0.0.1:{}/shop", server.port())), "{url}");
    let users = "SELECT concat(user, '@', host) FROM mysql.global_priv WHERE host <> 'localhost'";
    assert_eq!(server.sql("mysql", users).unwrap(), "commerce@127.0.0.1\n");
}

#[test]
fn what_was_committed_survives_a_crash() {
    let mut server = start(&ServerOptions { durable: true, ..ServerOptions::default() });
    server.create_database("shop").unwrap();
    server.sql("shop", "CREATE TABLE things (name text); INSERT INTO things VALUES ('kept')").unwrap();
    let (pid, port) = (server.pid(), server.port());
    server.kill().unwrap();
    assert!(!is_open(port));
    server.restart().unwrap();
    assert_eq!(server.port(), port);
    assert_ne!(server.pid(), pid);
    assert_eq!(server.sql("shop", "SELECT name FROM things").unwrap(), "kept\n");
    assert_eq!(server.sql("shop", "SELECT @@innodb_flush_log_at_trx_commit, @@log_bin").unwrap(), "1\t0\n");
}

#[test]
fn a_stopped_server_can_be_started_again() {
    let mut server = start(&ServerOptions::default());
    server.create_database("shop").unwrap();
    server.stop().unwrap();
    assert!(!is_open(server.port()));
    server.restart().unwrap();
    server.restart().unwrap();
    assert_eq!(server.sql("shop", "SELECT @@innodb_flush_log_at_trx_commit, database()").unwrap(), "0\tshop\n");
    let (port, directory) = (server.port(), server.directory().to_owned());
    drop(server);
    assert!(!is_open(port));
    assert!(!directory.exists());
}

#[test]
fn settings_are_those_of_the_caller() {
    let server = start(&with_setting("max_connections", "20"));
    assert_eq!(server.sql("mysql", "SELECT @@max_connections").unwrap(), "20\n");
}

#[test]
fn a_server_that_does_not_start_says_why() {
    let error = MariaDb::start(&with_setting("no-such-setting", "1")).unwrap_err();
    assert!(matches!(&error, ServerError::Start { log } if log.contains("no-such-setting")), "{error}");
}
