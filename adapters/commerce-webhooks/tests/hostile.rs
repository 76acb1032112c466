//! The sender against endpoints that do what they should not, over real sockets.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use commerce_core::ids::{EventId, WebhookEndpointId};
use commerce_core::port::{WebhookRequest, WebhookSender};
use commerce_core::webhook::{DeliveryFailure, DeliveryOutcome, UrlRefusal, WebhookEndpoint, WebhookEndpointDetails};
use commerce_outbound::standard;
use commerce_webhooks::{Config, HttpWebhooks, SigningKeys};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use uuid::Uuid;

const KEY: &str = "a-signing-key-of-at-least-32-bytes";
const BODY: &[u8] = br#"{"type":"order.paid"}"#;
/// Of an attempt, where a test waits for it.
const BRIEF: Duration = Duration::from_millis(700);
const OK: &str = "HTTP/1.1 204 No Content\r\n\r\n";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

/// A sender that may reach this machine.
fn config() -> Config {
    let mut config = Config::new(SigningKeys::parse(KEY).unwrap());
    config.allowed_networks = vec!["127.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()];
    config.allow_http = true;
    config.time_out = Duration::from_secs(20);
    config
}

fn endpoint(sender: &HttpWebhooks, url: &str) -> WebhookEndpoint {
    let details = WebhookEndpointDetails { url: url.parse().unwrap(), description: None, types: [].into() };
    WebhookEndpoint::new((WebhookEndpointId::new(Uuid::from_u128(7)), 0), details, sender.signing_key(), 0, now())
}

async fn send(config: Config, url: &str) -> DeliveryOutcome {
    let sender = HttpWebhooks::new(config).unwrap();
    let endpoint = endpoint(&sender, url);
    let event_id = EventId::new(Uuid::from_u128(9));
    sender.send(&WebhookRequest { endpoint: &endpoint, event_id, at: now(), body: BODY }).await.0
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Reads a whole request.
async fn request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut text = Vec::new();
    while !text.ends_with(BODY) {
        if stream.read_buf(&mut text).await.unwrap_or(0) == 0 {
            break;
        }
    }
    String::from_utf8(text).unwrap()
}

/// An endpoint that answers each request with a text, and counts the connections.
async fn answering(answer: String) -> (SocketAddr, Arc<AtomicUsize>) {
    let ((listener, address), count) = (listen().await, Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let answer = answer.clone();
            tokio::spawn(async move {
                request(&mut stream).await;
                stream.write_all(answer.as_bytes()).await.ok();
            });
        }
    });
    (address, count)
}

async fn answered(answer: &str) -> DeliveryOutcome {
    let (address, _) = answering(answer.to_owned()).await;
    send(config(), &format!("http://{address}/hook")).await
}

fn header<'r>(request: &'r str, name: &str) -> &'r str {
    let line = request.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    line.unwrap_or_else(|| panic!("no {name} in {request}"))
}

#[tokio::test]
async fn a_webhook_is_signed_with_every_valid_secret() {
    let (listener, address) = listen().await;
    let sender = HttpWebhooks::new(config()).unwrap();
    let first = endpoint(&sender, &format!("http://{address}/a/b?c=d"));
    let rotated = first.rotated(sender.signing_key(), TimeDelta::hours(1), now());
    let received = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let text = request(&mut stream).await;
        stream.write_all(OK.as_bytes()).await.unwrap();
        text
    });
    let event_id = EventId::new(Uuid::from_u128(9));
    let request = WebhookRequest { endpoint: &rotated, event_id, at: now(), body: BODY };
    assert_eq!(sender.send(&request).await.0, DeliveryOutcome::Answered(204));
    let text = received.await.unwrap();
    assert!(text.starts_with("POST /a/b?c=d HTTP/1.1\r\n"), "{text}");
    assert_eq!(header(&text, "host"), address.to_string());
    assert_eq!(header(&text, "content-type"), "application/cloudevents+json");
    assert!(header(&text, "user-agent").starts_with("commerce/"));
    let (id, time) = (header(&text, "webhook-id"), header(&text, "webhook-timestamp"));
    assert_eq!((id, time), (event_id.to_string().as_str(), "1800000000"));
    let signatures: Vec<_> = header(&text, "webhook-signature").split(' ').collect();
    let secrets = [rotated.secret().unwrap(), first.secret().unwrap()];
    let expected = secrets.map(|version| {
        let secret = sender.secret(first.id, version).unwrap();
        let secret = STANDARD.decode(secret.reveal().strip_prefix("whsec_").unwrap()).unwrap();
        standard::sign([&*secret], id, 1_800_000_000, BODY)
    });
    assert_eq!(signatures, expected);
}

