//! Stock.

use commerce_core::ids::Sku;
use commerce_core::problem::{Findings, Read};
use commerce_core::stock::{StockAction, StockLevel};
use serde::Deserialize;
use utoipa::ToSchema;

use super::shape::shape;

shape! {
    /// The stock of one SKU.
    #[schema(as = Stock)]
    pub(crate) struct StockShape<'a> from level: &'a StockLevel {
        sku: &'a Sku = &level.sku,
        /// Units on hand.
        on_hand: i64 = level.on_hand,
        /// Units reserved by orders.
        reserved: i64 = level.reserved,
        /// Units that can be sold.
        available: i64 = level.available(),
        /// The SKU is low if it has at most this many available units.
        reorder_threshold: Option<i64> = level.reorder_threshold,
        version: u64 = level.version,
    }
}

/// The units on hand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLevel {
    #[schema(minimum = 0)]
    on_hand: i64,
    /// Default: no change.
    #[schema(minimum = 0)]
    reorder_threshold: Option<u32>,
}

impl From<NewLevel> for StockAction {
    fn from(level: NewLevel) -> Self {
        let reorder_threshold = level.reorder_threshold.map(i64::from);
        Self::Set { on_hand: level.on_hand, reorder_threshold, expected: None }
    }
}

/// An adjustment of the units on hand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StockAdjustment {
    /// Positive or negative.
    delta: i64,
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

impl StockAdjustment {
    pub(crate) fn read(self, f: &mut Findings) -> Read<StockAction> {
        Some(StockAction::Adjust { delta: self.delta, reason: f.parse("reason", &self.reason)?, expected: None })
    }
}
