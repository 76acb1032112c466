//! Events in an exchange of `RabbitMQ`.

mod source;

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::port::{PublishError, Publisher};
use commerce_core::publishing::{Message, independent};
use lapin::options::{
    BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::tcp::OwnedTLSConfig;
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use lapin::uri::AMQPUri;
use lapin::{
    BasicProperties, Channel, Connection, ConnectionBuilder, ConnectionProperties, Error, ErrorKind, ExchangeKind,
    PublisherConfirm,
};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout, timeout_at};

pub use self::source::{RabbitMqQueue, RabbitMqQueueConfig};
use crate::InvalidTarget;
use crate::budget::{Budget, SLOW, late};

/// How long a connection may take. The relay limits the whole call.
const CONNECT: Duration = Duration::from_secs(5);
/// The longest name of an exchange or queue, in bytes.
const LONGEST_NAME: usize = 255;
/// The delivery mode of a message that is written to disk.
const PERSISTENT: u8 = 2;

/// A target of `RabbitMQ`.
#[derive(Clone)]
pub struct RabbitMqConfig {
    /// `amqp://USER:PASSWORD@HOST:PORT/VHOST`, or `amqps://…` with TLS.
    pub url: String,
    /// The topic exchange.
    pub exchange: String,
    /// A quorum queue that the target declares with the exchange, and binds to it for all events. `None`: it declares nothing.
    pub queue: Option<String>,
    /// A file with the certificates of the authorities that the server is verified with, in addition to those of the system.
    pub ca_file: Option<PathBuf>,
}

/// A topic exchange of `RabbitMQ`. The routing key and the type of a message are the type of the event, its message id is the id of the event.
///
/// An event is confirmed when all queues that it goes to have it on disk, which is sure for durable queues only. One that goes to no queue is
/// refused.
pub struct RabbitMqTarget {
    config: RabbitMqConfig,
    exchange: ShortString,
    uri: AMQPUri,
    /// Taken out while it is used. A call that fails or is dropped does not put it back.
    session: Mutex<Option<Session>>,
}

struct Session {
    channel: Channel,
    /// Closed when it is dropped.
    _connection: Connection,
}

/// What happened to a message.
enum Outcome {
    Confirmed,
    Unroutable,
    /// The broker could not take it, which need not be the fault of this message.
    Failed(String),
    /// The broker ended the channel because of the length of a message, this one or another.
    TooLong,
    /// Nothing failed, but it takes long: the rest was not sent.
    Slow,
}

impl RabbitMqTarget {
    /// A target, not yet connected.
    ///
    /// # Errors
    /// The URL is none of `RabbitMQ`, or a name has more than 255 bytes.
    pub fn new(config: RabbitMqConfig) -> Result<Self, InvalidTarget> {
        let uri = address(&config.url)?;
        config.queue.as_deref().map(name).transpose()?;
        Ok(Self { exchange: name(&config.exchange)?, uri, session: Mutex::default(), config })
    }

    async fn connect(&self) -> Result<Session, PublishError> {
        let connected = match timeout(CONNECT, self.open()).await {
            Ok(connected) => connected,
            Err(_) => Err(format!("no connection within {} s", CONNECT.as_secs())),
        };
        connected.map_err(|reason| PublishError::unavailable(0, format_args!("RabbitMQ: {reason}")))
    }

    async fn open(&self) -> Result<Session, String> {
        let connection = connect(&self.uri, self.config.ca_file.as_deref()).await?;
        let channel = self.prepare(&connection).await.map_err(|error| reason(&error))?;
        Ok(Session { channel, _connection: connection })
    }

    async fn prepare(&self, connection: &Connection) -> Result<Channel, Error> {
        let channel = connection.create_channel().await?;
        if let Some(queue) = &self.config.queue {
            let (queue, exchange) = (ShortString::from(queue.as_str()), || self.exchange.clone());
            let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
            channel.exchange_declare(exchange(), ExchangeKind::Topic, durable, FieldTable::default()).await?;
            let mut kind = FieldTable::default();
            kind.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
            let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
            channel.queue_declare(queue.clone(), durable, kind).await?;
            let all = ("#".into(), QueueBindOptions::default(), FieldTable::default());
            channel.queue_bind(queue, exchange(), all.0, all.1, all.2).await?;
        }
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(channel)
    }

