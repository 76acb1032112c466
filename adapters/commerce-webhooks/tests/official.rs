//! The official libraries of Standard Webhooks, in Python and JavaScript, verify what is sent.
//!
//! `cargo xtask ci webhooks` installs them and sets `WEBHOOKS_PYTHON` to a Python with the library, and `WEBHOOKS_NODE` to a directory with
//! `verify.mjs` and the library.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::env;
use std::io::Write;
use std::process::{Command, Stdio};

use chrono::{DateTime, TimeDelta, Utc};
use commerce_core::ids::{EventId, WebhookEndpointId};
use commerce_core::port::{WebhookRequest, WebhookSender};
use commerce_core::webhook::{DeliveryOutcome, WebhookEndpoint, WebhookEndpointDetails};
use commerce_webhooks::{Config, HttpWebhooks, SigningKeys};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use uuid::Uuid;

const BODY: &str = r#"{"type":"order.paid","data":{"name":"Zoë"}}"#;

/// What an endpoint received.
#[derive(Clone)]
struct Received {
    headers: BTreeMap<String, String>,
    body: String,
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run cargo xtask ci webhooks"))
}

/// Whether every library believes a webhook. They have to agree.
fn is_verified(secret: &str, received: &Received) -> bool {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/standardwebhooks");
    let mut python = Command::new(variable("WEBHOOKS_PYTHON"));
    python.arg(format!("{directory}/verify.py"));
    let mut node = Command::new("node");
    node.arg(format!("{}/verify.mjs", variable("WEBHOOKS_NODE")));
    let given = json!({ "secret": secret, "headers": received.headers, "body": received.body }).to_string();
    let verdicts = [python, node].map(|mut program| {
        let program = program.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut program = program.unwrap();
        program.stdin.take().unwrap().write_all(given.as_bytes()).unwrap();
        let ended = program.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        let refused = said.contains("WebhookVerificationError");
        assert!(ended.status.success() || refused, "{said}");
        ended.status.success()
    });
    assert_eq!(verdicts[0], verdicts[1], "Python and JavaScript");
    verdicts[0]
}

/// Sends a webhook, over a socket.
async fn sent(
    sender: &HttpWebhooks,
    endpoint: &WebhookEndpoint,
    listener: &TcpListener,
    at: DateTime<Utc>,
) -> Received {
    let event_id = EventId::new(Uuid::new_v4());
    let request = WebhookRequest { endpoint, event_id, at, body: BODY.as_bytes() };
    let receive = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut text = Vec::new();
        while !text.ends_with(BODY.as_bytes()) {
            assert_ne!(stream.read_buf(&mut text).await.unwrap(), 0);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        String::from_utf8(text).unwrap()
    };
    let ((outcome, _), text) = tokio::join!(sender.send(&request), receive);
    assert_eq!(outcome, DeliveryOutcome::Answered(200));
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let headers = head.lines().filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Received { headers, body: body.to_owned() }
}

#[tokio::test]
async fn the_libraries_verify_a_webhook_and_refuse_others() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let keys = SigningKeys::parse("a-signing-key-of-at-least-32-bytes").unwrap();
    let mut config = Config::new(keys);
    config.allowed_networks = vec!["127.0.0.0/8".parse().unwrap()];
    config.allow_http = true;
    let sender = HttpWebhooks::new(config).unwrap();
    let url = format!("http://{}/events", listener.local_addr().unwrap()).parse().unwrap();
    let details = WebhookEndpointDetails { url, description: None, types: [].into() };
    let (id, now) = (WebhookEndpointId::new(Uuid::new_v4()), Utc::now());
    let first = WebhookEndpoint::new((id, 0), details, sender.signing_key(), 0, now);
    let rotated = first.rotated(sender.signing_key(), TimeDelta::days(1), now);
    let secret = |endpoint: &WebhookEndpoint| sender.secret(id, endpoint.secret().unwrap()).unwrap();
    let (old, new) = (secret(&first), secret(&rotated));
    let (old, new) = (old.reveal(), new.reveal());

    let received = sent(&sender, &rotated, &listener, now).await;
    assert!(is_verified(new, &received) && is_verified(old, &received), "both secrets are valid");
    let before = sent(&sender, &first, &listener, now).await;
    assert!(is_verified(old, &before) && !is_verified(new, &before));

    let forged = Received { body: received.body.replace("paid", "void"), ..received.clone() };
    assert!(!is_verified(new, &forged), "another body");
    for (name, value) in [("webhook-id", "another"), ("webhook-timestamp", "1800000000")] {
        let mut forged = received.clone();
        forged.headers.insert(name.to_owned(), value.to_owned());
        assert!(!is_verified(new, &forged), "another {name}");
    }
    let stale = sent(&sender, &rotated, &listener, now - TimeDelta::minutes(10)).await;
    assert!(!is_verified(new, &stale), "an old one");
}
