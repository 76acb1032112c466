//! What a client can hold at the listener: connections, requests, time.

#![expect(clippy::expect_used, reason = "a test says what it expects")]

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use commerce_server::listener::{Limits, bind, serve};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

const QUICK: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(20);
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n";
const ONE: [u8; 4] = [127, 0, 0, 1];
const OTHER: [u8; 4] = [127, 0, 0, 2];
/// More than the system buffers for a connection.
const LARGE: usize = 24 * 1024 * 1024;

/// A server whose answers depend on the path: `/slow` takes a while, `/large` is [`LARGE`].
fn start(limits: Limits) -> SocketAddr {
    let listener = bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let address = listener.local_addr().expect("an address");
    let service = tower::service_fn(|request: Request<Incoming>| async move {
        if request.uri().path() == "/slow" {
            sleep(QUICK * 2).await;
        }
        let body =
            if request.uri().path() == "/large" { vec![b'x'; LARGE].into() } else { Bytes::from_static(b"done") };
        Ok::<_, Infallible>(Response::new(Full::new(body)))
    });
    tokio::spawn(async move { serve(listener, service, &limits, std::future::pending()).await });
    address
}

async fn connect(from: impl Into<IpAddr>, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((from.into(), 0).into()).expect("a local address");
    socket.connect(to).await.expect("a connection")
}

/// One answer of a connection that stays open, or what came until it was closed.
async fn ask(stream: &mut TcpStream, request: &[u8]) -> String {
    stream.write_all(request).await.ok();
    let mut text = Vec::new();
    while !text.ends_with(b"done") && !text.ends_with(b"\r\n\r\n") {
        match timeout(PATIENCE, stream.read_buf(&mut text)).await.expect("an answer or an end") {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
    }
    String::from_utf8(text).expect("text")
}

async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut text = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut text)).await.is_ok() && text.is_empty()
}

type Http2 = http2::SendRequest<Empty<Bytes>>;

/// An HTTP/2 connection with a window for each answer.
async fn http2(to: SocketAddr, window: u32) -> (Http2, JoinHandle<hyper::Result<()>>) {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.timer(TokioTimer::new()).initial_stream_window_size(window);
    builder.keep_alive_interval(QUICK / 6).keep_alive_while_idle(true);
    let (client, connection) = builder.handshake(TokioIo::new(connect(ONE, to).await)).await.expect("a handshake");
    (client, tokio::spawn(connection))
}

fn get(path: &str) -> Request<Empty<Bytes>> {
    Request::get(format!("http://here{path}")).body(Empty::new()).expect("a request")
}

#[tokio::test]
async fn a_client_has_a_maximum_of_connections_and_others_are_served() {
    let address = start(Limits { per_client: 3, ..Limits::default() });
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut stream = connect(ONE, address).await;
        assert!(ask(&mut stream, REQUEST).await.ends_with("done"));
        held.push(stream);
    }
    assert!(is_closed(&mut connect(ONE, address).await).await);
    assert!(ask(&mut connect(OTHER, address).await, REQUEST).await.ends_with("done"));
    held.pop();
    sleep(QUICK).await;
    assert!(ask(&mut connect(ONE, address).await, REQUEST).await.ends_with("done"), "the place is free again");
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_forwarded_client_counts() {
    let trusted_proxies = vec!["127.0.0.1".parse().expect("a network")];
    let address = start(Limits { per_client: 1, trusted_proxies, ..Limits::default() });
    let slow = b"GET /slow HTTP/1.1\r\nhost: here\r\nx-forwarded-for: 192.0.2.1\r\n\r\n";
    let mut proxy = [connect(ONE, address).await, connect(ONE, address).await, connect(ONE, address).await];
    proxy[0].write_all(slow).await.expect("sent");
    sleep(QUICK).await;
    let forged = b"GET / HTTP/1.1\r\nhost: here\r\nx-forwarded-for: 198.51.100.9, 192.0.2.1\r\n\r\n";
    let refused = ask(&mut proxy[1], forged).await.to_ascii_lowercase();
    assert!(refused.starts_with("http/1.1 503") && refused.contains("retry-after: "), "{refused}");
    let other = b"GET / HTTP/1.1\r\nhost: here\r\nx-forwarded-for: 192.0.2.2\r\n\r\n";
    assert!(ask(&mut proxy[2], other).await.ends_with("done"));
    assert!(ask(&mut proxy[0], b"").await.ends_with("done"), "the first one is answered");
}

