//! Events in a Redis stream, and to the subscribers of a channel.

use std::fmt;
use std::time::Duration;

use ::redis::aio::{ConnectionManager, ConnectionManagerConfig};
use ::redis::{Client, Cmd, Pipeline, RedisError, RedisResult, cmd, pipe};
use async_trait::async_trait;
use commerce_core::port::{PublishError, Publisher};
use commerce_core::publishing::Message;
use thiserror::Error;

/// How long a connection may take. The relay limits the whole call.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(8);

/// A Redis target.
#[derive(Clone)]
pub struct RedisConfig {
    /// `redis://USER:PASSWORD@HOST:PORT/DATABASE`, or `rediss://…` with TLS.
    pub url: String,
    /// The key of the stream.
    pub stream: String,
    /// A channel whose subscribers get the events, too. They get nothing while they are not connected.
    pub channel: Option<String>,
    /// About how many events the stream keeps. The oldest ones are removed, read or not. `None`: all.
    pub max_length: Option<u64>,
}

/// Why a target cannot be used. It has no secret.
#[derive(Clone, Copy, Debug, Error)]
#[error("not an address of Redis, such as rediss://user:password@host:6379/0")]
pub struct InvalidAddress;

/// A Redis stream to which each event is appended, with the fields `id`, `type`, `subject` and `event`, the event as JSON.
///
/// A batch is one transaction, so a stream gets all of it or nothing. It is confirmed when Redis has answered, and as durable as the
/// `appendfsync` of the server.
pub struct RedisTarget {
    connection: ConnectionManager,
    config: RedisConfig,
}

impl RedisTarget {
    /// A target, not yet connected.
    ///
    /// # Errors
    /// The URL is none of Redis.
    pub fn new(config: RedisConfig) -> Result<Self, InvalidAddress> {
        let client = Client::open(config.url.as_str()).map_err(|_| InvalidAddress)?;
        let patience = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(ANSWER));
        let connection = ConnectionManager::new_lazy_with_config(client, patience).map_err(|_| InvalidAddress)?;
        Ok(Self { connection, config })
    }

    fn transaction(&self, messages: &[Message]) -> Pipeline {
        let mut transaction = pipe();
        transaction.atomic();
        for message in messages {
            transaction.add_command(self.append(message)).ignore();
            if let Some(channel) = &self.config.channel {
                transaction.add_command(cmd("PUBLISH").arg(channel).arg(&message.body).take()).ignore();
            }
        }
        transaction
    }

    fn append(&self, message: &Message) -> Cmd {
        let mut append = cmd("XADD");
        append.arg(&self.config.stream);
        if let Some(length) = self.config.max_length {
            append.arg("MAXLEN").arg("~").arg(length);
        }
        append.arg("*").arg("id").arg(message.id.to_string()).arg("type").arg(&message.event_type);
        append.arg("subject").arg(&message.stream).arg("event").arg(&message.body);
        append
    }
}

#[async_trait]
impl Publisher for RedisTarget {
    async fn publish(&self, messages: &[Message]) -> Result<(), PublishError> {
        if messages.is_empty() {
            return Ok(());
        }
        let mut connection = self.connection.clone();
        let done: RedisResult<()> = self.transaction(messages).exec_async(&mut connection).await;
        done.map_err(|error| PublishError::unavailable(0, reason(&error)))
    }
}

/// What happened, without what was sent.
fn reason(error: &RedisError) -> String {
    match error.code() {
        Some(code) => format!("Redis answers {code}"),
        None => format!("Redis: {}", error.category()),
    }
}

impl fmt::Debug for RedisTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisTarget").field("stream", &self.config.stream).finish_non_exhaustive()
    }
}

impl fmt::Debug for RedisConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisConfig").field("stream", &self.stream).finish_non_exhaustive()
    }
}
