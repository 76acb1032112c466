//! The limit of orders per customer and minute.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use commerce_core::actor::Actor;
use commerce_core::ids::UserId;
use commerce_core::permission::Permission;
use http::StatusCode;

use crate::problem::Problem;

const MINUTE: Duration = Duration::from_secs(60);

/// The limit of orders per customer and minute. They may come in one burst.
#[derive(Debug)]
pub(crate) struct OrderQuota {
    /// The share of one order in the minute. `None` if there is no limit.
    interval: Option<Duration>,
    /// The instants at which customers have their whole quota again. Others have it now.
    free_at: Mutex<HashMap<UserId, Instant>>,
}

impl OrderQuota {
    /// A limit of orders per minute; 0 for none.
    pub(crate) fn per_minute(orders: u32) -> Self {
        Self { interval: MINUTE.checked_div(orders), free_at: Mutex::default() }
    }

    pub(crate) fn take(&self, caller: &Actor) -> Result<(), Problem> {
        let Some((interval, user)) = self.limit(caller) else { return Ok(()) };
        let (now, mut customers) = (Instant::now(), self.customers());
        let free_at = customers.get(user).map_or(now, |free_at| now.max(*free_at)) + interval;
        let wait = free_at.saturating_duration_since(now + MINUTE);
        if !wait.is_zero() {
            let problem =
                Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_orders", "Too many orders in a short time.");
            return Err(problem.retry_after(wait.as_secs() + 1));
        }
        if customers.len() == customers.capacity() {
            customers.retain(|_, free_at| *free_at > now);
        }
        customers.insert(user.clone(), free_at);
        Ok(())
    }

    /// Returns the share of an order that was a repeated request.
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
