//! The ports.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use commerce_core::cart::Cart;
use commerce_core::catalog::{Category, Offer, Product};
use commerce_core::commit::{Commit, Receipt, ReceiptKey};
use commerce_core::event::{HistoryEntry, Recorded};
use commerce_core::ids::{CartId, OrderId, ProductId, PromotionId, Sku, UserId};
use commerce_core::order::{Order, OrderEvent};
use commerce_core::port::{
    Carts, Catalog, CommitError, KeptPromotion, Listing, OrderFilter, OrderRef, Page, ProductFilter, ProductPlace,
    PromotionPlace, Promotions, Store, StoreError,
};
use commerce_core::promotion::{Promotion, Redemption};
use commerce_core::stock::{Hold, StockLevel};
use commerce_core::task::{Task, TaskKey};

use super::SqliteStore;
use super::connection::complete;
use super::query::{carts, catalog, history, orders, promotions, receipts, stock, tasks};

#[async_trait]
impl Store for SqliteStore {
    async fn commit(&self, commit: Commit) -> Result<(), CommitError> {
        self.shared.writer.commit(commit).await
    }

    async fn receipt(&self, key: &ReceiptKey) -> Result<Option<Receipt>, StoreError> {
        let key = key.clone();
        self.shared.readers.read(move |conn| complete(receipts::get(conn, &key))).await
    }

    async fn forget_receipts(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        self.shared.writer.run(move |conn| complete(receipts::forget(conn, before))).await
    }

    async fn order(&self, which: &OrderRef) -> Result<Option<Order>, StoreError> {
        let which = which.clone();
        self.shared.readers.read(move |conn| complete(orders::get(conn, &which))).await
    }

    async fn orders(&self, filter: &OrderFilter, page: &Page<OrderId>) -> Result<Listing<Order, OrderId>, StoreError> {
        let (filter, page) = (filter.clone(), page.clone());
        self.shared.readers.read(move |conn| complete(orders::list(conn, &filter, &page))).await
    }

    async fn standing_orders(&self, user: &UserId) -> Result<u32, StoreError> {
        let user = user.clone();
        self.shared.readers.read(move |conn| complete(orders::standing(conn, &user))).await
    }

    async fn order_history(&self, order: OrderId) -> Result<Vec<Recorded<OrderEvent>>, StoreError> {
        self.shared.readers.read(move |conn| complete(history::of_order(conn, order))).await
    }

    async fn history(&self, page: &Page<u64>) -> Result<Listing<HistoryEntry, u64>, StoreError> {
        let page = page.clone();
        self.shared.readers.read(move |conn| complete(history::all(conn, &page))).await
    }

    async fn stock(&self, sku: &Sku, at: DateTime<Utc>) -> Result<Option<StockLevel>, StoreError> {
        let sku = sku.clone();
        self.shared.readers.read(move |conn| complete(stock::level(conn, &sku, at))).await
    }

    async fn stock_levels(
        &self,
        low_only: bool,
        at: DateTime<Utc>,
        page: &Page<Sku>,
    ) -> Result<Listing<StockLevel, Sku>, StoreError> {
        let page = page.clone();
        self.shared.readers.read(move |conn| complete(stock::list(conn, low_only, at, &page))).await
    }

    async fn holds(&self, sku: &Sku) -> Result<Vec<(OrderId, Hold)>, StoreError> {
        let sku = sku.clone();
        self.shared.readers.read(move |conn| complete(stock::holds(conn, &sku))).await
    }

    async fn lease_tasks(&self, at: DateTime<Utc>, until: DateTime<Utc>, limit: u16) -> Result<Vec<Task>, StoreError> {
        self.shared.writer.run(move |conn| complete(tasks::lease(conn, at, until, limit))).await
    }

    async fn fail_task(&self, key: TaskKey, retry: Option<DateTime<Utc>>, error: &str) -> Result<(), StoreError> {
        let error = error.to_owned();
        self.shared.writer.run(move |conn| complete(tasks::fail(conn, key, retry, &error))).await
    }
}

#[async_trait]
impl Promotions for SqliteStore {
    async fn candidates(&self, code_keys: &[String], user: &UserId) -> Result<Vec<Promotion>, StoreError> {
        let (keys, user) = (code_keys.to_vec(), user.clone());
        self.shared.readers.read(move |conn| complete(promotions::candidates(conn, &keys, &user))).await
    }

    async fn promotion(&self, id: &PromotionId) -> Result<Option<KeptPromotion>, StoreError> {
        let id = id.clone();
        self.shared.readers.read(move |conn| complete(promotions::get(conn, &id))).await
    }

    async fn promotions(
        &self,
        page: &Page<PromotionPlace>,
    ) -> Result<Listing<KeptPromotion, PromotionPlace>, StoreError> {
        let page = page.clone();
        self.shared.readers.read(move |conn| complete(promotions::list(conn, &page))).await
    }

    async fn redemptions(
        &self,
        id: &PromotionId,
        page: &Page<OrderId>,
    ) -> Result<Listing<Redemption, OrderId>, StoreError> {
        let (id, page) = (id.clone(), page.clone());
        self.shared.readers.read(move |conn| complete(promotions::redemptions(conn, &id, &page))).await
    }
}

#[async_trait]
impl Carts for SqliteStore {
    async fn cart(&self, id: CartId) -> Result<Option<Cart>, StoreError> {
        self.shared.readers.read(move |conn| complete(carts::get(conn, id))).await
    }

    async fn active_cart(&self, user: &UserId) -> Result<Option<Cart>, StoreError> {
        let user = user.clone();
        self.shared.readers.read(move |conn| complete(carts::active(conn, &user))).await
    }
}

#[async_trait]
impl Catalog for SqliteStore {
    async fn offers(&self, skus: &[Sku]) -> Result<Vec<Offer>, StoreError> {
        let skus = skus.to_vec();
        self.shared.readers.read(move |conn| complete(catalog::offers(conn, &skus))).await
    }

    async fn product(&self, id: &ProductId) -> Result<Option<Product>, StoreError> {
        let id = id.clone();
        self.shared.readers.read(move |conn| complete(catalog::product(conn, &id))).await
    }

    async fn products(
        &self,
        filter: &ProductFilter,
        page: &Page<ProductPlace>,
    ) -> Result<Listing<Product, ProductPlace>, StoreError> {
        let (filter, page) = (filter.clone(), page.clone());
        self.shared.readers.read(move |conn| complete(catalog::list(conn, &filter, &page))).await
    }

    async fn categories(&self) -> Result<Vec<Category>, StoreError> {
        self.shared.readers.read(|conn| complete(catalog::all_categories(conn))).await
    }
}
