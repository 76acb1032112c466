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
    used: u64,
    spent: i64,
    by_customer: BTreeMap<UserId, u64>,
    live: BTreeMap<OrderId, Redemption>,
    changes: Vec<RedemptionChange>,
    /// The loaded uses by customers; `None` if the promotion was never used.
    loaded: Option<BTreeMap<UserId, u64>>,
}

/// A change of the uses by one customer, for a store to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CustomerUsageChange<'a> {
    /// The first uses.
    Add(&'a UserId, u64),
    /// The new number of uses.
    Update(&'a UserId, u64),
}

/// A usage counter before one move, restored if a later move of the same commit is refused.
#[derive(Debug)]
pub(crate) struct UsageSavepoint {
    used: u64,
    spent: i64,
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
        Self { used, spent, loaded: Some(by_customer.clone()), by_customer, live, changes: Vec::new() }
    }

    /// Whether the promotion was never used, so that nothing is stored.
    pub const fn is_new(&self) -> bool {
        self.loaded.is_none()
    }

    /// The changes of uses by customers since they were loaded.
    pub fn customer_usage_changes(&self) -> impl Iterator<Item = CustomerUsageChange<'_>> {
        let loaded = |user: &UserId| self.loaded.as_ref().and_then(|loaded| loaded.get(user));
        self.by_customer.iter().filter_map(move |(user, used)| match loaded(user) {
            None => Some(CustomerUsageChange::Add(user, *used)),
            Some(old) if old != used => Some(CustomerUsageChange::Update(user, *used)),
            Some(_) => None,
        })
    }

    /// Uses in total.
    pub const fn used(&self) -> u64 {
        self.used
    }

    /// Minor units given in total.
    pub const fn spent(&self) -> i64 {
        self.spent
    }

    /// Uses by the customers that were loaded or added since.
    pub const fn by_customer(&self) -> &BTreeMap<UserId, u64> {
        &self.by_customer
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
            used: self.used,
            spent: self.spent,
            by_customer: self.by_customer.get(&step.redemption().user).copied(),
            live: self.live.get(&step.redemption().order).cloned(),
            changes: self.changes.len(),
        }
    }

    /// Undoes a move.
    pub(crate) fn restore(&mut self, step: &RedemptionMove, savepoint: UsageSavepoint) {
        (self.used, self.spent) = (savepoint.used, savepoint.spent);
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
            used: self.used,
            used_by_customer: self.by_customer.get(&redemption.user).copied().unwrap_or_default(),
            budget_used: Some(Money::new(self.spent, redemption.amount.currency())),
        };
        let over = limits.budget_left(&usage).is_some_and(|left| redemption.amount.minor() > left);
        let limit = limits.reached(&usage).or(over.then_some(Limit::Budget));
        limit.map_or(Ok(()), |limit| Err(PromotionExhausted { promotion: redemption.promotion.clone(), limit }))
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
        self.used = uses(self.used, 1);
        self.spent = money(self.spent, redemption.amount.minor());
    }
}
