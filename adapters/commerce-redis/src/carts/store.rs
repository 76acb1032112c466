//! [`RedisCarts`] as a store.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use commerce_core::cart::Cart;
use commerce_core::catalog::{Category, Offer, Product};
use commerce_core::commit::{Commit, IdempotencyKey, IdempotencyRecord, RecordedReply};
use commerce_core::document::{Document, DocumentEvent, DocumentFilter, DocumentId, DocumentKind};
use commerce_core::event::{HistoryEntry, Recorded};
use commerce_core::ids::{CartId, OrderId, ProductId, PromotionId, ReturnId, Sku, UserId};
use commerce_core::order::{Order, OrderEvent, Return};
use commerce_core::payment::Payment;
use commerce_core::port::{
    CommitError, OrderFilter, OrderRef, Page, PageRequest, PricingFacts, PricingQuery, PricingSubject, ProductCursor,
    ProductFilter, PromotionCursor, PromotionWithUsage, ReturnFilter, Store, StoreResult,
};
use commerce_core::promotion::{Promotion, Redemption};
use commerce_core::stock::{Reservation, StockLevel};
use commerce_core::task::{Task, TaskEvent, TaskKey, TaskState};

use super::RedisCarts;

impl RedisCarts {
    fn changes_carts_only(&self, commit: &Commit) -> bool {
        let of_carts = |record: &IdempotencyRecord| (self.is_of_carts)(&record.key);
        let mut documents = commit.documents.iter();
        commit.orders.is_empty()
            && documents.all(|change| change.id().kind == DocumentKind::Cart)
            && (!commit.documents.is_empty() || commit.idempotency.as_ref().is_some_and(of_carts))
    }

    /// The open cart of a price.
    async fn cart_of_price(&self, subject: &PricingSubject) -> StoreResult<Option<Cart>> {
        match subject {
            PricingSubject::Cart(id) => self.open(*id).await,
            PricingSubject::ActiveCart(user) => self.active_cart(user).await,
            PricingSubject::Customer(_) => Ok(None),
        }
    }
}

#[async_trait]
impl Store for RedisCarts {
    async fn commit(&self, commit: Commit) -> Result<(), CommitError> {
        if self.changes_carts_only(&commit) { self.write(&commit).await } else { self.check_out(commit).await }
    }

    async fn idempotency_record(&self, key: &IdempotencyKey) -> StoreResult<Option<IdempotencyRecord>> {
        if !(self.is_of_carts)(key) {
            return self.store.idempotency_record(key).await;
        }
        let answer = self.kept.answer(key).await?;
        Ok(answer.map(|answer| IdempotencyRecord {
            key: key.clone(),
            fingerprint: answer.fingerprint,
            reply: RecordedReply::Text(answer.text),
            at: answer.at,
        }))
    }

    async fn document(&self, id: &DocumentId) -> StoreResult<Option<Document>> {
        if id.kind != DocumentKind::Cart {
            return self.store.document(id).await;
        }
        let Ok(cart) = id.id.parse() else { return Ok(None) };
        Ok(self.cart(cart).await?.map(Document::from))
    }

