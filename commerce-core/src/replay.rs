//! Rebuilding orders, stock, tasks and uses of promotions from the history alone, and comparing them with a store.
//!
//! [`Replay`] is pure: its input is history entries, its result is orders and levels. Stock follows from the events of
//! orders ([`side_effects`]) and from direct stock events ([`StockEvent::replay`]). A replay decides nothing and
//! refuses no move. [`verify`] streams a store's history through it and returns the differences from the tables. A
//! store that rebuilds its tables writes [`RebuiltOrder`]s and [`RebuiltStock`].
//!
//! # The order of the history
//! A store returns entries in the order in which their commits were settled. The entries of one commit are in this
//! order: the events of its orders, as in the commit; then the stock events of settling, as returned. A commit that
//! moves a SKU both for an order and directly (set, adjust) makes the direct moves last. Moves such as reserving and
//! restocking are only made for orders, because the history records them as order events. So are changes of tasks in a
//! commit.
//!
//! # The version of a level
//! A move for an order adds one to the version. A direct stock event adds one, and its number is the sum. A notice
//! (low, out) that follows a direct move adds one more, and its number is that sum; one that follows a move for an
//! order shares its number. So each entry determines the version after it.
//!
//! # Time
//! A move first removes the reservations that expired before it, as in a store. Refused commits and batches may remove
//! them earlier. The history does not show this, and it does not matter if both sides are compared at one instant that
//! is not earlier than the last commit: an expired reservation does not count, whether it was removed or not.

mod rebuilt;
mod stock;
mod verify;

use alloc::collections::BTreeMap;

use chrono::{DateTime, Utc};
use thiserror::Error;

pub use self::rebuilt::{RebuiltOrder, RebuiltStock};
use self::stock::ReplayedStock;
pub use self::verify::{Difference, Report, verify};
use crate::document::{Delta, DocumentId, ReplayedError, task_changes};
use crate::event::{HistoryEntry, Recorded};
use crate::ids::{OrderId, PromotionId, Sku};
use crate::order::{CorruptHistory, Order, OrderEvent, SideEffects, evolve, side_effects};
use crate::promotion;
use crate::stock::{Reservation, StockEvent, StockLevel};
use crate::task::Tasks;

/// Orders, stock and tasks after the entries so far.
///
/// Orders stay until they are [taken](Self::take). A taken order must be [resumed](Self::resume) before its next event,
/// so a long history needs no more memory than its open orders.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    orders: BTreeMap<OrderId, Order>,
    stock: BTreeMap<Sku, ReplayedStock>,
    tasks: Tasks,
    order_totals: StreamTotals,
    document_totals: StreamTotals,
    /// The uses of promotions, if they are counted.
    uses: Option<BTreeMap<PromotionId, promotion::UsageCounter>>,
}

/// The number of streams of a kind so far, and of their events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StreamTotals {
    pub created: u64,
    pub events: u64,
}

impl StreamTotals {
    /// Counts a stream with the number of its last event.
    fn add(&mut self, version: u64) {
        self.created = self.created.saturating_add(1);
        self.events = self.events.saturating_add(version);
    }

    fn count(&mut self, creates: bool) {
        self.events = self.events.saturating_add(1);
        self.created = self.created.saturating_add(creates.into());
    }
}

/// The uses of a promotion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsesTotal {
    /// Uses that were not released.
    pub used: u64,
    /// Minor units given by these uses.
    pub spent: i64,
}

/// Why an entry cannot follow those before it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say it")]
pub enum ReplayError {
    /// An order's events are inconsistent. The order is dropped.
    #[error("order {order}: {source}")]
    Order { order: OrderId, source: CorruptHistory },
    /// A document's events are inconsistent.
    #[error("{document}: {source}")]
    Document { document: DocumentId, source: ReplayedError },
    /// A stock event is missing or occurs twice. Event `found` is applied all the same.
    #[error("stock of {sku}: event {found} follows version {version}")]
    Stock { sku: Sku, version: u64, found: u64 },
    /// More units were reserved than were on hand, first at `version`.
    #[error("stock of {sku}: at version {version} more is reserved than there is")]
    Overdrawn { sku: Sku, version: u64 },
}

impl Replay {
    /// A replay before the first entry.
    pub fn new() -> Self {
        Self::default()
    }

    /// A replay that also counts uses of promotions, which takes memory for every use.
    pub fn counting_uses() -> Self {
        Self { uses: Some(BTreeMap::new()), ..Self::default() }
    }

