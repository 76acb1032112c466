//! The ports that need no other service: the clock and the ids of the machine, users taken on trust.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, SubsecRound, Utc};
use commerce_core::engine::Ports;
use commerce_core::ids::UserId;
use commerce_core::port::{Carts, Catalog, Clock, IdGenerator, Payments, Promotions, Store, Users, UsersUnavailable};
use uuid::Uuid;

/// The decimals of a second that stores keep.
const MICROSECONDS: u16 = 6;

/// The clock of the system, in whole microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(MICROSECONDS)
    }
}

/// Fresh UUIDs of version 7, each greater than all before it in this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeOrderedIds;

impl IdGenerator for TimeOrderedIds {
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}

/// Takes every authenticated user for an existing one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EveryoneExists;

#[async_trait]
impl Users for EveryoneExists {
    async fn exists(&self, _user: &UserId) -> Result<bool, UsersUnavailable> {
        Ok(true)
    }
}

/// The ports of a server in one process: one store for everything it keeps, the clock of the system, ids in order of time.
pub fn ports<S>(store: S, users: Arc<dyn Users>, payments: Arc<dyn Payments>) -> Ports
where
    S: Store + Carts + Catalog + Promotions + Clone + 'static,
{
    Ports {
        store: Arc::new(store.clone()),
        carts: Arc::new(store.clone()),
        catalog: Arc::new(store.clone()),
        promotions: Arc::new(store),
        users,
        payments,
        clock: Arc::new(SystemClock),
        ids: Arc::new(TimeOrderedIds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_shows_whole_microseconds() {
        assert_eq!(SystemClock.now().timestamp_subsec_nanos() % 1_000, 0);
    }

    #[test]
    fn ids_rise_within_a_millisecond_too() {
        let ids: Vec<Uuid> = (0..10_000).map(|_| TimeOrderedIds.next()).collect();
        assert!(ids.is_sorted_by(|one, next| one < next));
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
    }
}
