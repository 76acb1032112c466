//! The traits that the engine needs from outside. The docs of each trait are its contract.
//!
//! `commerce-testkit` has an in-memory double and one conformance suite per port.

mod backlog;
mod inbox;
mod observer;
mod page;
mod processor;
mod publisher;
mod rate_limiter;
mod read;
mod subscription;
mod webhooks;

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use thiserror::Error;
use uuid::Uuid;

pub use self::backlog::Backlog;
pub use self::inbox::InboxVerifier;
pub use self::observer::{CartStep, InventoryUpdate, News, Observer, PromotionUse, StockMovement};
pub use self::page::{Cursor, Page, PageRequest};
pub use self::processor::{
    ClientSecret, IN_FLIGHT_SECONDS, OpenedPayment, OperationAction, OperationLookup, OperationRequest, PaymentTerms,
    PaymentToken, Processor, ProcessorError, ProcessorEvent, ProcessorEvents, SavedMeans, Setup, SetupOutcome,
    SetupRequest, Webhook, WebhookRejection,
};
pub use self::publisher::{PublishError, PublishFailure, Publisher, Targets};
pub use self::rate_limiter::{LimitReached, RateKey, RateLimit, RateLimiter};
pub use self::subscription::{QueuedMessage, Settlement, Subscription, SubscriptionError};
pub use self::webhooks::{DeliveryLog, WebhookRequest, WebhookSecret, WebhookSender};
use crate::cart::{Cart, CartStatus};
use crate::catalog::{Category, Offer, Product};
use crate::commit::{Commit, IdempotencyKey, IdempotencyRecord, Refusal};
use crate::document::{Document, DocumentEvent, DocumentFilter, DocumentId, DocumentKind};
use crate::event::{HistoryEntry, Recorded};
use crate::ids::{CartId, CategoryId, OrderId, OrderNumber, PaymentId, ProductId, PromotionId, ReturnId, Sku, UserId};
use crate::order::{Order, OrderEvent, Return, ReturnStatus, Status};
use crate::payment::Payment;
use crate::promotion::{Promotion, PromotionRecord, Redemption, Usage, code_key};
use crate::stock::{Reservation, StockLevel};
use crate::task::{Task, TaskEvent, TaskKey, TaskKind, TaskState};
use crate::text::named;
use crate::trace::TraceParent;

/// A reference to an order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum OrderRef {
    Id(OrderId),
    Number(OrderNumber),
    Payment(PaymentId),
    /// One of its returns.
    Return(ReturnId),
}

/// Selects orders. `None` does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct OrderFilter {
    pub user: Option<UserId>,
    pub status: Option<Status>,
    /// Inclusive.
    pub from: Option<DateTime<Utc>>,
    /// Exclusive.
    pub to: Option<DateTime<Utc>>,
    /// Only those that have all of these [keys](Order::keys).
    pub keys: Vec<String>,
}

impl OrderRef {
    /// Whether it refers to an order.
    pub fn names(&self, order: &Order) -> bool {
        match self {
            Self::Id(id) => order.id == *id,
            Self::Number(number) => order.number == *number,
            Self::Payment(id) => order.payment.id == *id,
            Self::Return(id) => order.returns.iter().any(|known| known.id == *id),
        }
    }
}

impl OrderFilter {
    /// Whether an order is selected.
    pub fn admits(&self, order: &Order) -> bool {
        self.user.as_ref().is_none_or(|user| order.user_id == *user)
            && self.status.as_ref().is_none_or(|status| order.status == *status)
            && self.from.is_none_or(|from| order.created_at >= from)
            && self.to.is_none_or(|to| order.created_at < to)
            && self.keys.iter().all(|key| order.keys().contains(key))
    }
}

/// Selects returns. `None` does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ReturnFilter {
    /// The customer of the order.
    pub user: Option<UserId>,
    pub order: Option<OrderId>,
    pub status: Option<ReturnStatus>,
}

impl ReturnFilter {
    /// Whether a return of an order is selected.
    pub fn admits(&self, order: &Order, found: &Return) -> bool {
        self.user.as_ref().is_none_or(|user| order.user_id == *user)
            && self.order.is_none_or(|wanted| order.id == wanted)
            && self.status.is_none_or(|status| found.status == status)
    }
}

