use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use commerce_core::actor::Role;
use http::StatusCode;

use crate::running::{Caller, Server, directory, fail, order_of, products, stocked, succeed};

#[tokio::test]
async fn it_serves_without_configuration() {
    let directory = directory();
    let server = Server::start(directory.path(), &[]);
    assert_eq!(Caller::guest(server.address).get("/healthz").await.status, StatusCode::OK);
    assert_eq!(Caller::guest(server.address).get("/readyz").await.status, StatusCode::OK);
    let mode = fs::metadata(directory.path().join("commerce.db.key")).expect("a key").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let ended = server.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.log);
    assert!(ended.stdout.contains("commerce token --sub"), "{}", ended.stdout);
    assert!(ended.stdout.contains("tok_ok"), "{}", ended.stdout);
}

#[test]
fn starts_at_once_share_one_key() {
    let directory = directory();
    let token = |sub: &str| succeed(directory.path(), &["token", "--sub", sub, "--role", "customer"]);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6).map(|n| scope.spawn(move || token(&format!("user-{n}")))).collect();
        for thread in threads {
            assert_eq!(thread.join().expect("a token").matches('.').count(), 2);
        }
    });
    let keys = fs::read_dir(directory.path()).expect("a directory").flatten();
    assert_eq!(keys.filter(|file| file.file_name().to_string_lossy().contains(".key")).count(), 1);
}

#[test]
fn a_port_in_use_is_told_in_a_line() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let directory = directory();
    fail(directory.path(), &["--listen", &address], 1, "the port is in use");
    assert!(!directory.path().join("commerce.db").exists(), "nothing is made for nothing");
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let directory = directory();
    let path = directory.path().join("commerce.db");
    fs::write(&path, "this is a letter, not a database, and long enough to be read as one: ".repeat(20))
        .expect("written");
    for command in ["serve", "migrate", "replay"] {
        fail(directory.path(), &[command, "--listen", "127.0.0.1:0"], 1, "not an SQLite database");
    }
}

#[test]
fn a_database_that_cannot_be_written_is_refused() {
    let directory = stocked(&[]);
    let path = directory.path().join("commerce.db");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).expect("ours");
    fail(directory.path(), &["migrate"], 1, "read-only");
    fail(directory.path(), &["migrate", "--database", "sqlite:nowhere/shop.db"], 1, "does not exist");
}

#[test]
fn a_request_in_flight_is_finished() {
    let directory = stocked(&[("mug", 10)]);
    let server = Server::start(directory.path(), &[]);
    let token = succeed(directory.path(), &["token", "--sub", "ann", "--role", "customer"]);
    let body = order_of("mug", 1).to_string();
    let (first, second) = body.split_at(body.len() / 2);
    let mut stream = TcpStream::connect(server.address).expect("a connection");
    let head = format!(
        "POST /v1/orders HTTP/1.1\r\nhost: here\r\nauthorization: Bearer {}\r\nidempotency-key: 1\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{first}",
        token.trim(),
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("sent");
    std::thread::sleep(Duration::from_millis(300));
    server.terminate();
    std::thread::sleep(Duration::from_millis(300));
    assert!(TcpStream::connect(server.address).is_err(), "it accepts no longer");
    stream.write_all(second.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(server.wait().code, Some(0));
    let verified = succeed(directory.path(), &["replay", "--verify"]);
    assert!(verified.contains(" 1 order,"), "{verified}");
}

#[tokio::test]
async fn the_first_products_give_the_currency() {
    let directory = directory();
    let server = Server::start(directory.path(), &[]);
    let file = products(directory.path(), &[("mug", 5)]);
    succeed(directory.path(), &["import", &file]);
    let ann = Caller::guest(server.address).acting(directory.path(), "ann", Role::Customer);
    let mut answer = ann.order("first", &order_of("mug", 1)).await.expect("an answer");
    for _ in 0..100 {
        if answer.status == StatusCode::CREATED {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        answer = ann.order("first", &order_of("mug", 1)).await.expect("an answer");
    }
    assert_eq!((answer.status, answer.body["currency"].as_str()), (StatusCode::CREATED, Some("EUR")), "{answer:?}");
}

#[tokio::test]
async fn metrics_may_have_a_listener_of_their_own() {
    let directory = directory();
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let server = Server::start(directory.path(), &["--metrics-listen", &free.to_string()]);
    let guest = Caller::guest(server.address);
    assert_eq!(guest.get("/metrics").await.status, StatusCode::NOT_FOUND);
    assert_eq!(guest.at(free).get("/metrics").await.status, StatusCode::OK);
    assert_eq!(guest.at(free).get("/v1/products").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn health_is_shown_although_all_places_are_taken() {
    let directory = directory();
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let limits = ["--max-connections", "2", "--metrics-listen", &free.to_string()];
    let server = Server::start(directory.path(), &limits);
    let _held = [TcpStream::connect(server.address), TcpStream::connect(server.address)];
    let guest = Caller::guest(server.address);
    let late = tokio::time::timeout(Duration::from_millis(500), guest.get("/healthz")).await;
    assert!(late.is_err(), "{late:?}");
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(guest.at(free).get(path).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn every_answer_has_a_line_of_log_with_its_request() {
    let directory = directory();
    let server = Server::start(directory.path(), &[]);
    Caller::guest(server.address).get("/v1/products").await;
    let log = server.stop().log;
    assert!(log.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{log}");
    assert!(log.contains("request_id"), "{log}");
}
