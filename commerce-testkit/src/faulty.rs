use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use commerce_core::cart::Cart;
use commerce_core::catalog::{Category, Offer, Product};
use commerce_core::commit::{Commit, Receipt, ReceiptKey};
use commerce_core::document::{Document, DocumentEvent, DocumentId, DocumentKind};
use commerce_core::event::{HistoryEntry, Recorded};
use commerce_core::ids::{CartId, OrderId, ProductId, PromotionId, Sku, UserId};
use commerce_core::order::{Order, OrderEvent};
use commerce_core::port::{
    Carts, Catalog, CommitError, KeptPromotion, Listing, OrderFilter, OrderRef, Page, ProductFilter, ProductPlace,
    PromotionPlace, Promotions, Store, StoreError, StoreErrorKind,
};
use commerce_core::promotion::{Promotion, Redemption};
use commerce_core::stock::{Hold, StockLevel};
use commerce_core::task::{Task, TaskKey, TaskState};

use crate::Random;

/// A store that fails by a seed.
///
/// It wraps any store. Each call may be delayed, may fail before anything has happened, and may fail after everything has
/// happened, so that the answer is lost. A commit whose answer is lost ends in [`StoreErrorKind::Unknown`], everything
/// else in [`StoreErrorKind::Unavailable`].
///
/// Faults follow from the seed and the order of the calls alone: on a runtime with one thread and
/// paused time a run can be played again. A clone shares the store, the seed's progress and the
/// faults.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use commerce_core::port::{CommitError, Store, StoreErrorKind};
/// use commerce_testkit::{Faults, Faulty, MemoryStore, Shop};
///
/// let (store, shop) = (Faulty::new(MemoryStore::new(), 42), Shop::new(1));
/// store.set(Faults { lost: 1000, ..Faults::NONE });
/// let answer = store.commit(shop.stocked(&[("MUG", 10)])).await;
/// assert!(matches!(answer, Err(CommitError::Failed(error)) if error.kind == StoreErrorKind::Unknown));
///
/// store.set(Faults::NONE);
/// assert!(store.stock(&"MUG".parse().unwrap(), shop.at(0)).await.unwrap().is_some());
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct Faulty<S> {
    inner: S,
    fate: Arc<Mutex<Fate>>,
}

/// How likely what goes wrong: chances in a thousand, per call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults {
    /// The call fails and nothing has happened.
    pub refused: u16,
    /// The call happens and its answer is lost.
    pub lost: u16,
    /// The call is late.
    pub late: u16,
    /// How late at most.
    pub latest: Duration,
}

impl Faults {
    /// Nothing goes wrong.
    pub const NONE: Self = Self { refused: 0, lost: 0, late: 0, latest: Duration::from_millis(2) };
}

#[derive(Debug)]
struct Fate {
    faults: Faults,
    random: Random,
    struck: u64,
}

/// What is going to happen to one call. All of it is drawn before the call, so that the answer changes nothing.
#[derive(Clone, Copy)]
struct Omen {
    delay: Option<Duration>,
    refused: bool,
    lost: bool,
}

impl Fate {
    fn draw(&mut self) -> Omen {
        let Faults { refused, lost, late, latest } = self.faults;
        let micros = u64::try_from(latest.as_micros()).unwrap_or(u64::MAX);
        let delay = Duration::from_micros(self.random.below(micros.saturating_add(1)));
        let late = self.random.happens(late);
        let omen = Omen {
            delay: late.then_some(delay),
            refused: self.random.happens(refused),
            lost: self.random.happens(lost),
        };
        self.struck = self.struck.saturating_add(u64::from(omen.refused || omen.lost));
        omen
    }
}

impl<S> Faulty<S> {
    /// Wraps a store. Nothing goes wrong until [`Faulty::set`].
    pub fn new(inner: S, seed: u64) -> Self {
        let fate = Fate { faults: Faults::NONE, random: Random::new(seed), struck: 0 };
        Self { inner, fate: Arc::new(Mutex::new(fate)) }
    }

    /// From now on, things go wrong this often.
    pub fn set(&self, faults: Faults) {
        self.fate().faults = faults;
    }

    /// How many calls have failed by a fault so far.
    pub fn struck(&self) -> u64 {
        self.fate().struck
    }

    /// The store itself, which does not fail.
    pub const fn inner(&self) -> &S {
        &self.inner
    }

    fn fate(&self) -> MutexGuard<'_, Fate> {
        self.fate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits if the call is late, and fails it if it is not to happen; says whether its answer is to be lost.
    async fn before(&self) -> Result<bool, StoreError> {
        let omen = self.fate().draw();
        if let Some(delay) = omen.delay {
            tokio::time::sleep(delay).await;
        }
        if omen.refused { Err(failure(StoreErrorKind::Unavailable)) } else { Ok(omen.lost) }
    }

    async fn around<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let lost = self.before().await?;
        let answer = call.await;
        if lost { Err(failure(StoreErrorKind::Unavailable)) } else { answer }
    }
}

fn failure(kind: StoreErrorKind) -> StoreError {
    StoreError::new(kind, "a fault on purpose")
}

#[async_trait]
impl<S: Store> Store for Faulty<S> {
    async fn commit(&self, commit: Commit) -> Result<(), CommitError> {
        let lost = self.before().await?;
        let answer = self.inner.commit(commit).await;
        if lost { Err(failure(StoreErrorKind::Unknown).into()) } else { answer }
    }

