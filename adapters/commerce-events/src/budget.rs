//! How long a call of a target takes. The relay gives up a longer one, and then nothing of it counts as confirmed.

use std::time::Duration;

use tokio::time::Instant;

/// After this time no further wave begins if something is confirmed, so that a slow target makes progress.
const ENOUGH: Duration = Duration::from_secs(3);
/// How long a wave may take.
const WAVE: Duration = Duration::from_secs(4);
/// When the last wave ends at the latest. The relay has at least 5.6 s for a call.
const WHOLE: Duration = Duration::from_secs(5);

/// Why a call ended early, although nothing failed.
pub(crate) const SLOW: &str = "slow: the rest of the events follows";

/// The time of a call.
#[derive(Clone, Copy)]
pub(crate) struct Budget {
    begun: Instant,
}

impl Budget {
    pub(crate) fn begin() -> Self {
        Self { begun: Instant::now() }
    }

    /// Whether the rest is left to the next call, after so many messages were confirmed.
    pub(crate) fn is_spent(self, confirmed: usize) -> bool {
        confirmed > 0 && self.begun.elapsed() >= ENOUGH
    }

    /// When a wave that begins now has to be confirmed.
    pub(crate) fn end_of_wave(self) -> Instant {
        let (wave, whole) = (Instant::now().checked_add(WAVE), self.begun.checked_add(WHOLE));
        wave.min(whole).unwrap_or(self.begun)
    }
}

/// Why a message was not confirmed in its wave.
pub(crate) fn late() -> String {
    format!("no confirmation within {} s", WAVE.as_secs())
}
