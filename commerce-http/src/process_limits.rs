//! Counting in the memory of this process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use commerce_core::port::{LimitReached, RateKey, RateLimit, RateLimiter};

/// The most holders of a limit that are remembered. Whoever has more addresses is not limited by them.
const MOST_HOLDERS: usize = 100_000;

/// The instants at which the whole limit of a holder is there again. For others it is there now.
type Holders = HashMap<String, Instant>;

/// Counts in the memory of this process. What other processes of the shop do is not counted.
#[derive(Debug, Default)]
pub struct ProcessLimits {
    limits: Mutex<HashMap<&'static str, Holders>>,
}

impl ProcessLimits {
    fn limits(&self) -> MutexGuard<'_, HashMap<&'static str, Holders>> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl RateLimiter for ProcessLimits {
    async fn take(&self, key: RateKey<'_>, limit: RateLimit) -> Result<(), LimitReached> {
        let (now, mut limits) = (Instant::now(), self.limits());
        let known = limits.entry(key.limit).or_default();
        let free_at = known.get(key.holder).map_or(now, |free_at| now.max(*free_at)) + limit.interval();
        let wait = free_at.saturating_duration_since(now + limit.period);
        if !wait.is_zero() {
            return Err(LimitReached { wait });
        }
        make_room(known, now);
        known.insert(key.holder.to_owned(), free_at);
        Ok(())
    }

    async fn release(&self, key: RateKey<'_>, limit: RateLimit) {
        if let Some(free_at) = self.limits().get_mut(key.limit).and_then(|known| known.get_mut(key.holder)) {
            *free_at -= limit.interval();
        }
    }
}

/// Forgets holders whose whole limit is there again; all of them, if there are too many others.
fn make_room(known: &mut Holders, now: Instant) {
    if known.len() == known.capacity().min(MOST_HOLDERS) {
        known.retain(|_, free_at| *free_at > now);
    }
    if known.len() == MOST_HOLDERS {
        known.clear();
    }
}
