//! Webhooks as the service sends them.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::Utc;
use commerce_core::port::{Processor, ProcessorEvent, Webhook, WebhookRejection};
use commerce_outbound::signature::{Secrets, sign};
use commerce_remote::wire::SIGNATURE;
use commerce_remote::{Remote, RemoteConfig};
use remote_double::Settings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::{SECRET, pay, remote_at};

/// Reads a webhook, and answers it with a status.
async fn received(listener: &TcpListener, status: &str) -> (String, Vec<u8>) {
    let (mut stream, _) = listener.accept().await.expect("a connection");
    let mut bytes = Vec::new();
    let (head, body) = loop {
        stream.read_buf(&mut bytes).await.expect("a request");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        if body.ends_with("}}") {
            break (head.to_owned(), body.as_bytes().to_vec());
        }
    };
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.expect("it is answered");
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    (lines.filter(|(name, _)| *name == SIGNATURE).map(|(_, value)| value.to_owned()).collect(), body)
}

fn read(remote: &Remote, signature: &str, body: &[u8]) -> Result<Vec<ProcessorEvent>, WebhookRejection> {
    remote.read_webhook(&Webhook { headers: &[(SIGNATURE, signature)], body, at: Utc::now() })
}

#[tokio::test]
async fn webhooks_are_sent_until_they_are_accepted_in_any_order_and_twice() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let webhook = format!("http://{}/hook", listener.local_addr().expect("an address"));
    let settings = Settings { webhook: Some(webhook), duplicates: 500, reordered: 500, seed: 3, ..Settings::default() };
    let address = remote_double::start(settings).await.expect("it starts");
    let remote = remote_at(format!("http://{address}"));
    for _ in 0..10 {
        remote.perform(&pay("tok_ok")).await.expect("it is paid");
    }
    received(&listener, "503 Unavailable").await;
    let mut seen = Vec::new();
    let gather = async {
        while seen.iter().collect::<BTreeSet<_>>().len() < 9 {
            let (signature, body) = received(&listener, "200 OK").await;
            let events = read(&remote, &signature, &body).expect("it is believed");
            seen.extend(events.into_iter().map(|event| event.id));
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gather).await.expect("all webhooks but a late one");
    assert!(seen.len() > seen.iter().collect::<BTreeSet<_>>().len(), "some twice: {seen:?}");
}

#[tokio::test]
async fn forged_foreign_and_malformed_webhooks_are_refused() {
    let address = remote_double::start(Settings { account: Some("test".to_owned()), ..Settings::default() }).await;
    let base = format!("http://{}", address.expect("it starts"));
    let mut config = RemoteConfig::new(base.clone());
    config.webhook_secrets = Secrets::parse(SECRET);
    config.account = Some("test".to_owned());
    let remote = Remote::new(config).expect("the settings are right");
    let body = br#"{"id":"event-1","type":"PaymentSucceeded","created":"2026-01-02T03:04:05Z","account":"test","data":{
        "operation_id":"01890000-0000-7000-8000-000000000001","payment_id":"01890000-0000-7000-8000-000000000002",
        "kind":"authorize","status":"succeeded","amount_cents":500,"currency":"USD"}}"#;
    let good = sign(SECRET, body, Utc::now().timestamp());
    assert_eq!(read(&remote, &good, body).expect("it is believed").len(), 1);
    assert_eq!(read(&remote, &sign("other", body, Utc::now().timestamp()), body), Err(WebhookRejection::Forged));
    assert!(matches!(read(&remote, &sign(SECRET, body, 1_000), body), Err(WebhookRejection::Stale { .. })));
    assert_eq!(read(&remote_at(base), &good, body), Err(WebhookRejection::Foreign));
    let empty = sign(SECRET, b"{}", Utc::now().timestamp());
    assert!(matches!(read(&remote, &empty, b"{}"), Err(WebhookRejection::Malformed(_))));
}
