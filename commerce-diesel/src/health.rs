//! Whether a store can be written: what commits show, and a trial when there were none.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use commerce_core::port::{CommitError, StoreError, StoreErrorKind};
use tokio::sync::{Mutex as AsyncMutex, MutexGuard};

/// How long a successful write shows that the next one would succeed too.
const TRUSTED: Duration = Duration::from_secs(10);
/// How long a failed write shows that the next one would fail too.
const DISTRUSTED: Duration = Duration::from_secs(1);
/// The size of a trial after a failed write, in parts of 16 bytes. It needs space that the database does not have at hand.
const LARGE: u32 = 4096;

/// The last write.
#[derive(Debug)]
struct Write {
    at: Instant,
    failure: Option<(StoreErrorKind, String)>,
}

/// What is known of writes.
#[derive(Debug, Default)]
pub(crate) struct Health {
    last: Mutex<Option<Write>>,
    /// Held by the one trial that runs.
    turn: AsyncMutex<()>,
    random: RandomState,
}

impl Health {
    /// Records the outcome of a commit. A refusal shows nothing.
    pub(crate) fn note_commit(&self, outcome: &Result<(), CommitError>) {
        match outcome {
            Ok(()) => self.note(None),
            Err(CommitError::Failed(error)) => self.note(Some(error)),
            Err(CommitError::Refused(_)) => {}
        }
    }

    pub(crate) fn note(&self, failure: Option<&StoreError>) {
        let failure = failure.map(|error| (error.kind, error.source.to_string()));
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Write { at: Instant::now(), failure });
    }

    /// What the last write shows, or the turn to try one.
    pub(crate) async fn known(&self) -> Result<Result<(), StoreError>, MutexGuard<'_, ()>> {
        if let Some(known) = self.recent() {
            return Ok(known);
        }
        let turn = self.turn.lock().await;
        self.recent().ok_or(turn)
    }

    fn recent(&self) -> Option<Result<(), StoreError>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let Write { at, failure } = last.as_ref()?;
        let age = at.elapsed();
        match failure {
            None => (age < TRUSTED).then_some(Ok(())),
            Some((kind, source)) => (age < DISTRUSTED).then(|| Err(StoreError::new(*kind, source.clone()))),
        }
    }

    /// The key of a trial, which other processes do not use, and its text, which cannot be compressed.
    pub(crate) fn trial(&self) -> (String, String) {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let has_failed = last.as_ref().is_some_and(|write| write.failure.is_some());
        let part = |number: u32| format!("{:016x}", self.random.hash_one(number));
        (part(0), (1..=if has_failed { LARGE } else { 1 }).map(part).collect())
    }
}
