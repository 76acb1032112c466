//! Faults that a seed determines.

use std::sync::atomic::{AtomicU64, Ordering};

/// Draws of a seed.
pub(crate) struct Faults(AtomicU64);

impl Faults {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// Whether the next event of a kind that happens to a share of thousandths happens.
    pub(crate) fn strike(&self, share: u64) -> bool {
        share > 0 && self.draw() % 1_000 < share
    }

    /// `SplitMix64`.
    fn draw(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let state = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^ (state >> 31)
    }
}
