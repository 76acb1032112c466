//! What the history makes, as a store writes it.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use crate::event::Recorded;
use crate::ids::OrderId;
use crate::order::{CorruptHistory, Order, OrderEvent, consequences, evolve};
use crate::promotion::RedemptionEffect;
use crate::stock::{Hold, StockLevel};

/// An order as its history makes it, with the uses of promotions it took and gave back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RebuiltOrder {
    /// The order.
    pub order: Order,
    /// Its uses of promotions and when they moved, oldest first; for [`Tally::follow`](crate::promotion::Tally::follow).
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
            uses.extend(consequences(&order, entry).redemptions.into_iter().map(|step| (step, entry.at)));
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
    /// The holds, with those that have ended since.
    pub holds: &'a BTreeMap<OrderId, Hold>,
}
