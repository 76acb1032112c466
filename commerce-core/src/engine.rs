//! The use cases: load the facts, decide purely, commit atomically.
//!
//! [`Engine`] reads facts from the ports, calls the rules of the other modules, and gives the resulting commit to
//! [`Store::commit`](crate::port::Store::commit). Only two rules are here: permissions of callers, and retries.
//!
//! # Retries
//! A use case that loses a race ([`Refusal::VersionConflict`], a taken order number) loads and decides again, at most
//! 15 times. A caller who named a version (`If-Match`) gets the conflict instead.
//!
//! # Idempotency
//! A request with a key ([`Idempotency`]) commits its answer together with its effect, or the version of the order that the
//! answer follows from. A repeated request gets that answer: the store refuses the second commit with the first idempotency record. A retry that fails earlier, because
//! of the effect of the first attempt (its cart is ordered already), looks for the idempotency record before it returns
//! the error.

mod builder;
mod carts;
mod catalog;
mod customers;
mod documents;
mod error;
mod feed;
mod inbox;
mod inventory;
mod openings;
mod orders;
mod payments;
mod placing;
mod promotions;
mod quotes;
mod reachability;
mod reconciliation;
mod sagas;
mod saved_methods;
mod target;
mod tasks;
mod webhook_delivery;
mod webhook_endpoints;
mod webhooks;

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use chrono::{DateTime, Utc};

pub use self::builder::EngineBuilder;
use self::builder::Ports;
pub use self::carts::{CartView, NewItem, Offers, OpenedCart};
pub use self::catalog::{CategoryInput, ImportRow, Imported, ProductInput};
pub use self::customers::SavedCustomer;
pub use self::error::{EngineError, Field, ItemPart, Resource};
pub use self::feed::{EventTypes, FeedEvent, FeedItem, FeedPage};
pub use self::inbox::Received;
pub use self::openings::StartedPayment;
pub use self::orders::{HistoryItem, ReturnInput};
pub use self::payments::{PaymentEvidence, PaymentFilter, PaymentView};
pub use self::placing::{CheckoutRequest, ItemRequest, PlaceOrderRequest, PriceChanged};
pub use self::promotions::{Basket, CodeCheck};
pub use self::reachability::ProcessorOutage;
use self::reachability::Reachability;
pub use self::sagas::SagaView;
pub use self::saved_methods::StartedSetup;
pub use self::target::{Expected, Target, Versions};
pub use self::tasks::{TaskOutcome, TaskRun};
pub use self::webhook_delivery::{Delivered, DeliveryStop, FailedAttempts};
pub use self::webhook_endpoints::WebhookEndpointPatch;
use crate::actor::Actor;
use crate::catalog::{Category, Product};
use crate::commit::{Commit, IdempotencyKey, IdempotencyRecord, RecordedReply, Refusal, Subject};
use crate::customer::Customer;
use crate::document::ClaimKind;
use crate::event::Recorded;
use crate::ids::{EventId, IdError, OperationId, RefundId, UserId};
use crate::inbox::InboxEvent;
use crate::order::{Context, Order, OrderEvent, Phase, fold};
use crate::payment::{EventCursor, Payment, SavedMethod};
use crate::permission::Permission;
use crate::port::{CommitError, News, PromotionUse, PromotionWithUsage};
use crate::settings::Settings;
use crate::stock::StockLevel;
use crate::trace::TraceParent;
use crate::webhook::WebhookEndpoint;

/// How often a use case that loses a race decides again.
const MAX_RETRIES: u32 = 15;

