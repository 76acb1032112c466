//! Commits: all changes of one use case, with their guards.
//!
//! A [`Commit`] contains events with the version they were decided on, guarded moves of stock, documents, the
//! idempotency record of a request, and tasks. A store applies all of it or nothing, and returns the guard that failed
//! ([`Refusal`]).
//!
//! [`settle`] checks the guards, for a whole batch of commits at once. A store loads the [`LoadedState`] that the batch
//! names ([`ReadSet`]), calls `settle`, and writes the outcome. It decides nothing itself.

mod claims;
mod news;
mod settle;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use chrono::{DateTime, Utc};
use thiserror::Error;
use uuid::Uuid;

pub use self::claims::{ClaimChange, Claims};
use self::settle::derive_event_id;
pub use self::settle::{Accepted, LoadedState, ReadSet, UsesNeeded, settle};
use crate::actor::Actor;
use crate::document::{Aggregate, Claim, ClaimKind, DocumentChange, DocumentId, Versioned, task_changes};
use crate::event::Recorded;
use crate::ids::{OrderId, PromotionId};
use crate::order::{CorruptHistory, LimitReached, Order, OrderEvent, UnpaidGuard, evolve, side_effects};
use crate::port::News;
use crate::promotion::{Limits, PromotionExhausted, RedemptionEffect, RedemptionMove};
use crate::stock::{StockMove, StockRefusal};
use crate::task::TaskChange;
use crate::trace::TraceParent;

/// All changes of one use case, with their guards. It changes each order and each document at most once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Commit {
    /// The time of the decision. Reservations that have expired by it do not count.
    pub at: DateTime<Utc>,
    pub actor: Actor,
    /// The span that the commit belongs to, recorded with its events. No guard looks at it.
    pub trace: Option<TraceParent>,
    /// A fresh UUID. The ids of the stock events that settling adds are derived from it.
    pub seed: Uuid,
    /// The answer to record, if the request has an idempotency key.
    pub idempotency: Option<IdempotencyRecord>,
    /// Placed or changed orders.
    pub orders: Vec<OrderChange>,
    /// Limits the unpaid orders of the customers of the placed orders.
    pub unpaid: Option<UnpaidGuard>,
    /// Created or changed documents; see [`Commit::change`].
    pub documents: Vec<DocumentChange>,
    /// Applied in this order.
    pub stock: Vec<StockMove>,
    /// Applied in this order.
    pub redemptions: Vec<RedemptionMove>,
    /// What the events of the orders and documents cause; see [`replay`](crate::replay).
    pub tasks: Vec<TaskChange>,
    /// What an observer is told once it is committed. Stores ignore it.
    pub news: Vec<News>,
}

/// New events of one order, with the resulting state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderChange {
    expected: u64,
    events: Vec<Recorded<OrderEvent>>,
    order: Order,
    taken: Option<Claim>,
}

/// A key for a request that may be repeated, unique within the caller and the route.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey {
    /// The caller and the route.
    pub scope: String,
    /// The key that the caller chose.
    pub key: String,
}

/// The answer to a request, committed together with its effect.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct IdempotencyRecord {
    pub key: IdempotencyKey,
    /// A digest of the request. It distinguishes a retry from a reused key.
    pub fingerprint: String,
    pub reply: RecordedReply,
    pub at: DateTime<Utc>,
}

/// What a repeated request is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordedReply {
    /// The answer, serialized by the host.
    Text(String),
    /// An order at a version, which never changes. The host serializes it again.
    Order(OrderId, u64),
}

/// What a version belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Subject {
    Order(OrderId),
    Document(DocumentId),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order(id) => write!(f, "order {id}"),
            Self::Document(id) => id.fmt(f),
        }
    }
}

