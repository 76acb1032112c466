//! Asking for newer published keys when a token names one that is not known.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use tokio::time::timeout;

/// The shortest time between two fetches because of unknown keys, so that tokens with invented ones cannot cause many.
const AGAIN: Duration = Duration::from_secs(10);
/// How long a request waits for the keys.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a fetch is asked for with.
#[derive(Debug, Default)]
pub(super) struct Fetches {
    /// Whether anybody fetches keys.
    attended: AtomicBool,
    asked: Notify,
    /// The number of fetches that have ended.
    ended: watch::Sender<u64>,
    /// When a fetch was asked for last, and how many had ended then.
    last: Mutex<Option<(Instant, u64)>>,
}

impl Fetches {
    pub(super) fn are_attended(&self) -> bool {
        self.attended.load(Ordering::Relaxed)
    }

    /// Waits until somebody asks.
    pub(super) async fn wanted(&self) {
        self.attended.store(true, Ordering::Relaxed);
        self.asked.notified().await;
    }

    pub(super) fn ended(&self) {
        self.ended.send_modify(|ended| *ended = ended.wrapping_add(1));
    }

    /// Asks for a fetch and waits for its end, unless one has just ended.
    pub(super) async fn ask(&self) {
        let Some(mut ended) = self.begin(Instant::now()) else { return };
        timeout(PATIENCE, ended.changed()).await.ok();
    }

    /// The end of the fetch that is asked for, or that is under way. `None`: there is none.
    fn begin(&self, now: Instant) -> Option<watch::Receiver<u64>> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = self.ended.subscribe();
        let count = *ended.borrow();
        match *last {
            Some((at, before)) if now.duration_since(at) < AGAIN => (before == count).then_some(ended),
            _ => {
                *last = Some((now, count));
                self.asked.notify_one();
                Some(ended)
            }
        }
    }
}
