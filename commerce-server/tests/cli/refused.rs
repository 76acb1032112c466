//! A database behind a network that cannot be used: one line says why, soon, and no password is in it.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use test_servers::{MariaDb, Postgres, PostgresPrograms, Programs, Server, ServerOptions, adopt, required};

use crate::home::{Home, new_database, on_each_server};
use crate::running::{fail, products, run, stderr, succeed};

on_each_server!(
    nobody_listens,
    nobody_answers,
    a_wrong_password,
    a_missing_database,
    a_newer_version,
    a_database_with_too_many_connections,
);

/// More than any time-out here, and far less than for ever.
const SOON: Duration = Duration::from_secs(20);

/// Every command that needs the database fails in one line.
#[track_caller]
fn check(home: &Home, url: &str, words: &[&str]) {
    let file = products(home.path(), &[("mug", 1)]);
    for command in
        [&["serve", "--listen", "127.0.0.1:0"][..], &["migrate"], &["import", &file], &["replay", "--verify"]]
    {
        let started = Instant::now();
        let output = run(home.path(), &[command, &["--database-connect-timeout", "1s"]].concat());
        let complaint = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{complaint}");
        assert_eq!(complaint.lines().filter(|line| !line.starts_with('{')).count(), 1, "{complaint}");
        assert!(words.iter().all(|words| complaint.contains(words)), "{complaint}");
        assert!(!complaint.contains(password(url)) && !complaint.contains("panicked"), "{complaint}");
        assert!(started.elapsed() < SOON, "{:?}: {complaint}", started.elapsed());
    }
}

fn password(url: &str) -> &str {
    url.split([':', '@']).nth(2).expect("a password")
}

#[track_caller]
fn check_url(url: &str, words: &[&str]) {
    check(&Home::at(url), url, words);
}

/// A URL of the shared server, with another port.
fn at_port<P: Programs>(port: u16) -> String {
    let server = Server::<P>::shared();
    server.url("shop").replace(&format!(":{}/", server.port()), &format!(":{port}/"))
}

fn nobody_listens<P: Programs>() {
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    check_url(&at_port::<P>(port), &["cannot be reached", &format!("127.0.0.1:{port}")]);
    let nowhere = at_port::<P>(1).replace("127.0.0.1", "nowhere.invalid");
    check_url(&nowhere, &["cannot be reached", "nowhere.invalid:1"]);
}

fn nobody_answers<P: Programs>() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("an address").port();
    check_url(&at_port::<P>(port), &["cannot be reached", "no answer within 1s"]);
}

fn a_wrong_password<P: Programs>() {
    let server = Server::<P>::shared();
    let url = server.url(&new_database(server));
    let words = ["does not accept the user", "or the password", "127.0.0.1"];
    check_url(&url.replace(password(&url), "guess-me"), &words);
    check_url(&url.replace("//commerce:", "//stranger:"), &words);
}

fn a_missing_database<P: Programs>() {
    check_url(&Server::<P>::shared().url("nowhere"), &["has no database nowhere"]);
}

fn a_newer_version<P: Programs + Sync>() {
    let server = Server::<P>::shared();
    let name = new_database(server);
    let home = Home::at(&server.url(&name));
    succeed(home.path(), &["migrate"]);
    let unknown = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')";
    server.sql(&name, unknown).expect("SQL");
    check(&home, &server.url(&name), &["written by a newer version", "99990101000000"]);
}

fn a_database_with_too_many_connections<P: Programs + Sync>() {
    let limits: &[_] = match P::SCHEME {
        "postgres" => &[("max_connections", "3"), ("superuser_reserved_connections", "0")],
        _ => &[("max-connections", "10")],
    };
    let settings = limits.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let server = required(Server::<P>::start(&ServerOptions { settings, ..ServerOptions::default() }));
    let url = server.url(&new_database(&server));
    let mut held = Vec::new();
    while server.sql(P::SCHEME, "SELECT 1").is_ok() {
        held.push(server.hold(P::SCHEME).expect("a client"));
    }
    check_url(&url, &["takes no more connections"]);
    drop(held);
    succeed(Home::at(&url).path(), &["migrate"]);
}

#[test]
fn a_postgres_database_that_is_set_to_be_read() {
    let server = Postgres::shared();
    let name = new_database(server);
    let home = Home::at(&server.url(&name));
    succeed(home.path(), &["migrate"]);
    server.sql(&name, &format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).expect("SQL");
    check(&home, &server.url(&name), &["is read-only"]);
}

/// Who may administrate a server may write even then.
#[test]
fn a_mariadb_server_that_is_set_to_be_read() {
    let server = required(MariaDb::start(&ServerOptions::default()));
    let name = new_database(&server);
    let rights = format!(
        "CREATE USER 'clerk'@'127.0.0.1' IDENTIFIED BY 'hush-hush'; GRANT ALL ON {name}.* TO 'clerk'@'127.0.0.1'"
    );
    server.sql(&name, &rights).expect("SQL");
    let url = server.url(&name);
    let url = url.replace(password(&url), "hush-hush").replace("//commerce:", "//clerk:");
    succeed(Home::at(&url).path(), &["migrate"]);
    server.sql(&name, "SET GLOBAL read_only = ON").expect("SQL");
    check_url(&url, &["is read-only"]);
}

#[test]
fn a_mariadb_database_of_another_program() {
    let server = MariaDb::shared();
    let name = new_database(server);
    server.sql(&name, "CREATE TABLE stars (number int)").expect("SQL");
    check_url(&server.url(&name), &["stars", "give the shop a database of its own"]);
}

#[test]
fn a_postgres_standby() {
    let mut server = required(Postgres::start(&ServerOptions::default()));
    let url = server.url(&new_database(&server));
    succeed(Home::at(&url).path(), &["migrate"]);
    server.stop().expect("it stops");
    let signal = server.directory().join("data/standby.signal");
    std::fs::write(&signal, "").expect("written");
    adopt(&signal).expect("it is there");
    server.restart().expect("it starts");
    check_url(&url, &["is read-only"]);
}

/// A URL of the shared server for somebody who may do nothing yet.
fn clerk(server: &Server<PostgresPrograms>, database: &str) -> String {
    server.sql(database, &format!("CREATE ROLE clerk_{database} LOGIN PASSWORD 'hush-hush'")).expect("SQL");
    let url = server.url(database);
    url.replace(password(&url), "hush-hush").replace("//commerce:", &format!("//clerk_{database}:"))
}

#[test]
fn a_postgres_user_who_may_not_make_tables() {
    let server = Postgres::shared();
    let name = new_database(server);
    let url = clerk(server, &name);
    let home = Home::at(&url);
    for words in ["the tables cannot be brought up to date", "permission denied"] {
        fail(home.path(), &["migrate"], 1, words);
    }
    server.sql(&name, &format!("ALTER DATABASE {name} OWNER TO clerk_{name}")).expect("SQL");
    succeed(home.path(), &["migrate"]);
}

#[test]
fn a_postgres_database_of_another_program() {
    let server = Postgres::shared();
    let name = new_database(server);
    server.sql(&name, "CREATE TABLE orders (number int)").expect("SQL");
    check_url(&server.url(&name), &["orders"]);
}