    /// Applies the next entry.
    ///
    /// # Errors
    /// [`ReplayError`]; the replay can continue.
    pub fn apply(&mut self, entry: &HistoryEntry) -> Result<(), ReplayError> {
        match entry {
            HistoryEntry::Order(id, entry) => self.apply_order(*id, entry),
            HistoryEntry::Stock(sku, entry) => self.apply_stock(sku, entry),
            HistoryEntry::Document(id, entry) => {
                self.document_totals.count(matches!(entry.event.change, Delta::Created(_)));
                for change in task_changes(id, &entry.event.change) {
                    change.apply(&mut self.tasks);
                }
                Ok(())
            }
            HistoryEntry::Task(key, entry) => {
                entry.apply(key, &mut self.tasks);
                Ok(())
            }
        }
    }

    /// An order that was not taken.
    pub fn order(&self, id: OrderId) -> Option<&Order> {
        self.orders.get(&id)
    }

    /// The orders that were not taken, by id.
    pub fn orders(&self) -> impl Iterator<Item = &Order> {
        self.orders.values()
    }

    /// The order that must be [resumed](Self::resume) before an entry can be applied.
    pub fn wants(&self, entry: &HistoryEntry) -> Option<OrderId> {
        match entry {
            HistoryEntry::Order(id, entry) if entry.sequence > 1 && !self.orders.contains_key(id) => Some(*id),
            HistoryEntry::Order(..) | HistoryEntry::Stock(..) | HistoryEntry::Document(..) | HistoryEntry::Task(..) => {
                None
            }
        }
    }

    /// Drops the order of an entry if it is finished, because further events are unlikely.
    pub fn take_finished(&mut self, entry: &HistoryEntry) {
        let HistoryEntry::Order(id, _) = entry else { return };
        if self.order(*id).is_some_and(|order| order.phase.is_over()) {
            self.take(*id);
        }
    }

    /// Drops every order.
    pub fn take_all(&mut self) {
        self.orders.clear();
    }

    /// Removes an order from the replay.
    pub fn take(&mut self, id: OrderId) -> Option<Order> {
        self.orders.remove(&id)
    }

    /// Gives back an order that was taken.
    pub fn resume(&mut self, order: Order) {
        self.orders.insert(order.id, order);
    }

    /// The SKUs that were ever stocked, in their order.
    pub fn skus(&self) -> impl Iterator<Item = &Sku> {
        self.stock.keys()
    }

    /// Whether a SKU was ever stocked.
    pub fn knows(&self, sku: &Sku) -> bool {
        self.stock.contains_key(sku)
    }

    /// The level of a SKU at an instant. Its `next_expiry` is exact; a store's may be earlier.
    pub fn level(&self, sku: &Sku, at: DateTime<Utc>) -> Option<StockLevel> {
        self.stock.get(sku).map(|stock| stock.level(sku, at))
    }

    /// The reservations of a SKU that count at an instant.
    pub fn reservations(&self, sku: &Sku, at: DateTime<Utc>) -> BTreeMap<OrderId, Reservation> {
        self.stock.get(sku).map(|stock| stock.reservations(at).collect()).unwrap_or_default()
    }

    /// The stock of a SKU as a store writes it that settles commits one by one.
    ///
    /// # Errors
    /// [`ReplayError::Overdrawn`] if no store can have written it.
    pub fn stock(&self, sku: &Sku) -> Result<Option<RebuiltStock<'_>>, ReplayError> {
        let Some(stock) = self.stock.get(sku) else { return Ok(None) };
        match stock.overdrawn() {
            Some(version) => Err(ReplayError::Overdrawn { sku: sku.clone(), version }),
            None => Ok(Some(RebuiltStock { level: stock.as_moved(sku), reservations: stock.all_reservations() })),
        }
    }

    /// The scheduled tasks, without attempts and leases.
    pub const fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// The promotions that were ever used, if uses are counted.
    pub fn promotions(&self) -> impl Iterator<Item = &PromotionId> {
        self.uses.iter().flat_map(BTreeMap::keys)
    }

    /// The uses of a promotion, if uses are counted.
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
        let SideEffects { stock, redemptions, tasks } = side_effects(&after, entry);
        self.orders.insert(id, after);
        for change in tasks {
            change.apply(&mut self.tasks);
        }
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
