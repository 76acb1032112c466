//! The ports.
//!
//! Included by each backend, which provides `Backend`, `in_snapshot!` (a query that sees one point in time), `in_statement!` (a
//! single statement, which does so anyway), `in_listing!` (the same with an answer that may be long) and `in_transaction!` (a
//! transaction that writes). The values named before the query are the ones that it borrows.

#![allow(clippy::needless_borrow, reason = "some databases run a query on another thread, which needs owned values")]

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use commerce_core::cart::Cart;
use commerce_core::catalog::{Offer, Product};
use commerce_core::commit::{Commit, IdempotencyKey, IdempotencyRecord};
use commerce_core::document::{ClaimKind, Document, DocumentEvent, DocumentFilter, DocumentId, DocumentKind};
use commerce_core::event::{HistoryEntry, Recorded};
use commerce_core::ids::{OrderId, PromotionId, ReturnId, Sku, UserId};
use commerce_core::order::{Order, OrderEvent, Return};
use commerce_core::payment::Payment;
use commerce_core::port::{
    CommitError, OrderFilter, OrderRef, Page, PageRequest, PricingFacts, PricingQuery, ProductCursor, ProductFilter,
    PromotionCursor, PromotionWithUsage, ReturnFilter, Store, StoreError,
};
use commerce_core::promotion::{Promotion, Redemption};
use commerce_core::stock::{Reservation, StockLevel};
use commerce_core::task::{Task, TaskEvent, TaskKey, TaskState};

use super::query::rebuild::Mode;
use super::query::{
    documents, feed, history, idempotency, listing, orders, pricing, promotions, rebuild, stock, tasks,
};
use super::{Backend, in_listing, in_snapshot, in_statement, in_transaction};
use crate::Rebuilt;

impl Backend {
    /// Writes a record, and removes it again.
    async fn try_to_write(&self) -> Result<(), StoreError> {
        let (key, text) = &self.shared.health.trial();
        in_transaction!(self, [key, text]; conn => idempotency::write_trial(conn, &key, &text))?;
        in_transaction!(self, [key]; conn => idempotency::remove_trial(conn, &key))
    }

    /// Repairs the tables that follow from the history: all but idempotency records.
    ///
    /// This is one transaction. Commits wait until it ends; readers see the old tables. Rows that agree with the history do not
    /// change. Reservations are compared as of `at`, which must not be earlier than the last commit. `progress` receives the
    /// number of orders, documents, events and SKUs done so far. On a server, a commit waits no longer than
    /// `statement_timeout`: for a large shop set a longer one, or stop sales.
    ///
    /// # Errors
    /// On an error nothing changes. `Corrupt`: the history cannot be read or is inconsistent; the message names the order,
    /// document, SKU or event. `Unavailable`: for example, repeated deadlocks with commits on a server.
    pub async fn rebuild(
        &self,
        at: DateTime<Utc>,
        mut progress: impl FnMut(u64) + Send + 'static,
    ) -> Result<Rebuilt, StoreError> {
        in_transaction!(self, []; conn => rebuild::run(conn, Mode::Repair, at, &mut progress))
    }

    /// Compares the tables with the history as [`rebuild`](Self::rebuild) does, and changes nothing. It sees one point in time,
    /// and no commit waits for it.
    ///
    /// # Errors
    /// As for `rebuild`. Differences are not errors.
    pub async fn compare(
        &self,
        at: DateTime<Utc>,
        mut progress: impl FnMut(u64) + Send + 'static,
    ) -> Result<Rebuilt, StoreError> {
        in_snapshot!(self, []; conn => rebuild::run(conn, Mode::Compare, at, &mut progress))
    }
}

#[async_trait]
impl Store for Backend {
    async fn commit(&self, commit: Commit) -> Result<(), CommitError> {
        let outcome = self.shared.writer.commit(commit).await;
        self.shared.health.note_commit(&outcome);
        outcome
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.idempotency_record(&IdempotencyKey { scope: String::new(), key: String::new() }).await?;
        let _turn = match self.shared.health.known().await {
            Ok(known) => return known,
            Err(turn) => turn,
        };
        let outcome = self.try_to_write().await;
        self.shared.health.note(outcome.as_ref().err());
        outcome
    }

