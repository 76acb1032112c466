//! Promotions and their uses.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use commerce_core::commit::LoadedState;
use commerce_core::document::{Document, DocumentKind};
use commerce_core::ids::{OrderId, PromotionId, UserId};
use commerce_core::money::Money;
use commerce_core::port::{Page, PageRequest, PromotionCursor, PromotionWithUsage};
use commerce_core::promotion::{Promotion, PromotionRecord, Redemption, RedemptionChange, Usage, UsageCounter};

use super::reads::cut;
use super::tables::Tables;

/// The uses of one promotion.
#[derive(Debug, Default)]
pub(super) struct Uses {
    used: u64,
    spent: i64,
    by_customer: BTreeMap<UserId, u64>,
    redemptions: BTreeMap<OrderId, Redemption>,
}

impl Tables {
    /// The uses as far as these customers and orders are concerned.
    pub(super) fn counter(&self, id: &PromotionId, parts: &BTreeSet<(&UserId, OrderId)>) -> UsageCounter {
        let Some(uses) = self.uses.get(id) else { return UsageCounter::default() };
        let customer = |user: &UserId| Some((user.clone(), *uses.by_customer.get(user)?));
        let by_customer = parts.iter().filter_map(|(user, _)| customer(user)).collect();
        let known = parts.iter().filter_map(|(_, order)| uses.redemptions.get(order));
        let live = known.filter(|redemption| redemption.released_at.is_none()).cloned().collect();
        UsageCounter::new(uses.used, uses.spent, by_customer, live)
    }

    /// Writes what a batch used and gave back.
    pub(super) fn write_usage_counters(&mut self, loaded: &LoadedState) {
        for (id, counter) in loaded.usage_counters.iter().filter(|(_, counter)| !counter.changes().is_empty()) {
            let uses = self.uses.entry(id.clone()).or_default();
            (uses.used, uses.spent) = (counter.used(), counter.spent());
            uses.by_customer.extend(counter.by_customer().iter().map(|(user, count)| (user.clone(), *count)));
            for RedemptionChange::Add(redemption) | RedemptionChange::Release(redemption) in counter.changes() {
                uses.redemptions.insert(redemption.order, redemption.clone());
            }
        }
    }

    fn records(&self) -> impl Iterator<Item = &PromotionRecord> {
        self.of_kind(DocumentKind::Promotion)
            .filter_map(|document| if let Document::Promotion(record) = document { Some(record) } else { None })
    }

    pub(super) fn candidates(&self, code_keys: &[String], user: &UserId) -> Vec<Promotion> {
        let wanted = |record: &&PromotionRecord| match record.promotion.definition().code_key() {
            Some(key) => code_keys.contains(&key),
            None => record.ended_at.is_none(),
        };
        let mut promotions: Vec<_> = self.records().filter(wanted).collect();
        promotions.sort_by_key(|record| (record.created_at, record.id()));
        let usage = |record: &PromotionRecord| {
            let by_customer = self.uses.get(record.id()).and_then(|uses| uses.by_customer.get(user));
            Usage { used_by_customer: by_customer.copied().unwrap_or_default(), ..self.usage(record) }
        };
        promotions.into_iter().map(|record| record.candidate(usage(record))).collect()
    }

    pub(super) fn promotion(&self, id: &PromotionId) -> Option<PromotionWithUsage> {
        self.records().find(|record| record.id() == id).map(|record| self.kept(record))
    }

    pub(super) fn promotions(&self, page: &PageRequest<PromotionCursor>) -> Page<PromotionWithUsage, PromotionCursor> {
        let behind = |record: &&PromotionRecord| page.after.as_ref().is_none_or(|after| rank(record) > rank_of(after));
        let mut promotions: Vec<_> = self.records().filter(behind).collect();
        promotions.sort_by_key(|record| rank(record));
        cut(promotions.into_iter().map(|record| self.kept(record)), page.limit, |kept| PromotionCursor {
            created_at: kept.record.created_at,
            id: kept.record.id().clone(),
        })
    }

    pub(super) fn redemptions(&self, id: &PromotionId, page: &PageRequest<OrderId>) -> Page<Redemption, OrderId> {
        let all = self.uses.get(id).into_iter().flat_map(|uses| uses.redemptions.values().rev());
        let behind = all.filter(|redemption| page.after.is_none_or(|after| redemption.order < after));
        cut(behind.cloned(), page.limit, |redemption| redemption.order)
    }

    fn kept(&self, record: &PromotionRecord) -> PromotionWithUsage {
        PromotionWithUsage { record: record.clone(), usage: self.usage(record) }
    }

    /// What everybody used.
    fn usage(&self, record: &PromotionRecord) -> Usage {
        let (used, spent) = self.uses.get(record.id()).map_or((0, 0), |uses| (uses.used, uses.spent));
        let budget_used = (spent != 0).then(|| Money::new(spent, record.promotion.currency()));
        Usage { used, used_by_customer: 0, budget_used }
    }
}

/// Newest first, then by id.
fn rank(record: &PromotionRecord) -> (Reverse<DateTime<Utc>>, &PromotionId) {
    (Reverse(record.created_at), record.id())
}

fn rank_of(place: &PromotionCursor) -> (Reverse<DateTime<Utc>>, &PromotionId) {
    (Reverse(place.created_at), &place.id)
}
