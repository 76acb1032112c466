//! Why a promotion applied or did not: one outcome with figures per candidate.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use chrono::{DateTime, Utc, Weekday};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Quantity;
use crate::ids::PromotionId;
use crate::money::Money;
use crate::promotion::{Condition, Filter, Limit};

/// The outcome of one candidate: an automatic promotion, or one whose code was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct PromotionOutcome {
    pub promotion_id: PromotionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    pub outcome: Outcome,
}

/// The outcome of a candidate. It prints as an English sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Outcome {
    /// It gave a discount.
    Applied { amount: Money, off: AppliedTo },
    /// Some of its conditions do not hold: `unmet` is not empty.
    ConditionsNotMet { unmet: Vec<UnmetCondition> },
    /// It could have applied, but promotions that exclude it did, or promotions that give more without it.
    Superseded {
        /// The promotions that applied instead.
        by: Vec<PromotionId>,
        /// What it alone would have taken off the undiscounted cart.
        would_save: Money,
        /// What the others took off beyond that. Negative if priority decided and not the amount.
        by_amount: Money,
    },
    /// Its conditions hold, but it gives no discount.
    NoEffect { reason: NoEffect },
    /// One of its limits is reached.
    LimitReached { limit: Limit },
    /// It has ended.
    Expired { ends_at: DateTime<Utc> },
    /// It has not started.
    NotStarted { starts_at: DateTime<Utc> },
}

/// What an applied promotion discounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AppliedTo {
    /// The lines. [`Quote::shares`](super::Quote::shares) has the amount per line.
    Lines {
        /// Its index among the promotions that discounted the lines, from 0.
        turn: usize,
    },
    /// The shipping fee.
    Shipping,
}

/// Why a promotion whose conditions hold gives no discount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoEffect {
    /// No line matches it, or nothing is shipped.
    NothingMatches,
    /// The remaining price of what it applies to is zero.
    NothingLeft,
    /// Too few units for one application.
    TooFewUnits,
    /// The price is not above the fixed one, no tier is reached, or its share rounds to zero.
    NothingToTakeOff,
}

/// A condition that does not hold, and what is missing. It prints as an English sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum UnmetCondition {
    /// Too little remains to be paid on the lines that count.
    MinSpend {
        /// The amount that must remain to be paid.
        required: Money,
        /// `required` less the amount that remains.
        missing: Money,
        /// The lines that count; `None`: all.
        #[serde(skip_serializing_if = "Option::is_none")]
        filter: Option<Filter>,
    },
    /// The lines that count have too few units.
    MinQuantity {
        required: Quantity,
        /// The units to add.
        missing: i64,
        /// The lines that count; `None`: all.
        #[serde(skip_serializing_if = "Option::is_none")]
        filter: Option<Filter>,
    },
    /// No line matches.
    Contains { filter: Filter },
    /// The customer is in none of the segments.
    Segment { any: Vec<String> },
    /// The customer has completed orders.
    FirstOrder { completed_orders: u32 },
    /// This is not the customer's order number `n`.
    NthOrder { n: u32, completed_orders: u32 },
    /// Another shipping method is chosen, or none.
    ShippingMethod {
        /// The accepted methods.
        any: Vec<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        chosen: Option<String>,
    },
    /// It is another day of the week.
    Weekday { any: Vec<Weekday> },
    /// Conditions that must all hold; `unmet` are those that do not.
    All { unmet: Vec<Self> },
    /// Conditions of which one must hold; `unmet` are all of them.
    Any { unmet: Vec<Self> },
    /// A condition that must not hold.
    Not { condition: Box<Condition> },
}

impl Outcome {
    /// The stable code for clients.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Applied { .. } => "applied",
            Self::ConditionsNotMet { .. } => "not_met",
            Self::Superseded { .. } => "beaten",
            Self::NoEffect { .. } => "no_effect",
            Self::LimitReached { .. } => "limited",
            Self::Expired { .. } => "expired",
            Self::NotStarted { .. } => "not_started",
        }
    }

    /// The reason to refuse the code of a promotion with this outcome.
    pub(super) fn rejection(&self) -> Option<CodeRejection> {
        match self {
            Self::Applied { .. } | Self::Superseded { .. } | Self::NoEffect { .. } => None,
            Self::ConditionsNotMet { unmet } if unmet.iter().all(UnmetCondition::is_about_spend) => {
                Some(CodeRejection::MinSpend)
            }
            Self::ConditionsNotMet { .. } => Some(CodeRejection::NotEligible),
            Self::LimitReached { .. } => Some(CodeRejection::UsageLimit),
            Self::Expired { .. } => Some(CodeRejection::Expired),
            Self::NotStarted { .. } => Some(CodeRejection::NotStarted),
        }
    }
}

impl UnmetCondition {
    /// Whether a larger cart would be enough.
    fn is_about_spend(&self) -> bool {
        match self {
            Self::MinSpend { .. } => true,
            Self::All { unmet } => unmet.iter().all(Self::is_about_spend),
            Self::Any { unmet } => unmet.iter().any(Self::is_about_spend),
            Self::MinQuantity { .. }
            | Self::Contains { .. }
            | Self::Segment { .. }
            | Self::FirstOrder { .. }
            | Self::NthOrder { .. }
            | Self::ShippingMethod { .. }
            | Self::Weekday { .. }
            | Self::Not { .. } => false,
        }
    }
}

