//! What the history makes, as a store writes it.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use crate::event::Recorded;
use crate::ids::OrderId;
use crate::order::{CorruptHistory, Order, OrderEvent, evolve, side_effects};
use crate::promotion::RedemptionEffect;
use crate::stock::{Reservation, StockLevel};

/// An order as its history makes it, with the uses of promotions it took and gave back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RebuiltOrder {
    /// The order.
    pub order: Order,
    /// Its uses of promotions and when they moved, oldest first; for
    /// [`UsageCounter::follow`](crate::promotion::UsageCounter::follow).
    pub uses: Vec<(RedemptionEffect, DateTime<Utc>)>,
}

impl RebuiltOrder {
    /// Follows the whole history of an order.
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

/// The stock of a sku as its last move left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RebuiltStock<'a> {
    /// The level.
    pub level: StockLevel,
    /// The reservations, with those that have ended since.
    pub reservations: &'a BTreeMap<OrderId, Reservation>,
}
