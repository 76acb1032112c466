//! `PostgreSQL`.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use test_servers::{Postgres, ServerError, ServerOptions, required};

use crate::{is_open, within};

fn start(options: &ServerOptions) -> Postgres {
    required(Postgres::start(options))
}

fn with_setting(name: &str, value: &str) -> ServerOptions {
    ServerOptions { settings: vec![(name.into(), value.into())], ..ServerOptions::default() }
}

#[test]
fn every_test_has_a_database_made_from_a_template() {
    let server = Postgres::shared();
    server.create_database("migrated").unwrap();
    server.sql("migrated", "CREATE TABLE things (name text); INSERT INTO things VALUES ('a'), ('b')").unwrap();
    server.create_database_from("first test", "migrated").unwrap();
    server.create_database_from("second\"test", "migrated").unwrap();
    server.sql("first test", "DELETE FROM things").unwrap();
    assert_eq!(server.sql("second\"test", "SELECT name FROM things ORDER BY name").unwrap(), "a\nb\n");
    assert!(matches!(server.create_database("migrated"), Err(ServerError::Command { .. })));
}

#[test]
fn a_url_names_a_user_whose_password_is_checked() {
    let server = Postgres::shared();
    let url = server.url("postgres");
    let password = url.split([':', '@']).nth(2).unwrap();
    assert!(url.starts_with("postgres://commerce:"), "{url}");
    assert!(url.ends_with(&format!("@127.0.0.1:{}/postgres", server.port())), "{url}");
    let stored = server.sql("postgres", "SELECT rolpassword FROM pg_authid WHERE rolname = 'commerce'").unwrap();
    assert!(stored.starts_with("SCRAM-SHA-256"), "{stored}");
    assert_eq!(password.len(), 32);
    let methods = server.sql("postgres", "SELECT DISTINCT auth_method FROM pg_hba_file_rules").unwrap();
    assert_eq!(methods, "scram-sha-256\n");
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
    assert_eq!(server.sql("shop", "SHOW fsync").unwrap(), "on\n");
}

#[test]
fn a_crash_is_waited_for_until_every_client_is_cut_off() {
    let mut server = start(&ServerOptions::default());
    let url = server.url("postgres");
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..5).map(|_| scope.spawn(|| psql(&url, "SELECT pg_sleep(60)"))).collect();
        let count = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'";
        within(20, "the clients are at work", || server.sql("postgres", count).unwrap() == "5\n");
        server.kill().unwrap();
        server.restart().unwrap();
        assert!(clients.into_iter().all(|client| !client.join().unwrap()));
    });
}

/// Runs a statement with the client program that the machine has on its path, or beside the server.
fn psql(url: &str, statement: &str) -> bool {
    let newest = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path()).max();
    let program = newest.map_or("psql".into(), |path| path.join("bin/psql"));
    std::process::Command::new(program).args(["-X", "-c", statement, url]).output().unwrap().status.success()
}

#[test]
fn a_stopped_server_can_be_started_again() {
    let mut server = start(&ServerOptions::default());
    server.sql("postgres", "CREATE TABLE things AS SELECT 1 AS id").unwrap();
    server.stop().unwrap();
    assert!(!is_open(server.port()));
    server.stop().unwrap();
    server.restart().unwrap();
    server.restart().unwrap();
    assert_eq!(server.sql("postgres", "SELECT id FROM things; SHOW fsync").unwrap(), "1\noff\n");
}

#[test]
fn a_dropped_server_is_gone() {
    let mut killed = start(&ServerOptions::default());
    killed.kill().unwrap();
    let running = start(&ServerOptions::default());
    let (port, directories) = (running.port(), [killed.directory().to_owned(), running.directory().to_owned()]);
    drop((killed, running));
    assert!(!is_open(port));
    assert!(directories.iter().all(|directory| !directory.exists()));
}

#[test]
fn settings_are_those_of_the_caller() {
    let server = start(&with_setting("default_transaction_read_only", "on"));
    let refused = server.sql("postgres", "CREATE TABLE things (name text)").unwrap_err();
    assert!(refused.to_string().contains("read-only"), "{refused}");
    assert_eq!(server.sql("postgres", "SHOW max_connections").unwrap(), "200\n");
}

#[test]
fn a_server_that_does_not_start_says_why() {
    let error = Postgres::start(&with_setting("no_such_setting", "1")).unwrap_err();
    assert!(matches!(&error, ServerError::Start { log } if log.contains("no_such_setting")), "{error}");
}

#[test]
fn a_file_can_be_given_to_the_server() {
    let server = Postgres::shared();
    let file = server.directory().join("things.txt");
    fs::write(&file, "given").unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    server.adopt(&file).unwrap();
    assert_eq!(server.sql("postgres", &format!("SELECT pg_read_file('{}')", file.display())).unwrap(), "given\n");
}

#[test]
fn the_directory_is_where_the_caller_wants_it() {
    let parent = tempfile::Builder::new().permissions(Permissions::from_mode(0o755)).tempdir().unwrap();
    let server = start(&ServerOptions { directory: Some(parent.path().into()), ..ServerOptions::default() });
    assert_eq!(server.directory().parent(), Some(parent.path()));
    assert_eq!(server.directory().metadata().unwrap().mode() & 0o077, 0);
    drop(server);
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
}
