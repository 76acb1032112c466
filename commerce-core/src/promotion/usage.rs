//! The limits of a promotion, and its usage.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::money::Money;

/// The limits of a promotion. `None` is unlimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Uses in total.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<u64>,
    /// Uses by one customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_uses_per_customer: Option<u64>,
    /// Money given in total. The last use gets the remainder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Money>,
}

/// The usage of a promotion, counted by the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Uses in total.
    pub used: u64,
    /// Uses by the customer of the request.
    pub used_by_customer: u64,
    /// Money given in total; `None`: none.
    pub budget_used: Option<Money>,
}

/// The limit of a promotion that is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Error)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Uses in total.
    #[error("it has no uses left")]
    Uses,
    /// Uses by this customer.
    #[error("the customer has no uses of it left")]
    UsesPerCustomer,
    /// Money given in total.
    #[error("its budget is spent")]
    Budget,
}

impl Limits {
    /// The first limit reached.
    pub fn reached(&self, usage: &Usage) -> Option<Limit> {
        let over = |limit: Option<u64>, used| limit.is_some_and(|limit| used >= limit);
        if over(self.max_uses, usage.used) {
            return Some(Limit::Uses);
        }
        if over(self.max_uses_per_customer, usage.used_by_customer) {
            return Some(Limit::UsesPerCustomer);
        }
        self.budget_left(usage).is_some_and(|left| left == 0).then_some(Limit::Budget)
    }

    /// The remaining budget, in minor units; `None` without a budget.
    pub(crate) fn budget_left(&self, usage: &Usage) -> Option<i64> {
        let used = usage.budget_used.map_or(0, Money::minor);
        self.budget.map(|budget| budget.minor().saturating_sub(used).max(0))
    }
}
