//! A shop on its own store: everything is in maps in memory.
//!
//! A store implements fourteen methods. `commerce_core::commit::settle` decides whether a commit is accepted; a store provides
//! the facts and writes what was accepted. This one has all facts in memory, so it gives `settle` its whole state. A store on a
//! database loads what a `ReadSet` names, and overrides the provided reads that have to be fast. `cargo test -p examples
//! --example own_store` runs the conformance suite on it. `cargo run -p examples --example own_store` places an order.

#![expect(clippy::print_stdout, reason = "an example reports on standard output")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use commerce_core::commit::{Accepted, LoadedState, ReadSet, settle};
use commerce_core::document::{Document, DocumentFilter, DocumentId, DocumentKind};
use commerce_core::engine::ImportRow;
use commerce_core::event::{HistoryEntry, Recorded};
use commerce_core::order::Unpaid;
use commerce_core::port::{CommitError, OrderFilter};
use commerce_core::prelude::*;
use commerce_core::promotion::{Redemption, RedemptionChange, UsageCounter};
use commerce_core::stock::{Reservation, SkuStock, StockLevel};
use commerce_core::task::{Task, TaskEvent, TaskKey, TaskState, Tasks};

type Answer<T> = Result<T, StoreError>;
type List<T, K> = Result<Page<T, K>, StoreError>;

#[derive(Clone, Debug, Default)]
struct OwnStore(Arc<Mutex<Data>>);

#[derive(Debug, Default)]
struct Data {
    /// The facts that `settle` uses and updates: versions, claims, stock, uses of promotions and idempotency records.
    state: LoadedState,
    orders: BTreeMap<OrderId, Order>,
    documents: BTreeMap<DocumentId, Document>,
    history: Vec<HistoryEntry>,
    tasks: Tasks,
}

impl OwnStore {
    fn data(&self) -> MutexGuard<'_, Data> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Data {
    /// Writes what `settle` accepted. The order of the history is part of the contract.
    fn write(&mut self, commit: Commit, accepted: Accepted) {
        for change in &commit.orders {
            self.orders.insert(change.order().id, change.order().clone());
            let events = change.events().iter().cloned();
            self.history.extend(events.map(|event| HistoryEntry::Order(change.order().id, event)));
        }
        for change in &commit.documents {
            self.documents.insert(change.id().clone(), change.document().clone());
            self.history.push(HistoryEntry::Document(change.id().clone(), change.event().clone()));
        }
        self.history.extend(accepted.stock_events.into_iter().map(|(sku, event)| HistoryEntry::Stock(sku, event)));
        for change in commit.tasks {
            change.apply(&mut self.tasks);
        }
    }

    fn levels(&self, at: DateTime<Utc>) -> impl Iterator<Item = StockLevel> {
        self.state.sku_stocks.values().map(move |stock| stock.level_at(at)).filter(|level| level.version > 0)
    }
}

#[async_trait]
impl Store for OwnStore {
    async fn commit(&self, commit: Commit) -> Result<(), CommitError> {
        let mut data = self.data();
        for (user, since) in ReadSet::of([&commit]).unpaid {
            let unpaid = Unpaid::of(data.orders.values(), user, since);
            data.state.unpaid.insert(user.clone(), unpaid);
        }
        for answer in settle([&commit], &mut data.state) {
            data.write(commit.clone(), answer?);
        }
        Ok(())
    }

    async fn idempotency_record(&self, key: &IdempotencyKey) -> Answer<Option<IdempotencyRecord>> {
        Ok(self.data().state.idempotency_records.get(key).cloned())
    }

    async fn purge_idempotency_records(&self, before: DateTime<Utc>) -> Answer<u64> {
        let records = &mut self.data().state.idempotency_records;
        let all = records.len();
        records.retain(|_, record| record.at >= before);
        Ok(u64::try_from(all - records.len()).unwrap_or(u64::MAX))
    }

    async fn order(&self, order_ref: &OrderRef) -> Answer<Option<Order>> {
        Ok(self.data().orders.values().find(|order| order_ref.names(order)).cloned())
    }

    async fn orders(&self, filter: &OrderFilter, page: &PageRequest<OrderId>) -> List<Order, OrderId> {
        let data = self.data();
        let wanted = data.orders.values().filter(|order| filter.admits(order));
        Ok(Page::descending(wanted, page, |order| order.id).map(Order::clone))
    }

    async fn document(&self, id: &DocumentId) -> Answer<Option<Document>> {
        Ok(self.data().documents.get(id).cloned())
    }

    async fn documents(
        &self,
        kind: DocumentKind,
        filter: &DocumentFilter,
        page: &PageRequest<String>,
    ) -> List<Document, String> {
        let data = self.data();
        let wanted = data.documents.values().filter(|document| document.kind() == kind && filter.admits(document));
        Ok(Page::ascending(wanted, page, |document| document.id().id).map(Document::clone))
    }

