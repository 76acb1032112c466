//! One address that holds all it can. The long form: `COMMERCE_ATTACK=5000` connections, `COMMERCE_ATTACK_SECONDS=30` after the end.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use commerce_core::actor::Role;
use futures_util::future::join_all;
use http::{Method, Request, StatusCode};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use crate::home::Home;
use crate::running::{Caller, PATIENCE, Server, directory};

const ATTACKER: [u8; 4] = [127, 0, 0, 66];
const OTHER: [u8; 4] = [127, 0, 0, 2];
/// What the others may take while the attack goes on, unless they took a third of it before: in the long form, which has the
/// machine for itself, and beside other tests.
const FAST_ENOUGH: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(1)];
const MEBIBYTE: u64 = 1024 * 1024;

fn setting(name: &str, usual: u32) -> u32 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

async fn connect(from: impl Into<IpAddr>, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((from.into(), 0).into())?;
    socket.connect(to).await
}

/// The time that 99 of 100 requests of another address take, each over a connection of its own or all over one. It is measured
/// in a thread of its own, which the attackers do not share.
async fn p99(server: &Server, keep: bool) -> Duration {
    let address = server.address;
    let measured = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(measure(address, keep))
    });
    measured.await.expect("it ends")
}

async fn measure(address: SocketAddr, keep: bool) -> Duration {
    let mut times = Vec::new();
    let mut kept = connect(OTHER, address).await.expect("a connection");
    for _ in 0..300 {
        let began = Instant::now();
        if !keep {
            kept = connect(OTHER, address).await.expect("a connection");
        }
        kept.write_all(b"GET /v1/products HTTP/1.1\r\nhost: here\r\n\r\n").await.expect("sent");
        let mut answer = Vec::new();
        while !answer.ends_with(b"}") {
            let read = tokio::time::timeout(PATIENCE, kept.read_buf(&mut answer)).await.expect("in time");
            assert_ne!(read.expect("read"), 0);
        }
        assert!(answer.starts_with(b"HTTP/1.1 200"));
        times.push(began.elapsed());
    }
    times.sort();
    times[times.len() * 99 / 100]
}

