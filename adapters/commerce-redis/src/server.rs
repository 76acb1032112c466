//! The connection to a Redis server.

use std::fmt;
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, FromRedisValue, InfoDict, RedisError, RedisResult, Script, cmd};
use thiserror::Error;

/// How long a connection may take, and an answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// The setting of the server with which it removes nothing that has not expired.
const KEEPS_ALL: &str = "noeviction";

/// Why a server cannot be used. It has no secret.
#[derive(Clone, Copy, Debug, Error)]
#[error("not an address of Redis, such as rediss://user:password@host:6379/0")]
pub struct InvalidAddress;

/// A Redis server. Clones share the connection, which is made when it is first needed and again after it broke.
#[derive(Clone)]
pub struct Redis {
    connection: ConnectionManager,
    prefix: String,
}

impl Redis {
    /// A server, not yet connected. All keys begin with the prefix.
    ///
    /// # Errors
    /// The URL is none of Redis.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn new(url: &str, prefix: impl Into<String>) -> Result<Self, InvalidAddress> {
        let client = Client::open(url).map_err(|_| InvalidAddress)?;
        let patience = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let connection = ConnectionManager::new_lazy_with_config(client, patience).map_err(|_| InvalidAddress)?;
        Ok(Self { connection, prefix: prefix.into() })
    }

    /// Warns if the server may remove what the shop still needs. A server that is away, or does not tell, is not warned about.
    pub async fn warn_of_eviction(&self) {
        let memory: RedisResult<InfoDict> = cmd("INFO").arg("memory").query_async(&mut self.connection.clone()).await;
        let policy = memory.ok().and_then(|memory| memory.get::<String>("maxmemory_policy"));
        if let Some(policy) = policy.filter(|policy| policy != KEEPS_ALL) {
            tracing::warn!(
                %policy,
                "Redis may remove limits and carts that have not expired: set its maxmemory-policy to {KEEPS_ALL}"
            );
        }
    }

    /// Runs a script.
    pub(crate) async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[String],
        arguments: &[&[u8]],
    ) -> RedisResult<T> {
        let mut call = script.prepare_invoke();
        for key in keys {
            call.key(key);
        }
        for argument in arguments {
            call.arg(*argument);
        }
        call.invoke_async(&mut self.connection.clone()).await
    }

    /// The text of a key.
    pub(crate) async fn get(&self, key: &str) -> RedisResult<Option<String>> {
        cmd("GET").arg(key).query_async(&mut self.connection.clone()).await
    }

    /// Removes a member of a sorted set.
    pub(crate) async fn remove(&self, key: &str, member: &str) -> RedisResult<()> {
        cmd("ZREM").arg(key).arg(member).exec_async(&mut self.connection.clone()).await
    }

    /// A key of the shop.
    pub(crate) fn key(&self, kind: &str, name: &str) -> String {
        format!("{}:{kind}:{name}", self.prefix)
    }
}

/// What happened, without what was sent.
pub(crate) fn reason(error: &RedisError) -> String {
    let text = error.to_string();
    text.split(", with args").next().unwrap_or_default().to_owned()
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
