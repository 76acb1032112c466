//! Stock: what is on hand, what of it is promised, and the guarded moves between.
//!
//! ```text
//!            reserve            confirm            fulfil
//! available ────────► held ───────────► confirmed ───────► gone
//!     ▲                │ release, expiry    │ release        │ restock
//!     └────────────────┴────────────────────┴────────────────┘
//! ```
//!
//! Moves are deltas with a guard, not read-modify-write: nobody conflicts on a popular sku for having read an old number,
//! and many commits can be settled in one transaction ([`crate::commit::settle`]).
//!
//! # Invariants
//! * `STK-1`: 0 ≤ reserved ≤ on hand.
//! * `STK-2`: reserved is the sum of the sku's reservations that have not been swept.
//! * `STK-3`: a reservation past its time never counts: every read and every move sweeps first.

mod sku_stock;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub(crate) use self::sku_stock::StockSavepoint;
pub use self::sku_stock::{ReservationChange, SkuStock, UncontendedReservation};
use crate::ids::{OrderId, Sku};
use crate::text::BoundedString;

/// The most units that can be on hand of one sku.
pub const MAX_ON_HAND: i64 = 1_000_000_000_000;

/// The stock of one sku.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockLevel {
    /// What is counted.
    pub sku: Sku,
    /// Units in the house.
    pub on_hand: i64,
    /// Units of those that are promised to orders.
    pub reserved: i64,
    /// At or below this many available units the sku is low.
    pub reorder_threshold: Option<i64>,
    /// No reservation of this sku expires before this instant; none if no reservation expires.
    pub next_expiry: Option<DateTime<Utc>>,
    /// Grows with every move. The sequence numbers of the sku's events are taken from it.
    pub version: u64,
}

impl StockLevel {
    /// A sku that was never stocked.
    pub const fn empty(sku: Sku) -> Self {
        Self { sku, on_hand: 0, reserved: 0, reorder_threshold: None, next_expiry: None, version: 0 }
    }

    /// Units that can be sold now.
    pub const fn available(&self) -> i64 {
        self.on_hand.saturating_sub(self.reserved)
    }

    /// Whether it is time to reorder.
    pub fn is_low(&self) -> bool {
        self.reorder_threshold.is_some_and(|threshold| self.available() <= threshold)
    }
}

/// Units promised to one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// How many.
    pub units: i64,
    /// Until when; a confirmed reservation has no end.
    pub until: Option<DateTime<Utc>>,
}

impl Reservation {
    /// The reservation with more units for the same order: all of them stand until the later end.
    pub(crate) fn and(self, units: i64, until: Option<DateTime<Utc>>) -> Self {
        let until = self.until.zip(until).map(|(one, other)| one.max(other));
        Self { units: self.units.saturating_add(units), until }
    }
}

/// One guarded change of the stock of one sku.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockMove {
    /// What moves.
    pub sku: Sku,
    /// How.
    pub action: StockAction,
}

/// How stock moves. Units are positive; a delta has a sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StockAction {
    /// Promise units to an order until an instant. To one that holds some already, these come on top.
    Reserve {
        /// To which order.
        order: OrderId,
        /// How many.
        units: i64,
        /// Until when.
        until: DateTime<Utc>,
    },
    /// The order is paid: its reservation no longer ends. If it has already ended, the units are taken anew.
    Confirm {
        /// Whose reservation.
        order: OrderId,
        /// How many units, should they have to be taken anew.
        units: i64,
    },
    /// Take the promise back. Nothing happens where it has ended already.
    Release {
        /// Whose reservation.
        order: OrderId,
    },
    /// The units leave the house.
    Fulfil {
        /// Whose reservation.
        order: OrderId,
        /// How many.
        units: i64,
    },
    /// Units come back into the house and can be sold again.
    Restock {
        /// How many.
        units: i64,
    },
    /// Say how many are in the house.
    Set {
        /// Units on hand.
        on_hand: i64,
        /// The new threshold; none leaves the old one.
        reorder_threshold: Option<i64>,
        /// The version this was decided on, if the caller named one.
        expected: Option<u64>,
    },
    /// Receive or correct.
    Adjust {
        /// Units more (positive) or less (negative).
        delta: i64,
        /// Why.
        reason: BoundedString<200>,
        /// The version this was decided on, if the caller named one.
        expected: Option<u64>,
    },
}

impl StockAction {
    /// The action, bound to a version where it can be.
    #[must_use]
    pub fn expecting(mut self, version: Option<u64>) -> Self {
        if let Self::Set { expected, .. } | Self::Adjust { expected, .. } = &mut self {
            *expected = version;
        }
        self
    }

    /// The order whose reservation the action touches.
    pub const fn order(&self) -> Option<OrderId> {
        match self {
            Self::Reserve { order, .. }
            | Self::Confirm { order, .. }
            | Self::Release { order }
            | Self::Fulfil { order, .. } => Some(*order),
            Self::Restock { .. } | Self::Set { .. } | Self::Adjust { .. } => None,
        }
    }
}

/// What the history keeps of stock beyond what order events say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum StockEvent {
    /// Somebody said how many there are.
    Set {
        /// Units on hand.
        on_hand: i64,
        /// The new threshold, if one was given.
        reorder_threshold: Option<i64>,
    },
    /// Somebody received or corrected.
    Adjusted {
        /// Units more or less.
        delta: i64,
        /// Why.
        reason: BoundedString<200>,
    },
    /// Available fell to the reorder threshold or below.
    #[serde(rename = "low")]
    LowStock {
        /// Units left.
        available: i64,
    },
    /// Nothing is available any more.
    #[serde(rename = "out")]
    OutOfStock,
}

impl StockEvent {
    /// The type under which it is published.
    pub const fn event_type(&self) -> &'static str {
        match self {
            Self::Set { .. } => "stock.set",
            Self::Adjusted { .. } => "stock.adjusted",
            Self::LowStock { .. } => "stock.low",
            Self::OutOfStock => "stock.out",
        }
    }

    /// The move that rebuilds the level from history; notices move nothing.
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

/// Why a move is refused. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StockRefusal {
    /// Fewer units are available than asked for.
    #[error("{asked} of {sku} asked for, {available} available")]
    OutOfStock {
        /// Of what.
        sku: Sku,
        /// Units asked for.
        asked: i64,
        /// Units available.
        available: i64,
    },
    /// Fewer units would be on hand than are promised.
    #[error("{sku} would have {on_hand} on hand, {reserved} are reserved")]
    BelowReserved {
        /// Of what.
        sku: Sku,
        /// What would be on hand.
        on_hand: i64,
        /// What is promised.
        reserved: i64,
    },
    /// More units than [`MAX_ON_HAND`], or fewer than none.
    #[error("{sku}: units on hand are 0 to {MAX_ON_HAND}")]
    OutOfRange {
        /// Of what.
        sku: Sku,
    },
    /// The level changed since it was read.
    #[error("{sku} is at version {actual}, not {expected}")]
    VersionMismatch {
        /// Of what.
        sku: Sku,
        /// The version the caller named.
        expected: u64,
        /// The version it has.
        actual: u64,
    },
}