/// The guard that refused a commit. A refused commit changes nothing and does not affect other commits of the batch.
///
/// If several guards fail, the first in this order is given.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Refusal {
    /// The request was answered before, with this answer.
    #[error("the request was answered before")]
    DuplicateKey(Box<IdempotencyRecord>),
    /// Another commit changed the subject first: decide again. `actual` is 0 if the subject does not exist.
    #[error("{subject} is at version {actual}, not {expected}")]
    VersionConflict { subject: Subject, expected: u64, actual: u64 },
    /// Another document or order, with the id `owner`, holds a claim of the commit.
    #[error("{claim} is held by {owner}")]
    Claimed { claim: Claim, owner: String },
    #[error(transparent)]
    Limit(#[from] LimitReached),
    #[error(transparent)]
    PromotionExhausted(#[from] PromotionExhausted),
    #[error(transparent)]
    Stock(#[from] StockRefusal),
}

impl Commit {
    /// An empty commit.
    pub const fn new(at: DateTime<Utc>, actor: Actor, seed: Uuid) -> Self {
        Self {
            at,
            actor,
            trace: None,
            seed,
            idempotency: None,
            orders: Vec::new(),
            unpaid: None,
            documents: Vec::new(),
            stock: Vec::new(),
            redemptions: Vec::new(),
            tasks: Vec::new(),
            news: Vec::new(),
        }
    }

    /// Whether it changes nothing.
    pub const fn is_empty(&self) -> bool {
        self.idempotency.is_none()
            && self.orders.is_empty()
            && self.documents.is_empty()
            && self.stock.is_empty()
            && self.redemptions.is_empty()
            && self.tasks.is_empty()
    }

    /// Whether it is refused if another commit has changed the order or the document since the decision.
    pub(crate) fn guards<T: Versioned>(&self, order: OrderId, document: &T) -> bool {
        let id = DocumentId { kind: T::KIND, id: document.key() };
        self.orders.iter().any(|change| change.order.id == order)
            && self.documents.iter().any(|change| *change.id() == id)
    }

    /// Adds the next value of a document, with its event and its task. `before` is the value that was read; `None` for a new
    /// document.
    pub fn change<T: Aggregate>(&mut self, before: Option<&T>, after: T) {
        let event_id = |id: &DocumentId, sequence| derive_event_id(self.seed, (id.kind.name(), &id.id), sequence);
        let change = DocumentChange::new(before, after, (self.at, self.actor.clone(), self.trace), event_id);
        self.tasks.extend(task_changes(change.id(), &change.event().event.change));
        self.documents.push(change);
    }

    /// Adds the events that place a new order, with their stock moves, uses of promotions and tasks.
    ///
    /// `limits` has the limits of every promotion that was considered. They are checked again when the commit is
    /// settled.
    ///
    /// # Errors
    /// [`RecordError`] if the events do not begin an order, or the limits of an applied promotion are missing.
    pub fn place(
        &mut self,
        events: Vec<Recorded<OrderEvent>>,
        limits: &BTreeMap<PromotionId, Limits>,
    ) -> Result<(), RecordError> {
        self.follow(None, events, limits)
    }

    /// Adds new events of an existing order, with their stock moves, uses of promotions and tasks.
    ///
    /// # Errors
    /// [`RecordError`] if the events do not continue the order.
    pub fn record(&mut self, before: Order, events: Vec<Recorded<OrderEvent>>) -> Result<(), RecordError> {
        self.follow(Some(before), events, &BTreeMap::new())
    }

    fn follow(
        &mut self,
        before: Option<Order>,
        mut events: Vec<Recorded<OrderEvent>>,
        limits: &BTreeMap<PromotionId, Limits>,
    ) -> Result<(), RecordError> {
        for entry in &mut events {
            entry.trace = self.trace;
        }
        let expected = before.as_ref().map_or(0, |order| order.version);
        let mut order = before;
        for entry in &events {
            let after = evolve(order, entry)?;
            let mut follow = side_effects(&after, entry);
            self.stock.append(&mut follow.stock);
            self.tasks.append(&mut follow.tasks);
            for effect in follow.redemptions {
                self.redemptions.push(guarded(effect, limits)?);
            }
            order = Some(after);
        }
        let order = order.ok_or(CorruptHistory::NoBeginning)?;
        let taken = (expected == 0).then(|| Claim::new(ClaimKind::OrderNumber, &order.number));
        self.orders.push(OrderChange { expected, events, order, taken });
        Ok(())
    }
}

/// Why events cannot be added to a commit.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say it")]
pub enum RecordError {
    #[error(transparent)]
    History(#[from] CorruptHistory),
    /// The order applies a promotion whose limits were not given.
    #[error("the limits of promotion {0} are not given")]
    LimitsMissing(PromotionId),
}

fn guarded(effect: RedemptionEffect, limits: &BTreeMap<PromotionId, Limits>) -> Result<RedemptionMove, RecordError> {
    match effect {
        RedemptionEffect::Released(redemption) => Ok(RedemptionMove::Release(redemption)),
        RedemptionEffect::Redeemed(redemption) => match limits.get(&redemption.promotion) {
            Some(limits) => Ok(RedemptionMove::Redeem(redemption, *limits)),
            None => Err(RecordError::LimitsMissing(redemption.promotion)),
        },
    }
}

impl OrderChange {
    /// The version of the decision; 0 for a new order.
    pub const fn expected(&self) -> u64 {
        self.expected
    }

    /// The new events.
    pub fn events(&self) -> &[Recorded<OrderEvent>] {
        &self.events
    }

    /// The order after the events.
    pub const fn order(&self) -> &Order {
        &self.order
    }

    /// A new order that is not paid.
    fn unpaid(&self) -> Option<&Order> {
        (self.expected == 0 && self.order.phase.is_unpaid()).then_some(&self.order)
    }

    /// The claim that a new order takes: its number.
    pub const fn taken(&self) -> Option<&Claim> {
        self.taken.as_ref()
    }
}
