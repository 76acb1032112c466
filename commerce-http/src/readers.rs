//! The requests that wait for events. They have places, so that they cannot take those of others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use commerce_core::actor::Actor;
use commerce_core::ids::UserId;
use http::StatusCode;

use crate::problem::Problem;

/// The most requests of a caller that wait for events.
const PER_CALLER: usize = 8;
/// The most requests that wait for events.
const MOST: usize = 64;
/// When a place may be free again.
const RETRY_SECONDS: u64 = 5;

/// The places that are taken, by caller.
#[derive(Clone, Debug, Default)]
pub(crate) struct Readers(Arc<Mutex<HashMap<Option<UserId>, usize>>>);

/// A place, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    readers: Readers,
    caller: Option<UserId>,
}

impl Readers {
    /// Takes a place.
    pub(crate) fn admit(&self, caller: &Actor) -> Result<Place, Problem> {
        let mut taken = self.lock();
        let (all, own) = (taken.values().sum::<usize>(), taken.get(&caller.user).copied().unwrap_or_default());
        if all >= MOST || own >= PER_CALLER {
            let detail = "Too many requests wait for events.";
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_event_readers", detail);
            return Err(problem.retry_after(RETRY_SECONDS));
        }
        taken.insert(caller.user.clone(), own + 1);
        Ok(Place { readers: self.clone(), caller: caller.user.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Option<UserId>, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.readers.lock();
        let left = taken.remove(&self.caller).unwrap_or_default().saturating_sub(1);
        if left > 0 {
            taken.insert(self.caller.clone(), left);
        }
    }
}
