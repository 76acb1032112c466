//! When a promotion applies.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::filter::Filter;
use crate::Quantity;
use crate::money::Money;

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
            | Self::ShippingMethod { .. } => &[],
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
            Self::Segment { .. } | Self::FirstOrder | Self::NthOrder { .. } | Self::ShippingMethod { .. } => {}
        }
    }
}