    async fn history(&self, page: &PageRequest<u64>) -> List<HistoryEntry, u64> {
        let entries = &self.data().history;
        Ok(Page::ascending((1..).zip(entries), page, |(position, _)| *position).map(|(_, entry)| entry.clone()))
    }

    async fn stock(&self, sku: &Sku, at: DateTime<Utc>) -> Answer<Option<StockLevel>> {
        Ok(self.data().levels(at).find(|level| level.sku == *sku))
    }

    async fn stock_levels(&self, low_only: bool, at: DateTime<Utc>, page: &PageRequest<Sku>) -> List<StockLevel, Sku> {
        let data = self.data();
        let levels = data.levels(at).filter(|level| !low_only || level.is_low());
        Ok(Page::ascending(levels, page, |level| level.sku.clone()))
    }

    async fn reservations(&self, sku: &Sku) -> Answer<Vec<(OrderId, Reservation)>> {
        let stock = self.data().state.sku_stocks.get(sku).cloned();
        Ok(stock.iter().flat_map(SkuStock::reservations).map(|(order, reservation)| (*order, *reservation)).collect())
    }

    async fn tasks(
        &self,
        state: Option<TaskState>,
        at: DateTime<Utc>,
        page: &PageRequest<TaskKey>,
    ) -> List<Task, TaskKey> {
        let data = self.data();
        let wanted = data.tasks.values().filter(|task| state.is_none_or(|state| task.state(at) == state));
        Ok(Page::ascending(wanted, page, |task| task.key.clone()).map(Task::clone))
    }

    async fn replace_task(
        &self,
        before: &Task,
        after: Option<&Task>,
        event: Option<&Recorded<TaskEvent>>,
    ) -> Answer<bool> {
        let data = &mut *self.data();
        if data.tasks.get(&before.key) != Some(before) {
            return Ok(false);
        }
        data.tasks.remove(&before.key);
        data.tasks.extend(after.map(|after| (after.key.clone(), after.clone())));
        let is_of_task = |entry: &&HistoryEntry| matches!(entry, HistoryEntry::Task(key, _) if *key == before.key);
        let sequence = (1..).nth(data.history.iter().filter(is_of_task).count()).unwrap_or_default();
        let event = event.map(|event| Recorded { sequence, ..event.clone() });
        data.history.extend(event.map(|event| HistoryEntry::Task(before.key.clone(), event)));
        Ok(true)
    }

    async fn redemptions(&self, id: &PromotionId, page: &PageRequest<OrderId>) -> List<Redemption, OrderId> {
        let data = self.data();
        let changes = data.state.usage_counters.get(id).into_iter().flat_map(UsageCounter::changes);
        let last = changes.map(|(RedemptionChange::Add(one) | RedemptionChange::Release(one))| (one.order, one));
        Ok(Page::descending(last.collect::<BTreeMap<_, _>>().into_values(), page, |one| one.order)
            .map(Redemption::clone))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (settings, store) = (Settings::new(Currency::EUR), Arc::new(OwnStore::default()));
    let engine = Engine::builder(settings, store, Arc::new(SandboxProcessor::in_memory())).build();
    let (admin, ann) = (Actor::user(Role::Admin, "root".parse()?), Actor::user(Role::Customer, "ann".parse()?));
    let mug = ProductInput::new("Mug".parse()?, vec![Variant::new("MUG".parse()?, "9.99 EUR".parse()?)]);
    engine.import(&admin, &[ImportRow { id: "mug".parse()?, product: mug, on_hand: vec![10] }]).await?;
    let address = Address::new("1 Quay".parse()?, "Hull".parse()?, "HU1 1AA".parse()?, "GB".parse()?);
    let items = vec![ItemRequest::sku("MUG".parse()?, Quantity::new(2)?)];
    let placed = engine.place_order(&ann, &PlaceOrderRequest::new(items, OrderDetails::new(address)), None).await?;
    let placed = placed.into_fresh().ok_or("an order without a key is placed anew")?;
    engine.confirm_payment(&ann, placed.payment.id, "tok_ok".into(), None).await?;
    let paid = engine.order(&ann, &OrderRef::Id(placed.id)).await?;
    println!("order {}: {}, {}", paid.number, paid.payment.amount, paid.status);
    println!("{} mugs are left", engine.stock(&admin, &"MUG".parse()?).await?.available());
    Ok(())
}

#[cfg(test)]
mod conformance {
    #[expect(clippy::unused_async, reason = "the suite awaits its fixtures")]
    async fn start() -> super::OwnStore {
        super::OwnStore::default()
    }

    commerce_testkit::store_suite!(start);
}
