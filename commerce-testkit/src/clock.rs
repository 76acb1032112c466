use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use commerce_core::port::Clock;

/// A clock that changes only when it is set.
///
/// ```
/// use chrono::{DateTime, TimeDelta};
/// use commerce_core::port::Clock;
/// use commerce_testkit::ManualClock;
///
/// let clock = ManualClock::new(DateTime::UNIX_EPOCH);
/// clock.advance(TimeDelta::minutes(15));
/// assert_eq!(clock.now().to_rfc3339(), "1970-01-01T00:15:00+00:00");
/// ```
#[derive(Debug)]
pub struct ManualClock(Mutex<DateTime<Utc>>);

impl ManualClock {
    /// A clock that shows an instant.
    pub const fn new(now: DateTime<Utc>) -> Self {
        Self(Mutex::new(now))
    }

    /// Sets the clock to an instant, which may be earlier.
    pub fn set(&self, now: DateTime<Utc>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// Advances the clock. It stops at the last representable instant.
    pub fn advance(&self, by: TimeDelta) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = now.checked_add_signed(by).unwrap_or(DateTime::<Utc>::MAX_UTC);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
