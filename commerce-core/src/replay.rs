//! Rebuilding orders and stock from the history alone, and comparing them with what a store keeps.
//!
//! [`Replay`] is pure: entries go in, orders and levels come out. Stock follows from the events of orders
//! ([`consequences`]) and from the stock events that stand for themselves
//! ([`StockEvent::replay`]). A replay decides nothing and refuses no move: what is in the history has happened.
//! [`verify`] streams a store's history through it and says where its tables differ.
//!
//! # The order of the history
//! A store gives entries in the order in which their commits were settled. Those of one commit stand in this order: the
//! events of its orders, as in the commit; then the stock events settling brought about, as it gave them. A commit that
//! moves a sku both for an order and directly (set, adjust) makes the direct moves last. Restocking, reserving and the like
//! happen for orders only: without an order's event no history would tell of them.
//!
//! # The version of a level
//! A move for an order adds one to it. A stock event that moves something adds one, and is numbered with the sum. A notice
//! (low, out) that follows a direct move adds one more, and is numbered with it; one that follows a move for an order shares
//! its number. So the version after any entry is known from the entry.
//!
//! # Time
//! A replay does not sweep: a hold that has ended stands until something takes it away, and does not count from its end on.
//! Which commits swept which hold cannot be seen in the history and does not matter, as long as both sides are read at one
//! instant that is no earlier than the last commit.

mod tally;
mod verify;

use alloc::collections::BTreeMap;

use chrono::{DateTime, Utc};
use thiserror::Error;

use self::tally::Tally;
pub use self::verify::{Difference, Report, verify};
use crate::event::{HistoryEntry, Recorded};
use crate::ids::{OrderId, Sku};
use crate::order::{CorruptHistory, Order, OrderEvent, consequences, evolve};
use crate::stock::{Hold, StockEvent, StockLevel};

/// Orders and stock as the history so far makes them.
///
/// Orders stay until they are [taken](Self::take) away. Whoever takes one gives it [back](Self::resume) before its next
/// event, so a long history needs no more memory than its open orders.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    orders: BTreeMap<OrderId, Order>,
    shelves: BTreeMap<Sku, Tally>,
    created: u64,
    order_events: u64,
}

/// An entry that cannot follow those before it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// An order's events do not fit together. The order is dropped.
    #[error("order {order}: {source}")]
    Order {
        /// Which order.
        order: OrderId,
        /// What is wrong.
        source: CorruptHistory,
    },
    /// A stock event is missing or stands twice. The one found is followed all the same.
    #[error("stock of {sku}: event {found} follows version {version}")]
    Stock {
        /// Of what.
        sku: Sku,
        /// The version before.
        version: u64,
        /// The number found.
        found: u64,
    },
}

impl Replay {
    /// Before the first entry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Follows the next entry.
    ///
    /// # Errors
    /// [`ReplayError`]; the replay can go on.
    pub fn apply(&mut self, entry: &HistoryEntry) -> Result<(), ReplayError> {
        match entry {
            HistoryEntry::Order(id, entry) => {
                self.apply_order(*id, entry).map_err(|source| ReplayError::Order { order: *id, source })
            }
            HistoryEntry::Stock(sku, entry) => self.apply_stock(sku, entry),
        }
    }

    /// An order that was not taken away.
    pub fn order(&self, id: OrderId) -> Option<&Order> {
        self.orders.get(&id)
    }

    /// The orders that were not taken away, by id.
    pub fn orders(&self) -> impl Iterator<Item = &Order> {
        self.orders.values()
    }

    /// Takes an order away.
    pub fn take(&mut self, id: OrderId) -> Option<Order> {
        self.orders.remove(&id)
    }

    /// Gives back an order that was taken away.
    pub fn resume(&mut self, order: Order) {
        self.orders.insert(order.id, order);
    }

    /// The skus that were ever stocked, in their order.
    pub fn skus(&self) -> impl Iterator<Item = &Sku> {
        self.shelves.keys()
    }

    /// The level of a sku at an instant. Its `next_expiry` is exact; a store's may be earlier.
    pub fn level(&self, sku: &Sku, at: DateTime<Utc>) -> Option<StockLevel> {
        self.shelves.get(sku).map(|tally| tally.level(sku, at))
    }

    /// The holds of a sku that count at an instant.
    pub fn holds(&self, sku: &Sku, at: DateTime<Utc>) -> BTreeMap<OrderId, Hold> {
        self.shelves.get(sku).map(|tally| tally.holds(at).collect()).unwrap_or_default()
    }

    /// How many orders were created so far.
    pub const fn created(&self) -> u64 {
        self.created
    }

    /// How many events of orders there were so far.
    pub const fn order_events(&self) -> u64 {
        self.order_events
    }

    fn apply_order(&mut self, id: OrderId, entry: &Recorded<OrderEvent>) -> Result<(), CorruptHistory> {
        self.order_events = self.order_events.saturating_add(1);
        let created = matches!(entry.event, OrderEvent::Created { .. });
        self.created = self.created.saturating_add(created.into());
        let after = evolve(self.orders.remove(&id), entry)?;
        for step in consequences(&after, entry).stock {
            self.shelves.entry(step.sku).or_default().follow(&step.action);
        }
        self.orders.insert(id, after);
        Ok(())
    }

    fn apply_stock(&mut self, sku: &Sku, entry: &Recorded<StockEvent>) -> Result<(), ReplayError> {
        let tally = self.shelves.entry(sku.clone()).or_default();
        let version = tally.version();
        let next = version.saturating_add(1);
        let moved = entry.event.replay();
        let fits = if moved.is_some() { entry.sequence == next } else { entry.sequence <= next };
        if let Some(action) = moved {
            tally.follow(&action);
        }
        tally.number(entry.sequence);
        if fits { Ok(()) } else { Err(ReplayError::Stock { sku: sku.clone(), version, found: entry.sequence }) }
    }
}
