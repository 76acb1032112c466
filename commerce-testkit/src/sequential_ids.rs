use std::sync::atomic::{AtomicU64, Ordering};

use commerce_core::port::IdGenerator;
use uuid::{Builder, Uuid};

/// Deterministic, increasing ids: UUIDs in the form of version 7.
///
/// Sources with different seeds give different ids. The ids of a source are one millisecond apart, starting in 2026.
///
/// ```
/// use commerce_core::port::IdGenerator;
/// use commerce_testkit::SequentialIds;
///
/// let (ids, again) = (SequentialIds::new(7), SequentialIds::new(7));
/// let first = ids.next();
/// assert!(first < ids.next());
/// assert_eq!(first, again.next());
/// assert_eq!(first.get_version_num(), 7);
/// ```
#[derive(Debug)]
pub struct SequentialIds {
    seed: u32,
    given: AtomicU64,
}

/// The first millisecond of 2026, UTC.
const FIRST: u64 = 1_767_225_600_000;

impl SequentialIds {
    /// A source of ids with a seed.
    pub const fn new(seed: u32) -> Self {
        Self { seed, given: AtomicU64::new(0) }
    }
}

impl IdGenerator for SequentialIds {
    fn next(&self) -> Uuid {
        let count = self.given.fetch_add(1, Ordering::Relaxed);
        let [a, b, c, d] = self.seed.to_be_bytes();
        let random = [0, 0, 0, 0, 0, 0, a, b, c, d];
        Builder::from_unix_timestamp_millis(FIRST.saturating_add(count), &random).into_uuid()
    }
}
