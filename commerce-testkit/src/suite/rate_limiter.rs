//! Tests of the contract of the [`RateLimiter`] port.
//!
//! An adapter runs all of them with one line. It provides a function that creates a [`Fixture`] on which nothing was counted:
//!
//! ```no_run
//! use commerce_testkit::suite::rate_limiter::Fixture;
//!
//! async fn start() -> impl Fixture {
//!     # struct Mine;
//!     # #[async_trait::async_trait]
//!     # impl Fixture for Mine {
//!     #     async fn limiter(&self) -> std::sync::Arc<dyn commerce_core::port::RateLimiter> { unimplemented!() }
//!     # }
//!     Mine
//! }
//!
//! commerce_testkit::rate_limiter_suite!(start);
//! ```

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a case fails by panicking")]
#![expect(missing_docs, reason = "the names of the cases say it")]

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::port::{LimitReached, RateKey, RateLimit, RateLimiter};
use tokio::task::JoinSet;

/// What counts in one case. Dropping the fixture cleans up.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// A limiter on the same counts as all others of the fixture.
    async fn limiter(&self) -> Arc<dyn RateLimiter>;
}

/// Runs all tests of the limiter's contract on an adapter. See [`suite::rate_limiter`](crate::suite::rate_limiter).
#[macro_export]
macro_rules! rate_limiter_suite {
    ($start:expr) => {
        $crate::rate_limiter_suite! { @stamp ($start)
            all_may_come_at_once_and_no_more
            one_more_comes_after_the_interval
            a_refusal_takes_nothing
            what_is_released_is_there_again
            nothing_is_gained_by_releasing_what_was_not_taken
            holders_and_limits_are_counted_apart
            any_holder_is_counted
            callers_at_once_share_the_limit
        }
    };
    (@stamp $start:tt $($case:ident)+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::suite::rate_limiter::$case(&$start().await).await;
        }
    )+};
}

const ANN: RateKey<'static> = RateKey { limit: "orders", holder: "ann" };
/// So long that no case lasts for its interval.
const LONG: Duration = Duration::from_secs(6_000);

fn limit(most: u32, period: Duration) -> RateLimit {
    RateLimit { most: NonZeroU32::new(most).unwrap(), period }
}

/// Takes what there is, and one more.
async fn exhaust(limiter: &dyn RateLimiter, key: RateKey<'_>, limit: RateLimit) -> LimitReached {
    for _ in 0..limit.most.get() {
        limiter.take(key, limit).await.unwrap();
    }
    limiter.take(key, limit).await.unwrap_err()
}

pub async fn all_may_come_at_once_and_no_more<F: Fixture>(fixture: &F) {
    let limit = limit(5, LONG);
    let refused = exhaust(&*fixture.limiter().await, ANN, limit).await;
    assert!(refused.wait <= limit.interval() && refused.wait + Duration::from_secs(60) > limit.interval());
}

pub async fn one_more_comes_after_the_interval<F: Fixture>(fixture: &F) {
    let (limiter, limit) = (fixture.limiter().await, limit(2, Duration::from_secs(4)));
    let refused = exhaust(&*limiter, ANN, limit).await;
    tokio::time::sleep(refused.wait + Duration::from_millis(5)).await;
    limiter.take(ANN, limit).await.unwrap();
    limiter.take(ANN, limit).await.unwrap_err();
}

pub async fn a_refusal_takes_nothing<F: Fixture>(fixture: &F) {
    let (limiter, limit) = (fixture.limiter().await, limit(2, LONG));
    let first = exhaust(&*limiter, ANN, limit).await;
    for _ in 0..10 {
        assert!(limiter.take(ANN, limit).await.unwrap_err().wait <= first.wait);
    }
}

pub async fn what_is_released_is_there_again<F: Fixture>(fixture: &F) {
    let (limiter, limit) = (fixture.limiter().await, limit(2, LONG));
    exhaust(&*limiter, ANN, limit).await;
    limiter.release(ANN, limit).await;
    limiter.take(ANN, limit).await.unwrap();
    limiter.take(ANN, limit).await.unwrap_err();
}

pub async fn nothing_is_gained_by_releasing_what_was_not_taken<F: Fixture>(fixture: &F) {
    let (limiter, limit) = (fixture.limiter().await, limit(2, LONG));
    for _ in 0..5 {
        limiter.release(ANN, limit).await;
    }
    limiter.take(ANN, limit).await.unwrap();
    for _ in 0..5 {
        limiter.release(ANN, limit).await;
    }
    exhaust(&*limiter, ANN, limit).await;
}

pub async fn holders_and_limits_are_counted_apart<F: Fixture>(fixture: &F) {
    let (limiter, limit) = (fixture.limiter().await, limit(1, LONG));
    for key in [ANN, RateKey { holder: "bob", ..ANN }, RateKey { limit: "codes", ..ANN }] {
        exhaust(&*limiter, key, limit).await;
    }
}

pub async fn any_holder_is_counted<F: Fixture>(fixture: &F) {
    let (limiter, limit, long) = (fixture.limiter().await, limit(1, LONG), "\u{1f980}".repeat(64));
    for holder in ["", ":", "a b\r\n", "{ann}", "*", "\0", &long] {
        exhaust(&*limiter, RateKey { holder, ..ANN }, limit).await;
    }
}

pub async fn callers_at_once_share_the_limit<F: Fixture>(fixture: &F) {
    let limit = limit(20, LONG);
    let mut callers = JoinSet::new();
    for _ in 0..50 {
        let limiter = fixture.limiter().await;
        callers.spawn(async move { limiter.take(ANN, limit).await.is_ok() });
    }
    let passed = callers.join_all().await.into_iter().filter(|passed| *passed).count();
    assert_eq!(passed, 20);
}
