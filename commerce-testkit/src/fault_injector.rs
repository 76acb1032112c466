use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use commerce_core::commit::{Commit, IdempotencyKey, IdempotencyRecord};
use commerce_core::document::{Document, DocumentFilter, DocumentId, DocumentKind};
use commerce_core::event::{HistoryEntry, Recorded};
use commerce_core::ids::{OrderId, PromotionId, Sku};
use commerce_core::order::Order;
use commerce_core::port::{CommitError, OrderFilter, OrderRef, Page, PageRequest, Store, StoreError, StoreErrorKind};
use commerce_core::promotion::Redemption;
use commerce_core::stock::{Reservation, StockLevel};
use commerce_core::task::{Task, TaskEvent, TaskKey, TaskState};

use crate::Random;

/// Wraps a store and injects failures determined by a seed.
///
/// A call may be delayed, fail before it has an effect, or fail after it has taken effect. In the last case a commit fails with
/// [`StoreErrorKind::Unknown`]. All other failures are [`StoreErrorKind::Unavailable`].
///
/// The faults depend only on the seed and the order of the calls. A run on a single-threaded runtime with paused time is
/// therefore reproducible. Clones share the store, the faults and the position in their sequence.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use commerce_core::port::{CommitError, Store, StoreErrorKind};
/// use commerce_testkit::{Faults, FaultInjector, MemoryStore, CommitBuilder};
///
/// let (store, shop) = (FaultInjector::new(MemoryStore::new(), 42), CommitBuilder::new(1));
/// store.set(Faults { lost: 1000, ..Faults::NONE });
/// let answer = store.commit(shop.stocked(&[("MUG", 10)])).await;
/// assert!(matches!(answer, Err(CommitError::Failed(error)) if error.kind == StoreErrorKind::Unknown));
///
/// store.set(Faults::NONE);
/// assert!(store.stock(&"MUG".parse().unwrap(), shop.at(0)).await.unwrap().is_some());
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct FaultInjector<S> {
    inner: S,
    plan: Arc<Mutex<FaultPlan>>,
}

/// The probabilities of faults per call, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults {
    /// The call fails without an effect.
    pub refused: u16,
    /// The call takes effect, but its answer is lost.
    pub lost: u16,
    /// The call is delayed.
    pub late: u16,
    /// The longest delay.
    pub latest: Duration,
}

impl Faults {
    /// No faults.
    pub const NONE: Self = Self { refused: 0, lost: 0, late: 0, latest: Duration::from_millis(2) };
}

/// A fault of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails without an effect.
    Refused,
    /// It takes effect, but its answer is lost.
    Lost,
    /// It is delayed.
    Late(Duration),
}

#[derive(Debug)]
struct FaultPlan {
    faults: Faults,
    random: Random,
    injected: u64,
    /// A fault that is to come, and how many calls come before it.
    struck: Option<(usize, Fault)>,
}

/// The faults of one call. All are drawn before the call, so that its result does not influence the sequence.
#[derive(Clone, Copy)]
struct PlannedFault {
    delay: Option<Duration>,
    refused: bool,
    lost: bool,
}

impl FaultPlan {
    fn draw(&mut self) -> PlannedFault {
        let mut planned = self.draw_by_chance();
        match self.struck.take() {
            Some((0, Fault::Refused)) => planned.refused = true,
            Some((0, Fault::Lost)) => planned.lost = true,
            Some((0, Fault::Late(delay))) => planned.delay = Some(delay),
            struck => self.struck = struck.map(|(calls, fault)| (calls.saturating_sub(1), fault)),
        }
        self.injected = self.injected.saturating_add(u64::from(planned.refused || planned.lost));
        planned
    }

    fn draw_by_chance(&mut self) -> PlannedFault {
        let Faults { refused, lost, late, latest } = self.faults;
        let micros = u64::try_from(latest.as_micros()).unwrap_or(u64::MAX);
        let delay = Duration::from_micros(self.random.below(micros.saturating_add(1)));
        let late = self.random.happens(late);
        PlannedFault {
            delay: late.then_some(delay),
            refused: self.random.happens(refused),
            lost: self.random.happens(lost),
        }
    }
}

impl<S> FaultInjector<S> {
    /// Wraps a store, without faults.
    pub fn new(inner: S, seed: u64) -> Self {
        let plan = FaultPlan { faults: Faults::NONE, random: Random::new(seed), injected: 0, struck: None };
        Self { inner, plan: Arc::new(Mutex::new(plan)) }
    }

