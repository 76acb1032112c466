//! Pages of other origins, and traces from the client to a neighbour.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use commerce_core::actor::Role;
use serde_json::Value;

use crate::running::{PATIENCE, Server, directory, fail, order_of, stocked};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// The head of the answer to a request, in lower case.
fn head(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    let request = format!("{}host: {address}\r\nconnection: close\r\n\r\n", request.replace('\n', "\r\n"));
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer.split("\r\n\r\n").next().expect("a head").to_lowercase()
}

fn serve(at: &Path, cors: &str) -> Server {
    fs::write(at.join("shop.toml"), format!("[cors]\n{cors}\n")).expect("written");
    Server::start(at, &["--config", "shop.toml"])
}

#[test]
fn pages_of_named_origins_may_call() {
    let home = directory();
    let cors = "origins = [\"https://a.example.com\", \"http://localhost:3000\"]\nmax_age = \"1h\"\ncredentials = true";
    let server = serve(home.path(), cors);
    let asks = "access-control-request-method: POST\naccess-control-request-headers: authorization\n";
    let preflight =
        |origin: &str| head(server.address, &format!("OPTIONS /v1/carts HTTP/1.1\norigin: {origin}\n{asks}"));
    let good = preflight("https://a.example.com");
    for line in [
        "http/1.1 204 no content",
        "access-control-allow-origin: https://a.example.com",
        "access-control-allow-methods: get, head, post, put, patch, delete",
        "access-control-allow-headers: authorization, content-type, idempotency-key, if-match, if-none-match, \
         last-event-id, traceparent, x-request-id",
        "access-control-max-age: 3600",
        "access-control-allow-credentials: true",
        "vary: origin",
    ] {
        assert!(good.lines().any(|found| found == line), "{line}: {good}");
    }
    for origin in ["https://b.example.com", "https://a.example.com.evil.com", "null"] {
        let bad = preflight(origin);
        assert!(!bad.contains("access-control-allow") && bad.contains("vary: origin"), "{bad}");
    }
    let read = |origin: &str| head(server.address, &format!("GET /v1/products HTTP/1.1\n{origin}"));
    let page = read("origin: http://localhost:3000\n");
    assert!(page.starts_with("http/1.1 200") && page.contains("access-control-allow-origin: http://localhost:3000"));
    let exposed = "access-control-expose-headers: etag, idempotent-replayed, location, retry-after, x-request-id";
    assert!(page.contains(exposed), "{page}");
    assert!(!read("").contains("access-control"), "no origin");
    let refused = head(server.address, "POST /v1/carts HTTP/1.1\norigin: https://a.example.com\ncontent-length: 0\n");
    assert!(refused.starts_with("http/1.1 401") && refused.contains("access-control-allow-origin"), "{refused}");
}

#[test]
fn all_pages_may_call_without_cookies() {
    let home = directory();
    let server = serve(home.path(), "origins = [\"*\"]");
    let page = head(server.address, "GET /v1/products HTTP/1.1\norigin: https://a.example.com\n");
    assert!(page.contains("access-control-allow-origin: *") && !page.contains("credentials"), "{page}");
}

#[test]
fn without_the_setting_no_page_of_another_origin_may_call() {
    let home = directory();
    let server = Server::start(home.path(), &[]);
    let page = head(server.address, "GET /v1/products HTTP/1.1\norigin: https://a.example.com\n");
    assert!(!page.contains("access-control"), "{page}");
}

#[test]
fn origins_that_would_never_match_are_refused() {
    let home = directory();
    for (cors, words) in [
        ("origins = [\"https://a.example.com/\"]", "no slash at the end"),
        ("origins = [\"a.example.com\"]", "it begins with https://"),
        ("origins = [\"htps://a.example.com\"]", "it begins with https://"),
        ("origins = [\"https://A.example.com\"]", "lower case"),
        ("origins = [\"https://*.example.com\"]", "names one host"),
        ("origins = [\"https://a.example.com:443\"]", "usual port"),
        ("origins = [\"https://\"]", "is not an origin"),
        ("origins = [\"*\"]\ncredentials = true", "any page could read"),
        ("origins = [\"*\", \"https://a.example.com\"]", "stands alone"),
        ("origins = []", "name at least one"),
        ("origins = [\"*\"]\nmethods = [\"GETT\"]", "\"GETT\" is not a method"),
        ("origins = [\"*\"]\nheaders = [\"a b\"]", "\"a b\" is not the name of a header"),
        ("origins = [\"*\"]\nmax_age = \"2d\"", "at most 1d"),
        ("origin = [\"*\"]", "unknown field"),
    ] {
        fs::write(home.path().join("shop.toml"), format!("[cors]\n{cors}\n")).expect("written");
        fail(home.path(), &["--config", "shop.toml", "--listen", "127.0.0.1:0"], 1, words);
    }
}

/// A users service that knows everybody, and what it was sent.
fn users_service() -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&seen);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut buffer = [0; 4096];
            let length = stream.read(&mut buffer).unwrap_or_default();
            heard.lock().expect("no panic").push(String::from_utf8_lossy(&buffer[..length]).to_lowercase());
            stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}").ok();
        }
    });
    (address, seen)
}

/// A collector of OpenTelemetry, and what it got.
fn collector() -> (SocketAddr, Arc<Mutex<Vec<Value>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&seen);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let heard = Arc::clone(&heard);
            thread::spawn(move || {
                let mut reader = BufReader::new(stream);
                while let Some(body) = body(&mut reader) {
                    let sent = serde_json::from_slice::<Value>(&body).expect("JSON");
                    let spans = sent["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().expect("spans").clone();
                    heard.lock().expect("no panic").extend(spans);
                    reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").expect("sent");
                }
            });
        }
    });
    (address, seen)
}

