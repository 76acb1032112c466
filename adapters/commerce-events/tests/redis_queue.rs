//! A consumer group of a Redis stream keeps the contract of a subscription, on a server of its own that is killed on the way.

#![cfg(feature = "redis")]
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "tls/authority.rs"]
mod authority;

use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::port::Subscription;
use commerce_events::{RedisQueue, RedisQueueConfig};
use commerce_testkit::suite::subscription::Fixture;
use redis::aio::MultiplexedConnection;
use redis::{Client, cmd};
use test_servers::{Broker, BrokerKind, Identity, required};
use tokio::sync::Mutex;

use authority::Authority;

struct OneServer {
    server: Mutex<Broker>,
    url: String,
}

impl OneServer {
    fn config(&self) -> RedisQueueConfig {
        RedisQueueConfig {
            url: self.url.clone(),
            ca_file: None,
            stream: "erp".to_owned(),
            group: "commerce".to_owned(),
            field: "event".to_owned(),
            again_after: Duration::from_secs(1),
        }
    }

    fn queue(&self) -> RedisQueue {
        RedisQueue::new(self.config()).expect("an address")
    }

    async fn connection(&self) -> MultiplexedConnection {
        let client = Client::open(self.url.as_str()).expect("an address");
        client.get_multiplexed_async_connection().await.expect("a connection")
    }

    async fn add(&self, field: &str, value: &[u8]) {
        let mut add = cmd("XADD");
        add.arg("erp").arg("*").arg(field).arg(value);
        add.exec_async(&mut self.connection().await).await.expect("added");
    }
}

#[async_trait]
impl Fixture for OneServer {
    async fn subscription(&self) -> Arc<dyn Subscription> {
        Arc::new(self.queue())
    }

    async fn send(&self, body: &[u8]) {
        self.add("event", body).await;
    }

    async fn stop(&self) {
        self.server.lock().await.kill().expect("it is killed");
    }

    async fn start(&self) {
        self.server.lock().await.restart().expect("it starts");
    }
}

fn start() -> Ready<OneServer> {
    let server = required(Broker::start(BrokerKind::Redis));
    ready(OneServer { url: server.url(), server: Mutex::new(server) })
}

commerce_testkit::subscription_suite!(start);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_without_the_field_is_shown_as_it_is() {
    let fixture = start().await;
    fixture.add("other", b"a \"level\"").await;
    let taken = fixture.queue().next(10).await.expect("taken");
    assert_eq!(taken[0].body, br#"{"other":"a \"level\""}"#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_that_were_removed_while_they_were_taken_stop_none() {
    let fixture = start().await;
    fixture.send(b"one").await;
    let queue = fixture.queue();
    assert_eq!(queue.next(10).await.expect("taken").len(), 1);
    cmd("XTRIM").arg("erp").arg("MAXLEN").arg(0).exec_async(&mut fixture.connection().await).await.expect("trimmed");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    fixture.send(b"two").await;
    let taken = queue.next(10).await.expect("taken");
    assert_eq!(taken.iter().map(|message| message.body.as_slice()).collect::<Vec<_>>(), [b"two"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_was_deleted_is_made_anew() {
    let fixture = start().await;
    let queue = fixture.queue();
    assert_eq!(queue.next(1).await.map(|taken| taken.len()), Ok(0));
    cmd("DEL").arg("erp").exec_async(&mut fixture.connection().await).await.expect("deleted");
    fixture.send(b"one").await;
    assert_eq!(queue.next(1).await.map(|taken| taken.len()), Ok(1));
}

async fn failure(config: RedisQueueConfig) -> String {
    let queue = RedisQueue::new(config).expect("an address");
    let error = queue.next(1).await.expect_err("an outage");
    assert!(!format!("{error} {error:?} {queue:?}").contains("hush"), "{error:?}");
    error.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_and_a_key_of_another_kind_are_errors_without_secrets() {
    let fixture = start().await;
    let url = fixture.url.replace("commerce:", "commerce:hush");
    let reason = failure(RedisQueueConfig { url, ..fixture.config() }).await;
    assert!(reason.contains("authentication failed"), "{reason}");
    cmd("SET").arg("erp").arg("text").exec_async(&mut fixture.connection().await).await.expect("set");
    let reason = failure(fixture.config()).await;
    assert!(reason.contains("WRONGTYPE"), "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_tls_the_server_is_verified() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (certificate, key) = authority.issue();
    let identity = Identity { certificate: &certificate, key: &key };
    let server = required(Broker::start_with(BrokerKind::Redis, identity));
    let url = server.tls_url().expect("TLS");
    let fixture = OneServer { url, server: Mutex::new(server) };
    let trusted = RedisQueueConfig { ca_file: Some(authority.file()), ..fixture.config() };
    let queue = RedisQueue::new(trusted).expect("an address");
    assert_eq!(queue.next(1).await.map(|taken| taken.len()), Ok(0));
    let reason = failure(RedisQueueConfig { ca_file: Some(other.file()), ..fixture.config() }).await;
    assert!(reason.contains("certificate"), "{reason}");
}