    /// Changes the probabilities of faults.
    pub fn set(&self, faults: Faults) {
        self.plan().faults = faults;
    }

    /// Injects a fault into one call: the next one after so many others.
    pub fn strike(&self, calls: usize, fault: Fault) {
        self.plan().struck = Some((calls, fault));
    }

    /// Takes back a fault that has not struck. Returns whether there was one.
    pub fn relent(&self) -> bool {
        self.plan().struck.take().is_some()
    }

    /// The number of calls that have failed because of a fault.
    pub fn injected(&self) -> u64 {
        self.plan().injected
    }

    /// The wrapped store.
    pub const fn inner(&self) -> &S {
        &self.inner
    }

    fn plan(&self) -> MutexGuard<'_, FaultPlan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Delays the call or fails it. Returns whether its answer is to be lost.
    async fn before(&self) -> Result<bool, StoreError> {
        let planned = self.plan().draw();
        if let Some(delay) = planned.delay {
            tokio::time::sleep(delay).await;
        }
        if planned.refused { Err(failure(StoreErrorKind::Unavailable)) } else { Ok(planned.lost) }
    }

    async fn around<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let lost = self.before().await?;
        let answer = call.await;
        if lost { Err(failure(StoreErrorKind::Unavailable)) } else { answer }
    }
}

fn failure(kind: StoreErrorKind) -> StoreError {
    StoreError::new(kind, "an injected fault")
}

#[async_trait]
impl<S: Store> Store for FaultInjector<S> {
    async fn commit(&self, commit: Commit) -> Result<(), CommitError> {
        let lost = self.before().await?;
        let answer = self.inner.commit(commit).await;
        if lost { Err(failure(StoreErrorKind::Unknown).into()) } else { answer }
    }

    async fn idempotency_record(&self, key: &IdempotencyKey) -> Result<Option<IdempotencyRecord>, StoreError> {
        self.around(self.inner.idempotency_record(key)).await
    }

    async fn purge_idempotency_records(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        self.around(self.inner.purge_idempotency_records(before)).await
    }

    async fn order(&self, order_ref: &OrderRef) -> Result<Option<Order>, StoreError> {
        self.around(self.inner.order(order_ref)).await
    }

    async fn orders(
        &self,
        filter: &OrderFilter,
        page: &PageRequest<OrderId>,
    ) -> Result<Page<Order, OrderId>, StoreError> {
        self.around(self.inner.orders(filter, page)).await
    }

    async fn document(&self, id: &DocumentId) -> Result<Option<Document>, StoreError> {
        self.around(self.inner.document(id)).await
    }

    async fn documents(
        &self,
        kind: DocumentKind,
        filter: &DocumentFilter,
        page: &PageRequest<String>,
    ) -> Result<Page<Document, String>, StoreError> {
        self.around(self.inner.documents(kind, filter, page)).await
    }

    async fn history(&self, page: &PageRequest<u64>) -> Result<Page<HistoryEntry, u64>, StoreError> {
        self.around(self.inner.history(page)).await
    }

    async fn last_position(&self) -> Result<u64, StoreError> {
        self.around(self.inner.last_position()).await
    }

    async fn stock(&self, sku: &Sku, at: DateTime<Utc>) -> Result<Option<StockLevel>, StoreError> {
        self.around(self.inner.stock(sku, at)).await
    }

    async fn stock_levels(
        &self,
        low_only: bool,
        at: DateTime<Utc>,
        page: &PageRequest<Sku>,
    ) -> Result<Page<StockLevel, Sku>, StoreError> {
        self.around(self.inner.stock_levels(low_only, at, page)).await
    }

    async fn reservations(&self, sku: &Sku) -> Result<Vec<(OrderId, Reservation)>, StoreError> {
        self.around(self.inner.reservations(sku)).await
    }

    async fn tasks(
        &self,
        state: Option<TaskState>,
        at: DateTime<Utc>,
        page: &PageRequest<TaskKey>,
    ) -> Result<Page<Task, TaskKey>, StoreError> {
        self.around(self.inner.tasks(state, at, page)).await
    }

    async fn replace_task(
        &self,
        before: &Task,
        after: Option<&Task>,
        event: Option<&Recorded<TaskEvent>>,
    ) -> Result<bool, StoreError> {
        self.around(self.inner.replace_task(before, after, event)).await
    }

    async fn redemptions(
        &self,
        id: &PromotionId,
        page: &PageRequest<OrderId>,
    ) -> Result<Page<Redemption, OrderId>, StoreError> {
        self.around(self.inner.redemptions(id, page)).await
    }
}
