//! Events in a topic of Kafka.

mod address;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};

use async_trait::async_trait;
use commerce_core::port::{PublishError, Publisher};
use commerce_core::publishing::{Message, independent};
use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord};
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

use self::address::Address;
use crate::InvalidTarget;
use crate::budget::{Budget, SLOW, late};

/// How long a confirmation may take, in milliseconds.
const ANSWER: &str = "4000";
/// The longest message that is sent, in bytes. The broker has a limit of its own, 1 MiB unless it is set.
const LONGEST: &str = "16777216";

/// A Kafka target.
#[derive(Clone)]
pub struct KafkaConfig {
    /// `kafka://USER:PASSWORD@HOST:PORT,HOST:PORT`, or `kafkas://…` with TLS (feature `kafka-tls`). The user is one of SASL PLAIN.
    pub url: String,
    /// The topic.
    pub topic: String,
    /// A file with the certificates of the authorities that the brokers are verified with, instead of those of the system.
    pub ca_file: Option<PathBuf>,
}

/// A topic of Kafka. The key of a record is the stream of the event, so the events of a stream are in one partition, in their order.
///
/// An event is confirmed when all replicas that are in sync have it. The producer is idempotent: a record whose confirmation is lost is sent
/// again by the client without being stored twice. Records have the time at which they are sent, because a topic removes old ones.
pub struct KafkaTarget {
    config: KafkaConfig,
    address: Address,
    /// Taken out while it is used. A call that fails or is dropped does not put it back.
    session: Mutex<Option<Session>>,
}

type Producer = FutureProducer<Heard>;

/// A producer. Dropping it waits for its threads, so that is done beside the runtime.
struct Session {
    producer: Option<Producer>,
    heard: Heard,
}

/// What the client says about its connections. It logs nothing by itself.
#[derive(Clone, Default)]
struct Heard(Arc<StdMutex<Option<String>>>);

/// Why a record was not confirmed.
enum Failure {
    TooLong,
    Refused(KafkaError),
    Failed(KafkaError),
    Late,
    /// Nothing failed, but it takes long: the rest was not sent.
    Slow,
}

impl KafkaTarget {
    /// A target, not yet connected.
    ///
    /// # Errors
    /// The URL is none of Kafka, or needs TLS that was not built in.
    pub fn new(config: KafkaConfig) -> Result<Self, InvalidTarget> {
        let address = Address::parse(&config.url)?;
        if address.is_tls && !cfg!(feature = "kafka-tls") {
            return Err(InvalidTarget::NoTls);
        }
        Ok(Self { address, config, session: Mutex::default() })
    }

    fn connect(&self) -> Result<Session, PublishError> {
        let (settings, heard) = (self.settings(), Heard::default());
        let producer = Producer::from_config_and_context(&settings, heard.clone());
        let producer = producer.map_err(|error| PublishError::unavailable(0, format_args!("Kafka: {error}")))?;
        Ok(Session { producer: Some(producer), heard })
    }

    fn settings(&self) -> ClientConfig {
        let Address { is_tls, brokers, user } = &self.address;
        let mut settings = ClientConfig::new();
        settings.set("bootstrap.servers", brokers).set("client.id", "commerce");
        settings.set("acks", "all").set("enable.idempotence", "true").set("delivery.timeout.ms", ANSWER);
        settings.set("linger.ms", "0").set("message.max.bytes", LONGEST);
        // Where the clients in Java put a key.
        settings.set("partitioner", "murmur2_random");
        let security = match (is_tls, user) {
            (false, None) => "plaintext",
            (false, Some(_)) => "sasl_plaintext",
            (true, None) => "ssl",
            (true, Some(_)) => "sasl_ssl",
        };
        settings.set("security.protocol", security);
        if let Some((name, password)) = user {
            settings.set("sasl.mechanism", "PLAIN").set("sasl.username", name).set("sasl.password", password);
        }
        if let Some(file) = self.config.ca_file.as_ref().filter(|_| *is_tls) {
            settings.set("ssl.ca.location", file.display().to_string());
        }
        settings
    }

    /// Sends messages wave by wave within the time of the call. The number that was confirmed from the first one on, and what happened to
    /// the next.
    async fn send_all(
        &self,
        producer: &Producer,
        messages: &[Message],
        (at_once, budget): (usize, Budget),
    ) -> (usize, Option<Failure>) {
        let (mut confirmed, mut rest) = (0_usize, messages);
        while !rest.is_empty() {
            if budget.is_spent(confirmed) {
                return (confirmed, Some(Failure::Slow));
            }
            let end = budget.end_of_wave();
            let (wave, others) = rest.split_at(independent(rest).min(at_once));
            let sent: Vec<_> = wave.iter().map(|message| self.send(producer, message)).collect();
            let mut failure = None;
            for answer in sent {
                match stored(answer, end).await {
                    Ok(()) if failure.is_none() => confirmed = confirmed.saturating_add(1),
                    Ok(()) => {}
                    Err(error) => failure = failure.or(Some(error)),
                }
            }
            if failure.is_some() {
                return (confirmed, failure);
            }
            rest = others;
        }
        (confirmed, None)
    }

