//! Stock: units on hand, reservations, and the guarded moves between them.
//!
//! ```text
//!            reserve            confirm            fulfil
//! available ────────► reserved ───────► confirmed ───────► shipped
//!     ▲                │ release, expiry    │ release        │ restock
//!     └────────────────┴────────────────────┴────────────────┘
//! ```
//!
//! Moves are guarded deltas. A commit does not conflict because it read an old level, and many commits can be
//! [settled](crate::commit::settle) in one transaction.
//!
//! # Invariants
//! * `STK-1`: 0 ≤ reserved ≤ on hand.
//! * `STK-2`: reserved is the sum of the sku's reservations that have not been removed.
//! * `STK-3`: an expired reservation never counts: every read ignores it and every move removes it.

mod sku_stock;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub(crate) use self::sku_stock::StockSavepoint;
pub use self::sku_stock::{ReservationChange, SkuStock, UncontendedReservation};
use crate::ids::{OrderId, Sku};
use crate::text::BoundedString;

/// The maximum number of units on hand of one SKU.
pub const MAX_ON_HAND: i64 = 1_000_000_000_000;

/// The stock of one SKU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StockLevel {
    pub sku: Sku,
    /// Units on hand.
    pub on_hand: i64,
    /// Units on hand that orders have reserved.
    pub reserved: i64,
    /// The SKU is low if the available units are at or below this number. `None`: it is never low.
    pub reorder_threshold: Option<i64>,
    /// A lower bound of the expiry of all reservations; `None` if no reservation expires.
    pub next_expiry: Option<DateTime<Utc>>,
    /// Grows with every move. The sequence numbers of the sku's events are taken from it.
    pub version: u64,
}

impl StockLevel {
    /// The level of a SKU that was never stocked.
    pub const fn empty(sku: Sku) -> Self {
        Self { sku, on_hand: 0, reserved: 0, reorder_threshold: None, next_expiry: None, version: 0 }
    }

    /// Units that can be sold now.
    pub const fn available(&self) -> i64 {
        self.on_hand.saturating_sub(self.reserved)
    }

    /// Whether the available units are at or below the reorder threshold.
    pub fn is_low(&self) -> bool {
        self.reorder_threshold.is_some_and(|threshold| self.available() <= threshold)
    }
}

/// Units reserved for one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Reservation {
    pub units: i64,
    /// When it expires; `None` once it is confirmed.
    pub until: Option<DateTime<Utc>>,
}

impl Reservation {
    /// Whether it has not expired at an instant.
    pub fn counts(&self, at: DateTime<Utc>) -> bool {
        self.until.is_none_or(|until| until > at)
    }

    /// The reservation with more units for the same order. All units expire at the later time.
    pub(crate) fn and(self, units: i64, until: Option<DateTime<Utc>>) -> Self {
        let until = self.until.zip(until).map(|(one, other)| one.max(other));
        Self { units: self.units.saturating_add(units), until }
    }
}

/// One guarded change of the stock of one SKU.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StockMove {
    pub sku: Sku,
    pub action: StockAction,
}

/// A change of the stock of one SKU. Units are positive; a delta has a sign.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum StockAction {
    /// Reserves units for an order until an instant, in addition to those it has reserved.
    Reserve { order: OrderId, units: i64, until: DateTime<Utc> },
    /// The reservation of an order expires later. If it has expired, `units` are reserved again.
    Extend { order: OrderId, units: i64, until: DateTime<Utc> },
    /// The order is paid: its reservation no longer expires. If it has expired, `units` are reserved again.
    Confirm { order: OrderId, units: i64 },
    /// Releases the reservation. No effect if it has expired.
    Release { order: OrderId },
    /// Removes the units from stock.
    Fulfil { order: OrderId, units: i64 },
    /// Returned units can be sold again.
    Restock { units: i64 },
    /// Sets the units on hand, and the threshold if given. `expected` is the version named by the caller.
    Set { on_hand: i64, reorder_threshold: Option<i64>, expected: Option<u64> },
    /// Receives units (positive) or corrects their number. `expected` is as in `Set`.
    Adjust { delta: i64, reason: BoundedString<200>, expected: Option<u64> },
}

impl StockAction {
    /// The action with an expected version, if it supports one.
    #[must_use]
    pub fn expecting(mut self, version: Option<u64>) -> Self {
        if let Self::Set { expected, .. } | Self::Adjust { expected, .. } = &mut self {
            *expected = version;
        }
        self
    }

    /// The order whose reservation changes.
    pub const fn order(&self) -> Option<OrderId> {
        match self {
            Self::Reserve { order, .. }
            | Self::Extend { order, .. }
            | Self::Confirm { order, .. }
            | Self::Release { order }
            | Self::Fulfil { order, .. } => Some(*order),
            Self::Restock { .. } | Self::Set { .. } | Self::Adjust { .. } => None,
        }
    }
}

/// The history of stock that does not follow from order events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum StockEvent {
    /// The units on hand were set, and the threshold if given.
    Set { on_hand: i64, reorder_threshold: Option<i64> },
    /// The units on hand were adjusted.
    Adjusted { delta: i64, reason: BoundedString<200> },
    /// The available units fell to the reorder threshold or below.
    #[serde(rename = "low")]
    LowStock { available: i64 },
    /// The available units fell to zero.
    #[serde(rename = "out")]
    OutOfStock,
}

impl StockEvent {
    /// Every [type](Self::event_type).
    pub const TYPES: &[&str] = &["stock.set", "stock.adjusted", "stock.low", "stock.out"];

    /// The type under which the event is published.
    pub const fn event_type(&self) -> &'static str {
        match self {
            Self::Set { .. } => "stock.set",
            Self::Adjusted { .. } => "stock.adjusted",
            Self::LowStock { .. } => "stock.low",
            Self::OutOfStock => "stock.out",
        }
    }

    /// The move that rebuilds the level from history; `None` for a notice.
    pub fn replay(&self) -> Option<StockAction> {
        match self {
            Self::Set { on_hand, reorder_threshold } => {
                Some(StockAction::Set { on_hand: *on_hand, reorder_threshold: *reorder_threshold, expected: None })
            }
            Self::Adjusted { delta, reason } => {
                Some(StockAction::Adjust { delta: *delta, reason: reason.clone(), expected: None })
            }
            Self::LowStock { .. } | Self::OutOfStock => None,
        }
    }
}

/// Why a move is refused. It changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum StockRefusal {
    #[error("cannot reserve {asked} of {sku}: {available} available")]
    OutOfStock { sku: Sku, asked: i64, available: i64 },
    #[error("SKU {sku} cannot have {on_hand} on hand: {reserved} are reserved")]
    BelowReserved { sku: Sku, on_hand: i64, reserved: i64 },
    #[error("the units on hand of SKU {sku} must be 0 to {MAX_ON_HAND}")]
    OutOfRange { sku: Sku },
    #[error("SKU {sku} is at version {actual}, not {expected}")]
    VersionMismatch { sku: Sku, expected: u64, actual: u64 },
}

impl StockRefusal {
    /// Every [code](Self::code).
    pub const CODES: &[&str] = &["out_of_stock", "below_reserved", "out_of_range", "version_mismatch"];

    /// The stable code for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OutOfStock { .. } => "out_of_stock",
            Self::BelowReserved { .. } => "below_reserved",
            Self::OutOfRange { .. } => "out_of_range",
            Self::VersionMismatch { .. } => "version_mismatch",
        }
    }
}
