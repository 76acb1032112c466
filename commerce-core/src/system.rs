//! The clock and the ids of the operating system. Requires the feature `std`.
#![expect(clippy::disallowed_methods, reason = "these are the ports through which the rules see the system")]

use chrono::{DateTime, SubsecRound, Utc};
use uuid::Uuid;

use crate::port::{Clock, IdGenerator};

/// The decimals of a second that stores preserve.
const MICROSECONDS: u16 = 6;

/// The clock of the system, in whole microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(MICROSECONDS)
    }
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
    fn ids_rise_within_a_millisecond_too() {
        let ids: Vec<Uuid> = (0..10_000).map(|_| TimeOrderedIds.next()).collect();
        assert!(ids.is_sorted_by(|one, next| one < next));
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
    }
}
