//! Stock.

use commerce_core::ids::Sku;
use commerce_core::problem::{Findings, Read};
use commerce_core::stock::{StockAction, StockLevel};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The stock of one sku.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Stock)]
pub(crate) struct StockShape<'a> {
    sku: &'a Sku,
    /// Units in the house.
    on_hand: i64,
    /// Units of those that are promised to orders.
    reserved: i64,
    /// Units that can be sold now.
    available: i64,
    /// At or below this many available units the sku is low.
    #[serde(skip_serializing_if = "Option::is_none")]
    reorder_threshold: Option<i64>,
    version: u64,
}

impl<'a> From<&'a StockLevel> for StockShape<'a> {
    fn from(level: &'a StockLevel) -> Self {
        Self {
            sku: &level.sku,
            on_hand: level.on_hand,
            reserved: level.reserved,
            available: level.available(),
            reorder_threshold: level.reorder_threshold,
            version: level.version,
        }
    }
}

/// How many units there are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLevel {
    #[schema(minimum = 0)]
    on_hand: i64,
    /// Not said, it stays as it is.
    #[schema(minimum = 0)]
    reorder_threshold: Option<u32>,
}

impl From<NewLevel> for StockAction {
    fn from(level: NewLevel) -> Self {
        let reorder_threshold = level.reorder_threshold.map(i64::from);
        Self::Set { on_hand: level.on_hand, reorder_threshold, expected: None }
    }
}

/// Units received or corrected.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Adjustment {
    /// More (positive) or fewer (negative).
    delta: i64,
    #[schema(max_length = 200)]
    reason: String,
}

impl Adjustment {
    pub(crate) fn read(self, f: &mut Findings) -> Read<StockAction> {
        Some(StockAction::Adjust { delta: self.delta, reason: f.parse("reason", &self.reason)?, expected: None })
    }
}