/// The use cases of a shop over its ports. Clones share their state.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
///
/// use commerce_core::engine::ImportRow;
/// use commerce_core::prelude::*;
/// use commerce_testkit::MemoryStore;
///
/// let (settings, store) = (Settings::new(Currency::EUR), Arc::new(MemoryStore::new()));
/// let engine = Engine::builder(settings, store, Arc::new(SandboxProcessor::in_memory())).build();
///
/// let admin = Actor::user(Role::Admin, "root".parse()?);
/// let mug = ProductInput::new("Mug".parse()?, vec![Variant::new("MUG".parse()?, "9.99 EUR".parse()?)]);
/// engine.import(&admin, &[ImportRow { id: "mug".parse()?, product: mug, on_hand: vec![10] }]).await?;
///
/// let ann = Actor::user(Role::Customer, "ann".parse()?);
/// let address = Address::new("1 Quay".parse()?, "Hull".parse()?, "HU1 1AA".parse()?, "GB".parse()?);
/// let items = vec![ItemRequest::sku("MUG".parse()?, Quantity::new(2)?)];
/// let order = engine.place_order(&ann, &PlaceOrderRequest::new(items, OrderDetails::new(address)), None).await?;
/// assert_eq!(order.into_fresh().unwrap().payment.amount.to_string(), "19.98 EUR");
/// assert_eq!(engine.stock(&admin, &"MUG".parse()?).await?.available(), 8);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Engine {
    ports: Ports,
    settings: Arc<Settings>,
    reachability: Arc<Reachability>,
}

/// The idempotency key of a request, with the means to record its answer.
#[expect(missing_docs, reason = "the names say it")]
pub struct Idempotency<'a, T> {
    pub key: IdempotencyKey,
    /// A digest of the request. It distinguishes a retry from a reused key.
    pub fingerprint: String,
    /// Serializes the answer. Not called for an order.
    pub reply: &'a (dyn Fn(&T) -> String + Send + Sync),
}

impl<T> fmt::Debug for Idempotency<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Idempotency").field("scope", &self.key.scope).finish_non_exhaustive()
    }
}

/// The idempotency key of a request, if it has one.
pub type Key<'a, T> = Option<&'a Idempotency<'a, T>>;

/// The result of a use case.
pub type Result<T, E = EngineError> = core::result::Result<T, E>;

/// The result of a use case that can be retried with an idempotency key.
pub type Answer<T> = Result<Reply<T>>;

type Decided<T> = Result<Decision<T>>;

/// The answer to a request with an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply<T> {
    /// The request took effect now.
    Fresh(T),
    /// The request took effect before, with this outcome.
    Again(T),
    /// The request took effect before. This is the stored answer.
    Replayed(String),
}

/// The outcome of a request that may be repeated.
///
/// If it is an order, its version is stored in place of the answer. Other outcomes contain what does not follow from a version,
/// such as a price of the day.
pub trait Repeatable: Sized {
    /// The order.
    fn as_order(&self) -> Option<&Order> {
        None
    }

    /// The outcome that is an order.
    fn from_order(_order: Order) -> Option<Self> {
        None
    }
}

impl Repeatable for Order {
    fn as_order(&self) -> Option<&Order> {
        Some(self)
    }

    fn from_order(order: Order) -> Option<Self> {
        Some(order)
    }
}

macro_rules! repeatable {
    ($($outcome:ty),*) => { $(impl Repeatable for $outcome {})* };
}
repeatable!(
    CartView,
    OpenedCart,
    Category,
    Customer,
    Imported,
    PaymentView,
    Product,
    PromotionWithUsage,
    SavedCustomer,
    StartedPayment,
    WebhookEndpoint
);
repeatable!(
    StockLevel,
    Payment,
    SavedMethod,
    StartedSetup,
    (Payment, OperationId),
    EventCursor,
    InboxEvent,
    Received,
    bool,
    ()
);

impl<T> Reply<T> {
    /// The outcome, if the request took effect now.
    pub fn into_fresh(self) -> Option<T> {
        match self {
            Self::Fresh(outcome) => Some(outcome),
            Self::Again(_) | Self::Replayed(_) => None,
        }
    }
}

/// A decided commit, and the outcome to return after it.
struct Decision<T> {
    commit: Commit,
    outcome: T,
}

impl Engine {
    /// The settings of the shop.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Checks that the store answers and can be written.
    ///
    /// # Errors
    /// [`EngineError::Store`] if it does not.
    pub async fn health(&self) -> Result<()> {
        Ok(self.ports.store.check().await?)
    }

