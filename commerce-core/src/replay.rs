//! Rebuilding orders and stock from the history alone, and comparing them with what a store keeps.
//!
//! [`Replay`] is pure: entries go in, orders and levels come out. Stock follows from the events of orders
//! ([`side_effects`]) and from the stock events that stand for themselves
//! ([`StockEvent::replay`]). A replay decides nothing and refuses no move: what is in the history has happened.
//! [`verify`] streams a store's history through it and says where its tables differ; a store that rebuilds its tables writes
//! [`RebuiltOrder`]s and [`RebuiltStock`].
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
//! A move sweeps first, as in a store: reservations that had ended by its time are gone. Refused commits sweep too, and
//! batches sweep early, which cannot be seen in the history and does not matter, as long as both sides are read at one
//! instant that is no earlier than the last commit: a reservation that has ended and stands does not count.

mod rebuilt;
mod stock;
mod verify;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};
use thiserror::Error;

pub use self::rebuilt::{RebuiltOrder, RebuiltStock};
use self::stock::ReplayedStock;
pub use self::verify::{Difference, Report, verify};
use crate::document::Delta;
use crate::event::{HistoryEntry, Recorded};
use crate::ids::{OrderId, PromotionId, Sku};
use crate::order::{CorruptHistory, Order, OrderEvent, SideEffects, evolve, side_effects};
use crate::promotion;
use crate::stock::{Reservation, StockEvent, StockLevel};

/// Orders and stock as the history so far makes them.
///
/// Orders stay until they are [taken](Self::take) away. Whoever takes one gives it [back](Self::resume) before its next
/// event, so a long history needs no more memory than its open orders.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    orders: BTreeMap<OrderId, Order>,
    stock: BTreeMap<Sku, ReplayedStock>,
    order_totals: StreamTotals,
    document_totals: StreamTotals,
    /// The uses of promotions, if they are counted.
    uses: Option<BTreeMap<PromotionId, promotion::UsageCounter>>,
}

/// How many streams of a kind the history began so far, and how many events they have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamTotals {
    /// Streams.
    pub created: u64,
    /// Events of these streams.
    pub events: u64,
}

impl StreamTotals {
    /// Counts a stream with its last event.
    fn add(&mut self, version: u64) {
        self.created = self.created.saturating_add(1);
        self.events = self.events.saturating_add(version);
    }

    fn count(&mut self, creates: bool) {
        self.events = self.events.saturating_add(1);
        self.created = self.created.saturating_add(creates.into());
    }
}

/// How much of a promotion is used up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsesTotal {
    /// Uses that were not given back.
    pub used: u64,
    /// Minor units they took off.
    pub spent: i64,
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
    /// More was promised than there was.
    #[error("stock of {sku}: at version {version} more is reserved than there is")]
    Overdrawn {
        /// Of what.
        sku: Sku,
        /// The first version at which it was so.
        version: u64,
    },
}

impl Replay {
    /// Before the first entry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Before the first entry, and uses of promotions will be counted, which takes memory for every use.
    pub fn counting_uses() -> Self {
        Self { uses: Some(BTreeMap::new()), ..Self::default() }
    }

