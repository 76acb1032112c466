//! When a promotion applies.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use chrono::Weekday;
use serde::{Deserialize, Serialize};

use super::check::Check;
use super::filter::Filter;
use crate::Quantity;
use crate::money::Money;
use crate::problem::ProblemKind;

/// The maximum nesting of `all`, `any` and `not`.
pub const MAX_CONDITION_DEPTH: usize = 8;
/// The maximum number of conditions in one list.
pub const MAX_CONDITIONS: usize = 50;
/// The maximum number of segments or shipping methods of one condition.
pub const MAX_LABELS: usize = 100;

/// One condition of a promotion. All conditions of a promotion must hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Condition {
    /// The remainder of the (matching) lines after earlier promotions is at least an amount.
    MinSpend {
        amount: Money,
        /// The lines that count; `None`: all.
        #[serde(skip_serializing_if = "Option::is_none")]
        filter: Option<Filter>,
    },
    /// The (matching) lines together have at least this number of units.
    MinQuantity {
        quantity: Quantity,
        /// The lines that count; `None`: all.
        #[serde(skip_serializing_if = "Option::is_none")]
        filter: Option<Filter>,
    },
    /// Some line matches.
    Contains { filter: Filter },
    /// The customer is in one of the segments.
    Segment { any: Vec<String> },
    /// The customer has not completed any order yet.
    FirstOrder,
    /// This is the customer's n-th order: `n − 1` are completed.
    NthOrder { n: u32 },
    /// The chosen shipping method is one of these.
    ShippingMethod { any: Vec<String> },
    /// The day of the week, in UTC, is one of these.
    Weekday { any: Vec<Weekday> },
    /// All of these hold.
    All { conditions: Vec<Self> },
    /// At least one of these holds.
    Any { conditions: Vec<Self> },
    /// This does not hold.
    Not { condition: Box<Self> },
}

impl Condition {
    /// The conditions inside this one.
    pub(crate) fn children(&self) -> &[Self] {
        match self {
            Self::All { conditions } | Self::Any { conditions } => conditions,
            Self::Not { condition } => core::slice::from_ref(condition),
            Self::MinSpend { .. }
            | Self::MinQuantity { .. }
            | Self::Contains { .. }
            | Self::Segment { .. }
            | Self::FirstOrder
            | Self::NthOrder { .. }
            | Self::ShippingMethod { .. }
            | Self::Weekday { .. } => &[],
        }
    }

    /// Whether the condition or a nested one satisfies a predicate.
    pub(super) fn any(&self, kind: fn(&Self) -> bool) -> bool {
        kind(self) || self.children().iter().any(|inner| inner.any(kind))
    }

    /// Visits every filter, from left to right.
    pub(crate) fn filters<'a>(&'a self, visit: &mut impl FnMut(&'a Filter)) {
        match self {
            Self::MinSpend { filter, .. } | Self::MinQuantity { filter, .. } => filter.iter().for_each(visit),
            Self::Contains { filter } => visit(filter),
            Self::All { .. } | Self::Any { .. } | Self::Not { .. } => {
                self.children().iter().for_each(|inner| inner.filters(visit));
            }
            Self::Segment { .. }
            | Self::FirstOrder
            | Self::NthOrder { .. }
            | Self::ShippingMethod { .. }
            | Self::Weekday { .. } => {}
        }
    }
}

impl Check<'_> {
    /// Conditions that must hold together must not contradict each other.
    pub(super) fn conditions(&mut self, conditions: &[Condition], depth: usize, together: bool) {
        let limit = MAX_CONDITIONS;
        self.require("conditions", conditions.len() <= limit, ProblemKind::TooMany { limit });
        self.at("conditions", |check| {
            check.each(conditions, |check, index, condition| {
                let mut earlier = conditions.iter().take(index);
                let possible = !together || !earlier.any(|earlier| contradict(earlier, condition));
                check.findings.require(possible, ProblemKind::Contradiction);
                check.condition(condition, depth);
            });
        });
    }

    fn condition(&mut self, condition: &Condition, depth: usize) {
        match condition {
            Condition::MinSpend { amount, filter } => {
                self.amount("amount", *amount);
                self.optional_filter(filter.as_ref());
            }
            Condition::MinQuantity { filter, .. } => self.optional_filter(filter.as_ref()),
            Condition::Contains { filter } => self.filter(filter),
            Condition::Segment { any } | Condition::ShippingMethod { any } => self.labels(any),
            Condition::Weekday { any } => self.require("any", !any.is_empty(), ProblemKind::Empty),
            Condition::FirstOrder => {}
            Condition::NthOrder { n } => self.require("n", *n > 0, ProblemKind::OutOfRange { expected: "1 or more" }),
            Condition::All { .. } | Condition::Any { .. } | Condition::Not { .. } => self.nested(condition, depth),
        }
    }

    fn nested(&mut self, condition: &Condition, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else {
            self.findings.note::<()>(ProblemKind::TooDeep { limit: MAX_CONDITION_DEPTH });
            return;
        };
        if let Condition::Not { condition } = condition {
            self.at("condition", |check| check.condition(condition, depth));
            return;
        }
        let conditions = condition.children();
        self.require("conditions", !conditions.is_empty(), ProblemKind::Empty);
        self.conditions(conditions, depth, matches!(condition, Condition::All { .. }));
    }

    fn labels(&mut self, labels: &[String]) {
        self.require("any", !labels.is_empty(), ProblemKind::Empty);
        self.require("any", labels.len() <= MAX_LABELS, ProblemKind::TooMany { limit: MAX_LABELS });
    }
}

/// Whether two conditions of one list can never both hold. It finds plain mistakes (two order numbers, two shipping
/// methods, a condition and its negation), not every contradiction.
fn contradict(one: &Condition, other: &Condition) -> bool {
    match (order_number(one), order_number(other)) {
        (Some(one), Some(other)) => one != other,
        _ => match (one, other) {
            (Condition::Not { condition }, plain) | (plain, Condition::Not { condition }) => **condition == *plain,
            (Condition::ShippingMethod { any: one }, Condition::ShippingMethod { any: other }) => {
                !one.iter().any(|method| other.contains(method))
            }
            (Condition::Weekday { any: one }, Condition::Weekday { any: other }) => {
                !one.iter().any(|day| other.contains(day))
            }
            _ => false,
        },
    }
}

/// The only order number that a condition allows.
fn order_number(condition: &Condition) -> Option<u32> {
    match condition {
        Condition::FirstOrder => Some(1),
        Condition::NthOrder { n } => Some(*n),
        Condition::MinSpend { .. }
        | Condition::MinQuantity { .. }
        | Condition::Contains { .. }
        | Condition::Segment { .. }
        | Condition::ShippingMethod { .. }
        | Condition::Weekday { .. }
        | Condition::All { .. }
        | Condition::Any { .. }
        | Condition::Not { .. } => None,
    }
}