    async fn idempotency_record(&self, key: &IdempotencyKey) -> Result<Option<IdempotencyRecord>, StoreError> {
        in_statement!(self, [key]; conn => idempotency::get(conn, &key))
    }

    async fn purge_idempotency_records(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        in_transaction!(self, []; conn => idempotency::forget(conn, before))
    }

    async fn order(&self, order_ref: &OrderRef) -> Result<Option<Order>, StoreError> {
        in_statement!(self, [order_ref]; conn => orders::get(conn, &order_ref))
    }

    async fn orders(
        &self,
        filter: &OrderFilter,
        page: &PageRequest<OrderId>,
    ) -> Result<Page<Order, OrderId>, StoreError> {
        in_listing!(self, [filter, page]; conn => orders::list(conn, &filter, &page))
    }

    async fn returns(
        &self,
        filter: &ReturnFilter,
        page: &PageRequest<ReturnId>,
    ) -> Result<Page<(OrderId, Return), ReturnId>, StoreError> {
        in_listing!(self, [filter, page]; conn => orders::list_returns(conn, &filter, &page))
    }

    async fn orders_by_id(&self, ids: &[OrderId]) -> Result<Vec<Order>, StoreError> {
        in_listing!(self, [ids]; conn => orders::by_id(conn, &ids))
    }

    async fn order_with_payment(&self, order_ref: &OrderRef) -> Result<Option<(Order, Option<Payment>)>, StoreError> {
        in_statement!(self, [order_ref]; conn => orders::with_payment(conn, &order_ref))
    }

