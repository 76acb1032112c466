//! Replaying: what cannot be is said, and what somebody changed behind the engine's back is found.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use commerce_core::actor::Actor;
use commerce_core::commit::{Commit, IdempotencyKey, IdempotencyRecord};
use commerce_core::document::{Document, DocumentFilter, DocumentId, DocumentKind};
use commerce_core::event::{HistoryEntry, Recorded};
use commerce_core::ids::{EventId, OrderId, PromotionId, Sku};
use commerce_core::order::{CorruptHistory, Order, ShipmentStatus};
use commerce_core::port::{CommitError, OrderFilter, OrderRef, Page, PageRequest, Store, StoreError};
use commerce_core::promotion::Redemption;
use commerce_core::replay::{Difference, Replay, ReplayError, Report, StreamTotals, verify};
use commerce_core::stock::{Reservation, StockAction, StockEvent, StockLevel};
use commerce_core::task::{Task, TaskEvent, TaskKey, TaskState};
use commerce_testkit::commit_builder::{order_of, parse};
use commerce_testkit::{CommitBuilder, MemoryStore};

/// A shop with an order delivered, one paid and one waiting.
async fn busy() -> (CommitBuilder, MemoryStore) {
    let (shop, store) = (CommitBuilder::new(1), MemoryStore::new());
    let mut commits = vec![shop.stocked(&[("MUG", 9), ("TEA", 9)])];
    let placed = [("MUG", 1), ("TEA", 2), ("MUG", 3)].map(|line| shop.order(&[line]));
    let paid = placed[1..].iter().map(|commit| shop.pay(order_of(commit), shop.at(2)));
    let paid: Vec<_> = paid.collect();
    let shipped = shop.ship(order_of(&paid[1]), ShipmentStatus::Shipped, shop.at(3));
    let delivered = shop.ship(order_of(&shipped), ShipmentStatus::Delivered, shop.at(4));
    commits.extend(placed);
    commits.extend(paid);
    commits.extend([shipped, delivered]);
    for commit in commits {
        store.commit(commit).await.unwrap();
    }
    (shop, store)
}

async fn check(store: &dyn Store, shop: &CommitBuilder) -> Report {
    verify(store, shop.at(10), |_| {}).await.unwrap()
}

fn stock_event(sequence: u64, event: StockEvent) -> HistoryEntry {
    let shop = CommitBuilder::new(9);
    let id = EventId::new(shop.uuid());
    HistoryEntry::Stock(
        parse("MUG"),
        Recorded { id, sequence, at: shop.at(0), actor: Actor::SYSTEM, trace: None, event },
    )
}

fn order_entries(commit: &Commit) -> Vec<HistoryEntry> {
    let change = &commit.orders[0];
    change.events().iter().map(|entry| HistoryEntry::Order(change.order().id, entry.clone())).collect()
}

#[test]
fn a_missing_stock_event_is_said_once() {
    let mut replay = Replay::new();
    let set = |on_hand| StockEvent::Set { on_hand, reorder_threshold: None };
    assert_eq!(replay.apply(&stock_event(1, set(5))), Ok(()));
    let gap = ReplayError::Stock { sku: parse("MUG"), version: 1, found: 3 };
    assert_eq!(replay.apply(&stock_event(3, set(7))), Err(gap));
    assert_eq!(replay.apply(&stock_event(4, StockEvent::OutOfStock)), Ok(()));
    let level = replay.level(&parse("MUG"), CommitBuilder::new(9).at(0)).unwrap();
    assert_eq!((level.on_hand, level.version), (7, 4));
}

#[test]
fn an_orders_events_must_fit_together() {
    let shop = CommitBuilder::new(1);
    let placed = shop.order(&[("MUG", 1)]);
    let (id, paid) = (order_of(&placed).id, shop.pay(order_of(&placed), shop.at(2)));
    let (placed, paid) = (order_entries(&placed), order_entries(&paid));
    let error = |source| Err(ReplayError::Order { order: id, source });
    let mut replay = Replay::new();
    assert_eq!(replay.apply(&paid[0]), error(CorruptHistory::NoBeginning));
    assert_eq!(replay.apply(&placed[0]), Ok(()));
    assert_eq!(replay.clone().apply(&placed[0]), error(CorruptHistory::SecondBeginning(1)));
    assert_eq!(replay.clone().apply(&paid[1]), error(CorruptHistory::Gap { last: 1, found: 3 }));
    let taken = replay.take(id).unwrap();
    assert_eq!(replay.order(id), None);
    replay.resume(taken);
    assert_eq!(replay.apply(&paid[0]), Ok(()));
    assert_eq!(replay.order(id).map(|order| order.version), Some(2));
    assert_eq!(replay.order_totals(), StreamTotals { created: 1, events: 3 });
}

#[tokio::test]
async fn a_sound_store_has_no_difference_and_progress_is_told() {
    let (shop, store) = busy().await;
    let mut told = Vec::new();
    let report = verify(&store, shop.at(10), |done| told.push(done)).await.unwrap();
    assert_eq!((report.entries, report.orders, report.skus), (13, 3, 2));
    assert!(report.is_identical(), "{:#?}", report.differences);
    assert!(told.is_sorted() && told.last() == Some(&18), "{told:?}");
}

#[tokio::test]
async fn stock_that_moved_without_an_event_is_found() {
    let (shop, store) = busy().await;
    store.commit(shop.moves("MUG", StockAction::Restock { units: 1 }, shop.at(5))).await.unwrap();
    let report = check(&store, &shop).await;
    assert!(matches!(&report.differences[..], [Difference::Stock { .. }]), "{:#?}", report.differences);
}

