//! Promotions and their uses.

use std::collections::BTreeMap;

use commerce_core::commit::{LoadedState, UsesNeeded};
use commerce_core::ids::{OrderId, PromotionId, UserId};
use commerce_core::port::{Page, PageRequest};
use commerce_core::promotion::{Redemption, RedemptionChange, UsageCounter};

use super::tables::Tables;

#[derive(Debug, Default)]
pub(super) struct Uses {
    used: u64,
    spent: i64,
    redemptions: BTreeMap<OrderId, Redemption>,
}

impl Uses {
    /// The uses by a customer.
    fn by(&self, user: &UserId) -> u64 {
        let live = |redemption: &&Redemption| redemption.user == *user && redemption.released_at.is_none();
        self.redemptions.values().filter(live).map(|_| 1).sum()
    }
}

impl Tables {
    /// The uses with those of some customers and orders.
    pub(super) fn counter(&self, id: &PromotionId, needed: &UsesNeeded<'_>) -> UsageCounter {
        let Some(uses) = self.uses.get(id) else { return UsageCounter::default() };
        let by_customer = needed.customers.iter().map(|user| (UserId::clone(user), uses.by(user))).collect();
        let known = needed.orders.iter().filter_map(|order| uses.redemptions.get(order));
        let live = known.filter(|redemption| redemption.released_at.is_none()).cloned().collect();
        UsageCounter::new(uses.used, uses.spent, by_customer, live)
    }

    /// Writes the uses that a batch redeemed or released.
    pub(super) fn write_usage_counters(&mut self, loaded: &LoadedState) {
        for (id, counter) in loaded.usage_counters.iter().filter(|(_, counter)| !counter.changes().is_empty()) {
            let uses = self.uses.entry(id.clone()).or_default();
            (uses.used, uses.spent) = (counter.used(), counter.spent());
            for RedemptionChange::Add(redemption) | RedemptionChange::Release(redemption) in counter.changes() {
                uses.redemptions.insert(redemption.order, redemption.clone());
            }
        }
    }

    pub(super) fn redemptions(&self, id: &PromotionId, page: &PageRequest<OrderId>) -> Page<Redemption, OrderId> {
        let uses = self.uses.get(id).into_iter().flat_map(|uses| uses.redemptions.values());
        Page::descending(uses, page, |redemption| redemption.order).map(Redemption::clone)
    }
}