    /// Sends messages of different streams, and waits for their confirmations until `end`. What is there by then is taken even after a late
    /// one, because the client hands out a returned message with any confirmation that follows it.
    async fn wave(&self, session: &Session, messages: &[Message], end: Instant) -> Vec<Outcome> {
        let mut sent = Vec::with_capacity(messages.len());
        for message in messages {
            sent.push(timeout_at(end, self.send(session, message)).await.unwrap_or_else(|_| Err(out_of_time())));
        }
        let (mut answers, mut returned) = (Vec::with_capacity(sent.len()), BTreeSet::new());
        for confirmation in sent {
            let answer = match confirmation {
                Ok(confirmation) => timeout_at(end, confirmation).await.unwrap_or_else(|_| Err(out_of_time())),
                Err(error) => Err(error),
            };
            answers.push(answer.map(|answer| {
                let is_confirmed = answer.is_ack();
                returned
                    .extend(answer.take_message().and_then(|message| message.delivery.properties.message_id().clone()));
                is_confirmed
            }));
        }
        let outcome = |(answer, message): (Result<bool, Error>, &Message)| match answer {
            Ok(_) if returned.contains(message.id.to_string().as_str()) => Outcome::Unroutable,
            Ok(true) => Outcome::Confirmed,
            Ok(false) => Outcome::Failed("a queue did not take it".to_owned()),
            Err(error) if is_too_long(&error) => Outcome::TooLong,
            Err(error) => Outcome::Failed(reason(&error)),
        };
        answers.into_iter().zip(messages).map(outcome).collect()
    }

    async fn send(&self, session: &Session, message: &Message) -> Result<PublisherConfirm, Error> {
        let mandatory = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let (exchange, key) = (self.exchange.clone(), short(&message.event_type)?);
        session.channel.basic_publish(exchange, key, mandatory, &message.body, properties(message)?).await
    }

    /// Sends messages wave by wave within the time of the call. The number that was confirmed from the first one on, and what happened to
    /// the next.
    async fn send_all(
        &self,
        session: &Session,
        messages: &[Message],
        (at_once, budget): (usize, Budget),
    ) -> (usize, Outcome) {
        let (mut confirmed, mut rest) = (0_usize, messages);
        while !rest.is_empty() {
            if budget.is_spent(confirmed) {
                return (confirmed, Outcome::Slow);
            }
            let (wave, others) = rest.split_at(independent(rest).min(at_once));
            for outcome in self.wave(session, wave, budget.end_of_wave()).await {
                if !matches!(outcome, Outcome::Confirmed) {
                    return (confirmed, outcome);
                }
                confirmed = confirmed.saturating_add(1);
            }
            rest = others;
        }
        (confirmed, Outcome::Confirmed)
    }
}

#[async_trait]
impl Publisher for RabbitMqTarget {
    async fn publish(&self, messages: &[Message]) -> Result<(), PublishError> {
        if messages.is_empty() {
            return Ok(());
        }
        let mut place = self.session.lock().await;
        let session = match place.take().filter(|session| session.channel.status().connected()) {
            Some(session) => session,
            None => self.connect().await?,
        };
        let budget = Budget::begin();
        let (confirmed, outcome) = self.send_all(&session, messages, (messages.len(), budget)).await;
        let unavailable = |confirmed, reason| PublishError::unavailable(confirmed, format_args!("RabbitMQ: {reason}"));
        match outcome {
            Outcome::Confirmed | Outcome::Unroutable | Outcome::Slow => *place = Some(session),
            Outcome::Failed(_) | Outcome::TooLong => drop(session),
        }
        match outcome {
            Outcome::Confirmed => Ok(()),
            Outcome::Unroutable => Err(PublishError::refused(confirmed, NO_QUEUE)),
            Outcome::Failed(reason) => Err(unavailable(confirmed, reason)),
            Outcome::Slow => Err(unavailable(confirmed, SLOW.to_owned())),
            Outcome::TooLong => Err(self.find_too_long(messages, confirmed, budget).await),
        }
    }
}

