//! Counting how often something is done.

use alloc::boxed::Box;
use core::fmt;
use core::num::NonZeroU32;
use core::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

/// How often something may be done: `most` times at once, and `most` times in every `period` on average.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct RateLimit {
    pub most: NonZeroU32,
    pub period: Duration,
}

impl RateLimit {
    /// A limit per minute. `None` for 0: no limit.
    pub fn per_minute(most: u32) -> Option<Self> {
        NonZeroU32::new(most).map(|most| Self { most, period: Duration::from_secs(60) })
    }

    /// The time after which one more is there.
    pub fn interval(&self) -> Duration {
        self.period.checked_div(self.most.get()).unwrap_or_default()
    }
}

/// What is counted. `Debug` does not show who is limited.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RateKey<'a> {
    /// The name of the limit.
    pub limit: &'static str,
    /// Who is limited, such as a customer or an address.
    pub holder: &'a str,
}

impl fmt::Debug for RateKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateKey").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// A limit is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("one more is there in {} ms", wait.as_millis())]
pub struct LimitReached {
    /// The time until one more is there, if nobody takes it.
    pub wait: Duration,
}

/// Counts how often something is done, by the generic cell rate algorithm.
///
/// # Contract
/// * Each key is counted by itself. Of several callers at once, no more pass than the limit admits.
/// * A refusal takes nothing.
/// * A call always ends soon. What an implementation counts elsewhere, it counts less exactly while that is away.
///
/// `commerce-testkit` has a conformance suite of the contract, `rate_limiter_suite!`.
#[async_trait]
pub trait RateLimiter: Send + Sync + fmt::Debug {
    /// Takes one.
    ///
    /// # Errors
    /// [`LimitReached`].
    async fn take(&self, key: RateKey<'_>, limit: RateLimit) -> Result<(), LimitReached>;

    /// Returns one that was taken and does not count.
    async fn release(&self, key: RateKey<'_>, limit: RateLimit);
}