/// The body of the next request.
fn body(reader: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let (mut length, mut line) = (0, String::new());
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        if let Some(value) = line.to_lowercase().strip_prefix("content-length: ") {
            length = value.trim().parse().expect("a number");
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    (length > 0).then_some(body)
}

/// What a span has of an attribute.
fn attribute<'a>(span: &'a Value, name: &str) -> &'a Value {
    let attributes = span["attributes"].as_array().expect("attributes");
    let found = attributes.iter().find(|attribute| attribute["key"] == name);
    found.map_or(&Value::Null, |attribute| &attribute["value"])
}

#[test]
fn spans_of_requests_and_of_calls_go_to_the_collector() {
    let home = stocked(&[("mug", 10)]);
    let ((users, asked), (collector, heard)) = (users_service(), collector());
    let (users, url) = (format!("http://{users}"), format!("http://{collector}"));
    let server = Server::start(home.path(), &["--users-url", &users, "--otlp-url", &url]);
    let key = fs::read_to_string(home.path().join("commerce.db.key")).expect("a key");
    let token = commerce_http::auth::mint(key.trim().as_bytes(), "ann", Role::Customer, PATIENCE).expect("a token");
    let body = order_of("mug", 1).to_string();
    let placed = format!(
        "POST /v1/orders?secret=1 HTTP/1.1\nauthorization: Bearer {token}\nidempotency-key: k\ncontent-length: {}\n\
         content-type: application/json\nhost: {}\nconnection: close\n\n",
        body.len(),
        server.address
    );
    let mut stream = TcpStream::connect(server.address).expect("a connection");
    stream.write_all((placed.replace('\n', "\r\n") + &body).as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let unsampled = format!("GET /v1/products HTTP/1.1\ntraceparent: 00-{TRACE}-00f067aa0ba902b7-00\n");
    assert!(head(server.address, &unsampled).starts_with("http/1.1 200"));
    drop(server.stop());
    let spans = heard.lock().expect("no panic").clone();
    let request = spans.iter().find(|span| span["name"] == "POST /orders").expect("the request");
    assert_eq!(attribute(request, "http.response.status_code")["intValue"], "201");
    let call = spans.iter().find(|span| span["parentSpanId"] == request["spanId"]).expect("the call");
    assert_eq!((&call["kind"], &call["traceId"]), (&Value::from(3), &request["traceId"]));
    assert_eq!(attribute(call, "server.address")["stringValue"], "127.0.0.1");
    let sent = asked.lock().expect("no panic").concat();
    assert!(sent.contains(call["spanId"].as_str().expect("an id")), "the users service got the id of its span: {sent}");
    let all = Value::from(spans).to_string();
    assert!(!all.contains(TRACE) && !all.contains("ann") && !all.contains("secret"), "{all}");
}

#[test]
fn a_token_for_the_collector_is_not_sent_in_the_clear() {
    let home = directory();
    fs::write(home.path().join("token"), "secret").expect("written");
    for (trace, words) in [
        ("otlp = \"http://otel.example.com:4318\"\ntoken_file = \"token\"", "by https:// only"),
        ("otlp = \"otel.example.com\"", "trace.otlp"),
        ("service_name = \"shop\"", "need otlp"),
        ("otlp = \"http://127.0.0.1:4318\"\nservice_name = \"\"", "1 to 100 bytes"),
    ] {
        fs::write(home.path().join("shop.toml"), format!("[trace]\n{trace}\n")).expect("written");
        fail(home.path(), &["--config", "shop.toml", "--listen", "127.0.0.1:0"], 1, words);
    }
}

#[test]
fn a_trace_goes_from_the_client_to_the_log_and_to_neighbours() {
    let home = stocked(&[("mug", 10)]);
    let (users, seen) = users_service();
    let server = Server::start(home.path(), &["--users-url", &format!("http://{users}")]);
    let key = fs::read_to_string(home.path().join("commerce.db.key")).expect("a key");
    let token = commerce_http::auth::mint(key.trim().as_bytes(), "ann", Role::Customer, PATIENCE).expect("a token");
    let order = |number: u32, trace: &str| {
        let body = order_of("mug", 1).to_string();
        let request = format!(
            "POST /v1/orders HTTP/1.1\nauthorization: Bearer {token}\nidempotency-key: k{number}\nx-request-id: r{number}\n\
             content-type: application/json\ncontent-length: {}\n{trace}host: {}\nconnection: close\n\n",
            body.len(),
            server.address
        );
        let mut stream = TcpStream::connect(server.address).expect("a connection");
        stream.write_all((request.replace('\n', "\r\n") + &body).as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    };
    order(1, &format!("traceparent: 00-{TRACE}-00f067aa0ba902b7-01\n"));
    order(2, "traceparent: 00-nonsense-01\n");
    let requests = seen.lock().expect("no panic").clone();
    let traces: Vec<_> =
        requests.iter().filter_map(|request| request.lines().find(|line| line.starts_with("traceparent: "))).collect();
    assert_eq!(traces.len(), 2, "{requests:?}");
    assert!(traces[0].starts_with(&format!("traceparent: 00-{TRACE}-")) && traces[0].ends_with("-01"), "{traces:?}");
    assert!(!traces[0].contains("00f067aa0ba902b7"), "a span of its own: {traces:?}");
    assert!(!traces[1].contains("nonsense"), "{traces:?}");
    let log = server.stop().log;
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let line = lines.into_iter().find(|line| line["span"]["request_id"] == "r1").expect("a line of the request");
    assert_eq!(line["span"]["trace_id"], TRACE, "{line}");
}
