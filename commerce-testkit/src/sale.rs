//! A sale: callers who buy, check out, pay and cancel, and who know what they were told.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a caller who was told something wrong panics")]

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use commerce_core::cart::Cart;
use commerce_core::commit::{Commit, Refusal};
use commerce_core::document::{Document, DocumentId, DocumentKind};
use commerce_core::ids::{CartId, OrderId};
use commerce_core::money::Money;
use commerce_core::order::Order;
use commerce_core::port::{CommitError, OrderRef, Store, StoreErrorKind};
use commerce_core::promotion::{Limits, Redemption, RedemptionMove};

use crate::commit_builder::{CURRENCY, order_of, parse};
use crate::{CommitBuilder, Random};

/// The SKUs that are sold. Every second order wants the first.
pub const SKUS: [&str; 3] = ["HOT", "MUG", "TEA"];

/// The promotion that some orders use.
pub const PROMOTION: &str = "few";

/// How often it may be used.
pub const USES: u64 = 400;

/// How long a commit is tried again while its outcome is not known.
const PATIENCE: Duration = Duration::from_secs(60);

/// The pause before it is tried again.
const PAUSE: Duration = Duration::from_millis(20);

/// What a caller was told of last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct News {
    /// The order or the cart.
    pub document: Sold,
    /// Its version.
    pub version: u64,
}

/// What is made in a sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sold {
    /// An order.
    Order(OrderId),
    /// An ordered cart.
    Cart(CartId),
}

/// A caller of one process, who does one thing after the other.
#[derive(Debug)]
pub struct Caller {
    store: Arc<dyn Store>,
    shop: Arc<CommitBuilder>,
    random: Random,
    /// The last version of each order.
    told: BTreeMap<OrderId, Order>,
    carts: Vec<Cart>,
    news: Vec<News>,
    answers: Answers,
}

/// How many commits were answered how.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answers {
    /// Commits that were accepted.
    pub accepted: u64,
    /// Commits that were refused.
    pub refused: u64,
    /// Calls that failed, after each of which the commit was tried again.
    pub failed: u64,
    /// Orders that used the promotion.
    pub redeemed: u64,
}

impl Answers {
    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            accepted: self.accepted + other.accepted,
            refused: self.refused + other.refused,
            failed: self.failed + other.failed,
            redeemed: self.redeemed + other.redeemed,
        }
    }
}

impl Caller {
    /// A caller of a process, whose random numbers begin at `seed`.
    pub fn new(store: Arc<dyn Store>, shop: Arc<CommitBuilder>, seed: u64) -> Self {
        let random = Random::new(seed);
        Self {
            store,
            shop,
            random,
            told: BTreeMap::new(),
            carts: Vec::new(),
            news: Vec::new(),
            answers: Answers::default(),
        }
    }

    /// How the commits were answered until now.
    pub const fn answers(&self) -> Answers {
        self.answers
    }

    /// What the caller was told since this was called last.
    pub fn news(&mut self) -> Vec<News> {
        mem::take(&mut self.news)
    }

    /// Does one thing.
    pub async fn act(&mut self) {
        match self.random.below(10) {
            0..4 => self.buy("HOT", false).await,
            4 => self.buy("HOT", true).await,
            5..7 => self.check_out().await,
            7 => self.change(|shop, order| shop.cancel(order, shop.at(2))).await,
            8 => self.change(|shop, order| shop.pay(order, shop.at(2))).await,
            _ => self.lease().await,
        }
    }

