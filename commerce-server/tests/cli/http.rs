//! Requests that are not proper HTTP, sent byte by byte to the program.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::running::{PATIENCE, Server, directory};

/// The answers on a connection that the server closes.
fn tell(server: &Server, text: &str) -> String {
    let mut stream = TcpStream::connect(server.address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    stream.write_all(text.as_bytes()).ok();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok();
    String::from_utf8(answer).expect("text")
}

/// A whole problem, whose connection was closed. Returns its request id.
#[track_caller]
fn check_problem(answer: &str, status: u16, code: &str) -> String {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    let problem: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"));
    assert_eq!((&problem["code"], &problem["status"]), (&code.into(), &status.into()), "{answer}");
    let id = problem["request_id"].as_str().expect("an id").to_owned();
    let length = format!("content-length: {}", body.len());
    let others = ["content-type: application/problem+json", "connection: close", &length];
    for header in [&format!("x-request-id: {id}")].into_iter().map(String::as_str).chain(others) {
        assert!(head.lines().any(|line| line.eq_ignore_ascii_case(header)), "{header}: {answer}");
    }
    id
}

#[test]
fn what_is_not_proper_http_is_refused_with_a_problem_and_logged() {
    let directory = directory();
    let server = Server::start(directory.path(), &[]);
    let long = "x".repeat(64 * 1024);
    let head = |lines: &str| format!("GET /healthz HTTP/1.1\r\n{lines}\r\n");
    let post = |coding: &str| format!("POST /v1/carts HTTP/1.1\r\nhost: shop\r\n{coding}\r\n2\r\n{{}}\r\n0\r\n\r\n");
    let refused = [
        (head(""), 400, "malformed_request"),
        (head("host: shop\r\nhost: shop\r\n"), 400, "malformed_request"),
        (head("host: shop, other\r\n"), 400, "malformed_request"),
        (post("transfer-encoding: gzip, chunked\r\n"), 501, "unsupported_transfer_encoding"),
        (post("transfer-encoding: chunked, chunked\r\n"), 501, "unsupported_transfer_encoding"),
        (post("transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n"), 501, "unsupported_transfer_encoding"),
        (head("host : shop\r\n"), 400, "malformed_request"),
        ("GET / HTTP/9.9\r\n\r\n".to_owned(), 400, "malformed_request"),
        ("nonsense\r\n\r\n".to_owned(), 400, "malformed_request"),
        (head(&format!("host: shop\r\nx-long: {long}\r\n")), 431, "head_too_large"),
    ];
    let ids: Vec<_> = refused
        .iter()
        .map(|(text, status, code)| (check_problem(&tell(&server, text), *status, code), status))
        .collect();
    let good = tell(&server, &head("host: \r\nconnection: close\r\n"));
    assert!(good.starts_with("HTTP/1.1 200 "), "an empty host is a host: {good}");
    let old = tell(&server, "GET /healthz HTTP/1.0\r\n\r\n");
    assert!(old.starts_with("HTTP/1.0 200 "), "HTTP/1.0 needs no host: {old}");
    let log = server.stop().log;
    for (id, status) in ids {
        let line = log.lines().find(|line| line.contains(&id)).unwrap_or_else(|| panic!("{id} is not in {log}"));
        let line: Value = serde_json::from_str(line).expect("a line of JSON");
        assert_eq!((&line["message"], &line["status"]), (&"answered".into(), &(*status).into()), "{line}");
    }
}

#[test]
fn what_follows_a_good_request_is_refused_as_well() {
    let directory = directory();
    let server = Server::start(directory.path(), &[]);
    let mut stream = TcpStream::connect(server.address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: shop\r\n\r\n").expect("sent");
    let mut answer = vec![0; 4096];
    let length = stream.read(&mut answer).expect("an answer");
    assert!(answer[..length].ends_with(b"{\"status\":\"ok\"}"));
    stream.write_all(b"nonsense\r\n\r\n").expect("sent");
    let mut rest = String::new();
    stream.read_to_string(&mut rest).expect("an answer");
    check_problem(&rest, 400, "malformed_request");
}
