//! Uses of promotions: counted, limited, released.
//!
//! Uses are guarded like stock. The commit that places an order takes them, and a transition of its lifecycle may
//! release them. Two orders cannot both get the last use.
//!
//! # Invariants
//! * `RDM-1`: the uses and the amount of a usage counter are those of its live redemptions.
//! * `RDM-2`: no redemption exceeds the limits it was decided under.
//! * `RDM-3`: an order redeems a promotion once and releases it at most once.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::usage::{Limit, Limits, Usage};
use crate::ids::{OrderId, PromotionId, UserId};
use crate::money::Money;

/// One use of a promotion by one order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Redemption {
    pub promotion: PromotionId,
    pub order: OrderId,
    pub user: UserId,
    pub amount: Money,
    pub at: DateTime<Utc>,
    /// When it was released. `None`: it counts.
    #[serde(rename = "given_back_at")]
    pub released_at: Option<DateTime<Utc>>,
}

/// A guarded change of the uses of one promotion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedemptionMove {
    /// Uses the promotion if these limits allow it.
    Redeem(Redemption, Limits),
    /// Releases the use. No effect if it is released already.
    Release(Redemption),
}

impl RedemptionMove {
    /// The redemption.
    pub const fn redemption(&self) -> &Redemption {
        match self {
            Self::Redeem(redemption, _) | Self::Release(redemption) => redemption,
        }
    }

    /// The customer whose uses are limited.
    pub(crate) fn limited_customer(&self) -> Option<&UserId> {
        match self {
            Self::Redeem(redemption, limits) => limits.max_uses_per_customer.map(|_| &redemption.user),
            Self::Release(_) => None,
        }
    }

    /// Whether it is a use that depends on the uses and the budget of all customers at most; see [`UncontendedUses`].
    pub fn may_commute(&self) -> bool {
        matches!(self, Self::Redeem(_, limits) if limits.max_uses_per_customer.is_none())
    }
}

/// What an event of an order did to the uses of a promotion. It has happened, so limits are not checked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum RedemptionEffect {
    Redeemed(Redemption),
    Released(Redemption),
}

impl RedemptionEffect {
    /// The redemption.
    pub const fn redemption(&self) -> &Redemption {
        match self {
            Self::Redeemed(redemption) | Self::Released(redemption) => redemption,
        }
    }
}

/// The limit that refuses a use.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("promotion {promotion} is used up: {limit}")]
#[expect(missing_docs, reason = "the names say it")]
pub struct PromotionExhausted {
    pub promotion: PromotionId,
    pub limit: Limit,
}

/// The uses of one promotion, with those of the customers and orders of a decision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageCounter {
    figures: Figures,
    by_customer: BTreeMap<UserId, u64>,
    live: BTreeMap<OrderId, Redemption>,
    changes: Vec<RedemptionChange>,
    /// The loaded uses and amount; `None` if the promotion was never used.
    loaded: Option<(u64, i64)>,
}

/// The uses and the amount, with the bounds of the moves so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Figures {
    used: u64,
    spent: i64,
    /// The most loaded uses and the most loaded amount with which the outcome of the moves would be the same.
    bounds: (u64, i64),
}

impl Figures {
    const fn new(used: u64, spent: i64) -> Self {
        Self { used, spent, bounds: (u64::MAX, i64::MAX) }
    }
}

impl Default for Figures {
    fn default() -> Self {
        Self::new(0, 0)
    }
}

/// Uses that were added to a counter and can be added to another one instead.
///
/// If all moves [may commute](RedemptionMove::may_commute) and none was refused, a store may add them to a counter that has
/// been changed meanwhile, if it still fits. The decision would have been the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct UncontendedUses {
    pub uses: u64,
    /// Minor units.
    pub amount: i64,
    /// The most uses before the moves.
    pub most_used: u64,
    /// The most minor units before the moves.
    pub most_spent: i64,
}

impl UncontendedUses {
    /// Whether the decision would be the same on a counter with these uses and this amount. Stores that do not lock a counter
    /// before they write it check this rule in SQL, and a test compares their SQL with this method.
    pub const fn fits(&self, used: u64, spent: i64) -> bool {
        used <= self.most_used && spent <= self.most_spent
    }
}

/// A usage counter before one move, restored if a later move of the same commit is refused.
#[derive(Debug)]
pub(crate) struct UsageSavepoint {
    figures: Figures,
    by_customer: Option<u64>,
    live: Option<Redemption>,
    changes: usize,
}

/// A change of one redemption, for a store to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedemptionChange {
    /// A new redemption.
    Add(Redemption),
    /// A released redemption.
    Release(Redemption),
}

impl UsageCounter {
    /// The stored state of a promotion that was used: the uses and the minor units given so far, the uses by the
    /// customers of the decision, and the live redemptions of its orders.
    pub fn new(used: u64, spent: i64, by_customer: BTreeMap<UserId, u64>, live: Vec<Redemption>) -> Self {
        let live = live.into_iter().map(|redemption| (redemption.order, redemption)).collect();
        let (figures, loaded) = (Figures::new(used, spent), Some((used, spent)));
        Self { figures, by_customer, live, changes: Vec::new(), loaded }
    }

