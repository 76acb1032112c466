mod promotions;
mod reads;
mod tables;
mod tasks;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use commerce_core::cart::Cart;
use commerce_core::catalog::{Category, Offer, Product};
use commerce_core::commit::{Commit, IdempotencyKey, IdempotencyRecord, ReadSet, Refusal, settle};
use commerce_core::document::{Document, DocumentEvent, DocumentId, DocumentKind};
use commerce_core::event::{HistoryEntry, Recorded};
use commerce_core::ids::{CartId, OrderId, ProductId, PromotionId, ReturnId, Sku, UserId};
use commerce_core::order::{Order, OrderEvent, Return};
use commerce_core::port::{
    Carts, Catalog, CommitError, OrderFilter, OrderRef, Page, PageRequest, ProductCursor, ProductFilter,
    PromotionCursor, PromotionWithUsage, Promotions, ReturnFilter, Store, StoreError,
};
use commerce_core::promotion::{Promotion, Redemption};
use commerce_core::stock::{Reservation, StockLevel};
use commerce_core::task::{Task, TaskKey, TaskState};

use self::tables::Tables;

/// A store, its carts and its catalog in memory: maps behind one lock.
///
/// It settles through [`commerce_core::commit::settle`] like every store and passes the same suite; what it does not do is
/// survive the process. A clone is another handle on the same data.
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

    /// Settles a batch at once, as a store with group commit does; the answers stand in the order of the commits.
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
        // What a panicking test left behind is whole: tables change only after everything was decided.
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

    async fn returns(
        &self,
        filter: &ReturnFilter,
        page: &PageRequest<ReturnId>,
    ) -> Result<Page<(OrderId, Return), ReturnId>, StoreError> {
        Ok(self.tables().returns(filter, page))
    }

    async fn count_active_orders(&self, user: &UserId) -> Result<u32, StoreError> {
        Ok(self.tables().count_active_orders(user))
    }

    async fn order_history(&self, order: OrderId) -> Result<Vec<Recorded<OrderEvent>>, StoreError> {
        Ok(self.tables().order_history(order))
    }

    async fn document(&self, id: &DocumentId) -> Result<Option<Document>, StoreError> {
        Ok(self.tables().documents.get(id).cloned())
    }

    async fn documents(
        &self,
        kind: DocumentKind,
        page: &PageRequest<String>,
    ) -> Result<Page<Document, String>, StoreError> {
        Ok(self.tables().documents(kind, page))
    }

    async fn document_history(&self, id: &DocumentId) -> Result<Vec<Recorded<DocumentEvent>>, StoreError> {
        Ok(self.tables().document_history(id))
    }

    async fn history(&self, page: &PageRequest<u64>) -> Result<Page<HistoryEntry, u64>, StoreError> {
        Ok(self.tables().history(page))
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

    async fn lease_tasks(&self, at: DateTime<Utc>, until: DateTime<Utc>, limit: u16) -> Result<Vec<Task>, StoreError> {
        Ok(self.tables().tasks.lease(at, until, limit))
    }

    async fn task(&self, key: &TaskKey) -> Result<Option<Task>, StoreError> {
        Ok(self.tables().tasks.get(key))
    }

    async fn tasks(
        &self,
        state: Option<TaskState>,
        at: DateTime<Utc>,
        page: &PageRequest<TaskKey>,
    ) -> Result<Page<Task, TaskKey>, StoreError> {
        Ok(self.tables().tasks.list(state, at, page))
    }

    async fn replace_task(&self, before: &Task, after: Option<&Task>) -> Result<bool, StoreError> {
        Ok(self.tables().tasks.replace(before, after))
    }
}

#[async_trait]
impl Promotions for MemoryStore {
    async fn candidates(&self, code_keys: &[String], user: &UserId) -> Result<Vec<Promotion>, StoreError> {
        Ok(self.tables().candidates(code_keys, user))
    }

    async fn promotion(&self, id: &PromotionId) -> Result<Option<PromotionWithUsage>, StoreError> {
        Ok(self.tables().promotion(id))
    }

    async fn promotions(
        &self,
        page: &PageRequest<PromotionCursor>,
    ) -> Result<Page<PromotionWithUsage, PromotionCursor>, StoreError> {
        Ok(self.tables().promotions(page))
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
impl Carts for MemoryStore {
    async fn cart(&self, id: CartId) -> Result<Option<Cart>, StoreError> {
        Ok(self.tables().cart(id))
    }

    async fn active_cart(&self, user: &UserId) -> Result<Option<Cart>, StoreError> {
        Ok(self.tables().active_cart(user))
    }
}

#[async_trait]
impl Catalog for MemoryStore {
    async fn offers(&self, skus: &[Sku]) -> Result<Vec<Offer>, StoreError> {
        Ok(self.tables().offers(skus))
    }

    async fn product(&self, id: &ProductId) -> Result<Option<Product>, StoreError> {
        Ok(self.tables().product(id))
    }

    async fn products(
        &self,
        filter: &ProductFilter,
        page: &PageRequest<ProductCursor>,
    ) -> Result<Page<Product, ProductCursor>, StoreError> {
        Ok(self.tables().products(filter, page))
    }

    async fn categories(&self) -> Result<Vec<Category>, StoreError> {
        Ok(self.tables().categories())
    }
}
