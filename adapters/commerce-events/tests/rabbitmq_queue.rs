//! A queue of `RabbitMQ` keeps the contract of a subscription, on a server that is killed on the way.
//!
//! The server needs seconds to start, so the tests share it: each has a queue of its own, and none of them uses the server while it is away.

#![cfg(feature = "rabbitmq")]
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::sync::{Arc, LazyLock, Mutex as StdMutex};
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::port::Subscription;
use commerce_events::{RabbitMqQueue, RabbitMqQueueConfig};
use commerce_testkit::suite::subscription::Fixture;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use test_servers::{Broker, BrokerKind, required};
use tokio::sync::{Mutex, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use uuid::Uuid;

/// The server, and who uses it: those who need it running, or one who stops it.
struct Shared {
    server: StdMutex<Broker>,
    running: Arc<RwLock<()>>,
}

static SHARED: LazyLock<Shared> = LazyLock::new(|| {
    let server = StdMutex::new(required(Broker::start(BrokerKind::RabbitMq)));
    Shared { server, running: Arc::default() }
});

#[expect(dead_code, reason = "held, not read")]
enum Use {
    Running(OwnedRwLockReadGuard<()>),
    Stopped(OwnedRwLockWriteGuard<()>),
}

struct OwnQueue {
    name: String,
    url: String,
    using: Mutex<Option<Use>>,
}

impl OwnQueue {
    fn config(&self) -> RabbitMqQueueConfig {
        RabbitMqQueueConfig { url: self.url.clone(), ca_file: None, queue: self.name.clone() }
    }

    async fn channel(&self) -> (Connection, Channel) {
        let connection = Connection::connect(&self.url, ConnectionProperties::default()).await.expect("a connection");
        let channel = connection.create_channel().await.expect("a channel");
        (connection, channel)
    }

    async fn declare(&self) {
        let (_connection, channel) = self.channel().await;
        let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(self.name.as_str().into(), durable, FieldTable::default()).await.expect("a queue");
    }
}

#[async_trait]
impl Fixture for OwnQueue {
    async fn subscription(&self) -> Arc<dyn Subscription> {
        Arc::new(RabbitMqQueue::new(self.config()).expect("an address"))
    }

    async fn send(&self, body: &[u8]) {
        let (_connection, channel) = self.channel().await;
        channel.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default().with_delivery_mode(2));
        let sent = channel.basic_publish("".into(), self.name.as_str().into(), options, body, properties);
        assert!(sent.await.expect("sent").await.expect("confirmed").is_ack());
    }

    async fn stop(&self) {
        let mut using = self.using.lock().await;
        *using = None;
        *using = Some(Use::Stopped(SHARED.running.clone().write_owned().await));
        SHARED.server.lock().expect("no panic").kill().expect("it is killed");
    }

    async fn start(&self) {
        tokio::task::block_in_place(|| SHARED.server.lock().expect("no panic").restart().expect("it starts"));
        *self.using.lock().await = None;
    }
}

async fn without_queue() -> OwnQueue {
    let url = tokio::task::block_in_place(|| SHARED.server.lock().expect("no panic").url());
    let using = Mutex::new(Some(Use::Running(SHARED.running.clone().read_owned().await)));
    OwnQueue { name: format!("erp-{}", Uuid::new_v4()), url, using }
}

async fn start() -> OwnQueue {
    let fixture = without_queue().await;
    fixture.declare().await;
    fixture
}

commerce_testkit::subscription_suite!(start);

async fn failure(config: RabbitMqQueueConfig) -> String {
    let queue = RabbitMqQueue::new(config).expect("an address");
    let error = queue.next(1).await.expect_err("an outage");
    assert!(!format!("{error} {error:?} {queue:?}").contains("hush"), "{error:?}");
    error.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_queue_and_with_a_wrong_password_there_is_an_error_without_secrets() {
    let fixture = without_queue().await;
    let reason = failure(fixture.config()).await;
    assert!(reason.contains("no queue"), "{reason}");
    let url = fixture.url.replace("commerce:", "commerce:hush");
    let reason = failure(RabbitMqQueueConfig { url, ..fixture.config() }).await;
    assert!(reason.contains("ACCESS_REFUSED"), "{reason}");
}

/// As after a failover or a mistake of an operator: the subscription connects again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_was_deleted_and_declared_again_is_taken_from() {
    let fixture = start().await;
    let subscription = fixture.subscription().await;
    assert_eq!(subscription.next(1).await.map(|taken| taken.len()), Ok(0));
    let (_connection, channel) = fixture.channel().await;
    channel.queue_delete(fixture.name.as_str().into(), QueueDeleteOptions::default()).await.expect("deleted");
    fixture.declare().await;
    fixture.send(b"a level").await;
    for _ in 0..20 {
        if subscription.next(1).await.is_ok_and(|taken| taken.len() == 1) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("nothing came");
}
