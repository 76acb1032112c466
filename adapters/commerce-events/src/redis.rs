//! Events in a Redis stream, and to the subscribers of a channel.

mod source;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ::redis::aio::{ConnectionManager, ConnectionManagerConfig};
use ::redis::{Client, Cmd, RedisError, RedisResult, TlsCertificates, Value, cmd, pipe};
use async_trait::async_trait;
use commerce_core::port::{PublishError, Publisher};
use commerce_core::publishing::{Message, independent};

pub use self::source::{RedisQueue, RedisQueueConfig};
use crate::InvalidTarget;

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
    /// A file with the certificates of the authorities that the server is verified with, instead of those of the system.
    pub ca_file: Option<PathBuf>,
    /// About how many events the stream keeps. The oldest ones are removed, read or not. `None`: all.
    pub max_length: Option<u64>,
}

/// A Redis stream to which each event is appended, with the fields `id`, `type`, `subject` and `event`, the event as JSON.
///
/// An event is confirmed when Redis has answered, and as durable as the `appendfsync` of the server. There are no transactions: a server of
/// version 7.0 whose default user is off drops them when it reads its append-only file after a crash.
pub struct RedisTarget {
    connection: ConnectionManager,
    config: RedisConfig,
}

impl RedisTarget {
    /// A target, not yet connected.
    ///
    /// # Errors
    /// The URL is none of Redis, or the file of authorities cannot be read.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn new(config: RedisConfig) -> Result<Self, InvalidTarget> {
        let connection = connection(&config.url, config.ca_file.as_deref())?;
        Ok(Self { connection, config })
    }

    /// Appends messages of different streams. The number that was confirmed from the first one on, and what happened to the next.
    async fn wave(&self, messages: &[Message]) -> (usize, Option<RedisError>) {
        let mut wave = pipe();
        wave.ignore_errors();
        for message in messages {
            wave.add_command(self.append(message));
        }
        let answers: RedisResult<Vec<RedisResult<Value>>> = wave.query_async(&mut self.connection.clone()).await;
        let answers = answers.unwrap_or_else(|error| vec![Err(error)]);
        let confirmed = answers.iter().take_while(|answer| answer.is_ok()).count();
        (confirmed, answers.into_iter().find_map(Result::err))
    }

    /// Tells subscribers. Whether they hear it is not known.
    async fn tell(&self, messages: &[Message]) -> RedisResult<()> {
        let Some(channel) = &self.config.channel else { return Ok(()) };
        let mut told = pipe();
        for message in messages {
            told.cmd("PUBLISH").arg(channel).arg(&message.body).ignore();
        }
        told.exec_async(&mut self.connection.clone()).await
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
        let (mut confirmed, mut rest) = (0_usize, messages);
        while !rest.is_empty() {
            let (wave, others) = rest.split_at(independent(rest));
            let (stored, failure) = self.wave(wave).await;
            confirmed = confirmed.saturating_add(stored);
            let told = self.tell(wave.get(..stored).unwrap_or(wave)).await;
            if let Some(error) = failure.or(told.err()) {
                return Err(PublishError::unavailable(confirmed, reason(&error)));
            }
            rest = others;
        }
        Ok(())
    }
}

/// A connection, made when it is first used, and anew when it breaks.
fn connection(url: &str, ca_file: Option<&Path>) -> Result<ConnectionManager, InvalidTarget> {
    let invalid = |_| InvalidTarget::Address { broker: "Redis", example: "rediss://user:password@host:6379/0" };
    let client = match ca_file {
        Some(file) => {
            let certificates = TlsCertificates { client_tls: None, root_cert: Some(authorities(file)?) };
            Client::build_with_tls(url, certificates).map_err(invalid)?
        }
        None => Client::open(url).map_err(invalid)?,
    };
    let patience = ConnectionManagerConfig::new()
        .set_number_of_retries(0)
        .set_connection_timeout(Some(CONNECT))
        .set_response_timeout(Some(ANSWER));
    ConnectionManager::new_lazy_with_config(client, patience).map_err(invalid)
}

fn authorities(file: &Path) -> Result<Vec<u8>, InvalidTarget> {
    fs::read(file).map_err(|error| InvalidTarget::Authorities { file: file.to_owned(), error: error.to_string() })
}

/// What happened, without what was sent.
fn reason(error: &RedisError) -> String {
    let text = error.to_string();
    text.split(", with args").next().unwrap_or_default().to_owned()
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