#[tokio::test]
async fn the_status_decides() {
    for (answer, status) in [
        (OK, 204),
        ("HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n", 500),
        ("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n", 410),
        ("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nbroken off", 200),
    ] {
        assert_eq!(answered(answer).await, DeliveryOutcome::Answered(status), "{answer}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (inside, visits) = answering(OK.to_owned()).await;
    for status in [301, 302, 303, 307, 308] {
        let answer = format!("HTTP/1.1 {status} Elsewhere\r\nlocation: http://{inside}/\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(answered(&answer).await, DeliveryOutcome::Answered(status));
    }
    assert_eq!(visits.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_endless_answer_is_not_read() {
    let ((listener, address), sent) = (listen().await, Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&sent);
    let ended = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n").await.unwrap();
        let part = vec![b'x'; 65_536];
        while stream.write_all(&part).await.is_ok() {
            counted.fetch_add(65_536, Ordering::SeqCst);
        }
    });
    assert_eq!(send(config(), &format!("http://{address}/")).await, DeliveryOutcome::Answered(200));
    ended.await.unwrap();
    let sent = sent.load(Ordering::SeqCst);
    assert!(sent < 50_000_000, "{sent} bytes went out before the connection was closed");
}

#[tokio::test]
async fn an_endless_head_is_not_read() {
    let head = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(1_000_000));
    assert_eq!(answered(&head).await, DeliveryOutcome::Failed(DeliveryFailure::Broken));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(500));
    assert_eq!(answered(&many).await, DeliveryOutcome::Failed(DeliveryFailure::Broken));
}

#[tokio::test]
async fn a_slow_endpoint_is_given_up_in_time() {
    let (listener, address) = listen().await;
    let held = tokio::spawn(async move {
        let (mut silent, _) = listener.accept().await.unwrap();
        request(&mut silent).await;
        let (mut slow, _) = listener.accept().await.unwrap();
        request(&mut slow).await;
        while slow.write_all(b"H").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        drop(silent);
    });
    let started = Instant::now();
    for _ in ["silent", "slow"] {
        let config = Config { time_out: BRIEF, ..config() };
        let outcome = send(config, &format!("http://{address}/")).await;
        assert!(
            matches!(outcome, DeliveryOutcome::Failed(DeliveryFailure::TimedOut | DeliveryFailure::Broken)),
            "{outcome:?}"
        );
    }
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    held.abort();
}

#[tokio::test]
async fn a_body_that_trickles_does_not_undo_the_status() {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nx").await.unwrap();
        stream.read_exact(&mut [0]).await.ok(); // until it is closed
    });
    assert_eq!(send(config(), &format!("http://{address}/")).await, DeliveryOutcome::Answered(200));
}

#[tokio::test]
async fn what_is_not_http_or_not_there_is_no_answer() {
    for answer in ["", "SSH-2.0-OpenSSH\r\n", "\0\0\0\0"] {
        assert_eq!(answered(answer).await, DeliveryOutcome::Failed(DeliveryFailure::Broken), "{answer:?}");
    }
    let (listener, address) = listen().await;
    drop(listener);
    let outcome = send(config(), &format!("http://{address}/")).await;
    assert_eq!(outcome, DeliveryOutcome::Failed(DeliveryFailure::NotConnected));
    let outcome = send(config(), "http://nothing.invalid/").await;
    assert_eq!(outcome, DeliveryOutcome::Failed(DeliveryFailure::NotResolved));
}

