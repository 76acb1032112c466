//! Entries of a Redis stream, as messages.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ::redis::aio::ConnectionManager;
use ::redis::streams::{StreamAutoClaimReply, StreamId, StreamReadReply};
use ::redis::{RedisError, RedisResult, Value, cmd, from_redis_value_ref};
use async_trait::async_trait;
use commerce_core::port::{QueuedMessage, Settlement, Subscription, SubscriptionError};

use super::{connection, reason};
use crate::InvalidTarget;

/// The consumer of all processes. One name for all leaves none behind that has died. A message is claimed by how long ago it was given, so
/// one that another process has is not taken from it.
const CONSUMER: &str = "commerce";
/// How long the server waits for an entry if there is none, in milliseconds.
const WAIT: u64 = 1000;
/// When a message comes again that was given back.
const AGAIN: Duration = Duration::from_secs(2);
/// The first id, where a search for unfinished entries begins.
const FIRST: &str = "0-0";

/// A Redis stream, as a queue.
#[derive(Clone)]
pub struct RedisQueueConfig {
    /// As of [`RedisConfig`](crate::RedisConfig).
    pub url: String,
    /// A file with the certificates of the authorities that the server is verified with, instead of those of the system.
    pub ca_file: Option<PathBuf>,
    /// The key of the stream. It is made if it does not exist.
    pub stream: String,
    /// The consumer group. It is made if it does not exist, and begins with the first entry then.
    pub group: String,
    /// The field of an entry that has the event. An entry without it is a JSON object of its fields.
    pub field: String,
    /// After what time an entry is taken again that was not acknowledged.
    pub again_after: Duration,
}

/// A consumer group of a Redis stream. Several subscriptions with the same group share its entries.
pub struct RedisQueue {
    connection: ConnectionManager,
    config: RedisQueueConfig,
    /// Where the search for unfinished entries goes on.
    searched: Mutex<String>,
}

impl RedisQueue {
    /// A queue, not yet connected.
    ///
    /// # Errors
    /// The URL is none of Redis, or the file of authorities cannot be read.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn new(config: RedisQueueConfig) -> Result<Self, InvalidTarget> {
        let connection = connection(&config.url, config.ca_file.as_deref())?;
        Ok(Self { connection, config, searched: Mutex::new(FIRST.to_owned()) })
    }

    async fn make_group(&self) -> RedisResult<()> {
        let mut create = cmd("XGROUP");
        create.arg("CREATE").arg(&self.config.stream).arg(&self.config.group).arg("0").arg("MKSTREAM");
        let made = create.exec_async(&mut self.connection.clone()).await;
        made.or_else(|error| if error.code() == Some("BUSYGROUP") { Ok(()) } else { Err(error) })
    }

    /// Entries that were given to a process and not acknowledged in time.
    async fn unfinished(&self, limit: usize) -> RedisResult<Vec<StreamId>> {
        let begin = self.searched.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut claim = cmd("XAUTOCLAIM");
        claim.arg(&self.config.stream).arg(&self.config.group).arg(CONSUMER).arg(millis(self.config.again_after));
        claim.arg(begin).arg("COUNT").arg(limit);
        let claimed: StreamAutoClaimReply = claim.query_async(&mut self.connection.clone()).await?;
        *self.searched.lock().unwrap_or_else(PoisonError::into_inner) = claimed.next_stream_id;
        Ok(claimed.claimed)
    }

    /// Entries that were not given to any process yet.
    async fn new_entries(&self, limit: usize, waits: bool) -> RedisResult<Vec<StreamId>> {
        let mut read = cmd("XREADGROUP");
        read.arg("GROUP").arg(&self.config.group).arg(CONSUMER).arg("COUNT").arg(limit);
        if waits {
            read.arg("BLOCK").arg(WAIT);
        }
        read.arg("STREAMS").arg(&self.config.stream).arg(">");
        let read: Option<StreamReadReply> = read.query_async(&mut self.connection.clone()).await?;
        Ok(read.unwrap_or_default().keys.into_iter().flat_map(|key| key.ids).collect())
    }

    /// Unfinished entries do not take all places, so that they hold up no new ones.
    async fn entries(&self, limit: usize) -> RedisResult<Vec<StreamId>> {
        let mut entries = self.unfinished(limit.div_ceil(2)).await?;
        let rest = limit.saturating_sub(entries.len());
        if rest > 0 {
            entries.extend(self.new_entries(rest, entries.is_empty()).await?);
        }
        Ok(entries)
    }

    fn message(&self, entry: StreamId) -> QueuedMessage {
        let body = entry.map.get(&self.config.field).and_then(bytes).unwrap_or_else(|| object(&entry.map));
        let (stream, group) = (self.config.stream.clone(), self.config.group.clone());
        let idle = self.config.again_after.saturating_sub(AGAIN);
        let taken = Taken { connection: self.connection.clone(), stream, group, id: entry.id, idle };
        QueuedMessage { body, settlement: Box::new(taken) }
    }
}

#[async_trait]
impl Subscription for RedisQueue {
    async fn next(&self, limit: usize) -> Result<Vec<QueuedMessage>, SubscriptionError> {
        let entries = match self.entries(limit).await {
            // The first time, or the stream was deleted.
            Err(error) if error.code() == Some("NOGROUP") => {
                self.make_group().await.map_err(|error| failed(&error))?;
                self.entries(limit).await
            }
            entries => entries,
        };
        let entries = entries.map_err(|error| failed(&error))?;
        Ok(entries.into_iter().map(|entry| self.message(entry)).collect())
    }
}

struct Taken {
    connection: ConnectionManager,
    stream: String,
    group: String,
    id: String,
    /// How long ago it was taken, as far as the server is told when it is given back.
    idle: Duration,
}

#[async_trait]
impl Settlement for Taken {
    async fn acknowledge(&self) -> Result<(), SubscriptionError> {
        let mut acknowledge = cmd("XACK");
        acknowledge.arg(&self.stream).arg(&self.group).arg(&self.id);
        acknowledge.exec_async(&mut self.connection.clone()).await.map_err(|error| failed(&error))
    }

    async fn give_back(&self) -> Result<(), SubscriptionError> {
        let mut claim = cmd("XCLAIM");
        claim.arg(&self.stream).arg(&self.group).arg(CONSUMER).arg(0).arg(&self.id);
        claim.arg("IDLE").arg(millis(self.idle)).arg("JUSTID");
        claim.exec_async(&mut self.connection.clone()).await.map_err(|error| failed(&error))
    }
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    from_redis_value_ref(value).ok()
}

/// An entry without the field of the event, so that it can be seen what it had.
fn object(map: &HashMap<String, Value>) -> Vec<u8> {
    let text = |value| bytes(value).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let fields = map.iter().map(|(name, value)| (name.clone(), text(value).into()));
    serde_json::Value::Object(fields.collect()).to_string().into_bytes()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn failed(error: &RedisError) -> SubscriptionError {
    SubscriptionError::new(format_args!("Redis: {}", reason(error)))
}

impl fmt::Debug for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Taken").field(&self.id).finish()
    }
}

impl fmt::Debug for RedisQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.config.fmt(f)
    }
}

impl fmt::Debug for RedisQueueConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stream, group, .. } = self;
        f.debug_struct("RedisQueue").field("stream", stream).field("group", group).finish_non_exhaustive()
    }
}
