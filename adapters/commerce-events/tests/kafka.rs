//! A topic of Kafka keeps the contract of a publisher, over the wire protocol to the brokers that librdkafka has for tests.

#![cfg(feature = "kafka")]
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::future::{Ready, ready};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::port::{PublishError, PublishFailure, Publisher};
use commerce_core::publishing::Message;
use commerce_events::{KafkaConfig, KafkaTarget};
use commerce_testkit::suite::publisher::{Fixture, message};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message as _, OwnedMessage};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use tokio::task::block_in_place;

const PATIENCE: Duration = Duration::from_secs(10);
const PARTITIONS: i32 = 3;

type Mock = MockCluster<'static, DefaultProducerContext>;
type Job = Box<dyn FnOnce(&Mock) + Send>;

/// Brokers that live on a thread of their own, because others must not touch them.
struct Cluster {
    brokers: String,
    jobs: mpsc::Sender<Job>,
}

impl Cluster {
    fn start() -> Self {
        let (jobs, work) = mpsc::channel::<Job>();
        let (said, brokers) = mpsc::channel();
        thread::spawn(move || {
            let cluster = MockCluster::new(3).expect("a cluster");
            cluster.create_topic("commerce", PARTITIONS, 3).expect("a topic");
            said.send(cluster.bootstrap_servers()).expect("the test waits");
            for job in work {
                job(&cluster);
            }
        });
        Self { brokers: brokers.recv().expect("brokers"), jobs }
    }

    fn tell(&self, job: impl FnOnce(&Mock) + Send + 'static) {
        let (done, waiting) = mpsc::channel();
        let job = move |cluster: &Mock| {
            job(cluster);
            done.send(()).expect("the test waits");
        };
        self.jobs.send(Box::new(job)).expect("the thread works");
        waiting.recv().expect("it was done");
    }

    /// The answers to the next requests to store records.
    fn answer(&self, answers: &[RDKafkaRespErr]) {
        let answers = answers.to_vec();
        self.tell(move |cluster| cluster.request_errors(RDKafkaApiKey::Produce, &answers));
    }

    fn config(&self) -> KafkaConfig {
        let url = format!("kafka://{}", self.brokers);
        KafkaConfig { url, topic: "commerce".to_owned(), ca_file: None }
    }

    fn target(&self) -> KafkaTarget {
        KafkaTarget::new(self.config()).expect("an address")
    }

    /// All records, partition by partition.
    fn records(&self) -> Vec<OwnedMessage> {
        let mut settings = ClientConfig::new();
        settings.set("bootstrap.servers", &self.brokers).set("group.id", "test");
        let consumer: BaseConsumer = settings.create().expect("a consumer");
        let (mut from, mut count) = (TopicPartitionList::new(), 0);
        for partition in 0..PARTITIONS {
            let (_, end) = consumer.fetch_watermarks("commerce", partition, PATIENCE).expect("its end");
            from.add_partition_offset("commerce", partition, Offset::Beginning).expect("its beginning");
            count += end;
        }
        consumer.assign(&from).expect("assigned");
        let next = |_| consumer.poll(PATIENCE).expect("a record").expect("no error").detach();
        let mut records: Vec<OwnedMessage> = (0..count).map(next).collect();
        records.sort_by_key(|record| (record.partition(), record.offset()));
        records
    }
}

#[async_trait]
impl Fixture for Cluster {
    async fn publisher(&self) -> Arc<dyn Publisher> {
        Arc::new(self.target())
    }

    async fn received(&self) -> Vec<Vec<u8>> {
        let records = block_in_place(|| self.records());
        records.iter().map(|record| record.payload().expect("a body").to_vec()).collect()
    }

    async fn stop(&self) -> bool {
        self.tell(|cluster| cluster.broker_down(-1).expect("it is down"));
        true
    }

    async fn start(&self) {
        self.tell(|cluster| cluster.broker_up(-1).expect("it is up"));
    }

    fn unwanted(&self) -> Option<Message> {
        Some(Message { body: vec![b'x'; 17 * 1024 * 1024], ..message("order/9", 1) })
    }
}

fn start() -> Ready<Cluster> {
    ready(Cluster::start())
}