#[tokio::test]
async fn a_name_that_leads_inside_is_not_called() {
    let (address, visits) = answering(OK.to_owned()).await;
    let config = Config { allowed_networks: vec!["10.0.0.0/8".parse().unwrap()], ..config() };
    let sender = HttpWebhooks::new(config.clone()).unwrap();
    let url = format!("http://localhost:{}/", address.port());
    assert_eq!(sender.check(&url.parse().unwrap()), Ok(()), "the name alone does not tell");
    assert_eq!(send(config.clone(), &url).await, DeliveryOutcome::Failed(DeliveryFailure::AddressRefused));
    let literal = format!("http://{address}/");
    assert_eq!(sender.check(&literal.parse().unwrap()), Err(UrlRefusal::NotPublic));
    assert_eq!(send(config, &literal).await, DeliveryOutcome::Failed(DeliveryFailure::UrlRefused));
    assert_eq!(visits.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn without_tls_nothing_is_sent_unless_it_is_allowed() {
    let (address, visits) = answering(OK.to_owned()).await;
    let config = Config { allow_http: false, ..config() };
    let url = format!("http://{address}/");
    let sender = HttpWebhooks::new(config.clone()).unwrap();
    assert_eq!(sender.check(&url.parse().unwrap()), Err(UrlRefusal::NotEncrypted));
    assert_eq!(send(config, &url).await, DeliveryOutcome::Failed(DeliveryFailure::UrlRefused));
    assert_eq!(visits.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_secret_without_its_key_signs_nothing() {
    let (address, visits) = answering(OK.to_owned()).await;
    let old = endpoint(&HttpWebhooks::new(config()).unwrap(), &format!("http://{address}/"));
    let keys = SigningKeys::parse("another-signing-key-of-at-least-32-bytes").unwrap();
    let sender = HttpWebhooks::new(Config { signing_keys: keys, ..config() }).unwrap();
    let event_id = EventId::new(Uuid::from_u128(9));
    let outcome = sender.send(&WebhookRequest { endpoint: &old, event_id, at: now(), body: BODY }).await.0;
    assert_eq!(outcome, DeliveryOutcome::Failed(DeliveryFailure::NoSigningKey));
    assert_eq!(visits.load(Ordering::SeqCst), 0);
}

/// An endpoint with a certificate for some names. Returns the certificate.
async fn with_tls(names: &[&str]) -> (SocketAddr, String) {
    let names = names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key).unwrap();
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer_encrypted(TlsAcceptor::from(Arc::new(config.clone())), stream));
        }
    });
    (address, cert.pem())
}

async fn answer_encrypted(acceptor: TlsAcceptor, stream: TcpStream) {
    if let Ok(mut stream) = acceptor.accept(stream).await {
        request(&mut stream).await;
        stream.write_all(OK.as_bytes()).await.ok();
        stream.flush().await.ok();
    }
}

#[tokio::test]
async fn a_certificate_is_checked_with_the_name_of_the_url() {
    let (address, authority) = with_tls(&["localhost"]).await;
    let trusting = || Config { authorities: Some(authority.clone()), ..config() };
    let named = format!("https://localhost:{}/", address.port());
    assert_eq!(send(trusting(), &named).await, DeliveryOutcome::Answered(204));
    let tls = DeliveryOutcome::Failed(DeliveryFailure::TlsFailed);
    assert_eq!(send(trusting(), &format!("https://{address}/")).await, tls, "it is of another name");
    assert_eq!(send(config(), &named).await, tls, "nobody vouches for it");
    let (listener, plain) = listen().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(OK.as_bytes()).await.ok();
    });
    assert_eq!(send(config(), &format!("https://{plain}/")).await, tls, "it speaks no TLS");
}

/// An endpoint that answers so many requests on each connection and then closes it. Counts the connections.
async fn keeping(requests: usize) -> (SocketAddr, Arc<AtomicUsize>) {
    let ((listener, address), count) = (listen().await, Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            for _ in 0..requests {
                request(&mut stream).await;
                stream.write_all(OK.as_bytes()).await.ok();
            }
        }
    });
    (address, count)
}

#[tokio::test]
async fn webhooks_share_a_connection_that_the_endpoint_keeps_open() {
    for (kept, expected) in [(6, 1), (2, 3), (1, 6)] {
        let (address, connections) = keeping(kept).await;
        let sender = HttpWebhooks::new(config()).unwrap();
        let endpoint = endpoint(&sender, &format!("http://{address}/"));
        for number in 0..6 {
            let event_id = EventId::new(Uuid::from_u128(number));
            let request = WebhookRequest { endpoint: &endpoint, event_id, at: now(), body: BODY };
            assert_eq!(sender.send(&request).await.0, DeliveryOutcome::Answered(204));
        }
        assert_eq!(connections.load(Ordering::SeqCst), expected, "{kept} requests on a connection");
    }
}

#[tokio::test]
async fn a_status_that_comes_late_is_not_lost_with_its_body() {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        request(&mut stream).await;
        tokio::time::sleep(Duration::from_millis(800)).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nx").await.unwrap();
        stream.read_exact(&mut [0]).await.ok();
    });
    let config = Config { time_out: Duration::from_secs(1), ..config() };
    assert_eq!(send(config, &format!("http://{address}/")).await, DeliveryOutcome::Answered(200));
}