#[tokio::test]
async fn a_reservation_without_an_order_is_found() {
    let (shop, store) = busy().await;
    let order = OrderId::new(shop.uuid());
    let reserve = StockAction::Reserve { order, units: 1, until: shop.at(100) };
    store.commit(shop.moves("TEA", reserve, shop.at(5))).await.unwrap();
    let report = check(&store, &shop).await;
    let [Difference::Stock { .. }, Difference::Reservations { sku, .. }] = &report.differences[..] else {
        panic!("{:#?}", report.differences);
    };
    assert_eq!(sku.as_str(), "TEA");
}

/// A store whose tables somebody edited by hand.
#[derive(Debug)]
struct Edited {
    inner: MemoryStore,
    edit: fn(&mut Vec<Order>),
    drop_entry: usize,
}

#[async_trait]
impl Store for Edited {
    async fn commit(&self, commit: Commit) -> Result<(), CommitError> {
        self.inner.commit(commit).await
    }

    async fn idempotency_record(&self, key: &IdempotencyKey) -> Result<Option<IdempotencyRecord>, StoreError> {
        self.inner.idempotency_record(key).await
    }

    async fn purge_idempotency_records(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        self.inner.purge_idempotency_records(before).await
    }

    async fn order(&self, order_ref: &OrderRef) -> Result<Option<Order>, StoreError> {
        self.inner.order(order_ref).await
    }

    async fn orders(
        &self,
        filter: &OrderFilter,
        page: &PageRequest<OrderId>,
    ) -> Result<Page<Order, OrderId>, StoreError> {
        let mut listing = self.inner.orders(filter, page).await?;
        (self.edit)(&mut listing.items);
        Ok(listing)
    }

    async fn history(&self, page: &PageRequest<u64>) -> Result<Page<HistoryEntry, u64>, StoreError> {
        let mut listing = self.inner.history(page).await?;
        if self.drop_entry < listing.items.len() {
            listing.items.remove(self.drop_entry);
        }
        Ok(listing)
    }

    async fn stock(&self, sku: &Sku, at: DateTime<Utc>) -> Result<Option<StockLevel>, StoreError> {
        self.inner.stock(sku, at).await
    }

    async fn stock_levels(
        &self,
        low_only: bool,
        at: DateTime<Utc>,
        page: &PageRequest<Sku>,
    ) -> Result<Page<StockLevel, Sku>, StoreError> {
        self.inner.stock_levels(low_only, at, page).await
    }

    async fn reservations(&self, sku: &Sku) -> Result<Vec<(OrderId, Reservation)>, StoreError> {
        self.inner.reservations(sku).await
    }

    async fn document(&self, id: &DocumentId) -> Result<Option<Document>, StoreError> {
        self.inner.document(id).await
    }

    async fn documents(
        &self,
        kind: DocumentKind,
        filter: &DocumentFilter,
        page: &PageRequest<String>,
    ) -> Result<Page<Document, String>, StoreError> {
        self.inner.documents(kind, filter, page).await
    }

    async fn tasks(
        &self,
        state: Option<TaskState>,
        at: DateTime<Utc>,
        page: &PageRequest<TaskKey>,
    ) -> Result<Page<Task, TaskKey>, StoreError> {
        self.inner.tasks(state, at, page).await
    }

    async fn replace_task(
        &self,
        before: &Task,
        after: Option<&Task>,
        event: Option<&Recorded<TaskEvent>>,
    ) -> Result<bool, StoreError> {
        self.inner.replace_task(before, after, event).await
    }

    async fn redemptions(
        &self,
        id: &PromotionId,
        page: &PageRequest<OrderId>,
    ) -> Result<Page<Redemption, OrderId>, StoreError> {
        self.inner.redemptions(id, page).await
    }
}

async fn edited(edit: fn(&mut Vec<Order>), drop_entry: usize) -> Vec<Difference> {
    let (shop, inner) = busy().await;
    check(&Edited { inner, edit, drop_entry }, &shop).await.differences
}

#[tokio::test]
async fn an_edited_order_is_found_and_the_part_is_named() {
    for (place, edit) in [(0, "shipment"), (1, "payment"), (2, "status")] {
        let change: fn(&mut Vec<Order>) = match edit {
            "shipment" => |orders| orders[0].shipment = None,
            "payment" => |orders| orders[1].payment.refunded = orders[1].payment.captured,
            _ => |orders| orders[2].status = parse("paid"),
        };
        let differences = edited(change, usize::MAX).await;
        let [Difference::Order { stored, rebuilt: Ok(_) }] = &differences[..] else { panic!("{differences:#?}") };
        let text = differences[0].to_string();
        assert!(text.contains(edit) && text.contains(stored.number.as_str()), "order {place}: {text}");
    }
}

#[tokio::test]
async fn an_order_that_was_deleted_is_found() {
    let differences = edited(|orders| drop(orders.remove(1)), usize::MAX).await;
    let expected = Difference::Count {
        what: "orders",
        history: StreamTotals { created: 3, events: 11 },
        tables: StreamTotals { created: 2, events: 8 },
    };
    assert_eq!(differences, [expected]);
}

/// Whichever entry of the history is lost, it is missed.
#[tokio::test]
async fn a_lost_entry_is_found() {
    for entry in 0..13 {
        assert_ne!(edited(|_| (), entry).await, [], "entry {entry}");
    }
}