#[tokio::test]
async fn only_trusted_proxies_name_another_client() {
    let address = start(Limits { per_client: 1, ..Limits::default() });
    let mut held = connect(ONE, address).await;
    let forged = b"GET / HTTP/1.1\r\nhost: here\r\nx-forwarded-for: 192.0.2.1\r\n\r\n";
    assert!(ask(&mut held, forged).await.ends_with("done"));
    assert!(is_closed(&mut connect(ONE, address).await).await);
}

#[tokio::test]
async fn idle_connections_are_closed() {
    let address = start(Limits { idle_time_out: QUICK, head_time_out: QUICK, ..Limits::default() });
    let mut stream = connect(ONE, address).await;
    assert!(ask(&mut stream, REQUEST).await.ends_with("done"));
    assert!(is_closed(&mut stream).await, "HTTP/1");
    let (mut client, connection) = http2(address, 65_535).await;
    assert_eq!(client.send_request(get("/")).await.expect("an answer").status(), StatusCode::OK);
    timeout(PATIENCE, connection).await.expect("HTTP/2, although it sends pings").expect("no panic").ok();
}

#[tokio::test]
async fn an_old_connection_finishes_its_request_and_is_closed() {
    let address = start(Limits { max_age: QUICK, ..Limits::default() });
    let mut stream = connect(ONE, address).await;
    let answer = ask(&mut stream, b"GET /slow HTTP/1.1\r\nhost: here\r\n\r\n").await;
    assert!(answer.contains("connection: close") && answer.ends_with("done"), "{answer}");
    assert!(is_closed(&mut stream).await);
    let (mut client, connection) = http2(address, 65_535).await;
    let answer = client.send_request(get("/slow")).await.expect("an answer");
    assert_eq!(answer.into_body().collect().await.expect("the body").to_bytes(), "done");
    timeout(PATIENCE, connection).await.expect("closed").expect("no panic").ok();
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off() {
    let address = start(Limits { write_time_out: QUICK, ..Limits::default() });
    let mut stream = connect(ONE, address).await;
    stream.write_all(b"GET /large HTTP/1.1\r\nhost: here\r\n\r\n").await.expect("sent");
    sleep(QUICK * 4).await;
    let mut got = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut got)).await.expect("an end").ok();
    assert!(got.len() < LARGE, "the rest was dropped");
}

#[tokio::test]
async fn a_client_that_reads_slowly_gets_everything() {
    let address = start(Limits { write_time_out: QUICK * 2, idle_time_out: QUICK, ..Limits::default() });
    let mut stream = connect(ONE, address).await;
    stream.write_all(b"GET /large HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").await.expect("sent");
    let (mut got, mut part) = (0, vec![0; LARGE / 16]);
    loop {
        let read = timeout(PATIENCE, stream.read(&mut part)).await.expect("in time").expect("not cut off");
        if read == 0 {
            break;
        }
        got += read;
        sleep(QUICK / 20).await;
    }
    assert!(got > LARGE);
}

#[tokio::test]
async fn a_stream_whose_window_stays_closed_is_reset_and_others_go_on() {
    let address = start(Limits { write_time_out: QUICK, ..Limits::default() });
    for window in [0, 20_000] {
        let (mut client, connection) = http2(address, window).await;
        let stuck = client.send_request(get("/large")).await.expect("a head");
        let began = Instant::now();
        let mut body = stuck.into_body();
        if window == 0 {
            assert!(timeout(PATIENCE, body.frame()).await.expect("an end").expect("a frame").is_err(), "it is reset");
        } else {
            sleep(QUICK * 4).await; // hyper opens the window again when a frame is read
            let mut got = 0;
            while let Some(Ok(frame)) = timeout(PATIENCE, body.frame()).await.expect("an end") {
                got += frame.data_ref().map_or(0, Bytes::len);
            }
            assert!(got < LARGE, "the rest was dropped");
        }
        assert!(began.elapsed() < PATIENCE);
        let head = client.send_request(get("/")).await.expect("the connection goes on");
        assert_eq!(head.status(), StatusCode::OK);
        assert!(!connection.is_finished());
    }
}

#[tokio::test]
async fn requests_of_a_client_are_limited_over_all_streams() {
    let address = start(Limits { per_client: 4, ..Limits::default() });
    let (client, _connection) = http2(address, 65_535).await;
    let asked = (0..6).map(|_| {
        let mut client = client.clone();
        async move { client.send_request(get("/slow")).await.expect("an answer").status() }
    });
    let answers = futures_util::future::join_all(asked).await;
    let served = answers.iter().filter(|status| **status == StatusCode::OK).count();
    assert_eq!((served, answers.len() - served), (4, 2), "{answers:?}");
}