    async fn documents_by_id(&self, kind: DocumentKind, ids: &[String]) -> StoreResult<Vec<Document>> {
        if kind != DocumentKind::Cart {
            return self.store.documents_by_id(kind, ids).await;
        }
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            found.extend(self.document(&DocumentId { kind, id: id.clone() }).await?);
        }
        Ok(found)
    }

    async fn cart(&self, id: CartId) -> StoreResult<Option<Cart>> {
        match self.open(id).await? {
            Some(cart) => Ok(Some(cart)),
            None => self.ordered(&DocumentId::new(DocumentKind::Cart, &id)).await,
        }
    }

    async fn active_cart(&self, user: &UserId) -> StoreResult<Option<Cart>> {
        match self.kept.active(user).await? {
            Some(id) => self.open(id).await,
            None => Ok(None),
        }
    }

    async fn pricing_facts(&self, query: &PricingQuery) -> StoreResult<PricingFacts> {
        let cart = self.cart_of_price(&query.subject).await?;
        let subject = match (&query.subject, &cart) {
            (PricingSubject::Cart(id), None) => match self.ordered(&DocumentId::new(DocumentKind::Cart, id)).await? {
                Some(_) => query.subject.clone(),
                None => return Ok(PricingFacts::default()),
            },
            (PricingSubject::Cart(_), Some(cart)) => PricingSubject::Customer(cart.user_id.clone()),
            (PricingSubject::ActiveCart(user) | PricingSubject::Customer(user), _) => {
                PricingSubject::Customer(user.clone())
            }
        };
        let skus = query.all_skus(cart.as_ref()).into_iter().collect();
        let codes = query.all_codes(cart.as_ref()).into_iter().collect();
        let facts = self.store.pricing_facts(&PricingQuery { subject, skus, codes }).await?;
        Ok(PricingFacts { cart: cart.or(facts.cart), ..facts })
    }

    async fn purge_idempotency_records(&self, before: DateTime<Utc>) -> StoreResult<u64> {
        self.store.purge_idempotency_records(before).await
    }

    async fn order(&self, order_ref: &OrderRef) -> StoreResult<Option<Order>> {
        self.store.order(order_ref).await
    }

    async fn orders(&self, filter: &OrderFilter, page: &PageRequest<OrderId>) -> StoreResult<Page<Order, OrderId>> {
        self.store.orders(filter, page).await
    }

    async fn documents(
        &self,
        kind: DocumentKind,
        filter: &DocumentFilter,
        page: &PageRequest<String>,
    ) -> StoreResult<Page<Document, String>> {
        self.store.documents(kind, filter, page).await
    }

    async fn history(&self, page: &PageRequest<u64>) -> StoreResult<Page<HistoryEntry, u64>> {
        self.store.history(page).await
    }

    async fn last_position(&self) -> StoreResult<u64> {
        self.store.last_position().await
    }

    async fn stock(&self, sku: &Sku, at: DateTime<Utc>) -> StoreResult<Option<StockLevel>> {
        self.store.stock(sku, at).await
    }

    async fn stock_levels(
        &self,
        low_only: bool,
        at: DateTime<Utc>,
        page: &PageRequest<Sku>,
    ) -> StoreResult<Page<StockLevel, Sku>> {
        self.store.stock_levels(low_only, at, page).await
    }

    async fn reservations(&self, sku: &Sku) -> StoreResult<Vec<(OrderId, Reservation)>> {
        self.store.reservations(sku).await
    }

    async fn tasks(
        &self,
        state: Option<TaskState>,
        at: DateTime<Utc>,
        page: &PageRequest<TaskKey>,
    ) -> StoreResult<Page<Task, TaskKey>> {
        self.store.tasks(state, at, page).await
    }

    async fn replace_task(
        &self,
        before: &Task,
        after: Option<&Task>,
        event: Option<&Recorded<TaskEvent>>,
    ) -> StoreResult<bool> {
        self.store.replace_task(before, after, event).await
    }

    async fn redemptions(
        &self,
        id: &PromotionId,
        page: &PageRequest<OrderId>,
    ) -> StoreResult<Page<Redemption, OrderId>> {
        self.store.redemptions(id, page).await
    }

    async fn returns(
        &self,
        filter: &ReturnFilter,
        page: &PageRequest<ReturnId>,
    ) -> StoreResult<Page<(OrderId, Return), ReturnId>> {
        self.store.returns(filter, page).await
    }

    async fn check(&self) -> StoreResult<()> {
        self.store.check().await
    }

    async fn orders_by_id(&self, ids: &[OrderId]) -> StoreResult<Vec<Order>> {
        self.store.orders_by_id(ids).await
    }

    async fn order_with_payment(&self, order_ref: &OrderRef) -> StoreResult<Option<(Order, Option<Payment>)>> {
        self.store.order_with_payment(order_ref).await
    }

    async fn count_active_orders(&self, user: &UserId) -> StoreResult<u32> {
        self.store.count_active_orders(user).await
    }

    async fn order_history(&self, order: OrderId) -> StoreResult<Vec<Recorded<OrderEvent>>> {
        self.store.order_history(order).await
    }

    async fn order_histories(&self, orders: &[OrderId]) -> StoreResult<Vec<(OrderId, Vec<Recorded<OrderEvent>>)>> {
        self.store.order_histories(orders).await
    }

    async fn document_history(
        &self,
        id: &DocumentId,
        page: &PageRequest<u64>,
    ) -> StoreResult<Page<Recorded<DocumentEvent>, u64>> {
        self.store.document_history(id, page).await
    }

    async fn lease_tasks(&self, at: DateTime<Utc>, until: DateTime<Utc>, limit: u16) -> StoreResult<Vec<Task>> {
        self.store.lease_tasks(at, until, limit).await
    }

    async fn task(&self, key: &TaskKey) -> StoreResult<Option<Task>> {
        self.store.task(key).await
    }

    async fn offers(&self, skus: &[Sku]) -> StoreResult<Vec<Offer>> {
        self.store.offers(skus).await
    }

    async fn product(&self, id: &ProductId) -> StoreResult<Option<Product>> {
        self.store.product(id).await
    }

    async fn products(
        &self,
        filter: &ProductFilter,
        page: &PageRequest<ProductCursor>,
    ) -> StoreResult<Page<Product, ProductCursor>> {
        self.store.products(filter, page).await
    }

    async fn categories(&self) -> StoreResult<Vec<Category>> {
        self.store.categories().await
    }

    async fn candidates(&self, code_keys: &[String], user: &UserId) -> StoreResult<Vec<Promotion>> {
        self.store.candidates(code_keys, user).await
    }

    async fn promotion(&self, id: &PromotionId) -> StoreResult<Option<PromotionWithUsage>> {
        self.store.promotion(id).await
    }

    async fn promotions(
        &self,
        filter: &DocumentFilter,
        page: &PageRequest<PromotionCursor>,
    ) -> StoreResult<Page<PromotionWithUsage, PromotionCursor>> {
        self.store.promotions(filter, page).await
    }
}
