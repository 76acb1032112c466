//! Commit atomically: what a use case decided, as one value.
//!
//! A [`Commit`] is everything that must become true together: events with the version they were decided on, guarded moves
//! of stock, documents, the idempotency record of a request, and the tasks that must happen later. A store applies all of
//! it or none of it, and says precisely which guard refused ([`Refusal`]).
//!
//! Whether the guards hold is decided here, by [`settle`], for a whole batch of commits at once. A store loads the
//! [`LoadedState`] that the batch names ([`ReadSet`]), calls it, and writes down the outcome; it decides nothing itself.

mod settle;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};
use thiserror::Error;
use uuid::Uuid;

pub use self::settle::{Accepted, LoadedState, ReadSet, settle};
use crate::actor::Actor;
use crate::cart::Cart;
use crate::catalog::{Category, Product};
use crate::event::Recorded;
use crate::ids::{CartId, OrderId, OrderNumber, ProductId, PromotionId, Sku};
use crate::order::{CorruptHistory, Order, OrderEvent, evolve, side_effects};
use crate::promotion::{Promotion, PromotionExhausted, PromotionRecord, RedemptionAction, RedemptionMove};
use crate::stock::{StockMove, StockRefusal};
use crate::task::TaskChange;

/// Everything that must become true together. It changes each order, cart and product at most once.
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
    /// Carts that are opened or changed.
    pub carts: Vec<CartChange>,
    /// Products that are made or changed.
    pub products: Vec<ProductChange>,
    /// Categories that are made or renamed.
    pub categories: Vec<Category>,
    /// Promotions that are made, changed or ended.
    pub promotions: Vec<PromotionChange>,
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
}

/// A cart as it shall be, and the version it was decided on; 0 for a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartChange {
    /// The version the store must have.
    pub expected: u64,
    /// The cart, at its next version.
    pub cart: Cart,
}

/// A product as it shall be, and the version it was decided on; 0 for a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductChange {
    /// The version the store must have.
    pub expected: u64,
    /// The product, at its next version.
    pub product: Product,
}

/// A promotion as it shall be kept, and the version it was decided on; 0 for a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromotionChange {
    /// The version the store must have.
    pub expected: u64,
    /// The promotion, at its next version.
    pub record: PromotionRecord,
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
    /// A cart.
    Cart(CartId),
    /// A product.
    Product(ProductId),
    /// A promotion.
    Promotion(PromotionId),
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
    #[error("{subject:?} is at version {actual}, not {expected}")]
    VersionConflict {
        /// What.
        subject: Subject,
        /// The version it was decided on.
        expected: u64,
        /// The version it has; 0 if it does not exist.
        actual: u64,
    },
    /// Another order has the number: draw another.
    #[error("order number {0} is taken")]
    NumberTaken(OrderNumber),
    /// The customer has an active cart already.
    #[error("the customer has the active cart {0}")]
    ActiveCartExists(CartId),
    /// Another product sells the sku.
    #[error("sku {sku} belongs to product {product}")]
    SkuTaken {
        /// Which sku.
        sku: Sku,
        /// Whose it is.
        product: ProductId,
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
            carts: Vec::new(),
            products: Vec::new(),
            categories: Vec::new(),
            promotions: Vec::new(),
            stock: Vec::new(),
            redemptions: Vec::new(),
            tasks: Vec::new(),
        }
    }

    /// Whether there is nothing to do.
    pub const fn is_empty(&self) -> bool {
        self.idempotency.is_none()
            && self.orders.is_empty()
            && self.carts.is_empty()
            && self.products.is_empty()
            && self.categories.is_empty()
            && self.promotions.is_empty()
            && self.stock.is_empty()
            && self.redemptions.is_empty()
            && self.tasks.is_empty()
    }

    /// Puts the limits of promotions on their uses in this commit: they must still hold when it is settled.
    pub fn limit_redemptions(&mut self, promotions: &[Promotion]) {
        for RedemptionMove { redemption, action } in &mut self.redemptions {
            let known = promotions.iter().find(|promotion| *promotion.id() == redemption.promotion);
            if let (RedemptionAction::Redeem(limits), Some(promotion)) = (action, known) {
                *limits = promotion.definition().limits;
            }
        }
    }

    /// Adds new events of an order together with their side effects: the stock and the tasks that move with them. Gives the
    /// order after them.
    ///
    /// # Errors
    /// [`CorruptHistory`] if the events do not continue the order.
    pub fn record(
        &mut self,
        before: Option<Order>,
        events: Vec<Recorded<OrderEvent>>,
    ) -> Result<Order, CorruptHistory> {
        let expected = before.as_ref().map_or(0, |order| order.version);
        let mut order = before;
        for entry in &events {
            let after = evolve(order, entry)?;
            let mut follow = side_effects(&after, entry);
            self.stock.append(&mut follow.stock);
            self.tasks.append(&mut follow.tasks);
            self.redemptions.append(&mut follow.redemptions);
            order = Some(after);
        }
        let order = order.ok_or(CorruptHistory::NoBeginning)?;
        self.orders.push(OrderChange { expected, events, order: order.clone() });
        Ok(order)
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
}
