mod deliveries;
mod promotions;
mod reads;
mod tables;
mod targets;
mod tasks;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use commerce_core::commit::{Commit, IdempotencyKey, IdempotencyRecord, ReadSet, Refusal, settle};
use commerce_core::document::{Document, DocumentFilter, DocumentId, DocumentKind};
use commerce_core::event::{HistoryEntry, Recorded};
use commerce_core::ids::{OrderId, PromotionId, Sku, TargetName};
use commerce_core::order::Order;
use commerce_core::port::{CommitError, OrderFilter, OrderRef, Page, PageRequest, Store, StoreError, Targets};
use commerce_core::promotion::Redemption;
use commerce_core::publishing::TargetState;
use commerce_core::stock::{Reservation, StockLevel};
use commerce_core::task::{Task, TaskEvent, TaskKey, TaskState};

use self::tables::Tables;

/// A store in memory: maps behind one lock.
///
/// It settles with [`commerce_core::commit::settle`] and passes the suite of the port, but does not persist. Clones share the
/// data.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use commerce_core::port::Store;
/// use commerce_testkit::{MemoryStore, CommitBuilder};
///
/// let (store, shop) = (MemoryStore::new(), CommitBuilder::new(1));
/// store.commit(shop.stocked(&[("MUG", 10)])).await?;
/// let level = store.stock(&"MUG".parse().unwrap(), shop.at(0)).await?;
/// assert_eq!(level.unwrap().available(), 10);
/// # Ok::<(), commerce_core::port::CommitError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    tables: Arc<Mutex<Tables>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Settles a batch at once, like a store with group commit. The results have the order of the commits.
    pub fn commit_all(&self, batch: &[Commit]) -> Vec<Result<(), Refusal>> {
        let mut tables = self.tables();
        let mut loaded = tables.loaded(&ReadSet::of(batch));
        let answers = settle(batch, &mut loaded).into_iter().zip(batch);
        let answers = answers.map(|(answer, commit)| answer.map(|settled| tables.write(commit, settled))).collect();
        tables.write_claims(&loaded);
        tables.write_sku_stocks(&loaded);
        tables.write_usage_counters(&loaded);
        answers
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // After a panic in a test the tables are consistent: they change only after all decisions.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn commit(&self, commit: Commit) -> Result<(), CommitError> {
        self.commit_all(&[commit]).into_iter().try_for_each(|answer| answer.map_err(CommitError::from))
    }

    async fn idempotency_record(&self, key: &IdempotencyKey) -> Result<Option<IdempotencyRecord>, StoreError> {
        Ok(self.tables().idempotency_record(key))
    }

    async fn purge_idempotency_records(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        Ok(self.tables().purge_idempotency_records(before))
    }

    async fn order(&self, order_ref: &OrderRef) -> Result<Option<Order>, StoreError> {
        Ok(self.tables().order(order_ref))
    }

    async fn orders(
        &self,
        filter: &OrderFilter,
        page: &PageRequest<OrderId>,
    ) -> Result<Page<Order, OrderId>, StoreError> {
        Ok(self.tables().orders(filter, page))
    }

    async fn document(&self, id: &DocumentId) -> Result<Option<Document>, StoreError> {
        Ok(self.tables().documents.get(id).cloned())
    }

    async fn documents(
        &self,
        kind: DocumentKind,
        filter: &DocumentFilter,
        page: &PageRequest<String>,
    ) -> Result<Page<Document, String>, StoreError> {
        Ok(self.tables().documents(kind, filter, page))
    }

    async fn history(&self, page: &PageRequest<u64>) -> Result<Page<HistoryEntry, u64>, StoreError> {
        Ok(self.tables().history(page))
    }

    async fn last_position(&self) -> Result<u64, StoreError> {
        Ok(self.tables().last_position())
    }

    async fn stock(&self, sku: &Sku, at: DateTime<Utc>) -> Result<Option<StockLevel>, StoreError> {
        Ok(self.tables().stock(sku, at))
    }

    async fn stock_levels(
        &self,
        low_only: bool,
        at: DateTime<Utc>,
        page: &PageRequest<Sku>,
    ) -> Result<Page<StockLevel, Sku>, StoreError> {
        Ok(self.tables().stock_levels(low_only, at, page))
    }

    async fn reservations(&self, sku: &Sku) -> Result<Vec<(OrderId, Reservation)>, StoreError> {
        Ok(self.tables().reservations(sku))
    }

    async fn tasks(
        &self,
        state: Option<TaskState>,
        at: DateTime<Utc>,
        page: &PageRequest<TaskKey>,
    ) -> Result<Page<Task, TaskKey>, StoreError> {
        Ok(self.tables().tasks(state, at, page))
    }

    async fn replace_task(
        &self,
        before: &Task,
        after: Option<&Task>,
        event: Option<&Recorded<TaskEvent>>,
    ) -> Result<bool, StoreError> {
        Ok(self.tables().replace_task(before, after, event))
    }

    async fn redemptions(
        &self,
        id: &PromotionId,
        page: &PageRequest<OrderId>,
    ) -> Result<Page<Redemption, OrderId>, StoreError> {
        Ok(self.tables().redemptions(id, page))
    }
}

#[async_trait]
impl Targets for MemoryStore {
    async fn target(&self, name: &TargetName) -> Result<Option<TargetState>, StoreError> {
        Ok(self.tables().targets.get(name).cloned())
    }

    async fn targets(&self) -> Result<Vec<TargetState>, StoreError> {
        Ok(self.tables().targets.values().cloned().collect())
    }

    async fn replace_target(
        &self,
        before: Option<&TargetState>,
        after: Option<&TargetState>,
    ) -> Result<bool, StoreError> {
        Ok(self.tables().replace_target(before, after))
    }
}
