//! A Redis stream keeps the contract of a publisher, on a server of its own that is killed on the way.

#![cfg(feature = "redis")]
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "tls/authority.rs"]
mod authority;

use std::future::{Ready, ready};
use std::sync::Arc;

use async_trait::async_trait;
use commerce_core::port::{PublishFailure, Publisher};
use commerce_events::{RedisConfig, RedisTarget};
use commerce_testkit::suite::publisher::{Fixture, message};
use redis::streams::StreamRangeReply;
use redis::{Client, cmd};
use test_servers::{Broker, BrokerKind, Identity, required};
use tokio::sync::Mutex;

use authority::Authority;

struct OneServer {
    server: Mutex<Broker>,
    url: String,
}

impl OneServer {
    fn config(&self) -> RedisConfig {
        RedisConfig {
            url: self.url.clone(),
            stream: "commerce".to_owned(),
            channel: None,
            max_length: None,
            ca_file: None,
        }
    }

    async fn entries(&self) -> StreamRangeReply {
        let client = Client::open(self.url.as_str()).expect("an address");
        let mut connection = client.get_multiplexed_async_connection().await.expect("a connection");
        cmd("XRANGE").arg("commerce").arg("-").arg("+").query_async(&mut connection).await.expect("a stream")
    }
}

#[async_trait]
impl Fixture for OneServer {
    async fn publisher(&self) -> Arc<dyn Publisher> {
        Arc::new(RedisTarget::new(self.config()).expect("an address"))
    }

    async fn received(&self) -> Vec<Vec<u8>> {
        self.entries().await.ids.iter().map(|entry| entry.get("event").expect("an event")).collect()
    }

    async fn stop(&self) -> bool {
        self.server.lock().await.kill().expect("it is killed");
        true
    }

    async fn start(&self) {
        self.server.lock().await.restart().expect("it starts");
    }
}

fn start() -> Ready<OneServer> {
    let server = required(Broker::start(BrokerKind::Redis));
    ready(OneServer { url: server.url(), server: Mutex::new(server) })
}

commerce_testkit::publisher_suite!(start);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_has_fields_to_look_at_without_reading_the_event() {
    let fixture = start().await;
    let message = message("order/1", 1);
    fixture.publisher().await.publish(std::slice::from_ref(&message)).await.expect("published");
    let entry = &fixture.entries().await.ids[0];
    let field = |name| entry.get::<String>(name);
    assert_eq!(field("id"), Some(message.id.to_string()));
    assert_eq!(field("type"), Some(message.event_type.clone()));
    assert_eq!(field("subject"), Some(message.stream.clone()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscribers_of_the_channel_get_the_events_too() {
    let fixture = start().await;
    let client = Client::open(fixture.url.as_str()).expect("an address");
    let mut subscriber = client.get_async_pubsub().await.expect("a connection");
    subscriber.subscribe("events").await.expect("subscribed");
    let config = RedisConfig { channel: Some("events".to_owned()), ..fixture.config() };
    let messages = [message("order/1", 1), message("order/1", 2)];
    RedisTarget::new(config).expect("an address").publish(&messages).await.expect("published");
    let mut told = subscriber.into_on_message();
    for message in &messages {
        let found = futures_util::StreamExt::next(&mut told).await.expect("a message");
        assert_eq!(found.get_payload_bytes(), message.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_and_a_key_of_another_kind_are_outages_without_secrets() {
    let fixture = start().await;
    let failure = async |config: RedisConfig| {
        let target = RedisTarget::new(config).expect("an address");
        assert!(!format!("{target:?}").contains("commerce:"), "{target:?}");
        target.publish(&[message("order/1", 1)]).await.expect_err("refused").failure
    };
    let forged = RedisConfig { url: fixture.url.replace("commerce:", "commerce:hush"), ..fixture.config() };
    let PublishFailure::Unavailable(reason) = failure(forged).await else { panic!("an outage") };
    assert!(!reason.contains("hush"), "{reason}");
    let client = Client::open(fixture.url.as_str()).expect("an address");
    let mut connection = client.get_multiplexed_async_connection().await.expect("a connection");
    let () = cmd("SET").arg("commerce").arg("text").query_async(&mut connection).await.expect("set");
    let PublishFailure::Unavailable(reason) = failure(fixture.config()).await else { panic!("an outage") };
    assert!(reason.contains("WRONGTYPE"), "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_tls_the_server_is_verified_and_still_asks_for_the_password() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (certificate, key) = authority.issue();
    let identity = Identity { certificate: &certificate, key: &key };
    let server = required(Broker::start_with(BrokerKind::Redis, identity));
    let (plain, url) = (server.url(), server.tls_url().expect("TLS"));
    let fixture = OneServer { server: Mutex::new(server), url: plain };
    let trusted = RedisConfig { url, ca_file: Some(authority.file()), ..fixture.config() };
    let publish = async |config: RedisConfig| {
        let target = RedisTarget::new(config).expect("an address");
        target.publish(&[message("order/1", 1)]).await.map_err(|error| error.to_string())
    };
    publish(trusted.clone()).await.expect("published");
    for ca_file in [None, Some(other.file())] {
        let error = publish(RedisConfig { ca_file, ..trusted.clone() }).await.expect_err("not trusted");
        assert!(error.contains("certificate"), "{error}");
    }
    let wrong = RedisConfig { url: trusted.url.replace("commerce:", "commerce:hush"), ..trusted.clone() };
    let error = publish(wrong).await.expect_err("refused");
    assert!(error.contains("Password authentication failed") && !error.contains("hush"), "{error}");
    assert_eq!(fixture.received().await.len(), 1);

    let missing = RedisTarget::new(RedisConfig { ca_file: Some("nowhere.pem".into()), ..trusted });
    assert!(missing.expect_err("no file").to_string().starts_with("nowhere.pem: "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_full_confirms_nothing_that_it_does_not_have() {
    let fixture = start().await;
    let client = Client::open(fixture.url.as_str()).expect("an address");
    let mut connection = client.get_multiplexed_async_connection().await.expect("a connection");
    fixture.publisher().await.publish(&[message("order/1", 1)]).await.expect("published");
    let limit = |limit: &str| cmd("CONFIG").arg("SET").arg("maxmemory").arg(limit).to_owned();
    let () = limit("1").query_async(&mut connection).await.expect("set");
    let error = fixture.publisher().await.publish(&[message("order/1", 2)]).await.expect_err("full");
    assert_eq!(error.confirmed, 0);
    assert!(matches!(&error.failure, PublishFailure::Unavailable(reason) if reason.contains("OOM")), "{error}");
    let () = limit("0").query_async(&mut connection).await.expect("set");
    assert_eq!(fixture.received().await.len(), 1);
}

#[test]
fn what_is_no_address_is_refused_without_showing_it() {
    let config = RedisConfig {
        url: "http://user:hush@localhost".to_owned(),
        stream: "s".to_owned(),
        channel: None,
        max_length: None,
        ca_file: None,
    };
    let refused = RedisTarget::new(config).expect_err("no address");
    assert!(!format!("{refused} {refused:?}").contains("hush"));
}