    /// Whether the promotion was never used, so that nothing is stored.
    pub const fn is_new(&self) -> bool {
        self.loaded.is_none()
    }

    /// The added uses, for a store that did not lock the counter.
    pub fn uncontended(&self) -> UncontendedUses {
        let ((used, spent), (most_used, most_spent)) = (self.loaded.unwrap_or_default(), self.figures.bounds);
        let (uses, amount) = (self.used().saturating_sub(used), self.spent().saturating_sub(spent));
        UncontendedUses { uses, amount, most_used, most_spent }
    }

    /// Uses in total.
    pub const fn used(&self) -> u64 {
        self.figures.used
    }

    /// Minor units given in total.
    pub const fn spent(&self) -> i64 {
        self.figures.spent
    }

    /// The changes of redemptions, for a store to write.
    pub fn changes(&self) -> &[RedemptionChange] {
        &self.changes
    }

    /// Clears the recorded changes.
    pub(crate) fn clear_changes(&mut self) {
        self.changes.clear();
    }

    /// The state before a move.
    pub(crate) fn savepoint(&self, step: &RedemptionMove) -> UsageSavepoint {
        UsageSavepoint {
            figures: self.figures,
            by_customer: self.by_customer.get(&step.redemption().user).copied(),
            live: self.live.get(&step.redemption().order).cloned(),
            changes: self.changes.len(),
        }
    }

    /// Undoes a move.
    pub(crate) fn restore(&mut self, step: &RedemptionMove, savepoint: UsageSavepoint) {
        self.figures = savepoint.figures;
        self.changes.truncate(savepoint.changes);
        let (user, order) = (&step.redemption().user, step.redemption().order);
        match savepoint.by_customer {
            Some(count) => self.by_customer.insert(user.clone(), count),
            None => self.by_customer.remove(user),
        };
        match savepoint.live {
            Some(redemption) => self.live.insert(order, redemption),
            None => self.live.remove(&order),
        };
    }

    /// Makes one move at an instant.
    ///
    /// # Errors
    /// [`PromotionExhausted`], with the first limit in the order total uses, uses by the customer, budget. Nothing has
    /// changed then.
    pub fn apply(&mut self, step: &RedemptionMove, at: DateTime<Utc>) -> Result<(), PromotionExhausted> {
        match step {
            RedemptionMove::Redeem(redemption, limits) => {
                self.check(redemption, limits)?;
                self.narrow(redemption, limits);
                self.redeem(redemption);
            }
            RedemptionMove::Release(redemption) => self.release(redemption.order, at),
        }
        Ok(())
    }

    /// Counts a use that has happened, without limits.
    pub fn follow(&mut self, effect: &RedemptionEffect, at: DateTime<Utc>) {
        match effect {
            RedemptionEffect::Redeemed(redemption) => self.redeem(redemption),
            RedemptionEffect::Released(redemption) => self.release(redemption.order, at),
        }
    }

    fn check(&self, redemption: &Redemption, limits: &Limits) -> Result<(), PromotionExhausted> {
        let usage = Usage {
            used: self.used(),
            used_by_customer: self.by_customer.get(&redemption.user).copied().unwrap_or_default(),
            budget_used: Some(Money::new(self.spent(), redemption.amount.currency())),
        };
        let over = limits.budget_left(&usage).is_some_and(|left| redemption.amount.minor() > left);
        let limit = limits.reached(&usage).or(over.then_some(Limit::Budget));
        limit.map_or(Ok(()), |limit| Err(PromotionExhausted { promotion: redemption.promotion.clone(), limit }))
    }

    /// Narrows the bounds to those within which an allowed use is allowed.
    fn narrow(&mut self, redemption: &Redemption, limits: &Limits) {
        let UncontendedUses { uses, amount, .. } = self.uncontended();
        let (used, spent) = &mut self.figures.bounds;
        if let Some(most) = limits.max_uses {
            *used = (*used).min(most.saturating_sub(1).saturating_sub(uses));
        }
        if let Some(budget) = limits.budget {
            // A budget that is spent allows no use, not even one of nothing.
            let least = redemption.amount.minor().max(1);
            *spent = (*spent).min(budget.minor().saturating_sub(least).saturating_sub(amount));
        }
    }

    fn redeem(&mut self, redemption: &Redemption) {
        if self.live.insert(redemption.order, redemption.clone()).is_none() {
            self.count(redemption, u64::saturating_add, i64::saturating_add);
            self.changes.push(RedemptionChange::Add(redemption.clone()));
        }
    }

    fn release(&mut self, order: OrderId, at: DateTime<Utc>) {
        if let Some(mut known) = self.live.remove(&order) {
            self.count(&known, u64::saturating_sub, i64::saturating_sub);
            known.released_at = Some(at);
            self.changes.push(RedemptionChange::Release(known));
        }
    }

    fn count(&mut self, redemption: &Redemption, uses: fn(u64, u64) -> u64, money: fn(i64, i64) -> i64) {
        let customer = self.by_customer.entry(redemption.user.clone()).or_default();
        *customer = uses(*customer, 1);
        self.figures.used = uses(self.used(), 1);
        self.figures.spent = money(self.spent(), redemption.amount.minor());
    }
}

#[cfg(test)]
#[path = "../../tests/unit/using.rs"]
mod using;