    async fn receipt(&self, key: &ReceiptKey) -> Result<Option<Receipt>, StoreError> {
        self.around(self.inner.receipt(key)).await
    }

    async fn forget_receipts(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        self.around(self.inner.forget_receipts(before)).await
    }

    async fn order(&self, which: &OrderRef) -> Result<Option<Order>, StoreError> {
        self.around(self.inner.order(which)).await
    }

    async fn orders(&self, filter: &OrderFilter, page: &Page<OrderId>) -> Result<Listing<Order, OrderId>, StoreError> {
        self.around(self.inner.orders(filter, page)).await
    }

    async fn standing_orders(&self, user: &UserId) -> Result<u32, StoreError> {
        self.around(self.inner.standing_orders(user)).await
    }

    async fn order_history(&self, order: OrderId) -> Result<Vec<Recorded<OrderEvent>>, StoreError> {
        self.around(self.inner.order_history(order)).await
    }

    async fn document(&self, id: &DocumentId) -> Result<Option<Document>, StoreError> {
        self.around(self.inner.document(id)).await
    }

    async fn documents(
        &self,
        kind: DocumentKind,
        page: &Page<String>,
    ) -> Result<Listing<Document, String>, StoreError> {
        self.around(self.inner.documents(kind, page)).await
    }

    async fn document_history(&self, id: &DocumentId) -> Result<Vec<Recorded<DocumentEvent>>, StoreError> {
        self.around(self.inner.document_history(id)).await
    }

    async fn history(&self, page: &Page<u64>) -> Result<Listing<HistoryEntry, u64>, StoreError> {
        self.around(self.inner.history(page)).await
    }

    async fn stock(&self, sku: &Sku, at: DateTime<Utc>) -> Result<Option<StockLevel>, StoreError> {
        self.around(self.inner.stock(sku, at)).await
    }

    async fn stock_levels(
        &self,
        low_only: bool,
        at: DateTime<Utc>,
        page: &Page<Sku>,
    ) -> Result<Listing<StockLevel, Sku>, StoreError> {
        self.around(self.inner.stock_levels(low_only, at, page)).await
    }

    async fn holds(&self, sku: &Sku) -> Result<Vec<(OrderId, Hold)>, StoreError> {
        self.around(self.inner.holds(sku)).await
    }

    async fn lease_tasks(&self, at: DateTime<Utc>, until: DateTime<Utc>, limit: u16) -> Result<Vec<Task>, StoreError> {
        self.around(self.inner.lease_tasks(at, until, limit)).await
    }

    async fn task(&self, key: &TaskKey) -> Result<Option<Task>, StoreError> {
        self.around(self.inner.task(key)).await
    }

    async fn tasks(
        &self,
        state: Option<TaskState>,
        at: DateTime<Utc>,
        page: &Page<TaskKey>,
    ) -> Result<Listing<Task, TaskKey>, StoreError> {
        self.around(self.inner.tasks(state, at, page)).await
    }

    async fn replace_task(&self, before: &Task, after: Option<&Task>) -> Result<bool, StoreError> {
        self.around(self.inner.replace_task(before, after)).await
    }
}

#[async_trait]
impl<S: Carts> Carts for Faulty<S> {
    async fn cart(&self, id: CartId) -> Result<Option<Cart>, StoreError> {
        self.around(self.inner.cart(id)).await
    }

    async fn active_cart(&self, user: &UserId) -> Result<Option<Cart>, StoreError> {
        self.around(self.inner.active_cart(user)).await
    }
}

#[async_trait]
impl<S: Catalog> Catalog for Faulty<S> {
    async fn offers(&self, skus: &[Sku]) -> Result<Vec<Offer>, StoreError> {
        self.around(self.inner.offers(skus)).await
    }

    async fn product(&self, id: &ProductId) -> Result<Option<Product>, StoreError> {
        self.around(self.inner.product(id)).await
    }

    async fn products(
        &self,
        filter: &ProductFilter,
        page: &Page<ProductPlace>,
    ) -> Result<Listing<Product, ProductPlace>, StoreError> {
        self.around(self.inner.products(filter, page)).await
    }

    async fn categories(&self) -> Result<Vec<Category>, StoreError> {
        self.around(self.inner.categories()).await
    }
}

#[async_trait]
impl<S: Promotions> Promotions for Faulty<S> {
    async fn candidates(&self, code_keys: &[String], user: &UserId) -> Result<Vec<Promotion>, StoreError> {
        self.around(self.inner.candidates(code_keys, user)).await
    }

    async fn promotion(&self, id: &PromotionId) -> Result<Option<KeptPromotion>, StoreError> {
        self.around(self.inner.promotion(id)).await
    }

    async fn promotions(
        &self,
        page: &Page<PromotionPlace>,
    ) -> Result<Listing<KeptPromotion, PromotionPlace>, StoreError> {
        self.around(self.inner.promotions(page)).await
    }

    async fn redemptions(
        &self,
        id: &PromotionId,
        page: &Page<OrderId>,
    ) -> Result<Listing<Redemption, OrderId>, StoreError> {
        self.around(self.inner.redemptions(id, page)).await
    }
}
