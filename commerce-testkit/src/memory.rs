mod promotions;
mod reads;
mod tables;
mod tasks;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use commerce_core::cart::Cart;
use commerce_core::catalog::{Category, Offer, Product};
use commerce_core::commit::{Commit, Needs, Receipt, ReceiptKey, Refusal, settle};
use commerce_core::document::{Document, DocumentEvent, DocumentId, DocumentKind};
use commerce_core::event::{HistoryEntry, Recorded};
use commerce_core::ids::{CartId, OrderId, ProductId, PromotionId, Sku, UserId};
use commerce_core::order::{Order, OrderEvent};
use commerce_core::port::{
    Carts, Catalog, CommitError, KeptPromotion, Listing, OrderFilter, OrderRef, Page, ProductFilter, ProductPlace,
    PromotionPlace, Promotions, Store, StoreError,
};
use commerce_core::promotion::{Promotion, Redemption};
use commerce_core::stock::{Hold, StockLevel};
use commerce_core::task::{Task, TaskKey, TaskState};

use self::tables::Tables;

/// A store, its carts and its catalogue in memory: maps behind one lock.
///
/// It settles through [`commerce_core::commit::settle`] like every store and passes the same suite; what it does not do is
/// survive the process. A clone is another handle on the same data.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use commerce_core::port::Store;
/// use commerce_testkit::{MemoryStore, Shop};
///
/// let (store, shop) = (MemoryStore::new(), Shop::new(1));
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
        let mut facts = tables.facts(&Needs::of(batch));
        let answers = settle(batch, &mut facts).into_iter().zip(batch);
        let answers = answers.map(|(answer, commit)| answer.map(|settled| tables.write(commit, settled))).collect();
        tables.write_claims(&facts);
        tables.write_shelves(&facts);
        tables.write_tallies(&facts);
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

    async fn receipt(&self, key: &ReceiptKey) -> Result<Option<Receipt>, StoreError> {
        Ok(self.tables().receipt(key))
    }

    async fn forget_receipts(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        Ok(self.tables().forget_receipts(before))
    }

    async fn order(&self, which: &OrderRef) -> Result<Option<Order>, StoreError> {
        Ok(self.tables().order(which))
    }

    async fn orders(&self, filter: &OrderFilter, page: &Page<OrderId>) -> Result<Listing<Order, OrderId>, StoreError> {
        Ok(self.tables().orders(filter, page))
    }

    async fn standing_orders(&self, user: &UserId) -> Result<u32, StoreError> {
        Ok(self.tables().standing_orders(user))
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
        page: &Page<String>,
    ) -> Result<Listing<Document, String>, StoreError> {
        Ok(self.tables().documents(kind, page))
    }

    async fn document_history(&self, id: &DocumentId) -> Result<Vec<Recorded<DocumentEvent>>, StoreError> {
        Ok(self.tables().document_history(id))
    }

    async fn history(&self, page: &Page<u64>) -> Result<Listing<HistoryEntry, u64>, StoreError> {
        Ok(self.tables().history(page))
    }

    async fn stock(&self, sku: &Sku, at: DateTime<Utc>) -> Result<Option<StockLevel>, StoreError> {
        Ok(self.tables().stock(sku, at))
    }

    async fn stock_levels(
        &self,
        low_only: bool,
        at: DateTime<Utc>,
        page: &Page<Sku>,
    ) -> Result<Listing<StockLevel, Sku>, StoreError> {
        Ok(self.tables().stock_levels(low_only, at, page))
    }

    async fn holds(&self, sku: &Sku) -> Result<Vec<(OrderId, Hold)>, StoreError> {
        Ok(self.tables().holds(sku))
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
        page: &Page<TaskKey>,
    ) -> Result<Listing<Task, TaskKey>, StoreError> {
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

    async fn promotion(&self, id: &PromotionId) -> Result<Option<KeptPromotion>, StoreError> {
        Ok(self.tables().promotion(id))
    }

    async fn promotions(
        &self,
        page: &Page<PromotionPlace>,
    ) -> Result<Listing<KeptPromotion, PromotionPlace>, StoreError> {
        Ok(self.tables().promotions(page))
    }

    async fn redemptions(
        &self,
        id: &PromotionId,
        page: &Page<OrderId>,
    ) -> Result<Listing<Redemption, OrderId>, StoreError> {
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
        page: &Page<ProductPlace>,
    ) -> Result<Listing<Product, ProductPlace>, StoreError> {
        Ok(self.tables().products(filter, page))
    }

    async fn categories(&self) -> Result<Vec<Category>, StoreError> {
        Ok(self.tables().categories())
    }
}