    /// The stored answer to a request, if it has a key and took effect.
    ///
    /// # Errors
    /// [`EngineError::IdempotencyKeyReused`] if the key was used for another request, [`EngineError::Store`].
    pub async fn answered<T: Repeatable>(&self, key: Key<'_, T>) -> Result<Option<Reply<T>>> {
        let Some(asked) = key else { return Ok(None) };
        match self.ports.store.idempotency_record(&asked.key).await? {
            Some(record) => self.replay(key, record).await.map(Some),
            None => Ok(None),
        }
    }

    /// The answer that a record stands for.
    async fn replay<T: Repeatable>(&self, asked: Key<'_, T>, record: IdempotencyRecord) -> Answer<T> {
        if asked.is_none_or(|asked| asked.fingerprint != record.fingerprint) {
            return Err(EngineError::IdempotencyKeyReused);
        }
        match record.reply {
            RecordedReply::Text(text) => Ok(Reply::Replayed(text)),
            RecordedReply::Order(id, version) => {
                let history = self.ports.store.order_history(id).await?;
                let order = fold(history.iter().take_while(|entry| entry.sequence <= version))?;
                T::from_order(order).map(Reply::Again).ok_or(EngineError::IdempotencyKeyReused)
            }
        }
    }

    /// The time of the engine's clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.ports.clock.now()
    }

    /// A fresh text id.
    #[expect(clippy::expect_used, reason = "a UUID is short and printable")]
    fn fresh_name<N: FromStr<Err = IdError>>(&self) -> N {
        self.ports.ids.next().to_string().parse().expect("a UUID is a name")
    }

    fn commit_by(&self, actor: &Actor, at: DateTime<Utc>) -> Commit {
        Commit { trace: self.trace(), ..Commit::new(at, actor.clone(), self.ports.ids.next()) }
    }

    /// The span that the work at hand belongs to.
    fn trace(&self) -> Option<TraceParent> {
        self.ports.traces.as_ref().and_then(|traces| traces.current())
    }

    fn context(&self, actor: &Actor) -> Context {
        Context { actor: actor.clone(), at: self.now(), refund: RefundId::new(self.ports.ids.next()) }
    }

    /// Gives events their ids and their sequence after an order's last event.
    fn recorded(&self, context: &Context, version: u64, events: Vec<OrderEvent>) -> Vec<Recorded<OrderEvent>> {
        let sequences = (1..).map(|step| version.saturating_add(step));
        let record = |(event, sequence)| {
            let id = EventId::new(self.ports.ids.next());
            Recorded { id, sequence, at: context.at, actor: context.actor.clone(), trace: None, event }
        };
        events.into_iter().zip(sequences).map(record).collect()
    }

    /// A commit with the decided events of an existing order.
    fn commit_events(&self, context: &Context, before: Order, events: Vec<OrderEvent>) -> Decided<Order> {
        let mut commit = self.commit_by(&context.actor, context.at);
        if events.is_empty() {
            return Ok(Decision { commit, outcome: before });
        }
        let is_paid = |event: &OrderEvent| matches!(event, OrderEvent::Transitioned { phase: Phase::Paid, .. });
        let after = context.at.signed_duration_since(before.created_at);
        commit.news.extend(events.iter().any(is_paid).then_some(News::Paid { after }));
        let recorded = self.recorded(context, before.version, events);
        commit.record(before, recorded)?;
        Ok(decided_order(commit))
    }

    /// Decides and commits, and decides again after a lost race. `decide` gets the number of lost races.
    async fn decide_and_commit<T: Repeatable, F: Future<Output = Decided<T>>>(
        &self,
        key: Key<'_, T>,
        decide: impl Fn(u32) -> F,
    ) -> Answer<T> {
        let mut lost = 0;
        loop {
            let decided = decide(lost).await;
            if let Some(reply) = self.submit(&mut lost, key, decided).await? {
                return Ok(reply);
            }
        }
    }

    /// Commits a decision. `None`: the race was lost, decide again. `lost` counts lost races.
    async fn submit<T: Repeatable>(
        &self,
        lost: &mut u32,
        key: Key<'_, T>,
        decided: Decided<T>,
    ) -> Result<Option<Reply<T>>> {
        let Decision { mut commit, outcome } = match decided {
            Ok(decided) => decided,
            Err(error) => return self.answer_again(key, error).await.map(Some),
        };
        commit.idempotency = key.map(|key| key.record(&outcome, commit.at));
        if commit.is_empty() {
            return Ok(Some(Reply::Fresh(outcome)));
        }
        let news = self.ports.observer.as_ref().map(|_| commit.all_news()).unwrap_or_default();
        match self.ports.store.commit(commit).await {
            Ok(()) => {
                self.tell(&news);
                Ok(Some(Reply::Fresh(outcome)))
            }
            Err(CommitError::Refused(Refusal::DuplicateKey(record))) => self.replay(key, *record).await.map(Some),
            Err(CommitError::Refused(refusal)) if is_lost_race(&refusal) && *lost < MAX_RETRIES => {
                *lost = lost.saturating_add(1);
                self.tell(&[News::LostRace { subject: subject_of(&refusal) }]);
                Ok(None)
            }
            Err(CommitError::Refused(refusal)) => self.answer_again(key, refusal.into()).await.map(Some),
            Err(CommitError::Failed(error)) => Err(error.into()),
        }
    }

    fn tell(&self, news: &[News]) {
        let Some(observer) = &self.ports.observer else { return };
        for news in news {
            observer.note(news);
        }
    }

    fn tell_refusal(&self, error: &EngineError) {
        if let EngineError::Stock(refusal) = error {
            self.tell(&[News::StockRefused { reason: refusal.code() }]);
        }
        if let EngineError::Refused(Refusal::PromotionExhausted(_)) = error {
            self.tell(&[News::Promotion(PromotionUse::Exhausted)]);
        }
    }

    /// The stored answer, if there is one; otherwise the error.
    async fn answer_again<T: Repeatable>(&self, key: Key<'_, T>, error: EngineError) -> Answer<T> {
        let answer = self.answered(key).await?;
        if answer.is_none() {
            self.tell_refusal(&error);
        }
        answer.ok_or(error)
    }
}

