use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use commerce_core::actor::Role;
use commerce_server::users::HttpUsers;
use http::StatusCode;

use crate::running::{Answer, Caller, Server, commerce, directory, order_of, stocked};

/// A users service that knows ann, breaks for eve and sleeps for sam; and what it was sent.
fn users_service() -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&seen);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let heard = Arc::clone(&heard);
            thread::spawn(move || answer(stream, &heard));
        }
    });
    (address, seen)
}

fn answer(mut stream: TcpStream, heard: &Mutex<Vec<String>>) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        let request = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        heard.lock().expect("no panic").push(request);
        let (status, body) = match path.as_str() {
            "/base/api/v1/users/ann" => ("200 OK", "{\"id\":\"ann\"}".to_owned()),
            "/base/api/v1/users/old" => ("200 OK", "yes".to_owned()),
            "/base/api/v1/users/big" => ("200 OK", "x".repeat(1_000_000)),
            "/base/api/v1/users/nil" => ("200 OK", "{\"account_status\":null}".to_owned()),
            "/base/api/v1/users/odd" => ("200 OK", "{\"account_status\":[\"active\"]}".to_owned()),
            "/base/api/v1/users/cut" => ("200 OK", "{\"account_status\":\"suspended\"".to_owned()),
            "/base/api/v1/users/eve" => ("500 Internal Server Error", String::new()),
            "/base/api/v1/users/sam" => {
                thread::sleep(Duration::from_secs(5));
                ("200 OK", String::new())
            }
            _ => ("404 Not Found", String::new()),
        };
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

async fn order(server: &Server, directory: &std::path::Path, user: &str) -> Answer {
    let caller = Caller::guest(server.address).acting(directory, user, Role::Customer);
    caller.order("one", &order_of("mug", 1)).await.expect("an answer")
}

#[tokio::test]
async fn users_are_looked_up_before_they_order() {
    let directory = stocked(&[("mug", 10)]);
    let (address, seen) = users_service();
    let url = format!("http://{address}/base/");
    let mut command = commerce(directory.path());
    command.args(["--listen", "127.0.0.1:0", "--users-url", &url]).env("COMMERCE_USERS_TOKEN", "service-token-1");
    let server = Server::start_with(&mut command);
    assert_eq!(order(&server, directory.path(), "ann").await.status, StatusCode::CREATED);
    assert_eq!(order(&server, directory.path(), "old").await.status, StatusCode::CREATED);
    let stranger = order(&server, directory.path(), "a/../ann?").await;
    assert_eq!((stranger.status, stranger.body["code"].as_str()), (StatusCode::BAD_REQUEST, Some("user_not_found")));
    for user in ["eve", "sam", "big", "nil", "odd", "cut"] {
        let answer = order(&server, directory.path(), user).await;
        let expected = (StatusCode::SERVICE_UNAVAILABLE, Some("user_service_unavailable"));
        assert_eq!((answer.status, answer.body["code"].as_str()), expected, "{user}");
        assert!(!answer.body.to_string().contains("service-token"));
    }
    let requests = seen.lock().expect("no panic").clone();
    assert!(requests.iter().all(|request| request.to_lowercase().contains("authorization: bearer service-token-1")));
    assert!(
        requests.iter().any(|request| request.starts_with("GET /base/api/v1/users/a%2F..%2Fann%3F ")),
        "{requests:?}"
    );
    let log = server.stop().log;
    assert!(!log.contains("service-token"), "{log}");
}

#[tokio::test]
async fn a_users_service_that_is_down_is_no_stranger() {
    let directory = stocked(&[("mug", 10)]);
    let gone = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let server = Server::start(directory.path(), &["--users-url", &format!("http://{gone}")]);
    let answer = order(&server, directory.path(), "ann").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.body["detail"].as_str(), Some("Unable to validate user"), "{answer:?}");
}

#[test]
fn an_address_that_cannot_be_used_is_refused_with_the_reason() {
    for (address, reason) in [
        ("users", "http://"),
        ("ftp://users", "http://"),
        ("http://me:secret@users", "COMMERCE_USERS_TOKEN"),
        ("http://users/?x=1", "a query"),
    ] {
        let output = commerce(directory().path()).args(["--users-url", address]).output().expect("it runs");
        assert_eq!(output.status.code(), Some(1), "{address}");
        assert!(crate::running::stderr(&output).contains(reason), "{address}");
    }
}

#[test]
fn the_token_is_never_shown() {
    let users = HttpUsers::new("http://localhost:1", Some("hush-hush"), Duration::from_secs(1)).expect("an address");
    assert!(!format!("{users:?}").contains("hush"));
}
