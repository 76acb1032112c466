//! Limits that all processes of a shop share.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use commerce_core::port::{LimitReached, RateKey, RateLimit, RateLimiter};
use redis::{FromRedisValue, RedisError, RedisResult, Script};

use crate::server::{Redis, reason};
use crate::telemetry;

/// How long this process counts alone before it asks again a server that failed.
const PAUSE: Duration = Duration::from_secs(1);

/// Counts in Redis. While Redis is away, another limiter counts, such as that of the process.
pub struct RedisLimits {
    redis: Redis,
    alone: Arc<dyn RateLimiter>,
    take: Script,
    release: Script,
    /// When to ask the server again, since it failed.
    away_until: Mutex<Option<Instant>>,
}

impl RedisLimits {
    /// Counts in Redis, or by `alone` while that is away.
    pub fn new(redis: Redis, alone: Arc<dyn RateLimiter>) -> Self {
        let [take, release] = [include_str!("../lua/take.lua"), include_str!("../lua/release.lua")].map(Script::new);
        Self { redis, alone, take, release, away_until: Mutex::default() }
    }

    /// Runs a script. `None`: Redis is away.
    async fn run<T: FromRedisValue>(&self, script: &Script, key: RateKey<'_>, spans: &[Duration]) -> Option<T> {
        if self.is_away() {
            return None;
        }
        let spans: Vec<_> = spans.iter().map(|span| span.as_micros().to_string()).collect();
        let arguments: Vec<_> = spans.iter().map(String::as_bytes).collect();
        let key = self.redis.key(&format!("limit:{}", key.limit), key.holder);
        self.noted(self.redis.run(script, &[key], &arguments).await)
    }

    fn is_away(&self) -> bool {
        let until = *self.away_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    /// The answer. Logs when the server goes away, and when it is back.
    fn noted<T>(&self, answer: RedisResult<T>) -> Option<T> {
        let until = answer.is_err().then(|| Instant::now() + PAUSE);
        let was = std::mem::replace(&mut *self.away_until.lock().unwrap_or_else(PoisonError::into_inner), until);
        match (&answer, was) {
            (Err(error), None) => warn(error),
            (Ok(_), Some(_)) => tracing::info!("Redis is back: limits per minute are those of all processes again"),
            (Ok(_), None) | (Err(_), Some(_)) => {}
        }
        answer.ok()
    }
}

fn warn(error: &RedisError) {
    let error = reason(error);
    tracing::warn!(error, "Redis is away: each process counts limits per minute by itself");
}

#[async_trait]
impl RateLimiter for RedisLimits {
    async fn take(&self, key: RateKey<'_>, limit: RateLimit) -> Result<(), LimitReached> {
        match self.run::<u64>(&self.take, key, &[limit.interval(), limit.period]).await {
            Some(0) => Ok(()),
            Some(wait) => Err(LimitReached { wait: Duration::from_micros(wait) }),
            None => {
                telemetry::note_limit_in_process();
                self.alone.take(key, limit).await
            }
        }
    }

    async fn release(&self, key: RateKey<'_>, limit: RateLimit) {
        if self.run::<()>(&self.release, key, &[limit.interval()]).await.is_none() {
            self.alone.release(key, limit).await;
        }
    }
}

impl fmt::Debug for RedisLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLimits").field("redis", &self.redis).finish_non_exhaustive()
    }
}
