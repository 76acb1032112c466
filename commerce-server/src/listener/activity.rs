//! When a connection was last used.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The requests of a connection.
#[derive(Debug)]
pub(super) struct Activity(Mutex<Use>);

#[derive(Debug)]
struct Use {
    running: usize,
    last: Instant,
    /// Before the first request.
    fresh: bool,
}

impl Activity {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Use { running: 0, last: Instant::now(), fresh: true })))
    }

    pub(super) fn begin(self: &Arc<Self>) -> Busy {
        let mut used = self.used();
        used.running += 1;
        used.fresh = false;
        Busy(Arc::clone(self))
    }

    pub(super) fn is_fresh(&self) -> bool {
        self.used().fresh
    }

    /// Waits until there was no request for a time: `first` before the first request, `idle` after one.
    pub(super) async fn ceased(&self, first: Duration, idle: Duration) {
        loop {
            let due = self.due(first, idle);
            if due <= Instant::now() {
                return;
            }
            sleep_until(due).await;
        }
    }

    fn due(&self, first: Duration, idle: Duration) -> Instant {
        let used = self.used();
        match &*used {
            Use { fresh: true, last, .. } => *last + first,
            Use { running: 0, last, .. } => *last + idle,
            Use { .. } => Instant::now() + idle,
        }
    }

    fn used(&self) -> MutexGuard<'_, Use> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request in progress, until it is dropped.
#[derive(Debug)]
pub(super) struct Busy(Arc<Activity>);

impl Drop for Busy {
    fn drop(&mut self) {
        let mut used = self.0.used();
        used.running -= 1;
        used.last = Instant::now();
    }
}
