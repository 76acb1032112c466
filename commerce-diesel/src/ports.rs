//! The ports, on whichever database.
//!
//! Included by each backend, which provides its `Backend`; `read!`, which sees the database at one point in time;
//! `read_one!`, for a single statement, which does so anyway; and `write!`, a transaction. The values named before the
//! query are those that it borrows.

#![allow(
    clippy::needless_borrow,
    reason = "some databases take the values that a query borrows to another thread, others do not"
)]

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use commerce_core::cart::Cart;
use commerce_core::catalog::{Category, Offer, Product};
use commerce_core::commit::{Commit, IdempotencyKey, IdempotencyRecord};
use commerce_core::event::{HistoryEntry, Recorded};
use commerce_core::ids::{CartId, OrderId, ProductId, PromotionId, ReturnId, Sku, UserId};
use commerce_core::order::{Order, OrderEvent, Return};
use commerce_core::port::{
    Carts, Catalog, CommitError, OrderFilter, OrderRef, Page, PageRequest, ProductCursor, ProductFilter,
    PromotionCursor, PromotionWithUsage, Promotions, ReturnFilter, Store, StoreError,
};
use commerce_core::promotion::{Promotion, Redemption};
use commerce_core::stock::{Reservation, StockLevel};
use commerce_core::task::{Task, TaskKey};

use super::query::{carts, catalog, history, idempotency, orders, promotions, rebuild, stock, tasks};
use super::{Backend, read, read_one, write};
use crate::Rebuilt;

impl Backend {
    pub(super) async fn rebuild_tables(
        &self,
        at: DateTime<Utc>,
        mut progress: impl FnMut(u64) + Send + 'static,
    ) -> Result<Rebuilt, StoreError> {
        write!(self, []; conn => rebuild::locked(conn, at, &mut progress))
    }
}

#[async_trait]
impl Store for Backend {
    async fn commit(&self, commit: Commit) -> Result<(), CommitError> {
        self.shared.writer.commit(commit).await
    }

    async fn idempotency_record(&self, key: &IdempotencyKey) -> Result<Option<IdempotencyRecord>, StoreError> {
        read_one!(self, [key]; conn => idempotency::get(conn, &key))
    }

    async fn purge_idempotency_records(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        write!(self, []; conn => idempotency::forget(conn, before))
    }

    async fn order(&self, order_ref: &OrderRef) -> Result<Option<Order>, StoreError> {
        read!(self, [order_ref]; conn => orders::get(conn, &order_ref))
    }

    async fn orders(
        &self,
        filter: &OrderFilter,
        page: &PageRequest<OrderId>,
    ) -> Result<Page<Order, OrderId>, StoreError> {
        read!(self, [filter, page]; conn => orders::list(conn, &filter, &page))
    }

    async fn returns(
        &self,
        filter: &ReturnFilter,
        page: &PageRequest<ReturnId>,
    ) -> Result<Page<(OrderId, Return), ReturnId>, StoreError> {
        read!(self, [filter, page]; conn => orders::list_returns(conn, &filter, &page))
    }

    async fn count_active_orders(&self, user: &UserId) -> Result<u32, StoreError> {
        read_one!(self, [user]; conn => orders::standing(conn, &user))
    }

    async fn order_history(&self, order: OrderId) -> Result<Vec<Recorded<OrderEvent>>, StoreError> {
        read_one!(self, []; conn => history::of_order(conn, order))
    }

    async fn history(&self, page: &PageRequest<u64>) -> Result<Page<HistoryEntry, u64>, StoreError> {
        read_one!(self, [page]; conn => history::all(conn, &page))
    }

    async fn stock(&self, sku: &Sku, at: DateTime<Utc>) -> Result<Option<StockLevel>, StoreError> {
        read!(self, [sku]; conn => stock::level(conn, &sku, at))
    }

    async fn stock_levels(
        &self,
        low_only: bool,
        at: DateTime<Utc>,
        page: &PageRequest<Sku>,
    ) -> Result<Page<StockLevel, Sku>, StoreError> {
        read!(self, [page]; conn => stock::list(conn, low_only, at, &page))
    }

    async fn reservations(&self, sku: &Sku) -> Result<Vec<(OrderId, Reservation)>, StoreError> {
        read_one!(self, [sku]; conn => stock::reservations(conn, &sku))
    }

    async fn lease_tasks(&self, at: DateTime<Utc>, until: DateTime<Utc>, limit: u16) -> Result<Vec<Task>, StoreError> {
        write!(self, []; conn => tasks::lease(conn, at, until, limit))
    }

    async fn fail_task(&self, key: TaskKey, retry: Option<DateTime<Utc>>, error: &str) -> Result<(), StoreError> {
        write!(self, [error]; conn => tasks::fail(conn, key, retry, &error))
    }
}

#[async_trait]
impl Promotions for Backend {
    async fn candidates(&self, code_keys: &[String], user: &UserId) -> Result<Vec<Promotion>, StoreError> {
        read!(self, [code_keys, user]; conn => promotions::candidates(conn, &code_keys, &user))
    }

    async fn promotion(&self, id: &PromotionId) -> Result<Option<PromotionWithUsage>, StoreError> {
        read_one!(self, [id]; conn => promotions::get(conn, &id))
    }

    async fn promotions(
        &self,
        page: &PageRequest<PromotionCursor>,
    ) -> Result<Page<PromotionWithUsage, PromotionCursor>, StoreError> {
        read_one!(self, [page]; conn => promotions::list(conn, &page))
    }

    async fn redemptions(
        &self,
        id: &PromotionId,
        page: &PageRequest<OrderId>,
    ) -> Result<Page<Redemption, OrderId>, StoreError> {
        read_one!(self, [id, page]; conn => promotions::redemptions(conn, &id, &page))
    }
}

#[async_trait]
impl Carts for Backend {
    async fn cart(&self, id: CartId) -> Result<Option<Cart>, StoreError> {
        read!(self, []; conn => carts::get(conn, id))
    }

    async fn active_cart(&self, user: &UserId) -> Result<Option<Cart>, StoreError> {
        read!(self, [user]; conn => carts::active(conn, &user))
    }
}

#[async_trait]
impl Catalog for Backend {
    async fn offers(&self, skus: &[Sku]) -> Result<Vec<Offer>, StoreError> {
        read!(self, [skus]; conn => catalog::offers(conn, &skus))
    }

    async fn product(&self, id: &ProductId) -> Result<Option<Product>, StoreError> {
        read!(self, [id]; conn => catalog::product(conn, &id))
    }

    async fn products(
        &self,
        filter: &ProductFilter,
        page: &PageRequest<ProductCursor>,
    ) -> Result<Page<Product, ProductCursor>, StoreError> {
        read!(self, [filter, page]; conn => catalog::list(conn, &filter, &page))
    }

    async fn categories(&self) -> Result<Vec<Category>, StoreError> {
        read_one!(self, []; conn => catalog::all_categories(conn))
    }
}
