//! Promotions and their uses.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use commerce_core::commit::Facts;
use commerce_core::document::{Document, DocumentKind};
use commerce_core::ids::{OrderId, PromotionId, UserId};
use commerce_core::money::Money;
use commerce_core::port::{KeptPromotion, Listing, Page, PromotionPlace};
use commerce_core::promotion::{Campaign, Promotion, Redemption, RedemptionChange, Tally, Usage};

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
    pub(super) fn tally(&self, id: &PromotionId, parts: &BTreeSet<(&UserId, OrderId)>) -> Tally {
        let Some(uses) = self.uses.get(id) else { return Tally::default() };
        let customer = |user: &UserId| Some((user.clone(), *uses.by_customer.get(user)?));
        let by_customer = parts.iter().filter_map(|(user, _)| customer(user)).collect();
        let known = parts.iter().filter_map(|(_, order)| uses.redemptions.get(order));
        let live = known.filter(|redemption| redemption.given_back_at.is_none()).cloned().collect();
        Tally::new(uses.used, uses.spent, by_customer, live)
    }

    /// Writes what a batch used and gave back.
    pub(super) fn write_tallies(&mut self, facts: &Facts) {
        for (id, tally) in facts.tallies.iter().filter(|(_, tally)| !tally.changes().is_empty()) {
            let uses = self.uses.entry(id.clone()).or_default();
            (uses.used, uses.spent) = (tally.used(), tally.spent());
            uses.by_customer.extend(tally.by_customer().iter().map(|(user, count)| (user.clone(), *count)));
            for RedemptionChange::Add(redemption) | RedemptionChange::GiveBack(redemption) in tally.changes() {
                uses.redemptions.insert(redemption.order, redemption.clone());
            }
        }
    }

    fn campaigns(&self) -> impl Iterator<Item = &Campaign> {
        self.of_kind(DocumentKind::Promotion).filter_map(|document| match document {
            Document::Promotion(campaign) => Some(campaign),
            Document::Cart(_) | Document::Category(_) | Document::Product(_) => None,
        })
    }

    pub(super) fn candidates(&self, code_keys: &[String], user: &UserId) -> Vec<Promotion> {
        let wanted = |campaign: &&Campaign| match campaign.promotion.terms().code_key() {
            Some(key) => code_keys.contains(&key),
            None => campaign.ended_at.is_none(),
        };
        let mut campaigns: Vec<_> = self.campaigns().filter(wanted).collect();
        campaigns.sort_by_key(|campaign| (campaign.created_at, campaign.id()));
        let usage = |campaign: &Campaign| {
            let by_customer = self.uses.get(campaign.id()).and_then(|uses| uses.by_customer.get(user));
            Usage { used_by_customer: by_customer.copied().unwrap_or_default(), ..self.usage(campaign) }
        };
        campaigns.into_iter().map(|campaign| campaign.candidate(usage(campaign))).collect()
    }

    pub(super) fn promotion(&self, id: &PromotionId) -> Option<KeptPromotion> {
        self.campaigns().find(|campaign| campaign.id() == id).map(|campaign| self.kept(campaign))
    }

    pub(super) fn promotions(&self, page: &Page<PromotionPlace>) -> Listing<KeptPromotion, PromotionPlace> {
        let behind = |campaign: &&Campaign| page.after.as_ref().is_none_or(|after| rank(campaign) > rank_of(after));
        let mut campaigns: Vec<_> = self.campaigns().filter(behind).collect();
        campaigns.sort_by_key(|campaign| rank(campaign));
        cut(campaigns.into_iter().map(|campaign| self.kept(campaign)), page.limit, |kept| PromotionPlace {
            created_at: kept.campaign.created_at,
            id: kept.campaign.id().clone(),
        })
    }

    pub(super) fn redemptions(&self, id: &PromotionId, page: &Page<OrderId>) -> Listing<Redemption, OrderId> {
        let all = self.uses.get(id).into_iter().flat_map(|uses| uses.redemptions.values().rev());
        let behind = all.filter(|redemption| page.after.is_none_or(|after| redemption.order < after));
        cut(behind.cloned(), page.limit, |redemption| redemption.order)
    }

    fn kept(&self, campaign: &Campaign) -> KeptPromotion {
        KeptPromotion { campaign: campaign.clone(), usage: self.usage(campaign) }
    }

    /// What everybody used.
    fn usage(&self, campaign: &Campaign) -> Usage {
        let (used, spent) = self.uses.get(campaign.id()).map_or((0, 0), |uses| (uses.used, uses.spent));
        let budget_used = (spent != 0).then(|| Money::new(spent, campaign.promotion.currency()));
        Usage { used, used_by_customer: 0, budget_used }
    }
}

/// Newest first, then by id.
fn rank(campaign: &Campaign) -> (Reverse<DateTime<Utc>>, &PromotionId) {
    (Reverse(campaign.created_at), campaign.id())
}

fn rank_of(place: &PromotionPlace) -> (Reverse<DateTime<Utc>>, &PromotionId) {
    (Reverse(place.created_at), &place.id)
}