    fn send(&self, producer: &Producer, message: &Message) -> Result<DeliveryFuture, KafkaError> {
        let mut headers = OwnedHeaders::new().insert(Header { key: "content-type", value: Some(message.content_type) });
        for (name, value) in &message.attributes {
            headers = headers.insert(Header { key: &format!("ce_{name}"), value: Some(value) });
        }
        let record = FutureRecord::to(&self.config.topic).key(&message.stream).payload(&message.body).headers(headers);
        producer.send_result(record).map_err(|(error, _)| error)
    }

    /// As one record that is too long fails all that are sent together with it, they are sent one by one to find it.
    async fn finished(&self, session: &Session, messages: &[Message]) -> Result<(), PublishError> {
        let Some(producer) = &session.producer else { return Err(PublishError::unavailable(0, "Kafka: no producer")) };
        let budget = Budget::begin();
        let (mut confirmed, mut failure) = self.send_all(producer, messages, (messages.len(), budget)).await;
        if matches!(failure, Some(Failure::TooLong)) {
            let rest = messages.get(confirmed..).unwrap_or_default();
            let (more, again) = self.send_all(producer, rest, (1, budget)).await;
            (confirmed, failure) = (confirmed.saturating_add(more), again);
        }
        match failure {
            None => Ok(()),
            Some(Failure::TooLong) => Err(PublishError::refused(confirmed, "it is longer than Kafka takes")),
            Some(Failure::Refused(error)) => Err(PublishError::refused(confirmed, format_args!("Kafka: {error}"))),
            Some(Failure::Late) => Err(session.outage(confirmed, late())),
            Some(Failure::Slow) => Err(PublishError::unavailable(confirmed, format_args!("Kafka: {SLOW}"))),
            Some(Failure::Failed(error)) => Err(session.outage(confirmed, error)),
        }
    }
}

#[async_trait]
impl Publisher for KafkaTarget {
    async fn publish(&self, messages: &[Message]) -> Result<(), PublishError> {
        if messages.is_empty() {
            return Ok(());
        }
        let mut place = self.session.lock().await;
        let session = match place.take() {
            Some(session) => session,
            None => self.connect()?,
        };
        self.finished(&session, messages).await?;
        *place = Some(session);
        Ok(())
    }
}

async fn stored(sent: Result<DeliveryFuture, KafkaError>, end: Instant) -> Result<(), Failure> {
    let gone = || KafkaError::Canceled;
    let delivered = match sent {
        Ok(delivery) => {
            let delivery = timeout_at(end, delivery).await.map_err(|_| Failure::Late)?;
            delivery.map_err(|_| gone()).and_then(|answer| answer.map_err(|(error, _)| error))
        }
        Err(error) => Err(error),
    };
    match delivered {
        Ok(_) => Ok(()),
        Err(error) => Err(match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::InvalidMessageSize) => Failure::TooLong,
            Some(RDKafkaErrorCode::InvalidRecord | RDKafkaErrorCode::PolicyViolation) => Failure::Refused(error),
            _ => Failure::Failed(error),
        }),
    }
}

impl Session {
    /// That the target did not confirm, with what the client said about its connections.
    fn outage(&self, confirmed: usize, reason: impl fmt::Display) -> PublishError {
        let heard = self.heard.take().map(|heard| format!(": {heard}")).unwrap_or_default();
        PublishError::unavailable(confirmed, format_args!("Kafka: {reason}{heard}"))
    }
}

impl Heard {
    fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl ClientContext for Heard {
    fn log(&self, _level: RDKafkaLogLevel, _facility: &str, _message: &str) {}

    /// That no broker can be reached follows what happened at one of them, which says more.
    fn error(&self, error: KafkaError, reason: &str) {
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.to_owned());
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let producer = self.producer.take();
        if tokio::runtime::Handle::try_current().is_ok() {
            spawn_blocking(move || drop(producer));
        }
    }
}

impl fmt::Debug for KafkaTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaTarget").field("topic", &self.config.topic).finish_non_exhaustive()
    }
}

impl fmt::Debug for KafkaConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaConfig").field("topic", &self.topic).finish_non_exhaustive()
    }
}
