//! Limits per customer and minute: of orders, and of promotion codes that do not apply.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use commerce_core::actor::Actor;
use commerce_core::engine::{Engine, EngineError, Reply};
use commerce_core::ids::UserId;
use commerce_core::permission::Permission;
use http::StatusCode;

use crate::answer::Outcome;
use crate::idempotency::IdempotencyGuard;
use crate::problem::Problem;

const MINUTE: Duration = Duration::from_secs(60);

/// A limit per customer and minute. All may come in one burst.
#[derive(Debug)]
pub(crate) struct Quota {
    /// The code and the message of the refusal.
    refusal: (&'static str, &'static str),
    /// The share of one in the minute. `None` if there is no limit.
    interval: Option<Duration>,
    /// The instants at which customers have their whole quota again. Others have it now.
    free_at: Mutex<HashMap<UserId, Instant>>,
}

impl Quota {
    /// A limit of orders per minute; 0 for none.
    pub(crate) fn of_orders(per_minute: u32) -> Self {
        Self::new(per_minute, ("too_many_orders", "Too many orders in a short time."))
    }

    /// A limit of codes that do not apply per minute, so that codes cannot be guessed; 0 for none.
    pub(crate) fn of_codes(per_minute: u32) -> Self {
        Self::new(per_minute, ("too_many_codes_tried", "Too many promotion codes that do not apply in a short time."))
    }

    fn new(per_minute: u32, refusal: (&'static str, &'static str)) -> Self {
        Self { refusal, interval: MINUTE.checked_div(per_minute), free_at: Mutex::default() }
    }

    pub(crate) fn take(&self, caller: &Actor) -> Result<(), Problem> {
        let Some((interval, user)) = self.limit(caller) else { return Ok(()) };
        let (now, mut customers) = (Instant::now(), self.customers());
        let free_at = customers.get(user).map_or(now, |free_at| now.max(*free_at)) + interval;
        let wait = free_at.saturating_duration_since(now + MINUTE);
        if !wait.is_zero() {
            let (code, detail) = self.refusal;
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, code, detail);
            return Err(problem.retry_after(wait.as_secs() + 1));
        }
        if customers.len() == customers.capacity() {
            customers.retain(|_, free_at| *free_at > now);
        }
        customers.insert(user.clone(), free_at);
        Ok(())
    }

    /// Runs a use case within the limit. Only new outcomes that `counts` admits count. A repeated request is answered even if the
    /// limit is reached.
    pub(crate) async fn within<T>(
        &self,
        (engine, caller): (&Engine, &Actor),
        guard: &IdempotencyGuard<'_, T>,
        reply: impl Future<Output = Result<Reply<T>, EngineError>>,
        counts: impl FnOnce(&T) -> bool,
    ) -> Outcome {
        if let Err(refused) = self.take(caller) {
            let known = engine.answered(guard.idempotency().as_ref()).await?;
            return guard.answer(known.ok_or(refused)?);
        }
        let reply = reply.await;
        if !matches!(&reply, Ok(Reply::Fresh(outcome)) if counts(outcome)) {
            self.release(caller);
        }
        guard.answer(reply?)
    }

    /// Returns the share of what does not count.
    pub(crate) fn release(&self, caller: &Actor) {
        let Some((interval, user)) = self.limit(caller) else { return };
        if let Some(free_at) = self.customers().get_mut(user) {
            *free_at -= interval;
        }
    }

    fn limit<'a>(&self, caller: &'a Actor) -> Option<(Duration, &'a UserId)> {
        self.interval.zip(caller.user.as_ref()).filter(|_| !caller.role.may(Permission::OrderUnlimited))
    }

    fn customers(&self) -> MutexGuard<'_, HashMap<UserId, Instant>> {
        self.free_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
