//! Rebuilt values as a store writes them.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use crate::event::Recorded;
use crate::ids::OrderId;
use crate::order::{CorruptHistory, Order, OrderEvent, evolve, side_effects};
use crate::promotion::RedemptionEffect;
use crate::stock::{Reservation, StockLevel};

/// An order rebuilt from its history, with its uses of promotions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct RebuiltOrder {
    pub order: Order,
    /// Its uses of promotions with their times, oldest first, for
    /// [`UsageCounter::follow`](crate::promotion::UsageCounter::follow).
    pub uses: Vec<(RedemptionEffect, DateTime<Utc>)>,
}

impl RebuiltOrder {
    /// Applies the whole history of an order.
    ///
    /// # Errors
    /// [`CorruptHistory`].
    pub fn of<'a>(history: impl IntoIterator<Item = &'a Recorded<OrderEvent>>) -> Result<Self, CorruptHistory> {
        let (mut state, mut uses) = (None, Vec::new());
        for entry in history {
            let order = evolve(state, entry)?;
            uses.extend(side_effects(&order, entry).redemptions.into_iter().map(|step| (step, entry.at)));
            state = Some(order);
        }
        let order = state.ok_or(CorruptHistory::NoBeginning)?;
        Ok(Self { order, uses })
    }
}

/// The stock of a SKU after its last move.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct RebuiltStock<'a> {
    pub level: StockLevel,
    /// Includes reservations that have expired since.
    pub reservations: &'a BTreeMap<OrderId, Reservation>,
}
