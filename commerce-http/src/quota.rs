//! Limits per minute: of a customer's orders, of promotion codes that do not apply, and of a client's invalid tokens and signatures.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use commerce_core::actor::Actor;
use commerce_core::engine::{Engine, EngineError, Repeatable, Reply};
use commerce_core::ids::UserId;
use commerce_core::permission::Permission;
use http::StatusCode;

use crate::idempotency::IdempotencyGuard;
use crate::problem::Problem;

const MINUTE: Duration = Duration::from_secs(60);
/// The most clients that are remembered. Whoever has more addresses is not limited by them.
const MOST_CLIENTS: usize = 10_000;

/// The address of the client of a request, which a server puts into the extensions of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// A limit per minute for each customer or client. All may come in one burst.
#[derive(Debug)]
pub(crate) struct Quota<K = UserId> {
    /// The code and the message of the refusal.
    refusal: (&'static str, &'static str),
    /// The share of one in the minute. `None` if there is no limit.
    interval: Option<Duration>,
    /// The instants at which the whole quota is there again. For others it is there now.
    free_at: Mutex<HashMap<K, Instant>>,
    /// The most that are remembered.
    most: usize,
}

impl Quota<IpAddr> {
    /// A limit of invalid tokens per minute; 0 for none.
    pub(crate) fn of_tokens(per_minute: u32) -> Self {
        let refusal = ("too_many_bad_tokens", "Too many invalid tokens in a short time.");
        Self { most: MOST_CLIENTS, ..Self::new(per_minute, refusal) }
    }

    /// A limit of invalid signatures per minute; 0 for none.
    pub(crate) fn of_signatures(per_minute: u32) -> Self {
        let refusal = ("too_many_bad_signatures", "Too many invalid signatures in a short time.");
        Self { most: MOST_CLIENTS, ..Self::new(per_minute, refusal) }
    }

    /// The answer to an invalid token or signature.
    pub(crate) fn refuse(&self, client: Option<&ClientAddress>, refusal: Problem) -> Problem {
        let Some(ClientAddress(address)) = client.filter(|_| refusal.is_forgery()) else { return refusal };
        self.take_one(address).err().unwrap_or(refusal)
    }
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

    pub(crate) fn take(&self, caller: &Actor) -> Result<(), Problem> {
        limited(caller).map_or(Ok(()), |user| self.take_one(user))
    }

    /// Runs a use case within the limit. Only new outcomes that `counts` admits count. A repeated request is answered even if the
    /// limit is reached.
    pub(crate) async fn within<T: Repeatable>(
        &self,
        (engine, caller): (&Engine, &Actor),
        guard: &IdempotencyGuard<'_, T>,
        reply: impl Future<Output = Result<Reply<T>, EngineError>>,
        counts: impl FnOnce(&T) -> bool,
    ) -> Result<Reply<T>, Problem> {
        if let Err(refused) = self.take(caller) {
            return engine.answered(guard.idempotency().as_ref()).await?.ok_or(refused);
        }
        let reply = reply.await;
        if !matches!(&reply, Ok(Reply::Fresh(outcome)) if counts(outcome)) {
            self.release(caller);
        }
        Ok(reply?)
    }

    /// Returns the share of what does not count.
    pub(crate) fn release(&self, caller: &Actor) {
        let Some((interval, user)) = self.interval.zip(limited(caller)) else { return };
        if let Some(free_at) = self.known().get_mut(user) {
            *free_at -= interval;
        }
    }
}

/// The customer whom the limits are for. Admins and services have none.
fn limited(caller: &Actor) -> Option<&UserId> {
    caller.user.as_ref().filter(|_| !caller.role.may(Permission::OrderUnlimited))
}

impl<K: Clone + Eq + Hash> Quota<K> {
    fn new(per_minute: u32, refusal: (&'static str, &'static str)) -> Self {
        Self { refusal, interval: MINUTE.checked_div(per_minute), free_at: Mutex::default(), most: usize::MAX }
    }

    fn take_one(&self, key: &K) -> Result<(), Problem> {
        let Some(interval) = self.interval else { return Ok(()) };
        let (now, mut known) = (Instant::now(), self.known());
        let free_at = known.get(key).map_or(now, |free_at| now.max(*free_at)) + interval;
        let wait = free_at.saturating_duration_since(now + MINUTE);
        if !wait.is_zero() {
            let (code, detail) = self.refusal;
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, code, detail);
            return Err(problem.retry_after(wait.as_secs() + 1));
        }
        if known.len() == known.capacity().min(self.most) {
            known.retain(|_, free_at| *free_at > now);
        }
        if known.len() == self.most {
            known.clear();
        }
        known.insert(key.clone(), free_at);
        Ok(())
    }

    fn known(&self) -> MutexGuard<'_, HashMap<K, Instant>> {
        self.free_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