commerce_testkit::publisher_suite!(start);

async fn failure(config: KafkaConfig, messages: &[Message]) -> PublishError {
    let target = KafkaTarget::new(config).expect("an address");
    let error = target.publish(messages).await.expect_err("refused");
    assert!(!format!("{error} {error:?} {target:?}").contains("hush"), "{error:?}");
    error
}

fn outage(error: PublishError) -> String {
    let PublishFailure::Unavailable(reason) = error.failure else { panic!("{error}") };
    reason
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_has_the_stream_as_its_key_and_says_what_it_is() {
    let cluster = start().await;
    let attributes = vec![("id", "1".to_owned()), ("subject", "order/é 1".to_owned())];
    let sent = Message { attributes, content_type: "application/json", ..message("order/1", 1) };
    cluster.target().publish(std::slice::from_ref(&sent)).await.expect("published");
    let records = block_in_place(|| cluster.records());
    let [record] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!(record.key(), Some(b"order/1".as_slice()));
    assert_eq!(record.payload(), Some(sent.body.as_slice()));
    let headers = record.headers().expect("headers");
    let headers: Vec<_> = headers.iter().map(|header| (header.key, header.value.expect("a value"))).collect();
    let expected: [(&str, &[u8]); 3] =
        [("content-type", b"application/json"), ("ce_id", b"1"), ("ce_subject", "order/é 1".as_bytes())];
    assert_eq!(headers, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_lost_makes_no_second_record() {
    let cluster = start().await;
    let lost = RDKafkaRespErr::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT;
    let few = RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND;
    cluster.answer(&[lost, few]);
    let messages: Vec<_> = (1..4).map(|number| message("order/1", number)).collect();
    cluster.target().publish(&messages).await.expect("published");
    assert_eq!(cluster.received().await, messages.iter().map(|message| message.body.clone()).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_the_broker_finds_too_long_is_refused_by_its_place() {
    let cluster = start().await;
    let target = cluster.target();
    let messages = [message("order/1", 1), message("order/1", 2)];
    target.publish(&messages[..1]).await.expect("published");
    let long = RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
    cluster.answer(&[long, long]);
    let error = target.publish(&messages[1..]).await.expect_err("refused");
    assert_eq!(error, PublishError::refused(0, "it is longer than Kafka takes"));
    target.publish(&messages[1..]).await.expect("published");
    assert_eq!(cluster.received().await, messages.map(|message| message.body));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_the_broker_refuses_is_told_from_an_outage() {
    let cluster = start().await;
    let refused = [
        (RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_RECORD, true),
        (RDKafkaRespErr::RD_KAFKA_RESP_ERR_POLICY_VIOLATION, true),
        (RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, false),
    ];
    for (answer, is_refusal) in refused {
        cluster.answer(&[answer]);
        let error = failure(cluster.config(), &[message("order/1", 1)]).await;
        assert_eq!(matches!(error.failure, PublishFailure::Refused(_)), is_refusal, "{error}");
    }
    assert_eq!(cluster.received().await.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_away_or_knows_no_passwords_is_an_outage_without_secrets() {
    let away = KafkaConfig { url: "kafka://127.0.0.1:1".to_owned(), topic: "commerce".to_owned(), ca_file: None };
    let reason = outage(failure(away, &[message("order/1", 1)]).await);
    assert!(reason.contains("Connection refused"), "{reason}");
    let cluster = start().await;
    let url = cluster.config().url.replace("kafka://", "kafka://commerce:hush@");
    let reason = outage(failure(KafkaConfig { url, ..cluster.config() }, &[message("order/1", 1)]).await);
    assert!(reason.contains("SASL"), "{reason}");
}

#[cfg(not(feature = "kafka-tls"))]
#[test]
fn tls_that_was_not_built_in_is_refused_at_the_start() {
    let url = "kafkas://user:hush@localhost:9093".to_owned();
    let refused = KafkaTarget::new(KafkaConfig { url, topic: "commerce".to_owned(), ca_file: None });
    let refused = refused.expect_err("no TLS").to_string();
    assert!(refused.contains("kafka-tls") && !refused.contains("hush"), "{refused}");
}