/// Selects products. `None` does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ProductFilter {
    /// A part of the name, the id or a SKU, without regard to ASCII case.
    pub text: Option<String>,
    /// Products in one of these categories; empty for all.
    pub categories: Vec<CategoryId>,
    pub active: Option<bool>,
    /// Only those that have all of these [keys](crate::document::Aggregate::keys).
    pub keys: Vec<String>,
}

impl ProductFilter {
    /// The filter as keys and text of documents.
    pub fn documents(&self) -> DocumentFilter {
        let categories = self.categories.iter().map(Product::key_of_category).collect::<Vec<_>>();
        let inactive = (self.active == Some(false)).then(|| Vec::from([Product::INACTIVE.into()]));
        let places = [categories].into_iter().filter(|any| !any.is_empty()).chain(inactive);
        let keys = places.chain(self.keys.iter().map(|key| Vec::from([key.clone()]))).collect();
        let without = (self.active == Some(true)).then(|| Product::INACTIVE.into());
        DocumentFilter { keys, without, text: self.text.clone() }
    }
}

/// Whose price is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PricingSubject {
    /// A cart.
    Cart(CartId),
    /// The cart of a customer with status active, even if it has expired.
    ActiveCart(UserId),
    /// A customer, without a cart.
    Customer(UserId),
}

/// Asks for what a price depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct PricingQuery {
    pub subject: PricingSubject,
    /// In addition to those of the cart.
    pub skus: Vec<Sku>,
    /// [Keys](crate::promotion::code_key) of codes, in addition to those of the cart.
    pub codes: Vec<String>,
}

/// What a price depends on. Empty if there is no such cart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct PricingFacts {
    pub cart: Option<Cart>,
    /// As by [`Store::offers`].
    pub offers: Vec<Offer>,
    /// As by [`Store::candidates`] for the customer of the cart. Uses of promotions without [limits](crate::promotion::Limits)
    /// need not be counted.
    pub candidates: Vec<Promotion>,
}

impl PricingQuery {
    /// Asks for the automatic candidates of a customer, or for a cart as it is.
    pub const fn new(subject: PricingSubject) -> Self {
        Self { subject, skus: Vec::new(), codes: Vec::new() }
    }

    /// The customer of the price, given the cart. `None`: there is no such cart.
    pub fn customer<'a>(&'a self, cart: Option<&'a Cart>) -> Option<&'a UserId> {
        match &self.subject {
            PricingSubject::Cart(_) => cart.map(|cart| &cart.user_id),
            PricingSubject::ActiveCart(user) | PricingSubject::Customer(user) => Some(user),
        }
    }

    /// The SKUs of the query and of the cart, each once.
    pub fn all_skus(&self, cart: Option<&Cart>) -> BTreeSet<Sku> {
        let in_cart = cart.into_iter().flat_map(|cart| cart.items.iter().map(|item| item.sku.clone()));
        self.skus.iter().cloned().chain(in_cart).collect()
    }

    /// The code keys of the query and of the cart, each once.
    pub fn all_codes(&self, cart: Option<&Cart>) -> BTreeSet<String> {
        let in_cart = cart.into_iter().flat_map(|cart| cart.codes.iter().map(|code| code_key(code.as_str())));
        self.codes.iter().cloned().chain(in_cart).collect()
    }
}

/// The position of a product in a list.
pub type ProductCursor = Cursor<ProductId>;

/// A failure of a store.
#[derive(Debug, Error)]
#[error("{kind}: {source}")]
#[expect(missing_docs, reason = "the names say it")]
pub struct StoreError {
    pub kind: StoreErrorKind,
    /// The error of the store, for logs only.
    pub source: Box<dyn core::error::Error + Send + Sync>,
}

/// The result of reading from a store.
pub type StoreResult<T> = Result<T, StoreError>;

/// The kind of a failure of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// It cannot be reached, is busy or full. Retrying may succeed. A commit has not happened.
    #[error("the store is unavailable")]
    Unavailable,
    /// Whether a commit happened is not known.
    #[error("the outcome of the commit is not known")]
    Unknown,
    /// The store contains data that this engine cannot have written.
    #[error("the store contains invalid data")]
    Corrupt,
}

