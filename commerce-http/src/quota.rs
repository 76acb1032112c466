//! How many orders a customer may place in a minute.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use commerce_core::actor::Actor;
use commerce_core::ids::UserId;
use commerce_core::permission::Permission;
use http::StatusCode;

use crate::problem::Problem;

const MINUTE: Duration = Duration::from_secs(60);

/// How many orders a customer may place in a minute, all at once if need be.
#[derive(Debug)]
pub(crate) struct OrderQuota {
    /// What an order takes of the minute; none if any number may be placed.
    interval: Option<Duration>,
    /// When the whole minute of a customer is free again. It is free already for those who are not listed.
    free_at: Mutex<HashMap<UserId, Instant>>,
}

impl OrderQuota {
    /// So many a minute; 0 for any number.
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

    /// Gives an order back that was taken for a request which had been answered before.
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