/// The resident memory some time after the attack, in which others go on.
async fn memory_afterwards(server: &Server) -> u64 {
    for _ in 0..setting("COMMERCE_ATTACK_SECONDS", 1) {
        p99(server, true).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    resident(server)
}

/// Half a minute after the attack, the server must have returned the memory.
fn check_returned(name: &str, before: u64, after: u64) {
    if setting("COMMERCE_ATTACK_SECONDS", 1) >= 30 {
        assert!(after <= before + 32 * MEBIBYTE, "{name}: {} -> {} MiB", before / MEBIBYTE, after / MEBIBYTE);
    }
}

/// Resident memory in bytes.
fn resident(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("a process");
    let line = status.lines().find(|line| line.starts_with("VmRSS")).expect("a line");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("a number") * 1024
}

/// Connects and attacks until it is aborted; connects again when the connection is closed.
async fn pipeline(to: SocketAddr) {
    let requests = b"GET /openapi.json HTTP/1.1\r\nhost: here\r\n\r\n".repeat(50);
    while let Ok(mut stream) = connect(ATTACKER, to).await {
        stream.write_all(&requests).await.ok();
        while stream.write_all(b"").await.is_ok() && stream.take_error().is_ok_and(|error| error.is_none()) {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn trickle(to: SocketAddr) {
    while let Ok(mut stream) = connect(ATTACKER, to).await {
        let mut answer = [0; 4096];
        let port = stream.local_addr().map_or(0, |address| address.port());
        tokio::time::sleep(Duration::from_millis(u64::from(port % 2000))).await; // not all at once
        loop {
            stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: here\r\n\r\n").await.ok();
            if matches!(stream.read(&mut answer).await, Ok(0) | Err(_)) {
                break;
            }
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn ping(to: SocketAddr) {
    while let Ok(stream) = connect(ATTACKER, to).await {
        if let Ok((_client, connection)) = http2(stream, 65_535).await {
            connection.await.ok();
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn stall(to: SocketAddr) {
    while let Ok(stream) = connect(ATTACKER, to).await {
        let Ok((client, mut connection)) = http2(stream, 0).await else { continue };
        let stuck = (0..20).map(|_| get(client.clone(), "/openapi.json", None));
        tokio::select! {
            _ = join_all(stuck) => { tokio::time::timeout(Duration::from_secs(5), connection).await.ok(); }
            _ = &mut connection => tokio::time::sleep(Duration::from_millis(500)).await,
        }
    }
}

type Http2 = (SendRequest<Empty<Bytes>>, http2::Connection<TokioIo<TcpStream>, Empty<Bytes>, TokioExecutor>);

async fn http2(stream: TcpStream, window: u32) -> hyper::Result<Http2> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.timer(TokioTimer::new()).initial_stream_window_size(window);
    builder.keep_alive_interval(Duration::from_secs(1)).keep_alive_while_idle(true);
    builder.handshake(TokioIo::new(stream)).await
}

async fn get(
    mut client: SendRequest<Empty<Bytes>>,
    path: &str,
    token: Option<&str>,
) -> Option<http::Response<Incoming>> {
    let mut request = Request::get(format!("http://here{path}"));
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    client.send_request(request.body(Empty::new()).ok()?).await.ok()
}

/// Attacks with many connections, and compares what the others see before and meanwhile.
async fn check<F: Future<Output = ()> + Send + 'static>(name: &str, attack: fn(SocketAddr) -> F) {
    let count = setting("COMMERCE_ATTACK", 150);
    let home = directory();
    let metrics = std::net::TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr()).expect("a port");
    let server = Server::start(home.path(), &["--metrics-listen", &metrics.to_string(), "--write-timeout", "5s"]);
    let before = (p99(&server, false).await, p99(&server, true).await);
    let memory = resident(&server);
    let mut attackers = JoinSet::new();
    for _ in 0..count {
        attackers.spawn(attack(server.address));
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let meanwhile = (p99(&server, false).await, p99(&server, true).await);
    let peak = resident(&server);
    let health = Caller::guest(metrics).get("/readyz").await.status;
    attackers.shutdown().await;
    let after = memory_afterwards(&server).await;
    eprintln!(
        "{name}: {count} connections; p99 new {:?} -> {:?}, kept {:?} -> {:?}; MiB {} -> {} -> {}",
        before.0,
        meanwhile.0,
        before.1,
        meanwhile.1,
        memory / MEBIBYTE,
        peak / MEBIBYTE,
        after / MEBIBYTE
    );
    let enough = FAST_ENOUGH[usize::from(std::env::var_os("COMMERCE_ATTACK").is_none())];
    assert!(meanwhile.0 <= enough.max(before.0 * 3), "{name}: {before:?}, {meanwhile:?}");
    assert!(meanwhile.1 <= enough.max(before.1 * 3), "{name}: {before:?}, {meanwhile:?}");
    assert_eq!(health, StatusCode::OK, "{name}");
    assert!(peak < 256 * MEBIBYTE, "{name}: {} MiB", peak / MEBIBYTE);
    check_returned(name, memory, after);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_with_many_connections_does_not_disturb_others() {
    check("pipelined, never read", pipeline).await;
    check("keep-alive trickle", trickle).await;
    check("HTTP/2 pings", ping).await;
    check("HTTP/2 window 0", stall).await;
}

/// A shop in which a customer has many orders of 500 lines.
async fn large_orders(count: u32) -> (Home, Server, Caller) {
    let home = Home::sqlite();
    let skus: Vec<String> = (0..500).map(|number| format!("sku-with-a-long-name-{number:03}")).collect();
    home.stock(&skus.iter().map(|sku| (sku.as_str(), 1_000_000)).collect::<Vec<_>>());
    let server = Server::start(
        home.path(),
        &["--orders-per-minute", "0", "--unpaid-orders", "0", "--unpaid-units", "0", "--write-timeout", "10s"],
    );
    let ann = Caller::guest(server.address).acting(home.path(), "ann", Role::Customer);
    let mut body = crate::running::order_of("x", 1);
    body["items"] = skus.iter().map(|sku| json!({ "sku": sku, "quantity": 1 })).collect();
    for number in 0..count {
        let answer = ann.send(Method::POST, "/v1/orders", Some(&number.to_string()), &body).await.expect("an answer");
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    }
    (home, server, ann)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_nobody_takes_do_not_fill_the_memory() {
    let (home, server, ann) = large_orders(setting("COMMERCE_ATTACK_ORDERS", 12)).await;
    let page = ann.get("/v1/orders?limit=100").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.to_string().len() <= 1024 * 1024 && page.body["next_cursor"].is_string());
    let token = crate::running::succeed(home.path(), &["token", "--sub", "ann", "--role", "customer"]);
    let memory = resident(&server);
    let mut held = Vec::new();
    for connection in 0..setting("COMMERCE_ATTACK_LISTS", 4) {
        let stream = connect(ATTACKER, server.address).await.expect("a connection");
        let (client, connection_) = http2(stream, 0).await.expect("a handshake");
        tokio::spawn(connection_);
        let path = if connection % 2 == 0 { "/v1/orders?limit=100" } else { "/v1/orders?limit=1" };
        held.push(tokio::spawn({
            let token = token.trim().to_owned();
            async move { join_all((0..128).map(|_| get(client.clone(), path, Some(&token)))).await }
        }));
    }
    let mut peak = 0;
    for _ in 0..80 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        peak = peak.max(resident(&server));
    }
    let answers: Vec<_> = join_all(held).await.into_iter().flatten().flatten().flatten().collect();
    let refused = answers.iter().filter(|answer| answer.status() == StatusCode::SERVICE_UNAVAILABLE).count();
    let others = p99(&server, false).await;
    let asked = answers.len();
    drop(answers);
    let after = memory_afterwards(&server).await;
    let mib = [memory, peak, after].map(|bytes| bytes / MEBIBYTE);
    eprintln!(
        "window 0, lists: {asked} answers, {refused} of them 503; MiB before, peak, after: {mib:?}; p99 {others:?}"
    );
    assert!(refused > 0, "what exceeds the memory is refused");
    assert!(peak < 256 * MEBIBYTE, "{mib:?}");
    check_returned("lists", memory, after);
}
