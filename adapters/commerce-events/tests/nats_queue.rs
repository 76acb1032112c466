//! A durable consumer of NATS `JetStream` keeps the contract of a subscription, on a server of its own that is killed on the way.

#![cfg(feature = "nats")]
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "tls/authority.rs"]
mod authority;

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::stream::Config;
use async_nats::jetstream::{self, Context};
use async_nats::{ConnectOptions, ServerAddr};
use async_trait::async_trait;
use commerce_core::port::Subscription;
use commerce_events::{NatsQueue, NatsQueueConfig};
use commerce_testkit::suite::subscription::Fixture;
use test_servers::{Broker, BrokerKind, Identity, required};
use tokio::sync::Mutex;

use authority::Authority;

struct OneServer {
    server: Mutex<Broker>,
    url: String,
}

impl OneServer {
    fn config(&self) -> NatsQueueConfig {
        NatsQueueConfig {
            url: self.url.clone(),
            ca_file: None,
            stream: "ERP".to_owned(),
            durable: "commerce".to_owned(),
            subject: Some("erp.stock.>".to_owned()),
            again_after: Duration::from_secs(1),
        }
    }

    async fn context(&self) -> Context {
        let server: ServerAddr = self.url.parse().expect("an address");
        let (user, password) = server.username().zip(server.password()).expect("a user");
        let options = ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned());
        jetstream::new(options.connect(&server).await.expect("a connection"))
    }

    async fn publish(&self, subject: &'static str, body: &[u8]) {
        let context = self.context().await;
        let sent = context.publish(subject, body.to_vec().into()).await.expect("sent");
        sent.await.expect("stored");
    }
}

#[async_trait]
impl Fixture for OneServer {
    async fn subscription(&self) -> Arc<dyn Subscription> {
        Arc::new(NatsQueue::new(self.config()))
    }

    async fn send(&self, body: &[u8]) {
        self.publish("erp.stock.level", body).await;
    }

    async fn stop(&self) {
        self.server.lock().await.kill().expect("it is killed");
    }

    async fn start(&self) {
        self.server.lock().await.restart().expect("it starts");
    }
}

fn without_stream() -> OneServer {
    let server = required(Broker::start(BrokerKind::Nats));
    OneServer { url: server.url(), server: Mutex::new(server) }
}

async fn start() -> OneServer {
    let fixture = without_stream();
    let config = Config { name: "ERP".to_owned(), subjects: vec!["erp.>".to_owned()], ..Config::default() };
    fixture.context().await.create_stream(config).await.expect("a stream");
    fixture
}

commerce_testkit::subscription_suite!(start);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_subject_of_the_settings_is_taken() {
    let fixture = start().await;
    fixture.publish("erp.invoice", b"an invoice").await;
    fixture.send(b"a level").await;
    let taken = fixture.subscription().await.next(10).await.expect("taken");
    assert_eq!(taken.iter().map(|message| message.body.as_slice()).collect::<Vec<_>>(), [b"a level"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_that_was_deleted_is_made_anew() {
    let fixture = start().await;
    let subscription = fixture.subscription().await;
    assert_eq!(subscription.next(1).await.map(|taken| taken.len()), Ok(0));
    let stream = fixture.context().await.get_stream("ERP").await.expect("a stream");
    stream.delete_consumer("commerce").await.expect("deleted");
    fixture.send(b"a level").await;
    for _ in 0..10 {
        if subscription.next(1).await.is_ok_and(|taken| taken.len() == 1) {
            return;
        }
    }
    panic!("nothing came");
}

async fn failure(config: NatsQueueConfig) -> String {
    let queue = NatsQueue::new(config);
    let error = queue.next(1).await.expect_err("an outage");
    assert!(!format!("{error} {error:?} {queue:?}").contains("hush"), "{error:?}");
    error.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_stream_and_with_a_wrong_password_there_is_an_error_without_secrets() {
    let fixture = without_stream();
    let reason = failure(fixture.config()).await;
    assert!(reason.contains("stream not found"), "{reason}");
    let url = fixture.url.replace("commerce:", "commerce:hush");
    let reason = failure(NatsQueueConfig { url, ..fixture.config() }).await;
    assert!(reason.contains("authorization violation"), "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_tls_the_server_is_verified() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (certificate, key) = authority.issue();
    let identity = Identity { certificate: &certificate, key: &key };
    let server = required(Broker::start_with(BrokerKind::Nats, identity));
    let url = server.tls_url().expect("TLS");
    let fixture = OneServer { url, server: Mutex::new(server) };
    let reason = failure(NatsQueueConfig { ca_file: Some(authority.file()), ..fixture.config() }).await;
    assert!(reason.contains("stream not found"), "{reason}");
    let reason = failure(NatsQueueConfig { ca_file: Some(other.file()), ..fixture.config() }).await;
    assert!(reason.contains("certificate"), "{reason}");
}