/// A given code that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedCode {
    /// As the customer entered it.
    pub code: String,
    /// If several promotions have the code, all were refused, and this is the reason of the first.
    pub reason: CodeRejection,
}

/// Why a code was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Error)]
#[serde(rename_all = "snake_case")]
pub enum CodeRejection {
    /// No promotion has it.
    #[error("There is no such code.")]
    UnknownCode,
    /// Its promotion has ended.
    #[error("The code has expired.")]
    Expired,
    /// Its promotion has not started.
    #[error("The code is not valid yet.")]
    NotStarted,
    /// A limit of its promotion is reached: in total, for this customer, or its budget.
    #[error("The code has been used up.")]
    UsageLimit,
    /// Too little is spent. Spending more would be enough.
    #[error("The cart's value is below what the code requires.")]
    MinSpend,
    /// Another condition does not hold.
    #[error("The code does not fit this cart or customer.")]
    NotEligible,
}

impl CodeRejection {
    /// The stable code for clients.
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownCode => "unknown_code",
            Self::Expired => "expired",
            Self::NotStarted => "not_started",
            Self::UsageLimit => "usage_limit",
            Self::MinSpend => "min_spend",
            Self::NotEligible => "not_eligible",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Applied { amount, off: AppliedTo::Lines { .. } } => write!(f, "Takes {amount} off."),
            Self::Applied { amount, off: AppliedTo::Shipping } => write!(f, "Takes {amount} off the shipping fee."),
            Self::ConditionsNotMet { unmet } => list(f, unmet, " "),
            Self::Superseded { by, would_save, by_amount } => {
                write!(f, "Would take {would_save} off alone, but is beaten by ")?;
                list(f, by, ", ")?;
                write!(f, ", which gives {by_amount} more.")
            }
            Self::NoEffect { reason } => f.write_str(match reason {
                NoEffect::NothingMatches => "Nothing in the cart matches it.",
                NoEffect::NothingLeft => "Nothing is left to pay on what it applies to.",
                NoEffect::TooFewUnits => "The cart has too few units for it.",
                NoEffect::NothingToTakeOff => "There is nothing it could take off.",
            }),
            Self::LimitReached { limit } => f.write_str(match limit {
                Limit::Uses => "It has reached its number of uses.",
                Limit::UsesPerCustomer => "The customer has reached the number of uses.",
                Limit::Budget => "Its budget is spent.",
            }),
            Self::Expired { ends_at } => write!(f, "Ended at {ends_at}."),
            Self::NotStarted { starts_at } => write!(f, "Starts at {starts_at}."),
        }
    }
}

impl fmt::Display for UnmetCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MinSpend { required, missing, filter } => {
                write!(f, "Spend {missing} more")?;
                on(f, " on ", filter.as_ref())?;
                write!(f, " to reach {required}.")
            }
            Self::MinQuantity { missing, filter, .. } => {
                write!(f, "Add {missing} more {}", if *missing == 1 { "item" } else { "items" })?;
                on(f, " of ", filter.as_ref())?;
                f.write_str(".")
            }
            Self::Contains { filter } => {
                f.write_str("Add an item")?;
                on(f, " of ", Some(filter))?;
                f.write_str(".")
            }
            Self::Segment { any } => only(f, "for customers of", any),
            Self::FirstOrder { .. } => f.write_str("Only for a first order."),
            Self::NthOrder { n, completed_orders } => {
                write!(f, "Only for order number {n}; this is number {}.", completed_orders.saturating_add(1))
            }
            Self::ShippingMethod { any, .. } => only(f, "with shipping by", any),
            Self::Weekday { any } => only(f, "on", any),
            Self::All { unmet } => list(f, unmet, " "),
            Self::Any { unmet } => {
                f.write_str("One of: ")?;
                list(f, unmet, " ")
            }
            Self::Not { .. } => f.write_str("Not for a cart or customer like this."),
        }
    }
}

/// The lines of a gap, as part of a sentence.
fn on(f: &mut fmt::Formatter<'_>, word: &str, filter: Option<&Filter>) -> fmt::Result {
    let Some(filter) = filter else { return Ok(()) };
    f.write_str(word)?;
    list(f, filter.named_skus(), ", ")?;
    if !filter.named_skus().is_empty() && !filter.named_categories().is_empty() {
        f.write_str(" in ")?;
    }
    list(f, filter.named_categories(), ", ")
}

fn only<T: fmt::Display>(f: &mut fmt::Formatter<'_>, what: &str, any: &[T]) -> fmt::Result {
    write!(f, "Only {what}: ")?;
    list(f, any, ", ")?;
    f.write_str(".")
}

fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, entries: &[T], gap: &str) -> fmt::Result {
    entries.iter().enumerate().try_for_each(|(index, entry)| {
        let gap = if index == 0 { "" } else { gap };
        write!(f, "{gap}{entry}")
    })
}