    async fn documents_by_id(&self, kind: DocumentKind, ids: &[String]) -> Result<Vec<Document>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        in_listing!(self, [ids]; conn => documents::with_ids(conn, kind, &ids))
    }

    async fn count_active_orders(&self, user: &UserId) -> Result<u32, StoreError> {
        in_listing!(self, [user]; conn => orders::standing(conn, &user))
    }

    async fn order_history(&self, order: OrderId) -> Result<Vec<Recorded<OrderEvent>>, StoreError> {
        in_statement!(self, []; conn => history::of_order(conn, order))
    }

    async fn order_histories(
        &self,
        orders: &[OrderId],
    ) -> Result<Vec<(OrderId, Vec<Recorded<OrderEvent>>)>, StoreError> {
        if orders.is_empty() {
            return Ok(Vec::new());
        }
        in_listing!(self, [orders]; conn => history::of_orders(conn, &orders))
    }

    async fn document(&self, id: &DocumentId) -> Result<Option<Document>, StoreError> {
        in_statement!(self, [id]; conn => documents::get(conn, &id))
    }

    async fn documents(
        &self,
        kind: DocumentKind,
        filter: &DocumentFilter,
        page: &PageRequest<String>,
    ) -> Result<Page<Document, String>, StoreError> {
        in_listing!(self, [filter, page]; conn => documents::list(conn, kind, &filter, &page))
    }

    async fn document_history(
        &self,
        id: &DocumentId,
        page: &PageRequest<u64>,
    ) -> Result<Page<Recorded<DocumentEvent>, u64>, StoreError> {
        in_listing!(self, [id, page]; conn => history::of_document(conn, &id, &page))
    }

    async fn history(&self, page: &PageRequest<u64>) -> Result<Page<HistoryEntry, u64>, StoreError> {
        in_listing!(self, [page]; conn => history::all(conn, &page))
    }

    async fn last_position(&self) -> Result<u64, StoreError> {
        in_statement!(self, []; conn => feed::last_position(conn))
    }

    async fn stock(&self, sku: &Sku, at: DateTime<Utc>) -> Result<Option<StockLevel>, StoreError> {
        in_snapshot!(self, [sku]; conn => stock::level(conn, &sku, at))
    }

    async fn stock_levels(
        &self,
        low_only: bool,
        at: DateTime<Utc>,
        page: &PageRequest<Sku>,
    ) -> Result<Page<StockLevel, Sku>, StoreError> {
        in_snapshot!(self, [page]; conn => stock::list(conn, low_only, at, &page))
    }

    async fn reservations(&self, sku: &Sku) -> Result<Vec<(OrderId, Reservation)>, StoreError> {
        in_listing!(self, [sku]; conn => stock::reservations(conn, &sku))
    }

    async fn lease_tasks(&self, at: DateTime<Utc>, until: DateTime<Utc>, limit: u16) -> Result<Vec<Task>, StoreError> {
        in_transaction!(self, []; conn => tasks::lease(conn, at, until, limit))
    }

    async fn task(&self, key: &TaskKey) -> Result<Option<Task>, StoreError> {
        in_statement!(self, [key]; conn => tasks::get(conn, &key))
    }

    async fn tasks(
        &self,
        state: Option<TaskState>,
        at: DateTime<Utc>,
        page: &PageRequest<TaskKey>,
    ) -> Result<Page<Task, TaskKey>, StoreError> {
        in_listing!(self, [page]; conn => tasks::list(conn, state, at, &page))
    }

    async fn replace_task(
        &self,
        before: &Task,
        after: Option<&Task>,
        event: Option<&Recorded<TaskEvent>>,
    ) -> Result<bool, StoreError> {
        let (after, event) = (after.cloned(), event.cloned());
        in_transaction!(self, [before, after, event]; conn => {
            tasks::replace(conn, &before, after.as_ref(), event.as_ref())
        })
    }

    async fn candidates(&self, code_keys: &[String], user: &UserId) -> Result<Vec<Promotion>, StoreError> {
        in_snapshot!(self, [code_keys, user]; conn => promotions::candidates(conn, &code_keys, &user))
    }

    async fn pricing_facts(&self, query: &PricingQuery) -> Result<PricingFacts, StoreError> {
        let remembered = Arc::clone(&self.shared.remembered);
        in_statement!(self, [query]; conn => pricing::facts(conn, &remembered, &query))
    }

    async fn promotion(&self, id: &PromotionId) -> Result<Option<PromotionWithUsage>, StoreError> {
        in_snapshot!(self, [id]; conn => promotions::get(conn, &id))
    }

    async fn promotions(
        &self,
        filter: &DocumentFilter,
        page: &PageRequest<PromotionCursor>,
    ) -> Result<Page<PromotionWithUsage, PromotionCursor>, StoreError> {
        in_snapshot!(self, [filter, page]; conn => promotions::list(conn, &filter, &page))
    }

    async fn redemptions(
        &self,
        id: &PromotionId,
        page: &PageRequest<OrderId>,
    ) -> Result<Page<Redemption, OrderId>, StoreError> {
        in_listing!(self, [id, page]; conn => promotions::redemptions(conn, &id, &page))
    }

    async fn active_cart(&self, user: &UserId) -> Result<Option<Cart>, StoreError> {
        let carts: Vec<_> = in_statement!(self, [user]; conn => documents::with_claims(
            conn, DocumentKind::Cart, (ClaimKind::ActiveCart, &[user.as_str()])
        ))?;
        Ok(carts.into_iter().next())
    }

    async fn offers(&self, skus: &[Sku]) -> Result<Vec<Offer>, StoreError> {
        let products: Vec<Product> = in_statement!(self, [skus]; conn => documents::with_claims(
            conn, DocumentKind::Product, (ClaimKind::Sku, &skus.iter().map(Sku::as_str).collect::<Vec<_>>())
        ))?;
        Ok(products.iter().flat_map(|product| product.offers(skus)).collect())
    }

    async fn products(
        &self,
        filter: &ProductFilter,
        page: &PageRequest<ProductCursor>,
    ) -> Result<Page<Product, ProductCursor>, StoreError> {
        let (filter, limit) = (filter.documents(), page.limit);
        let found = in_listing!(self, [filter, page]; conn => {
            let after = page.after.as_ref().map(|place| (place.created_at, place.id.as_str()));
            documents::newest(conn, DocumentKind::Product, &filter, (after, limit))
        })?;
        let place = |product: &Product| ProductCursor { created_at: product.created_at, id: product.id.clone() };
        Ok(listing(found, limit, place))
    }
}