const NO_QUEUE: &str = "no queue of the exchange takes its type";

impl RabbitMqTarget {
    /// Finds out which message is too long. The broker does not say so, and what was sent together with it is not confirmed: the messages are
    /// sent one by one.
    async fn find_too_long(&self, messages: &[Message], confirmed: usize, budget: Budget) -> PublishError {
        let at = |more: usize| confirmed.saturating_add(more);
        let session = match self.connect().await {
            Ok(session) => session,
            Err(error) => return PublishError { confirmed, ..error },
        };
        let rest = messages.get(confirmed..).unwrap_or_default();
        match self.send_all(&session, rest, (1, budget)).await {
            (more, Outcome::TooLong) => PublishError::refused(at(more), "it is longer than RabbitMQ takes"),
            (more, Outcome::Unroutable) => PublishError::refused(at(more), NO_QUEUE),
            (more, Outcome::Failed(reason)) => PublishError::unavailable(at(more), format_args!("RabbitMQ: {reason}")),
            (more, Outcome::Slow) => PublishError::unavailable(at(more), format_args!("RabbitMQ: {SLOW}")),
            (more, Outcome::Confirmed) => PublishError::unavailable(at(more), "RabbitMQ ended the channel"),
        }
    }
}

fn address(url: &str) -> Result<AMQPUri, InvalidTarget> {
    let example = "amqps://user:password@host:5671/vhost";
    url.parse().map_err(|_| InvalidTarget::Address { broker: "RabbitMQ", example })
}

/// The name of an exchange or a queue.
fn name(name: &str) -> Result<ShortString, InvalidTarget> {
    ShortString::try_new(name).map_err(|_| InvalidTarget::LongName(LONGEST_NAME))
}

async fn connect(uri: &AMQPUri, ca_file: Option<&Path>) -> Result<Connection, String> {
    let cert_chain = match ca_file.map(tokio::fs::read_to_string) {
        Some(read) => Some(read.await.map_err(|error| format!("the file of authorities: {error}"))?),
        None => None,
    };
    let properties = ConnectionProperties::default().with_connection_name("commerce".into());
    let builder = ConnectionBuilder::new().map_err(|error| reason(&error))?.with_uri(uri.clone());
    let builder = builder.with_properties(properties);
    let connection = builder.with_tls_config(OwnedTLSConfig { identity: None, cert_chain }).connect().await;
    connection.map_err(|error| reason(&error))
}

/// What goes beside the body.
fn properties(message: &Message) -> Result<BasicProperties, Error> {
    let mut headers = FieldTable::default();
    for (name, value) in &message.attributes {
        let value = AMQPValue::LongString(LongString::from(value.as_str()));
        headers.insert(short(&format!("cloudEvents:{name}"))?, value);
    }
    let properties = BasicProperties::default()
        .with_message_id(short(&message.id.to_string())?)
        .with_type(short(&message.event_type)?)
        .with_content_type(message.content_type.into())
        .with_timestamp(message.at.timestamp().unsigned_abs())
        .with_delivery_mode(PERSISTENT);
    Ok(if message.attributes.is_empty() { properties } else { properties.with_headers(headers) })
}

fn short(text: &str) -> Result<ShortString, Error> {
    ShortString::try_new(text).map_err(|error| std::io::Error::other(error).into())
}

fn out_of_time() -> Error {
    std::io::Error::other(late()).into()
}

/// The broker ends the channel of a message that is longer than its `max_message_size`.
fn is_too_long(error: &Error) -> bool {
    let ErrorKind::ProtocolError(error) = error.kind() else { return false };
    let failed = matches!(error.kind(), AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED));
    failed && error.get_message().as_str().contains("message size")
}

/// What happened. It has neither the address nor the password.
fn reason(error: &Error) -> String {
    let ErrorKind::ProtocolError(error) = error.kind() else { return error.to_string() };
    error.get_message().to_string()
}

impl fmt::Debug for RabbitMqTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RabbitMqTarget").field("exchange", &self.config.exchange).finish_non_exhaustive()
    }
}

impl fmt::Debug for RabbitMqConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RabbitMqConfig").field("exchange", &self.exchange).finish_non_exhaustive()
    }
}
