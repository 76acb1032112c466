//! The accept loop: limits on clients, an orderly end.

#![allow(clippy::expect_used, reason = "a test says what it expects")]

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use commerce_server::listener::{Ended, Limits, serve};
use futures_util::stream;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const QUICK: Duration = Duration::from_millis(200);

/// A server that answers every request after a while, its address and how to end it.
async fn start(limits: Limits, takes: Duration) -> (std::net::SocketAddr, oneshot::Sender<()>, JoinHandle<Ended>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let service = tower::service_fn(move |_: Request<Incoming>| async move {
        tokio::time::sleep(takes).await;
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"done"))))
    });
    let (end, ended) = oneshot::channel::<()>();
    let shutdown = async {
        ended.await.ok();
    };
    (address, end, tokio::spawn(async move { serve(listener, service, &limits, shutdown).await }))
}

async fn connect(address: std::net::SocketAddr, sent: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(sent).await.expect("sent");
    stream
}

async fn rest(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    stream.read_to_end(&mut text).await.ok();
    String::from_utf8(text).expect("text")
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n";

#[tokio::test]
async fn a_request_in_flight_is_finished() {
    let (address, end, server) = start(Limits::default(), QUICK).await;
    let stream = connect(address, REQUEST).await;
    tokio::time::sleep(QUICK / 2).await;
    end.send(()).expect("it runs");
    assert!(rest(stream).await.ends_with("done"));
    assert_eq!(server.await.expect("an end"), Ended::Complete);
    assert!(TcpStream::connect(address).await.is_err(), "it accepts no longer");
}

#[tokio::test]
async fn grace_is_bounded() {
    let limits = Limits { grace: QUICK, ..Limits::default() };
    let (address, end, server) = start(limits, Duration::from_secs(60)).await;
    let _stream = connect(address, REQUEST).await;
    tokio::time::sleep(QUICK / 2).await;
    end.send(()).expect("it runs");
    assert_eq!(server.await.expect("an end"), Ended::Interrupted(1));
}

#[tokio::test]
async fn slow_clients_are_cut_off() {
    let limits = Limits { head_time_out: QUICK, ..Limits::default() };
    let (address, _end, _server) = start(limits, Duration::ZERO).await;
    let beginnings: [&[u8]; 4] = [b"", b"P", b"PRI * HTTP", b"GET / HTTP/1.1\r\nhost:"];
    for beginning in beginnings {
        let stream = connect(address, beginning).await;
        let answer = tokio::time::timeout(QUICK * 10, rest(stream)).await;
        assert!(!answer.expect("cut off").contains("200 OK"), "{beginning:?}");
    }
}

#[tokio::test]
async fn a_short_request_is_not_cut_off_later() {
    let limits = Limits { head_time_out: QUICK, ..Limits::default() };
    let (address, _end, _server) = start(limits, QUICK * 2).await;
    let stream = connect(address, b"GET / HTTP/1.0\r\n\r\n").await;
    assert!(rest(stream).await.ends_with("done"));
}

#[tokio::test]
async fn a_head_too_large_is_refused() {
    let (address, _end, _server) = start(Limits::default(), Duration::ZERO).await;
    let head = format!("GET / HTTP/1.1\r\nhost: here\r\nx-long: {}\r\n\r\n", "x".repeat(64 * 1024));
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(head.as_bytes()).await.ok();
    assert!(rest(stream).await.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn further_connections_wait_for_a_place() {
    let (address, _end, _server) = start(Limits { connections: 1, ..Limits::default() }, Duration::ZERO).await;
    let first = connect(address, b"").await;
    let second = connect(address, REQUEST).await;
    let mut buffer = [0; 4];
    assert!(tokio::time::timeout(QUICK, second.peek(&mut buffer)).await.is_err(), "it waits");
    drop(first);
    assert_eq!(tokio::time::timeout(QUICK * 10, second.peek(&mut buffer)).await.expect("answered").ok(), Some(4));
}

#[tokio::test]
async fn both_versions_of_http_share_the_listener() {
    for only_http2 in [false, true] {
        let (address, _end, _server) = start(Limits::default(), Duration::ZERO).await;
        let client = Client::builder(TokioExecutor::new()).http2_only(only_http2).build_http::<Full<Bytes>>();
        let uri = format!("http://{address}/").parse().expect("a uri");
        let answer = client.get(uri).await.expect("an answer");
        assert_eq!(answer.version() == http::Version::HTTP_2, only_http2);
        assert_eq!(answer.status(), http::StatusCode::OK);
    }
}

/// A body that says nothing for longer than a client may take for an answer.
#[tokio::test]
async fn a_quiet_stream_is_not_a_slow_client() {
    for only_http2 in [false, true] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let service = tower::service_fn(|_: Request<Incoming>| async {
            let parts = stream::unfold(0, |said| async move {
                tokio::time::sleep(QUICK * 3).await;
                (said < 2).then_some((Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"x"))), said + 1))
            });
            Ok::<_, Infallible>(Response::new(StreamBody::new(Box::pin(parts))))
        });
        let limits = Limits { write_time_out: QUICK, ..Limits::default() };
        tokio::spawn(async move { serve(listener, service, &limits, std::future::pending()).await });
        let client = Client::builder(TokioExecutor::new()).http2_only(only_http2).build_http::<Full<Bytes>>();
        let answer = client.get(format!("http://{address}/").parse().expect("a uri")).await.expect("an answer");
        let whole = answer.into_body().collect().await.expect("the whole stream").to_bytes();
        assert_eq!(whole, "xx", "HTTP/2: {only_http2}");
    }
}
