//! Commit atomically: what a use case decided, as one value.
//!
//! A [`Commit`] is everything that must become true together: events with the version they were decided on, guarded moves
//! of stock, documents, the idempotency record of a request, and the tasks that must happen later. A store applies all of
//! it or none of it, and says precisely which guard refused ([`Refusal`]).
//!
//! Whether the guards hold is decided here, by [`settle`], for a whole batch of commits at once. A store loads the
//! [`LoadedState`] that the batch names ([`ReadSet`]), calls it, and writes down the outcome; it decides nothing itself.

mod claims;
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
pub use self::settle::{Accepted, LoadedState, ReadSet, settle};
use crate::actor::Actor;
use crate::document::{Aggregate, Claim, ClaimKind, DocumentChange, DocumentId};
use crate::event::Recorded;
use crate::ids::{OrderId, PromotionId};
use crate::order::{CorruptHistory, Order, OrderEvent, evolve, side_effects};
use crate::promotion::{Limits, PromotionExhausted, RedemptionEffect, RedemptionMove};
use crate::stock::{StockMove, StockRefusal};
use crate::task::TaskChange;

/// Everything that must become true together. It changes each order and each document at most once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// When it was decided. Reservations that ended by then do not count.
    pub at: DateTime<Utc>,
    /// Who caused it.
    pub actor: Actor,
    /// A fresh UUID, from which the ids of events are derived that only settling can know (stock running low).
    pub seed: Uuid,
    /// The answer to remember, if the request can be retried.
    pub idempotency: Option<IdempotencyRecord>,
    /// Orders that are placed or changed.
    pub orders: Vec<OrderChange>,
    /// Documents that are created or changed; see [`Commit::change`].
    pub documents: Vec<DocumentChange>,
    /// Guarded moves of stock, made in this order.
    pub stock: Vec<StockMove>,
    /// Guarded uses of promotions, made in this order.
    pub redemptions: Vec<RedemptionMove>,
    /// Changes to the list of tasks.
    pub tasks: Vec<TaskChange>,
}

/// New events of one order, with the state they lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderChange {
    expected: u64,
    events: Vec<Recorded<OrderEvent>>,
    order: Order,
    taken: Option<Claim>,
}

/// Names a request that may be sent again: a key of the caller's choice, within the caller and the route.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey {
    /// Who and what for.
    pub scope: String,
    /// The key the caller chose.
    pub key: String,
}

/// The answer to a request, kept in the transaction of its effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// Which request.
    pub key: IdempotencyKey,
    /// A digest of what was asked, to tell a retry from a reused key.
    pub fingerprint: String,
    /// The answer, as the host wrote it.
    pub reply: String,
    /// When it was given.
    pub at: DateTime<Utc>,
}

/// What a version belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An order.
    Order(OrderId),
    /// A document.
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

/// Which guard refused a commit. Nothing of the commit has happened then, and its neighbours are not touched.
///
/// Where several would refuse, the first in this order is given.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The request was answered before; here is the answer.
    #[error("the request was answered before")]
    DuplicateKey(Box<IdempotencyRecord>),
    /// Somebody else was quicker: decide again on the present state.
    #[error("{subject} is at version {actual}, not {expected}")]
    VersionConflict {
        /// What.
        subject: Subject,
        /// The version it was decided on.
        expected: u64,
        /// The version it has; 0 if it does not exist.
        actual: u64,
    },
    /// Another document or order holds a key that the commit claims.
    #[error("{claim} is held by {owner}")]
    Claimed {
        /// The key.
        claim: Claim,
        /// The id of the document or order that holds it.
        owner: String,
    },
    /// A promotion is used up.
    #[error(transparent)]
    PromotionExhausted(#[from] PromotionExhausted),
    /// The stock does not allow it.
    #[error(transparent)]
    Stock(#[from] StockRefusal),
}

impl Commit {
    /// A commit with nothing in it yet.
    pub const fn new(at: DateTime<Utc>, actor: Actor, seed: Uuid) -> Self {
        Self {
            at,
            actor,
            seed,
            idempotency: None,
            orders: Vec::new(),
            documents: Vec::new(),
            stock: Vec::new(),
            redemptions: Vec::new(),
            tasks: Vec::new(),
        }
    }

    /// Whether there is nothing to do.
    pub const fn is_empty(&self) -> bool {
        self.idempotency.is_none()
            && self.orders.is_empty()
            && self.documents.is_empty()
            && self.stock.is_empty()
            && self.redemptions.is_empty()
            && self.tasks.is_empty()
    }

    /// Adds the next value of a document, with its event. `before` is the value that was read, and is absent for a new one.
    pub fn change<T: Aggregate>(&mut self, before: Option<&T>, after: T) {
        let event_id = |id: &DocumentId, sequence| derive_event_id(self.seed, &id.id, sequence);
        let change = DocumentChange::new(before, after, (self.at, self.actor.clone()), event_id);
        self.documents.push(change);
    }

    /// Adds the events that place a new order, with the stock, the uses of promotions and the tasks that move with them.
    ///
    /// `limits` has the limits of every promotion that was considered: they must still hold when the commit is settled.
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

    /// Adds new events of an order that exists, with the stock, the uses of promotions and the tasks that move with them.
    ///
    /// # Errors
    /// [`RecordError`] if the events do not continue the order.
    pub fn record(&mut self, before: Order, events: Vec<Recorded<OrderEvent>>) -> Result<(), RecordError> {
        self.follow(Some(before), events, &BTreeMap::new())
    }

    fn follow(
        &mut self,
        before: Option<Order>,
        events: Vec<Recorded<OrderEvent>>,
        limits: &BTreeMap<PromotionId, Limits>,
    ) -> Result<(), RecordError> {
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

/// Why events cannot be part of a commit.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The events do not continue the order.
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
    /// The version it was decided on; 0 for a new order.
    pub const fn expected(&self) -> u64 {
        self.expected
    }

    /// The new events.
    pub fn events(&self) -> &[Recorded<OrderEvent>] {
        &self.events
    }

    /// The order after them.
    pub const fn order(&self) -> &Order {
        &self.order
    }

    /// The claim that a new order begins to hold: its number.
    pub const fn taken(&self) -> Option<&Claim> {
        self.taken.as_ref()
    }
}