    /// Follows the next entry.
    ///
    /// # Errors
    /// [`ReplayError`]; the replay can go on.
    pub fn apply(&mut self, entry: &HistoryEntry) -> Result<(), ReplayError> {
        match entry {
            HistoryEntry::Order(id, entry) => self.apply_order(*id, entry),
            HistoryEntry::Stock(sku, entry) => self.apply_stock(sku, entry),
            HistoryEntry::Document(_, entry) => {
                self.document_totals.count(matches!(entry.event.change, Delta::Created(_)));
                Ok(())
            }
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

    /// The order that has to be [given back](Self::resume) before an entry can follow.
    pub fn wants(&self, entry: &HistoryEntry) -> Option<OrderId> {
        match entry {
            HistoryEntry::Order(id, entry) if entry.sequence > 1 && !self.orders.contains_key(id) => Some(*id),
            HistoryEntry::Order(..) | HistoryEntry::Stock(..) | HistoryEntry::Document(..) => None,
        }
    }

    /// Takes away the order of an entry if it is finished: it will hardly have another event.
    pub fn take_finished(&mut self, entry: &HistoryEntry) {
        let HistoryEntry::Order(id, _) = entry else { return };
        if self.order(*id).is_some_and(|order| order.phase.is_over()) {
            self.take(*id);
        }
    }

    /// Takes every order away.
    pub fn take_all(&mut self) {
        self.orders.clear();
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
        self.stock.keys()
    }

    /// Whether a sku was ever stocked.
    pub fn knows(&self, sku: &Sku) -> bool {
        self.stock.contains_key(sku)
    }

    /// The level of a sku at an instant. Its `next_expiry` is exact; a store's may be earlier.
    pub fn level(&self, sku: &Sku, at: DateTime<Utc>) -> Option<StockLevel> {
        self.stock.get(sku).map(|stock| stock.level(sku, at))
    }

    /// The reservations of a sku that count at an instant.
    pub fn reservations(&self, sku: &Sku, at: DateTime<Utc>) -> BTreeMap<OrderId, Reservation> {
        self.stock.get(sku).map(|stock| stock.reservations(at).collect()).unwrap_or_default()
    }

    /// The stock of a sku as a store writes it that settles commits one by one.
    ///
    /// # Errors
    /// [`ReplayError::Overdrawn`] if that can never have been written.
    pub fn stock(&self, sku: &Sku) -> Result<Option<RebuiltStock<'_>>, ReplayError> {
        let Some(stock) = self.stock.get(sku) else { return Ok(None) };
        match stock.overdrawn() {
            Some(version) => Err(ReplayError::Overdrawn { sku: sku.clone(), version }),
            None => Ok(Some(RebuiltStock { level: stock.as_moved(sku), reservations: stock.all_reservations() })),
        }
    }

    /// How what a store has of a sku differs from what the history makes. The level is read at the instant, which must be
    /// no earlier than the last commit; the reservations are as they are written.
    pub fn compare(
        &self,
        sku: &Sku,
        stored: Option<StockLevel>,
        reservations: impl IntoIterator<Item = (OrderId, Reservation)>,
        at: DateTime<Utc>,
    ) -> Vec<Difference> {
        verify::compare(self, sku, stored, reservations, at)
    }

    /// The promotions that were ever used, if uses are counted.
    pub fn promotions(&self) -> impl Iterator<Item = &PromotionId> {
        self.uses.iter().flat_map(BTreeMap::keys)
    }

    /// How much of a promotion is used up, if uses are counted.
    pub fn uses(&self, id: &PromotionId) -> UsesTotal {
        let stock = self.uses.as_ref().and_then(|uses| uses.get(id));
        stock.map_or(UsesTotal::default(), |stock| UsesTotal { used: stock.used(), spent: stock.spent() })
    }

    /// The orders so far.
    pub const fn order_totals(&self) -> StreamTotals {
        self.order_totals
    }

    /// The documents of all kinds so far.
    pub const fn document_totals(&self) -> StreamTotals {
        self.document_totals
    }

    fn apply_order(&mut self, id: OrderId, entry: &Recorded<OrderEvent>) -> Result<(), ReplayError> {
        self.order_totals.count(matches!(entry.event, OrderEvent::Created { .. }));
        let after = evolve(self.orders.remove(&id), entry);
        let after = after.map_err(|source| ReplayError::Order { order: id, source })?;
        let SideEffects { stock, redemptions, tasks: _ } = side_effects(&after, entry);
        self.orders.insert(id, after);
        for step in stock {
            self.stock.entry(step.sku).or_default().follow(&step.action, entry.at);
        }
        if let Some(uses) = &mut self.uses {
            for effect in redemptions {
                let stock = uses.entry(effect.redemption().promotion.clone()).or_default();
                stock.follow(&effect, entry.at);
                stock.clear_changes();
            }
        }
        Ok(())
    }

    fn apply_stock(&mut self, sku: &Sku, entry: &Recorded<StockEvent>) -> Result<(), ReplayError> {
        let stock = self.stock.entry(sku.clone()).or_default();
        let version = stock.version();
        let next = version.saturating_add(1);
        let moved = entry.event.replay();
        let fits = if moved.is_some() { entry.sequence == next } else { entry.sequence <= next };
        if let Some(action) = moved {
            stock.follow(&action, entry.at);
        }
        stock.number(entry.sequence);
        if fits { Ok(()) } else { Err(ReplayError::Stock { sku: sku.clone(), version, found: entry.sequence }) }
    }
}
