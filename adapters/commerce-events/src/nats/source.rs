//! Messages of a stream of NATS `JetStream`.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use async_nats::jetstream::consumer::pull::{Batch, Config};
use async_nats::jetstream::consumer::{AckPolicy, Consumer};
use async_nats::jetstream::{self, AckKind, Message};
use async_trait::async_trait;
use commerce_core::port::{QueuedMessage, Settlement, Subscription, SubscriptionError};
use futures_util::StreamExt as _;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::connect;

/// How long the server waits for a message if there is none.
const WAIT: Duration = Duration::from_secs(1);
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(5);
/// When a message comes again that was given back.
const AGAIN: Duration = Duration::from_secs(2);

/// A stream of NATS `JetStream`, as a queue.
#[derive(Clone)]
pub struct NatsQueueConfig {
    /// As of [`NatsConfig`](crate::NatsConfig).
    pub url: String,
    /// A file with the certificates of the authorities that the server is verified with, in addition to those of the system.
    pub ca_file: Option<PathBuf>,
    /// The stream, which has to exist.
    pub stream: String,
    /// The durable pull consumer. One that exists is used as it is.
    pub durable: String,
    /// The subjects that a new consumer takes, such as `erp.stock.>`. `None`: all of the stream.
    pub subject: Option<String>,
    /// After what time a new consumer gives a message again that was not acknowledged.
    pub again_after: Duration,
}

/// A durable pull consumer of a stream of NATS `JetStream`. Several subscriptions with the same name share its messages.
///
/// If there is none with the name, it is made: with explicit acknowledgements, from the first message of the stream on, and without a limit of
/// deliveries.
pub struct NatsQueue {
    config: NatsQueueConfig,
    /// Removed by a failure, so that a consumer that was deleted is made anew.
    consumer: Mutex<Option<Consumer<Config>>>,
}

impl NatsQueue {
    /// A queue, not yet connected.
    pub const fn new(config: NatsQueueConfig) -> Self {
        Self { config, consumer: Mutex::const_new(None) }
    }

    async fn open(&self) -> Result<Consumer<Config>, SubscriptionError> {
        let client = connect(&self.config.url, self.config.ca_file.as_deref()).await;
        let context = jetstream::new(client.map_err(SubscriptionError::new)?);
        let stream = context.get_stream(&self.config.stream).await.map_err(failed)?;
        let durable = &self.config.durable;
        let config = Config {
            durable_name: Some(durable.clone()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: self.config.again_after,
            filter_subject: self.config.subject.clone().unwrap_or_default(),
            ..Config::default()
        };
        let consumer = stream.get_or_create_consumer(durable, config).await.map_err(failed)?;
        if consumer.cached_info().config.ack_policy != AckPolicy::Explicit {
            return Err(SubscriptionError::new("NATS: the consumer has no explicit acknowledgements"));
        }
        Ok(consumer)
    }

    /// What is there, else the first message that comes.
    async fn pull(consumer: &Consumer<Config>, limit: usize) -> Result<Vec<QueuedMessage>, SubscriptionError> {
        let there = consumer.fetch().max_messages(limit).expires(WAIT).messages().await.map_err(failed)?;
        let there = collect(there).await?;
        if !there.is_empty() {
            return Ok(there);
        }
        collect(consumer.batch().max_messages(1).expires(WAIT).messages().await.map_err(failed)?).await
    }
}

async fn collect(mut batch: Batch) -> Result<Vec<QueuedMessage>, SubscriptionError> {
    let mut messages = Vec::new();
    while let Some(message) = batch.next().await {
        match message {
            Ok(message) => {
                messages.push(QueuedMessage { body: message.payload.to_vec(), settlement: Box::new(Taken(message)) });
            }
            // Those before it would have to wait otherwise.
            Err(_) if !messages.is_empty() => break,
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(messages)
}

#[async_trait]
impl Subscription for NatsQueue {
    async fn next(&self, limit: usize) -> Result<Vec<QueuedMessage>, SubscriptionError> {
        let mut place = self.consumer.lock().await;
        let consumer = match place.take() {
            Some(consumer) => consumer,
            None => self.open().await?,
        };
        let pulled = timeout(ANSWER, Self::pull(&consumer, limit)).await;
        let messages = pulled.map_err(|_| failed(format_args!("no answer within {} s", ANSWER.as_secs())))??;
        *place = Some(consumer);
        Ok(messages)
    }
}

struct Taken(Message);

#[async_trait]
impl Settlement for Taken {
    async fn acknowledge(&self) -> Result<(), SubscriptionError> {
        let confirmed = timeout(ANSWER, self.0.double_ack()).await;
        confirmed.map_err(|_| failed("no confirmation"))?.map_err(failed)
    }

    async fn give_back(&self) -> Result<(), SubscriptionError> {
        let sent = timeout(ANSWER, self.0.ack_with(AckKind::Nak(Some(AGAIN)))).await;
        sent.map_err(|_| failed("no connection"))?.map_err(failed)
    }
}

fn failed(error: impl fmt::Display) -> SubscriptionError {
    SubscriptionError::new(format_args!("NATS: {error}"))
}

impl fmt::Debug for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Taken").field(&self.0.subject).finish()
    }
}

impl fmt::Debug for NatsQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.config.fmt(f)
    }
}

impl fmt::Debug for NatsQueueConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stream, durable, .. } = self;
        f.debug_struct("NatsQueue").field("stream", stream).field("durable", durable).finish_non_exhaustive()
    }
}
