//! When a promotion applies.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::filter::Filter;
use crate::Quantity;
use crate::money::Money;

/// The deepest nesting of `all`, `any` and `not`.
pub const MAX_CONDITION_DEPTH: usize = 8;
/// The most conditions in one list.
pub const MAX_CONDITIONS: usize = 50;
/// The most segments, or shipping methods, one condition names.
pub const MAX_LABELS: usize = 100;

/// One condition of a promotion. All conditions of a promotion must hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Condition {
    /// What remains on the (matching) lines after earlier promotions is at least an amount.
    MinSpend {
        /// The least amount.
        amount: Money,
        /// The lines that count; all of them when absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        filter: Option<Filter>,
    },
    /// The (matching) lines have at least so many units together.
    MinQuantity {
        /// The least number of units.
        quantity: Quantity,
        /// The lines that count; all of them when absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        filter: Option<Filter>,
    },
    /// Some line matches.
    Contains {
        /// The lines meant.
        filter: Filter,
    },
    /// The customer is in one of the segments.
    Segment {
        /// The segments.
        any: Vec<String>,
    },
    /// The customer has completed no order yet.
    FirstOrder,
    /// This is the customer's n-th order: `n − 1` are completed.
    NthOrder {
        /// The number of this order, from 1.
        n: u32,
    },
    /// The chosen shipping method is one of these.
    ShippingMethod {
        /// The methods.
        any: Vec<String>,
    },
    /// All of these hold.
    All {
        /// The conditions.
        conditions: Vec<Self>,
    },
    /// At least one of these holds.
    Any {
        /// The conditions.
        conditions: Vec<Self>,
    },
    /// This does not hold.
    Not {
        /// The condition.
        condition: Box<Self>,
    },
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

    /// Whether the condition, or one within it, is of some kind.
    pub(super) fn any(&self, kind: fn(&Self) -> bool) -> bool {
        kind(self) || self.children().iter().any(|inner| inner.any(kind))
    }

    /// Every filter in it, from left to right.
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