    /// Commits; again, as a client with an idempotency key does, while the outcome is not known.
    async fn commit(&mut self, commit: Commit) -> bool {
        let begun = Instant::now();
        loop {
            match self.store.commit(commit.clone()).await {
                Ok(()) => {
                    self.answers.accepted += 1;
                    return true;
                }
                Err(CommitError::Refused(Refusal::DuplicateKey(_))) => return true,
                Err(CommitError::Refused(_)) => {
                    self.answers.refused += 1;
                    return false;
                }
                Err(CommitError::Failed(error)) => {
                    self.answers.failed += 1;
                    assert_ne!(error.kind, StoreErrorKind::Corrupt, "{error}");
                    assert!(begun.elapsed() < PATIENCE, "a commit fails again and again: {error}");
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn note(&mut self, order: Order) {
        self.news.push(News { document: Sold::Order(order.id), version: order.version });
        self.told.insert(order.id, order);
    }

    /// An order with an idempotency key, perhaps with a use of a promotion that has few.
    async fn buy(&mut self, sku: &str, promotion: bool) {
        let mut commit = self.shop.order(&[(sku, 1)]);
        let order = order_of(&commit).clone();
        commit.idempotency = Some(self.shop.idempotency_record(&order.id.to_string(), "request", "{}", commit.at));
        if promotion {
            let (user, amount) = (order.user_id.clone(), Money::new(100, CURRENCY));
            let promotion = parse(PROMOTION);
            let (order, at, released_at) = (order.id, commit.at, None);
            let redemption = Redemption { promotion, order, user, amount, at, released_at };
            let limits = Limits { max_uses: Some(USES), ..Limits::default() };
            commit.redemptions.push(RedemptionMove::Redeem(redemption, limits));
        }
        if self.commit(commit).await {
            self.answers.redeemed += u64::from(promotion);
            self.note(order);
        }
    }

    /// A cart, and its order in a second commit.
    async fn check_out(&mut self) {
        let user = format!("user-{}", self.random.below(1 << 40));
        let cart = self.shop.cart(parse(&user), self.shop.at(1));
        let mut created = self.shop.create(&cart);
        created.idempotency = Some(self.shop.idempotency_record(&user, "cart", "{}", created.at));
        assert!(self.commit(created).await, "the cart is new");
        let mut commit = self.shop.order(&[("MUG", 1), ("TEA", 2)]);
        let order = order_of(&commit).clone();
        let after = self.shop.checked_out(&cart, order.id, commit.at);
        commit.change(Some(&cart), after.clone());
        commit.idempotency = Some(self.shop.idempotency_record(&order.id.to_string(), "request", "{}", commit.at));
        assert!(self.commit(commit).await, "nobody else knows the cart");
        self.news.push(News { document: Sold::Cart(after.id), version: after.version });
        self.carts.push(after);
        self.note(order);
    }

    /// Takes a pending order of the own ones one step further.
    async fn change(&mut self, step: impl Fn(&CommitBuilder, &Order) -> Commit) {
        let pending = self.told.values().find(|order| order.status.as_str() == "pending").cloned();
        let Some(order) = pending else { return };
        let mut commit = step(&self.shop, &order);
        let after = order_of(&commit).clone();
        let key = format!("{}-{}", order.id, after.version);
        commit.idempotency = Some(self.shop.idempotency_record(&key, "change", "{}", commit.at));
        assert!(self.commit(commit).await, "nobody else changes the order");
        self.note(after);
    }

    async fn lease(&mut self) {
        let (due, until) = (self.shop.at(5000), self.shop.at(5000 + i64::try_from(self.random.below(9)).unwrap()));
        match self.store.lease_tasks(due, until, 5).await {
            Ok(_) => self.answers.accepted += 1,
            Err(_) => self.answers.failed += 1,
        }
    }

    /// Whether a store has all that the caller was told.
    pub async fn find_all(&self, store: &dyn Store) {
        for order in self.told.values() {
            let found = store.order(&OrderRef::Id(order.id)).await.unwrap();
            assert_eq!(found.as_ref(), Some(order));
        }
        for cart in &self.carts {
            let found = store.document(&DocumentId::new(DocumentKind::Cart, &cart.id)).await.unwrap();
            assert_eq!(found, Some(Document::from(cart.clone())));
        }
    }
}