impl StoreError {
    /// Wraps an error of a store.
    pub fn new(kind: StoreErrorKind, source: impl Into<Box<dyn core::error::Error + Send + Sync>>) -> Self {
        Self { kind, source: source.into() }
    }
}

/// Why a commit did not happen.
#[derive(Debug, Error)]
pub enum CommitError {
    /// A guard refused it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

/// Stores orders, documents, stock, idempotency records and tasks.
///
/// # Contract
/// * [`Store::commit`] applies all of a commit or nothing, and returns only when it is durable. It decides by
///   [`settle`](crate::commit::settle()) over locked state.
/// * The refusal or failure of one commit does not affect another.
/// * A committed change is visible to every read that starts afterwards.
/// * Lists are stable while rows are added: an entry never occurs twice and is never left out.
///
/// # Implementing it
/// Fourteen methods are required. The others are provided: they call the required ones, read whole lists, and do not read
/// at one instant. A store overrides those that must be fast or exact, first [`Store::pricing_facts`], which every price needs. `commerce-testkit` has a conformance suite of the contract, and
/// `examples/own_store.rs` is a store in under 200 lines.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use commerce_core::commit::Refusal;
/// use commerce_core::port::{CommitError, Store};
/// use commerce_testkit::{CommitBuilder, MemoryStore};
///
/// let (store, shop) = (MemoryStore::new(), CommitBuilder::new(1));
/// store.commit(shop.stocked(&[("MUG", 1)])).await?;
/// store.commit(shop.order(&[("MUG", 1)])).await?;
///
/// let refused = store.commit(shop.order(&[("MUG", 1)])).await;
/// assert!(matches!(refused, Err(CommitError::Refused(Refusal::Stock(_)))));
/// assert_eq!(store.stock(&"MUG".parse()?, shop.at(0)).await?.unwrap().available(), 0);
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait Store: Send + Sync + fmt::Debug {
    /// Applies a commit.
    async fn commit(&self, commit: Commit) -> Result<(), CommitError>;

    /// The idempotency record of a request, if it was answered before.
    async fn idempotency_record(&self, key: &IdempotencyKey) -> StoreResult<Option<IdempotencyRecord>>;

    /// Deletes the idempotency records given before an instant, a bounded number at a time. Returns how many.
    async fn purge_idempotency_records(&self, before: DateTime<Utc>) -> StoreResult<u64>;

    /// An order.
    async fn order(&self, order_ref: &OrderRef) -> StoreResult<Option<Order>>;

    /// Orders, newest first (by id; ids grow with time).
    async fn orders(&self, filter: &OrderFilter, page: &PageRequest<OrderId>) -> StoreResult<Page<Order, OrderId>>;

    /// A document of any kind.
    async fn document(&self, id: &DocumentId) -> StoreResult<Option<Document>>;

    /// Documents of a kind, by id.
    async fn documents(
        &self,
        kind: DocumentKind,
        filter: &DocumentFilter,
        page: &PageRequest<String>,
    ) -> StoreResult<Page<Document, String>>;

    /// The whole history in the order in which it was committed, after a position. The key is the position. Within a
    /// commit, the events of its orders are before those of its documents and its stock; see [`replay`](crate::replay).
    /// Positions run from 1 without a gap.
    async fn history(&self, page: &PageRequest<u64>) -> StoreResult<Page<HistoryEntry, u64>>;

    /// The position of the newest event of the history, 0 if there is none.
    async fn last_position(&self) -> StoreResult<u64> {
        let all = PageRequest::read_all(|page| async move { self.history(&page).await }).await?;
        Ok(u64::try_from(all.len()).unwrap_or(u64::MAX))
    }

    /// The stock of a SKU at an instant: expired reservations do not count. `None` if it was never stocked.
    async fn stock(&self, sku: &Sku, at: DateTime<Utc>) -> StoreResult<Option<StockLevel>>;

    /// Stock at an instant, by SKU; with `low_only` only low stock.
    async fn stock_levels(
        &self,
        low_only: bool,
        at: DateTime<Utc>,
        page: &PageRequest<Sku>,
    ) -> StoreResult<Page<StockLevel, Sku>>;

    /// The reservations of a SKU as stored, including expired ones that were not removed.
    async fn reservations(&self, sku: &Sku) -> StoreResult<Vec<(OrderId, Reservation)>>;

    /// The tasks in a state at an instant, or all of them; by kind and subject.
    async fn tasks(
        &self,
        state: Option<TaskState>,
        at: DateTime<Utc>,
        page: &PageRequest<TaskKey>,
    ) -> StoreResult<Page<Task, TaskKey>>;

    /// Replaces a task, or removes it, if it is unchanged since it was read as `before`. Returns whether it was. If so,
    /// the event is added to the history, with the next number of its task.
    async fn replace_task(
        &self,
        before: &Task,
        after: Option<&Task>,
        event: Option<&Recorded<TaskEvent>>,
    ) -> StoreResult<bool>;

    /// The uses of a promotion, newest first, including released ones.
    async fn redemptions(
        &self,
        id: &PromotionId,
        page: &PageRequest<OrderId>,
    ) -> StoreResult<Page<Redemption, OrderId>>;

    /// Returns with their orders, newest first (by id; ids grow with time).
    async fn returns(
        &self,
        filter: &ReturnFilter,
        page: &PageRequest<ReturnId>,
    ) -> StoreResult<Page<(OrderId, Return), ReturnId>> {
        let of_user = &OrderFilter { user: filter.user.clone(), ..OrderFilter::default() };
        let orders = &PageRequest::read_all(|page| async move { self.orders(of_user, &page).await }).await?;
        let returns = orders.iter().flat_map(|order| order.returns.iter().map(move |known| (order, known)));
        let page =
            Page::descending(returns.filter(|(order, known)| filter.admits(order, known)), page, |(_, known)| known.id);
        Ok(page.map(|(order, known)| (order.id, known.clone())))
    }

    /// Checks that the store answers, and that it can be written as far as it knows. It is called often: an implementation
    /// should write only if recent commits do not show it.
    async fn check(&self) -> StoreResult<()> {
        let none = IdempotencyKey { scope: String::new(), key: String::new() };
        self.idempotency_record(&none).await.map(drop)
    }

    /// The orders with the given ids, in any order. Unknown ids are left out.
    async fn orders_by_id(&self, ids: &[OrderId]) -> StoreResult<Vec<Order>> {
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            found.extend(self.order(&OrderRef::Id(*id)).await?);
        }
        Ok(found)
    }

