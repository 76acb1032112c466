//! The clock and the ids of the operating system. Requires the feature `std`.
#![expect(clippy::disallowed_methods, reason = "these are the ports through which the rules see the system")]

use core::sync::atomic::{AtomicI64, Ordering};
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::port::{Clock, IdGenerator};

/// The clock of the system, in whole microseconds, which stores preserve.
///
/// It never goes back. If the clock of the system is set back, this one goes on from where it was, so nothing that is due is
/// late. It follows when the clock of the system is set forward.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        static OFFSET: AtomicI64 = AtomicI64::new(i64::MIN);
        let (start, wall) = (*START, SystemTime::now());
        steady(&OFFSET, wall, start.elapsed())
    }
}

/// The time that the system shows, or that has passed since it showed the latest. `offset` is the highest distance seen of that
/// time from the time that has `elapsed`, in microseconds.
fn steady(offset: &AtomicI64, wall: SystemTime, elapsed: Duration) -> DateTime<Utc> {
    let elapsed = micros(elapsed);
    let distance = since_epoch(wall).saturating_sub(elapsed);
    let highest = offset.fetch_max(distance, Ordering::Relaxed).max(distance);
    DateTime::from_timestamp_micros(highest.saturating_add(elapsed)).unwrap_or_default()
}

/// Microseconds since 1970, negative before.
fn since_epoch(wall: SystemTime) -> i64 {
    match wall.duration_since(UNIX_EPOCH) {
        Ok(since) => micros(since),
        Err(before) => micros(before.duration()).saturating_neg(),
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// Fresh UUIDs of version 7, each greater than all before it in this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeOrderedIds;

impl IdGenerator for TimeOrderedIds {
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn the_clock_shows_whole_microseconds() {
        assert_eq!(SystemClock.now().timestamp_subsec_nanos() % 1_000, 0);
    }

    #[test]
    fn the_clock_goes_on_when_that_of_the_system_is_set_back() {
        let second = Duration::from_secs(1);
        let (offset, noon) = (AtomicI64::new(i64::MIN), UNIX_EPOCH + second * 1_800_000_000);
        let shown = |wall, elapsed| steady(&offset, wall, second * elapsed).timestamp();
        assert_eq!(shown(noon, 5), 1_800_000_000);
        assert_eq!(shown(noon - second * 7200, 6), 1_800_000_001, "two hours back");
        assert_eq!(shown(noon - second * 7100, 106), 1_800_000_101);
        assert_eq!(shown(noon + second * 3600, 107), 1_800_003_600, "an hour ahead");
        assert_eq!(shown(noon, 108), 1_800_003_601);
    }

    #[test]
    fn a_clock_before_1970_shows_what_it_shows() {
        let offset = AtomicI64::new(i64::MIN);
        assert_eq!(steady(&offset, UNIX_EPOCH - Duration::from_secs(60), Duration::ZERO).timestamp(), -60);
    }

    #[test]
    fn ids_rise_within_a_millisecond_too() {
        let ids: Vec<Uuid> = (0..10_000).map(|_| TimeOrderedIds.next()).collect();
        assert!(ids.is_sorted_by(|one, next| one < next));
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
    }
}
