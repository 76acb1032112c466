//! How many orders a customer may place in a minute.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

use commerce_core::actor::{Actor, Role};
use commerce_core::ids::UserId;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, RateLimiter};
use http::StatusCode;

use crate::problem::Problem;

/// After so many orders the customers who have not ordered for a while are forgotten.
const FORGET_EVERY: u32 = 1024;

/// How many orders a customer may place in a minute. Admins and services place as many as they like.
#[derive(Debug)]
pub(crate) struct OrderQuota {
    limiter: Option<DefaultKeyedRateLimiter<UserId>>,
    clock: DefaultClock,
    taken: AtomicU32,
}

impl OrderQuota {
    /// So many a minute, all at once if need be; 0 for any number.
    pub(crate) fn per_minute(orders: u32) -> Self {
        let quota = NonZeroU32::new(orders).map(governor::Quota::per_minute);
        Self { limiter: quota.map(RateLimiter::keyed), clock: DefaultClock::default(), taken: AtomicU32::new(0) }
    }

    /// Takes one of the caller's orders of this minute.
    pub(crate) fn take(&self, caller: &Actor) -> Result<(), Problem> {
        let Some((limiter, user)) = self.limiter.as_ref().zip(caller.user.as_ref()) else { return Ok(()) };
        if matches!(caller.role, Role::Admin | Role::Service) {
            return Ok(());
        }
        if self.taken.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            limiter.retain_recent();
        }
        limiter.check_key(user).map_err(|refused| {
            let wait = refused.wait_time_from(self.clock.now()).as_secs().saturating_add(1);
            let detail = "Too many orders in a short time.";
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_orders", detail).retry_after(wait)
        })
    }
}