    /// An order with its payment, which is `None` before its first operation. The order is not older than the payment: otherwise it
    /// would not claim what the payment holds for it, and that would be given back.
    async fn order_with_payment(&self, order_ref: &OrderRef) -> StoreResult<Option<(Order, Option<Payment>)>> {
        let Some(order) = self.order(order_ref).await? else { return Ok(None) };
        let payment = read::document(self, &order.payment.id).await?;
        let order = self.order(&OrderRef::Id(order.id)).await?;
        Ok(order.map(|order| (order, payment)))
    }

    /// The documents of a kind with the given ids, in any order. Unknown ids are left out.
    async fn documents_by_id(&self, kind: DocumentKind, ids: &[String]) -> StoreResult<Vec<Document>> {
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            found.extend(self.document(&DocumentId { kind, id: id.clone() }).await?);
        }
        Ok(found)
    }

    /// The number of a customer's orders that are neither cancelled nor returned.
    async fn count_active_orders(&self, user: &UserId) -> StoreResult<u32> {
        let filter = &OrderFilter { user: Some(user.clone()), ..OrderFilter::default() };
        let orders = PageRequest::read_all(|page| async move { self.orders(filter, &page).await }).await?;
        let count = orders.iter().filter(|order| !order.phase.is_undone()).count();
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// The history of an order, oldest first; empty if there is no such order.
    async fn order_history(&self, order: OrderId) -> StoreResult<Vec<Recorded<OrderEvent>>> {
        let of_order = |entry| match entry {
            HistoryEntry::Order(id, entry) if id == order => Some(entry),
            HistoryEntry::Order(..) | HistoryEntry::Stock(..) | HistoryEntry::Document(..) | HistoryEntry::Task(..) => {
                None
            }
        };
        read::history(self, of_order).await
    }

    /// The histories of orders, each oldest first, in any order. Unknown orders are left out.
    async fn order_histories(&self, orders: &[OrderId]) -> StoreResult<Vec<(OrderId, Vec<Recorded<OrderEvent>>)>> {
        let mut histories = Vec::with_capacity(orders.len());
        for order in orders {
            histories.push((*order, self.order_history(*order).await?));
        }
        histories.retain(|(_, history)| !history.is_empty());
        Ok(histories)
    }

    /// The history of a document, oldest first; empty if there is no such document. The key is the sequence.
    async fn document_history(
        &self,
        id: &DocumentId,
        page: &PageRequest<u64>,
    ) -> StoreResult<Page<Recorded<DocumentEvent>, u64>> {
        let of_document = |entry| match entry {
            HistoryEntry::Document(found, entry) if found == *id => Some(entry),
            HistoryEntry::Order(..) | HistoryEntry::Stock(..) | HistoryEntry::Document(..) | HistoryEntry::Task(..) => {
                None
            }
        };
        Ok(Page::ascending(read::history(self, of_document).await?, page, |entry| entry.sequence))
    }

    /// Leases until an instant up to `limit` tasks of [known kinds](crate::task::TaskKind::KNOWN) that are due and not
    /// leased, oldest first.
    async fn lease_tasks(&self, at: DateTime<Utc>, until: DateTime<Utc>, limit: u16) -> StoreResult<Vec<Task>> {
        let mut due =
            PageRequest::read_all(|page| async move { self.tasks(Some(TaskState::Due), at, &page).await }).await?;
        due.retain(|task| TaskKind::KNOWN.contains(&task.key.kind));
        due.sort_by_key(|task| task.due);
        let mut leased = Vec::new();
        for task in due {
            let mine = Task { ready_at: Some(until), ..task.clone() };
            if leased.len() < limit.into() && self.replace_task(&task, Some(&mine), None).await? {
                leased.push(mine);
            }
        }
        Ok(leased)
    }

    /// A task.
    async fn task(&self, key: &TaskKey) -> StoreResult<Option<Task>> {
        let tasks =
            PageRequest::read_all(|page| async move { self.tasks(None, DateTime::UNIX_EPOCH, &page).await }).await?;
        Ok(tasks.into_iter().find(|task| task.key == *key))
    }

    /// A cart.
    async fn cart(&self, id: CartId) -> StoreResult<Option<Cart>> {
        read::document(self, &id).await
    }

    /// The customer's cart with status active, even if it has expired.
    async fn active_cart(&self, user: &UserId) -> StoreResult<Option<Cart>> {
        let carts = read::documents::<Cart>(self, &DocumentFilter::default()).await?;
        Ok(carts.into_iter().find(|cart| cart.status == CartStatus::Active && cart.user_id == *user))
    }

    /// The offers of the given SKUs, in any order. Unknown SKUs are left out.
    async fn offers(&self, skus: &[Sku]) -> StoreResult<Vec<Offer>> {
        let products = read::documents::<Product>(self, &DocumentFilter::default()).await?;
        Ok(products.iter().flat_map(|product| product.offers(skus)).collect())
    }

    /// A product.
    async fn product(&self, id: &ProductId) -> StoreResult<Option<Product>> {
        read::document(self, id).await
    }

    /// Products, newest first.
    async fn products(
        &self,
        filter: &ProductFilter,
        page: &PageRequest<ProductCursor>,
    ) -> StoreResult<Page<Product, ProductCursor>> {
        let products = read::documents::<Product>(self, &filter.documents()).await?;
        Ok(Page::ascending(products, page, |p| Cursor { created_at: p.created_at, id: p.id.clone() }))
    }

    /// Every category, by id.
    async fn categories(&self) -> StoreResult<Vec<Category>> {
        read::documents(self, &DocumentFilter::default()).await
    }

    /// The promotions that could apply for a customer with some codes: every automatic promotion that was not ended,
    /// and every promotion with one of the codes ([keys](crate::promotion::code_key)), each as a
    /// [candidate](PromotionRecord::candidate) with its usage, including that by the customer. Oldest first, then by
    /// id: the order that decides between equal priorities.
    async fn candidates(&self, code_keys: &[String], user: &UserId) -> StoreResult<Vec<Promotion>> {
        let mut keys: Vec<_> = code_keys.iter().map(|key| PromotionRecord::key_of_code(key)).collect();
        keys.push(PromotionRecord::AUTOMATIC.into());
        let filter = DocumentFilter { keys: Vec::from([keys]), ..DocumentFilter::default() };
        let mut records = read::documents::<PromotionRecord>(self, &filter).await?;
        records.sort_by_key(|record| record.created_at);
        let mut candidates = Vec::with_capacity(records.len());
        for record in records {
            let PromotionWithUsage { record, usage } = read::with_usage(self, record, Some(user)).await?;
            candidates.push(record.candidate(usage));
        }
        Ok(candidates)
    }

    /// What a price depends on, at one instant.
    async fn pricing_facts(&self, query: &PricingQuery) -> StoreResult<PricingFacts> {
        let cart = match &query.subject {
            PricingSubject::Cart(id) => self.cart(*id).await?,
            PricingSubject::ActiveCart(user) => self.active_cart(user).await?,
            PricingSubject::Customer(_) => None,
        };
        let Some(customer) = query.customer(cart.as_ref()) else { return Ok(PricingFacts::default()) };
        let skus: Vec<Sku> = query.all_skus(cart.as_ref()).into_iter().collect();
        let codes: Vec<String> = query.all_codes(cart.as_ref()).into_iter().collect();
        let offers = if skus.is_empty() { Vec::new() } else { self.offers(&skus).await? };
        let candidates = self.candidates(&codes, customer).await?;
        Ok(PricingFacts { cart, offers, candidates })
    }

    /// A promotion, even an ended one.
    async fn promotion(&self, id: &PromotionId) -> StoreResult<Option<PromotionWithUsage>> {
        let Some(record) = read::document(self, id).await? else { return Ok(None) };
        Ok(Some(read::with_usage(self, record, None).await?))
    }

    /// Promotions, including ended ones, newest first.
    async fn promotions(
        &self,
        filter: &DocumentFilter,
        page: &PageRequest<PromotionCursor>,
    ) -> StoreResult<Page<PromotionWithUsage, PromotionCursor>> {
        let records = read::documents::<PromotionRecord>(self, filter).await?;
        let place = |r: &PromotionRecord| Cursor { created_at: r.created_at, id: r.id().clone() };
        let Page { items: records, next } = Page::ascending(records, page, place);
        let mut items = Vec::with_capacity(records.len());
        for record in records {
            items.push(read::with_usage(self, record, None).await?);
        }
        Ok(Page { items, next })
    }
}

