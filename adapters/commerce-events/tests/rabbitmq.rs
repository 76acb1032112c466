//! An exchange of `RabbitMQ` keeps the contract of a publisher, on a server that is killed on the way.
//!
//! The server needs seconds to start, so the tests share it: each has an exchange and a queue of its own, and none of them uses the
//! server while it is away.

#![cfg(feature = "rabbitmq")]
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "tls/authority.rs"]
mod authority;

use std::sync::{Arc, LazyLock, Mutex as StdMutex};
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::port::{PublishError, PublishFailure, Publisher};
use commerce_core::publishing::Message;
use commerce_events::{RabbitMqConfig, RabbitMqTarget};
use commerce_testkit::suite::publisher::{Fixture, message};
use lapin::options::{
    BasicGetOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions, QueuePurgeOptions,
};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind};
use test_servers::{Broker, BrokerKind, Identity, required};
use tokio::sync::{Mutex, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use tokio::time::timeout;
use uuid::Uuid;

use authority::Authority;

/// The server, its authority, and who uses it: those who need it running, or one who stops it.
struct Shared {
    server: StdMutex<Broker>,
    authority: Authority,
    running: Arc<RwLock<()>>,
}

static SHARED: LazyLock<Shared> = LazyLock::new(|| {
    let authority = Authority::new();
    let (certificate, key) = authority.issue();
    let identity = Identity { certificate: &certificate, key: &key };
    let server = StdMutex::new(required(Broker::start_with(BrokerKind::RabbitMq, identity)));
    Shared { server, authority, running: Arc::default() }
});

#[expect(dead_code, reason = "held, not read")]
enum Use {
    Running(OwnedRwLockReadGuard<()>),
    Stopped(OwnedRwLockWriteGuard<()>),
}

struct OwnExchange {
    name: String,
    url: String,
    using: Mutex<Option<Use>>,
}

impl OwnExchange {
    fn config(&self) -> RabbitMqConfig {
        RabbitMqConfig { url: self.url.clone(), exchange: self.name.clone(), queue: None, ca_file: None }
    }

    fn target(&self) -> RabbitMqTarget {
        RabbitMqTarget::new(self.config()).expect("an address")
    }

    fn name(&self) -> ShortString {
        self.name.as_str().into()
    }

    async fn channel(&self) -> (Connection, Channel) {
        let connection = Connection::connect(&self.url, ConnectionProperties::default()).await.expect("a connection");
        let channel = connection.create_channel().await.expect("a channel");
        (connection, channel)
    }

    /// An exchange whose events of orders go to a quorum queue.
    async fn declare(&self) {
        let (_connection, channel) = self.channel().await;
        let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        let declared = channel.exchange_declare(self.name(), ExchangeKind::Topic, durable, FieldTable::default());
        declared.await.expect("an exchange");
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
        let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(self.name(), durable, arguments).await.expect("a queue");
        let (options, arguments) = (QueueBindOptions::default(), FieldTable::default());
        channel.queue_bind(self.name(), self.name(), "order.#".into(), options, arguments).await.expect("bound");
    }

    /// What is in the queue, which keeps it. A queue needs time to be there again after a restart.
    async fn stored(&self) -> Vec<(Vec<u8>, String, BasicProperties)> {
        for _ in 0..20 {
            if let Ok(Ok(stored)) = timeout(Duration::from_secs(10), self.get_all()).await {
                return stored;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("the queue is not there")
    }

    async fn get_all(&self) -> lapin::Result<Vec<(Vec<u8>, String, BasicProperties)>> {
        let connection = Connection::connect(&self.url, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        let mut stored = Vec::new();
        while let Some(found) = channel.basic_get(self.name(), BasicGetOptions::default()).await? {
            let delivery = found.delivery;
            stored.push((delivery.data, delivery.routing_key.to_string(), delivery.properties));
        }
        connection.close(200, "read".into()).await?;
        Ok(stored)
    }
}

#[async_trait]
impl Fixture for OwnExchange {
    async fn publisher(&self) -> Arc<dyn Publisher> {
        Arc::new(self.target())
    }

    async fn received(&self) -> Vec<Vec<u8>> {
        self.stored().await.into_iter().map(|(body, ..)| body).collect()
    }

    async fn stop(&self) -> bool {
        let mut using = self.using.lock().await;
        *using = None;
        *using = Some(Use::Stopped(SHARED.running.clone().write_owned().await));
        // The server writes the list of its quorum queues now and then only. One that is younger than a crash is lost, whatever it confirmed.
        tokio::time::sleep(Duration::from_secs(3)).await;
        SHARED.server.lock().expect("no panic").kill().expect("it is killed");
        true
    }

    async fn start(&self) {
        SHARED.server.lock().expect("no panic").restart().expect("it starts");
    }

    /// No queue takes it.
    fn unwanted(&self) -> Option<Message> {
        Some(Message { event_type: "stock.out".to_owned(), ..message("order/9", 1) })
    }
}

async fn start() -> OwnExchange {
    let running = LazyLock::force(&SHARED).running.clone().read_owned().await;
    let url = SHARED.server.lock().expect("no panic").url();
    let using = Mutex::new(Some(Use::Running(running)));
    let fixture = OwnExchange { name: Uuid::new_v4().to_string(), url, using };
    fixture.declare().await;
    fixture
}

commerce_testkit::publisher_suite!(start);

async fn failure(config: RabbitMqConfig, messages: &[Message]) -> PublishError {
    let target = RabbitMqTarget::new(config).expect("an address");
    let error = target.publish(messages).await.expect_err("refused");
    assert!(!format!("{error} {error:?} {target:?}").contains("hush"), "{error:?}");
    error
}

fn outage(error: PublishError) -> String {
    let PublishFailure::Unavailable(reason) = error.failure else { panic!("{error}") };
    reason
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_says_what_it_is_without_being_read() {
    let fixture = start().await;
    let attributes = vec![("id", "1".to_owned()), ("subject", "order/é 1".to_owned())];
    let sent = Message { attributes, content_type: "application/json", ..message("order/1", 1) };
    fixture.target().publish(std::slice::from_ref(&sent)).await.expect("published");
    let stored = fixture.stored().await;
    let [(body, key, properties)] = stored.as_slice() else { panic!("{stored:?}") };
    assert_eq!((body, key.as_str()), (&sent.body, "order.paid"));
    let text = |value: &Option<ShortString>| value.as_ref().map(ToString::to_string);
    assert_eq!(text(properties.message_id()), Some(sent.id.to_string()));
    assert_eq!(text(properties.kind()), Some("order.paid".to_owned()));
    assert_eq!(text(properties.content_type()), Some("application/json".to_owned()));
    assert_eq!(properties.delivery_mode(), &Some(2), "persistent");
    let headers = properties.headers().as_ref().expect("headers").inner();
    assert_eq!(headers.get("cloudEvents:subject"), Some(&AMQPValue::LongString("order/é 1".into())));
    assert_eq!(headers.keys().filter(|name| name.as_str().starts_with("cloudEvents:")).count(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_of_the_settings_is_declared_and_gets_every_type() {
    let fixture = start().await;
    let queue = format!("{}-own", fixture.name);
    let config = RabbitMqConfig { exchange: queue.clone(), queue: Some(queue.clone()), ..fixture.config() };
    let messages = [message("order/1", 1), fixture.unwanted().expect("one")];
    for _ in 0..2 {
        let target = RabbitMqTarget::new(config.clone()).expect("an address");
        target.publish(&messages).await.expect("published");
    }
    let (_connection, channel) = fixture.channel().await;
    let durable = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(queue.as_str().into(), durable, FieldTable::default()).await.expect("it is there");
    let purged = channel.queue_purge(queue.as_str().into(), QueuePurgeOptions::default()).await.expect("purged");
    assert_eq!(purged, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_too_long_is_refused_by_its_place() {
    let fixture = start().await;
    let long = Message { body: vec![b'x'; 2 * 1024 * 1024], ..message("order/9", 1) };
    let batch = [message("order/1", 1), message("order/2", 1), long, message("order/3", 1)];
    let error = failure(fixture.config(), &batch).await;
    assert_eq!(error, PublishError::refused(2, "it is longer than RabbitMQ takes"));
    fixture.target().publish(&batch[3..]).await.expect("published");
    let stored = fixture.received().await;
    let wanted = [&batch[0], &batch[1], &batch[3]];
    assert!(wanted.iter().all(|message| stored.contains(&message.body)), "{} messages", stored.len());
}

/// One that takes no more is not one that takes and forgets.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_is_full_confirms_nothing_that_it_does_not_have() {
    let fixture = start().await;
    let (_connection, channel) = fixture.channel().await;
    let (name, mut arguments) = (ShortString::from(format!("{}-full", fixture.name)), FieldTable::default());
    arguments.insert("x-max-length".into(), AMQPValue::LongInt(2));
    arguments.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
    channel.queue_declare(name.clone(), QueueDeclareOptions::default(), arguments).await.expect("a queue");
    let (options, arguments) = (QueueBindOptions::default(), FieldTable::default());
    channel.queue_bind(name.clone(), fixture.name(), "stock.#".into(), options, arguments).await.expect("bound");
    let of = |number| Message { event_type: "stock.out".to_owned(), ..message("stock/MUG", number) };
    let error = failure(fixture.config(), &(1..6).map(of).collect::<Vec<_>>()).await;
    assert_eq!(error, PublishError::unavailable(2, "RabbitMQ: a queue did not take it"));
    let purged = channel.queue_purge(name, QueuePurgeOptions::default()).await.expect("purged");
    assert_eq!(purged, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_exchange_nothing_is_confirmed() {
    let fixture = start().await;
    let config = RabbitMqConfig { exchange: "nowhere".to_owned(), ..fixture.config() };
    let error = failure(config, &[message("order/1", 1)]).await;
    assert_eq!(error.confirmed, 0);
    let reason = outage(error);
    assert!(reason.contains("no exchange 'nowhere'"), "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_and_a_server_that_is_away_are_outages_without_secrets() {
    let fixture = start().await;
    let wrong = RabbitMqConfig { url: fixture.url.replace("commerce:", "commerce:hush"), ..fixture.config() };
    let reason = outage(failure(wrong, &[message("order/1", 1)]).await);
    assert!(reason.contains("ACCESS_REFUSED"), "{reason}");
    let away = RabbitMqConfig { url: "amqp://commerce:hush@127.0.0.1:1".to_owned(), ..fixture.config() };
    let reason = outage(failure(away, &[message("order/1", 1)]).await);
    assert!(reason.contains("Connection refused"), "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_tls_the_server_is_verified_and_still_asks_for_the_password() {
    let fixture = start().await;
    let url = SHARED.server.lock().expect("no panic").tls_url().expect("TLS");
    let trusted = RabbitMqConfig { url, ca_file: Some(SHARED.authority.file()), ..fixture.config() };
    let target = RabbitMqTarget::new(trusted.clone()).expect("an address");
    target.publish(&[message("order/1", 1)]).await.expect("published");
    assert_eq!(fixture.received().await.len(), 1);

    let other = Authority::new();
    for ca_file in [None, Some(other.file())] {
        let reason = outage(failure(RabbitMqConfig { ca_file, ..trusted.clone() }, &[message("order/1", 2)]).await);
        assert!(reason.contains("invalid peer certificate"), "{reason}");
    }
    let wrong = RabbitMqConfig { url: trusted.url.replace("commerce:", "commerce:hush"), ..trusted.clone() };
    let reason = outage(failure(wrong, &[message("order/1", 2)]).await);
    assert!(reason.contains("ACCESS_REFUSED"), "{reason}");
    let plain = RabbitMqConfig { url: trusted.url.replace("amqps:", "amqp:"), ..trusted.clone() };
    outage(failure(plain, &[message("order/1", 2)]).await);
    let missing = RabbitMqConfig { ca_file: Some("nowhere.pem".into()), ..trusted };
    let reason = outage(failure(missing, &[message("order/1", 2)]).await);
    assert!(reason.contains("the file of authorities"), "{reason}");
    assert_eq!(fixture.received().await.len(), 1);
}

#[test]
fn what_is_no_address_is_refused_without_showing_it() {
    let config =
        |url: &str, exchange: String| RabbitMqConfig { url: url.to_owned(), exchange, queue: None, ca_file: None };
    for wrong in [config("http://user:hush@localhost", "c".into()), config("amqp://localhost", "c".repeat(256))] {
        let refused = RabbitMqTarget::new(wrong).expect_err("no address");
        assert!(!format!("{refused} {refused:?}").contains("hush"));
    }
}
