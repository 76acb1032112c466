//! Why a promotion applied, or did not: one outcome for every candidate, with its figures.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use chrono::{DateTime, Utc, Weekday};
use serde::{Deserialize, Serialize};

use crate::Quantity;
use crate::ids::PromotionId;
use crate::money::Money;
use crate::promotion::{Condition, Filter, Limit};

/// What became of one candidate: an automatic promotion, or one whose code the buyer gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromotionOutcome {
    /// The promotion.
    pub promotion_id: PromotionId,
    /// Its code, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a candidate. It prints as an English sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Outcome {
    /// It took something off.
    Applied {
        /// How much.
        amount: Money,
        /// Off what.
        off: AppliedTo,
    },
    /// Some of its conditions do not hold.
    ConditionsNotMet {
        /// Those that do not hold, each with what is missing; never empty.
        unmet: Vec<UnmetCondition>,
    },
    /// It could have applied, but others did that it cannot stand beside, or that give more without it.
    Superseded {
        /// The promotions that applied instead.
        by: Vec<PromotionId>,
        /// What it would have taken off alone, on the undiscounted cart.
        would_save: Money,
        /// What the others took off beyond that. Negative where their priority decided, and not the amount.
        by_amount: Money,
    },
    /// Its conditions hold, but there is nothing it could take off.
    NoEffect {
        /// Why not.
        reason: NoEffect,
    },
    /// One of its limits is reached.
    LimitReached {
        /// Which.
        limit: Limit,
    },
    /// It is over.
    Expired {
        /// When it ended.
        ends_at: DateTime<Utc>,
    },
    /// It has not begun.
    NotStarted {
        /// When it will.
        starts_at: DateTime<Utc>,
    },
}

/// What an applied promotion took something off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AppliedTo {
    /// The lines. [`Quote::shares`](super::Quote::shares) has the amount per line.
    Lines {
        /// Its turn among the promotions that took something off the lines, from 0.
        turn: usize,
    },
    /// The shipping fee.
    Shipping,
}

/// Why a promotion whose conditions hold takes nothing off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoEffect {
    /// No line is meant by it, or nothing is shipped.
    NothingMatches,
    /// What it is about costs nothing any more.
    NothingLeft,
    /// There are not enough units for one application.
    TooFewUnits,
    /// The price is not above the fixed one, no tier is reached, or its share rounds to nothing.
    NothingToTakeOff,
}

/// A condition that does not hold, and what is missing. It prints as an English sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum UnmetCondition {
    /// Too little is left to pay on the lines that count.
    MinSpend {
        /// What must be left to pay.
        required: Money,
        /// How much more that is.
        missing: Money,
        /// The lines that count; all of them when absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        filter: Option<Filter>,
    },
    /// Too few units are on the lines that count.
    MinQuantity {
        /// The units needed.
        required: Quantity,
        /// How many more that is.
        missing: i64,
        /// The lines that count; all of them when absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        filter: Option<Filter>,
    },
    /// No line matches.
    Contains {
        /// The lines wanted.
        filter: Filter,
    },
    /// The customer is in none of the segments.
    Segment {
        /// The segments wanted.
        any: Vec<String>,
    },
    /// The customer has completed orders before.
    FirstOrder {
        /// How many.
        completed_orders: u32,
    },
    /// This is another order of the customer.
    NthOrder {
        /// The number of the order wanted.
        n: u32,
        /// How many orders are completed.
        completed_orders: u32,
    },
    /// Another shipping method is chosen, or none.
    ShippingMethod {
        /// The methods wanted.
        any: Vec<String>,
        /// The one chosen.
        #[serde(skip_serializing_if = "Option::is_none")]
        chosen: Option<String>,
    },
    /// It is another day of the week.
    Weekday {
        /// The days wanted.
        any: Vec<Weekday>,
    },
    /// All of these would have to hold.
    All {
        /// Those that do not.
        unmet: Vec<Self>,
    },
    /// One of these would have to hold.
    Any {
        /// All of them: none holds.
        unmet: Vec<Self>,
    },
    /// Something holds that must not.
    Not {
        /// What holds.
        condition: Box<Condition>,
    },
}

impl Outcome {
    /// The stable code clients rely on.
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

    /// Why a code is refused, if its promotion ended like this.
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
    /// Whether buying for more would be enough.
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

/// A code the buyer gave that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedCode {
    /// The code, as the buyer wrote it.
    pub code: String,
    /// Why. Where several promotions have the code, all were refused, and this is the first one's reason.
    pub reason: CodeRejection,
}

/// Why a code was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeRejection {
    /// No promotion has it.
    UnknownCode,
    /// Its promotion is over.
    Expired,
    /// Its promotion has not begun.
    NotStarted,
    /// Its promotion is used up, in all, for this customer, or in money.
    UsageLimit,
    /// Too little is spent, and spending more would be enough.
    MinSpend,
    /// Some other condition does not hold.
    NotEligible,
}

impl CodeRejection {
    /// The stable code clients rely on.
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

impl fmt::Display for CodeRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownCode => "There is no such code.",
            Self::Expired => "The code has expired.",
            Self::NotStarted => "The code is not valid yet.",
            Self::UsageLimit => "The code has been used up.",
            Self::MinSpend => "The cart's value is below what the code asks for.",
            Self::NotEligible => "The code does not fit this cart or customer.",
        })
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
                NoEffect::NothingMatches => "Nothing in the cart is meant by it.",
                NoEffect::NothingLeft => "What it is about costs nothing any more.",
                NoEffect::TooFewUnits => "There are not enough units for it in the cart.",
                NoEffect::NothingToTakeOff => "There is nothing it could take off.",
            }),
            Self::LimitReached { limit } => f.write_str(match limit {
                Limit::Uses => "It has been used as often as it may be.",
                Limit::UsesPerCustomer => "The customer has used it as often as one may.",
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
            Self::Segment { any } => {
                f.write_str("Only for customers of: ")?;
                list(f, any, ", ")?;
                f.write_str(".")
            }
            Self::FirstOrder { .. } => f.write_str("Only for a first order."),
            Self::NthOrder { n, completed_orders } => {
                write!(f, "Only for order number {n}; this is number {}.", completed_orders.saturating_add(1))
            }
            Self::ShippingMethod { any, .. } => {
                f.write_str("Only with shipping by: ")?;
                list(f, any, ", ")?;
                f.write_str(".")
            }
            Self::Weekday { any } => {
                f.write_str("Only on: ")?;
                list(f, any, ", ")?;
                f.write_str(".")
            }
            Self::All { unmet } => list(f, unmet, " "),
            Self::Any { unmet } => {
                f.write_str("One of: ")?;
                list(f, unmet, " ")
            }
            Self::Not { .. } => f.write_str("Not for a cart or customer like this."),
        }
    }
}

/// The lines a gap is about, as part of a sentence.
fn on(f: &mut fmt::Formatter<'_>, word: &str, filter: Option<&Filter>) -> fmt::Result {
    let Some(filter) = filter else { return Ok(()) };
    f.write_str(word)?;
    list(f, filter.named_skus(), ", ")?;
    if !filter.named_skus().is_empty() && !filter.named_categories().is_empty() {
        f.write_str(" in ")?;
    }
    list(f, filter.named_categories(), ", ")
}

fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, entries: &[T], gap: &str) -> fmt::Result {
    entries.iter().enumerate().try_for_each(|(index, entry)| {
        let gap = if index == 0 { "" } else { gap };
        write!(f, "{gap}{entry}")
    })
}