/// A stored promotion with its usage by all customers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct PromotionWithUsage {
    pub record: PromotionRecord,
    /// Without uses by a single customer.
    pub usage: Usage,
}

/// The position of a promotion in a list.
pub type PromotionCursor = Cursor<PromotionId>;

/// The users service is not available.
#[derive(Debug, Error)]
#[error("the users service is not available: {0}")]
pub struct UsersUnavailable(pub Box<dyn core::error::Error + Send + Sync>);

named! {
    /// The status of a user's account.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum AccountStatus {
        /// The user may order.
        Active = "active",
        /// The user may not order for the time being.
        Suspended = "suspended",
        /// The user has left.
        Deactivated = "deactivated",
    }
}

/// The users of the shop, defined in another system.
#[async_trait]
pub trait Users: Send + Sync + fmt::Debug {
    /// Whether the user exists.
    async fn exists(&self, user: &UserId) -> Result<bool, UsersUnavailable>;

    /// The status of the user's account. `None`: there is no such user. A service that knows no statuses has active users only.
    async fn account_status(&self, user: &UserId) -> Result<Option<AccountStatus>, UsersUnavailable> {
        Ok(self.exists(user).await?.then_some(AccountStatus::Active))
    }

    /// The segments of a user, for conditions of promotions. Empty if the service has none.
    async fn segments(&self, _user: &UserId) -> Result<Vec<String>, UsersUnavailable> {
        Ok(Vec::new())
    }
}

/// Where the trace of the work at hand is told.
pub trait Traces: Send + Sync + fmt::Debug {
    /// The span that the caller works for; `None` if nobody named one.
    fn current(&self) -> Option<TraceParent>;
}

/// The source of the time.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Now, in whole microseconds.
    fn now(&self) -> DateTime<Utc>;
}

/// The source of new ids.
pub trait IdGenerator: Send + Sync + fmt::Debug {
    /// A fresh UUID, version 7: greater than all before it in this process.
    fn next(&self) -> Uuid;
}
