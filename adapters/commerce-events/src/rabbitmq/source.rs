//! Messages of a queue of `RabbitMQ`.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::port::{QueuedMessage, Settlement, Subscription, SubscriptionError};
use futures_util::{FutureExt as _, StreamExt as _};
use lapin::Acker;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::uri::AMQPUri;
use lapin::{Connection, Consumer, Error};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::{CONNECT, address, connect, name, reason};
use crate::InvalidTarget;

/// How long to wait for a message if there is none.
const WAIT: Duration = Duration::from_secs(1);
/// How many messages the broker gives before the first of them is settled.
const PREFETCH: u16 = 32;

/// A queue of `RabbitMQ`.
#[derive(Clone)]
pub struct RabbitMqQueueConfig {
    /// As of [`RabbitMqConfig`](crate::RabbitMqConfig).
    pub url: String,
    /// A file with the certificates of the authorities that the server is verified with, in addition to those of the system.
    pub ca_file: Option<PathBuf>,
    /// The queue, which has to exist.
    pub queue: String,
}

/// A queue of `RabbitMQ`. Several subscriptions share its messages. What is not acknowledged goes back to it when the connection ends.
pub struct RabbitMqQueue {
    config: RabbitMqQueueConfig,
    queue: ShortString,
    uri: AMQPUri,
    session: Mutex<Option<Session>>,
}

struct Session {
    consumer: Consumer,
    /// Closed when it is dropped.
    _connection: Connection,
}

impl RabbitMqQueue {
    /// A queue, not yet connected.
    ///
    /// # Errors
    /// The URL is none of `RabbitMQ`, or the name of the queue has more than 255 bytes.
    pub fn new(config: RabbitMqQueueConfig) -> Result<Self, InvalidTarget> {
        Ok(Self { uri: address(&config.url)?, queue: name(&config.queue)?, session: Mutex::default(), config })
    }

    async fn connect(&self) -> Result<Session, SubscriptionError> {
        match timeout(CONNECT, self.open()).await {
            Ok(connected) => connected.map_err(failed),
            Err(_) => Err(failed(format_args!("no connection within {} s", CONNECT.as_secs()))),
        }
    }

    async fn open(&self) -> Result<Session, String> {
        let connection = connect(&self.uri, self.config.ca_file.as_deref()).await?;
        let consumer = self.consume(&connection).await.map_err(|error| reason(&error))?;
        Ok(Session { consumer, _connection: connection })
    }

    async fn consume(&self, connection: &Connection) -> Result<Consumer, Error> {
        let channel = connection.create_channel().await?;
        channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
        let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
        channel.basic_consume(self.queue.clone(), ShortString::default(), options, arguments).await
    }
}

impl Session {
    /// The first message that comes, and those that are there with it.
    async fn next(&mut self, limit: usize) -> Result<Vec<QueuedMessage>, SubscriptionError> {
        let Ok(first) = timeout(WAIT, self.consumer.next()).await else { return Ok(Vec::new()) };
        let (mut messages, mut next) = (Vec::new(), Some(first));
        while let Some(delivery) = next {
            match delivery {
                Some(Ok(delivery)) => messages.push(message(delivery)),
                // Those before it go back to the queue with the channel.
                Some(Err(error)) => return Err(failed(reason(&error))),
                None => return Err(failed("the broker ended the subscription")),
            }
            next = if messages.len() < limit { self.consumer.next().now_or_never() } else { None };
        }
        Ok(messages)
    }
}

#[async_trait]
impl Subscription for RabbitMqQueue {
    async fn next(&self, limit: usize) -> Result<Vec<QueuedMessage>, SubscriptionError> {
        let mut place = self.session.lock().await;
        let mut session = match place.take() {
            Some(session) => session,
            None => self.connect().await?,
        };
        let messages = session.next(limit).await?;
        *place = Some(session);
        Ok(messages)
    }
}

fn message(delivery: Delivery) -> QueuedMessage {
    QueuedMessage { body: delivery.data, settlement: Box::new(Taken(delivery.acker)) }
}

#[derive(Debug)]
struct Taken(Acker);

#[async_trait]
impl Settlement for Taken {
    async fn acknowledge(&self) -> Result<(), SubscriptionError> {
        let sent = self.0.ack(BasicAckOptions::default()).await;
        sent.map_err(|error| failed(reason(&error))).and_then(settled)
    }

    async fn give_back(&self) -> Result<(), SubscriptionError> {
        let again = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
        self.0.nack(again).await.map_err(|error| failed(reason(&error))).and_then(settled)
    }
}

/// Whether the channel was there.
fn settled(sent: bool) -> Result<(), SubscriptionError> {
    if sent { Ok(()) } else { Err(failed("the channel has ended")) }
}

fn failed(reason: impl fmt::Display) -> SubscriptionError {
    SubscriptionError::new(format_args!("RabbitMQ: {reason}"))
}

impl fmt::Debug for RabbitMqQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.config.fmt(f)
    }
}

impl fmt::Debug for RabbitMqQueueConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RabbitMqQueue").field("queue", &self.queue).finish_non_exhaustive()
    }
}