impl<T: Repeatable> Idempotency<'_, T> {
    fn record(&self, outcome: &T, at: DateTime<Utc>) -> IdempotencyRecord {
        IdempotencyRecord {
            key: self.key.clone(),
            fingerprint: self.fingerprint.clone(),
            reply: match outcome.as_order() {
                Some(order) => RecordedReply::Order(order.id, order.version),
                None => RecordedReply::Text((self.reply)(outcome)),
            },
            at,
        }
    }
}

/// Whether deciding again may succeed. A SKU stays with its product; an order number is drawn again.
const fn is_lost_race(refusal: &Refusal) -> bool {
    match refusal {
        Refusal::VersionConflict { .. } => true,
        Refusal::Claimed { claim, .. } => !matches!(claim.kind, ClaimKind::Sku),
        Refusal::DuplicateKey(_) | Refusal::Limit(_) | Refusal::PromotionExhausted(_) | Refusal::Stock(_) => false,
    }
}

/// What another commit changed first, for the metrics.
const fn subject_of(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::VersionConflict { subject: Subject::Order(_), .. } => "order",
        Refusal::VersionConflict { subject: Subject::Document(id), .. } => id.kind.name(),
        Refusal::Claimed { .. } => "claim",
        Refusal::DuplicateKey(_) | Refusal::Limit(_) | Refusal::PromotionExhausted(_) | Refusal::Stock(_) => "other",
    }
}

/// A decision whose outcome is the order of the commit.
fn decided_order(commit: Commit) -> Decision<Order> {
    #[expect(clippy::expect_used, reason = "the caller has just recorded the events of an order")]
    let outcome = commit.orders.first().expect("the commit has an order").order().clone();
    Decision { commit, outcome }
}

impl Actor {
    /// Checks a permission.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`].
    pub fn require(&self, permission: Permission) -> Result<()> {
        if self.role.may(permission) { Ok(()) } else { Err(EngineError::Forbidden { role: self.role }) }
    }

    fn user_id(&self) -> Result<&UserId> {
        self.user.as_ref().ok_or(EngineError::Forbidden { role: self.role })
    }
}
