//! A process on each node of a Galera cluster, all of which write.

#![cfg(feature = "mysql")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "other tests use more of it")]
#[path = "support/audit.rs"]
mod audit;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use commerce_core::cart::Cart;
use commerce_core::commit::{Commit, Refusal};
use commerce_core::document::{Document, DocumentId, DocumentKind};
use commerce_core::ids::OrderId;
use commerce_core::money::Money;
use commerce_core::order::Order;
use commerce_core::port::{CommitError, OrderRef, Store, StoreErrorKind};
use commerce_core::promotion::{Limits, Redemption, RedemptionMove};
use commerce_diesel::DatabaseOptions;
use commerce_diesel::mysql::MysqlStore;
use commerce_testkit::commit_builder::{CURRENCY, order_of, parse};
use commerce_testkit::{CommitBuilder, Random};
use test_servers::{Galera, required};

const NODES: usize = 3;
/// Callers of each process.
const CALLERS: u64 = 16;
const SALE: Duration = Duration::from_secs(12);
/// Units of the hot SKU, which are not sold out: every order writes its level.
const UNITS: i64 = 1_000_000;
const USES: u64 = 400;

/// A caller of one process, who does one thing after the other.
struct Caller {
    store: MysqlStore,
    shop: Arc<CommitBuilder>,
    random: Random,
    /// What the caller was told: the versions of orders.
    told: BTreeMap<OrderId, Order>,
    carts: Vec<Cart>,
    answers: Answers,
}

/// How many commits were answered how.
#[derive(Clone, Copy, Debug, Default)]
struct Answers {
    accepted: u64,
    refused: u64,
    failed: u64,
    redeemed: u64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_sells_and_every_commit_is_whole() {
    let cluster = required(Galera::start(NODES));
    cluster.nodes()[0].create_database("shop").unwrap();
    let options = DatabaseOptions { readers: 4, ..DatabaseOptions::default() };
    let opening: Vec<_> = (cluster.nodes().iter())
        .map(|node| node.url("shop"))
        .map(|url| tokio::spawn(async move { MysqlStore::open(&url, options).await.unwrap() }))
        .collect();
    let mut stores = Vec::new();
    for opened in opening {
        stores.push(opened.await.unwrap());
    }
    let shop = Arc::new(CommitBuilder::new(1));
    stores[0].commit(shop.stocked(&[("HOT", UNITS), ("MUG", UNITS), ("TEA", UNITS)])).await.unwrap();
    let start = Instant::now();
    let callers: Vec<_> = (0..CALLERS * u64::try_from(NODES).unwrap())
        .zip(stores.iter().cycle())
        .map(|(number, store)| Caller {
            store: store.clone(),
            shop: Arc::clone(&shop),
            random: Random::new(number),
            told: BTreeMap::new(),
            carts: Vec::new(),
            answers: Answers::default(),
        })
        .map(|mut caller| {
            tokio::spawn(async move {
                while start.elapsed() < SALE {
                    caller.act().await;
                }
                caller
            })
        })
        .collect();
    let mut told = Vec::new();
    for caller in callers {
        told.push(caller.await.unwrap());
    }
    let total = told.iter().fold(Answers::default(), |sum, caller| sum.plus(caller.answers));
    eprintln!("{total:?} in {:?}", start.elapsed());
    tokio::time::sleep(Duration::from_secs(2)).await; // the other nodes apply what is committed
    for store in &stores {
        audit::sound(store, shop.at(9)).await;
        for caller in &told {
            caller.find_all(store).await;
        }
    }
    assert!(total.accepted > 200, "{total:?}");
    assert!(total.failed * 100 <= total.accepted, "{total:?}");
    assert!(total.redeemed <= USES, "{total:?}");
}

impl Answers {
    const fn plus(self, other: Self) -> Self {
        Self {
            accepted: self.accepted + other.accepted,
            refused: self.refused + other.refused,
            failed: self.failed + other.failed,
            redeemed: self.redeemed + other.redeemed,
        }
    }
}

impl Caller {
    async fn act(&mut self) {
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
        for _ in 0..20 {
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
                }
            }
        }
        panic!("a commit fails again and again");
    }

    /// An order with an idempotency key, perhaps with a use of a promotion that has few.
    async fn buy(&mut self, sku: &str, promotion: bool) {
        let mut commit = self.shop.order(&[(sku, 1)]);
        let order = order_of(&commit).clone();
        commit.idempotency = Some(self.shop.idempotency_record(&order.id.to_string(), "request", "{}", commit.at));
        if promotion {
            let (user, amount) = (order.user_id.clone(), Money::new(100, CURRENCY));
            let promotion = parse("few");
            let (order, at, released_at) = (order.id, commit.at, None);
            let redemption = Redemption { promotion, order, user, amount, at, released_at };
            let limits = Limits { max_uses: Some(USES), ..Limits::default() };
            commit.redemptions.push(RedemptionMove::Redeem(redemption, limits));
        }
        if self.commit(commit).await {
            self.answers.redeemed += u64::from(promotion);
            self.told.insert(order.id, order);
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
        self.carts.push(after);
        self.told.insert(order.id, order);
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
        self.told.insert(after.id, after);
    }

    async fn lease(&mut self) {
        let (due, until) = (self.shop.at(5000), self.shop.at(5000 + i64::try_from(self.random.below(9)).unwrap()));
        match self.store.lease_tasks(due, until, 5).await {
            Ok(_) => self.answers.accepted += 1,
            Err(_) => self.answers.failed += 1,
        }
    }

    /// Whether a store has all that the caller was told.
    async fn find_all(&self, store: &MysqlStore) {
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
