//! What `PostgreSQL` is asked: how many statements, in how many transactions, and how much they read.

#![cfg(feature = "postgres")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use chrono::TimeDelta;
use commerce_core::actor::{Actor, Role};
use commerce_core::cart::CartChange;
use commerce_core::commit::{Commit, IdempotencyKey};
use commerce_core::engine::{
    CartView, Engine, Idempotency, ItemRequest, NewItem, PaymentFilter, PlaceOrderRequest, Target,
};
use commerce_core::ids::Sku;
use commerce_core::metadata::Metadata;
use commerce_core::order::{OrderDetails, UnpaidGuard, UnpaidLimits};
use commerce_core::port::{OrderFilter, OrderRef, PageRequest, Store};
use commerce_core::prelude::SandboxProcessor;
use commerce_core::promotion::{Limits, Promotion, PromotionDefinition, PromotionRecord};
use commerce_core::settings::Settings;
use commerce_diesel::DatabaseOptions;
use commerce_diesel::postgres::PostgresStore;
use commerce_testkit::CommitBuilder;
use commerce_testkit::commit_builder::{CURRENCY, address, order_of, parse, units};
use commerce_testkit::quote::percent_off;
use test_servers::{Postgres, ServerOptions, required};

/// The most commits of one transaction.
const BATCH: usize = 128;

/// A database whose statements are counted, if they come from the store.
struct Counted {
    server: &'static Postgres,
    name: String,
    store: PostgresStore,
    shop: CommitBuilder,
}

/// What was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Count {
    statements: u64,
    texts: u64,
    transactions: u64,
    pages: u64,
}

fn server() -> &'static Postgres {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    SERVER.get_or_init(|| {
        let settings = vec![("shared_preload_libraries".to_owned(), "pg_stat_statements".to_owned())];
        let server: Postgres = required(Postgres::start(&ServerOptions { settings, ..ServerOptions::default() }));
        server.sql("postgres", "CREATE EXTENSION pg_stat_statements").unwrap();
        server
    })
}

impl Counted {
    /// The store comes as a user of its own, by whom it is known.
    async fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let (server, name) = (server(), format!("shop_{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
        let user = format!("CREATE ROLE {name} LOGIN SUPERUSER PASSWORD '{name}'; CREATE DATABASE {name} OWNER {name}");
        for statement in user.split(';') {
            server.sql("postgres", statement).unwrap();
        }
        let options = DatabaseOptions { writers: 1, readers: 1, ..DatabaseOptions::default() };
        let url = format!("postgres://{name}:{name}@127.0.0.1:{}/{name}", server.port());
        let store = PostgresStore::open(&url, options).await.unwrap();
        Self { server, name, store, shop: CommitBuilder::new(1) }
    }

    /// Counts from here on.
    fn reset(&self) {
        let role = format!("SELECT pg_stat_statements_reset('{}'::regrole)", self.name);
        self.server.sql("postgres", &role).unwrap();
    }

    fn count(&self) -> Count {
        let query = format!(
            "SELECT sum(calls), count(DISTINCT queryid), sum(calls) FILTER (WHERE query = 'COMMIT'),
             sum(shared_blks_hit + shared_blks_read) FROM pg_stat_statements WHERE userid = '{}'::regrole",
            self.name
        );
        let row = self.server.sql("postgres", &query).unwrap();
        let mut numbers = row.trim().split('|').map(|number| number.parse().unwrap_or_default());
        let mut next = || numbers.next().unwrap();
        Count { statements: next(), texts: next(), transactions: next(), pages: next() }
    }

    /// What a batch of commits needs. They come while the one before them waits for a lock.
    async fn batch_of(&self, commits: Vec<Commit>) -> Count {
        self.store.commit(self.shop.checkout(0, &skus())).await.unwrap();
        self.reset();
        self.store.commit(self.shop.checkout(0, &skus())).await.unwrap();
        let one = self.count();
        self.reset();
        let (server, name) = (self.server, self.name.clone());
        let lock = "BEGIN; SELECT position FROM feed FOR UPDATE; SELECT pg_sleep(0.6); COMMIT;";
        let lock = thread::spawn(move || drop(server.sql(&name, lock).unwrap()));
        tokio::time::sleep(Duration::from_millis(200)).await;
        let submit = |commit: Commit| {
            let store = self.store.clone();
            tokio::spawn(async move { store.commit(commit).await })
        };
        let first = submit(self.shop.checkout(0, &skus()));
        tokio::time::sleep(Duration::from_millis(100)).await;
        let submitted: Vec<_> = commits.into_iter().map(submit).collect();
        for answer in [first].into_iter().chain(submitted) {
            answer.await.unwrap().unwrap();
        }
        lock.join().unwrap();
        let both = self.count();
        Count {
            statements: both.statements - one.statements,
            transactions: both.transactions - one.transactions,
            ..both
        }
    }
}

fn skus() -> Vec<Sku> {
    ["CUP", "MUG", "POT", "TEA"].map(parse).to_vec()
}

async fn stocked() -> Counted {
    let counted = Counted::new().await;
    counted.store.commit(counted.shop.stocked(&["CUP", "MUG", "POT", "TEA"].map(|sku| (sku, 10_000)))).await.unwrap();
    counted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_batch_takes_the_statements_of_one_commit() {
    let counted = stocked().await;
    let checkouts = |count| (0..count).map(|n| counted.shop.checkout(n, &skus())).collect::<Vec<_>>();
    let one = counted.batch_of(checkouts(1)).await;
    let full = counted.batch_of(checkouts(BATCH)).await;
    assert_eq!((full.statements, full.texts), (one.statements, one.texts), "{one:?} {full:?}");
    assert_eq!((one.transactions, full.transactions), (1, 1));
    assert!(one.statements < 25, "{one:?}");
}

/// With limits, a batch takes one statement more, whatever its size.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_limits_of_unpaid_orders_take_one_statement() {
    let counted = stocked().await;
    let checkouts =
        |count, unpaid| (0..count).map(|n| Commit { unpaid, ..counted.shop.checkout(n, &skus()) }).collect::<Vec<_>>();
    let free = counted.batch_of(checkouts(BATCH, None)).await;
    let guard = counted.guard();
    let one = counted.batch_of(checkouts(1, Some(guard))).await;
    let full = counted.batch_of(checkouts(BATCH, Some(guard))).await;
    assert_eq!((one.statements, full.statements), (free.statements + 1, free.statements + 1), "{free:?}");
    assert_eq!((one.transactions, full.transactions), (1, 1));
}

/// Orders placed, paid and called off, goods received, carts and products: still one transaction.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mixed_batch_is_one_transaction() {
    let counted = stocked().await;
    let shop = &counted.shop;
    let mut commits = Vec::new();
    for number in 0..20 {
        let placed = shop.checkout(number, &skus());
        counted.store.commit(placed.clone()).await.unwrap();
        let order = order_of(&placed);
        commits.push(if number % 2 == 0 { shop.pay(order, shop.at(2)) } else { shop.cancel(order, shop.at(2)) });
        commits.push(shop.checkout(number, &skus()));
        commits.push(shop.stocked(&[(&format!("NEW-{number}"), 5)]));
        commits.push(shop.create(&shop.cart(parse(&format!("user-{number}")), shop.at(1))));
        commits.push(shop.create(&shop.product(&format!("product-{number}"), &[&format!("SKU-{number}")])));
    }
    assert_eq!(commits.len(), 100);
    let count = counted.batch_of(commits).await;
    assert_eq!(count.transactions, 1, "{count:?}");
    assert!(count.statements < 60, "{count:?}");
}

/// With its price, its history and the answer for a retry. All promotions apply.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_is_added_to_a_cart_by_few_statements() {
    let counted = stocked().await;
    let shop = &counted.shop;
    for (number, sku) in skus().iter().enumerate() {
        counted.store.commit(shop.create(&shop.product(&format!("product-{number}"), &[sku.as_str()]))).await.unwrap();
    }
    let limits = Limits { max_uses_per_customer: Some(3), ..Limits::default() };
    for (id, code, limits) in [("free", None, Limits::default()), ("ten", Some("TEN"), limits), ("first", None, limits)]
    {
        let definition = PromotionDefinition { code: code.map(str::to_owned), limits, ..percent_off(id, 1000) };
        let record = PromotionRecord::new(Promotion::new(CURRENCY, definition).unwrap(), shop.at(1));
        counted.store.commit(shop.create(&record)).await.unwrap();
    }
    let engine = Engine::builder(
        Settings::new(CURRENCY),
        Arc::new(counted.store.clone()),
        Arc::new(SandboxProcessor::in_memory()),
    );
    let (engine, ann) = (engine.build(), Actor::user(Role::Customer, parse("ann")));
    let opened = engine.open_cart(&ann, &Metadata::default(), None).await.unwrap().into_fresh().unwrap();
    let cart = Target::any(opened.view.cart.id);
    engine.change_cart(&ann, cart, &CartChange::AddCode(parse("ten")), None).await.unwrap();
    for sku in skus() {
        counted.reset();
        let reply = |view: &CartView| view.quote.total.to_string();
        let key = IdempotencyKey { scope: "ann".to_owned(), key: sku.to_string() };
        let key = Idempotency { key, fingerprint: sku.to_string(), reply: &reply };
        let added = engine.add_item(&ann, cart, NewItem::new(sku, units(1)), Some(&key)).await.unwrap();
        assert_eq!(added.into_fresh().unwrap().quote.applied().count(), 3);
        let count = counted.count();
        assert!(count.statements <= 10 && count.transactions == 1, "{count:?}");
    }
}

/// With their orders.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_payments_takes_as_many_statements_as_one_payment() {
    let counted = stocked().await;
    counted.store.commit(counted.shop.create(&counted.shop.product("mug", &["MUG"]))).await.unwrap();
    let processor = Arc::new(SandboxProcessor::in_memory());
    let mut settings = Settings::new(CURRENCY);
    settings.unpaid = UnpaidLimits::NONE;
    let engine = Engine::builder(settings, Arc::new(counted.store.clone()), processor).build();
    let (ann, admin) = (Actor::user(Role::Customer, parse("ann")), Actor::user(Role::Admin, parse("ada")));
    for _ in 0..12 {
        let items = vec![ItemRequest::sku(parse("MUG"), units(1))];
        let request = PlaceOrderRequest::new(items, OrderDetails::new(address()));
        let order = engine.place_order(&ann, &request, None).await.unwrap().into_fresh().unwrap();
        engine.confirm_payment(&ann, order.payment.id, "tok_ok".into(), None).await.unwrap();
    }
    let mut counts = Vec::new();
    for limit in [1, 12] {
        counted.reset();
        let page = PageRequest { limit, after: None };
        let listed = engine.payments(&admin, PaymentFilter::default(), &page).await.unwrap().items;
        assert_eq!(listed.len(), usize::from(limit));
        counts.push(counted.count().statements);
    }
    assert_eq!(counts[0], counts[1]);
}

/// Copies of an order by other customers, who are as many.
const MANY: &str = "
    CREATE TEMP TABLE model AS SELECT * FROM orders LIMIT 1;
    CREATE TEMP TABLE copies AS SELECT n, md5('order' || n)::uuid AS id, md5('payment' || n)::uuid AS payment
        FROM generate_series(1, 100000) AS n;
    INSERT INTO orders SELECT (jsonb_populate_record(model, jsonb_build_object('id', copies.id, 'payment_id', payment,
        'user_id', 'other-' || n / 10))).* FROM copies, model;
    INSERT INTO claims SELECT 'order_number', 'ORD-20250101-' || lpad(n::text, 8, '0'), id FROM copies;
    INSERT INTO events SELECT (jsonb_populate_record(e, jsonb_build_object('position', 1000000 + n, 'event_id', payment,
        'stream_id', copies.id, 'body', CASE WHEN n / 10 = 500 THEN body ELSE '' END))).*
        FROM copies, model JOIN events e ON e.stream_id = model.id::text AND e.sequence = 1;
    ANALYZE;";

/// Old orders of one customer. The first bytes of an id are its time.
const OLD: &str = "
    CREATE TEMP TABLE model AS SELECT * FROM orders WHERE user_id = 'user-1' LIMIT 1;
    INSERT INTO orders SELECT (jsonb_populate_record(model, jsonb_build_object('id', lpad(to_hex(n), 32, '0'),
        'created_at', n))).* FROM model, generate_series(1, 50000) AS n;
    ANALYZE;";

impl Counted {
    fn guard(&self) -> UnpaidGuard {
        let mut limits = UnpaidLimits::NONE;
        limits.orders = Some(1_000_000);
        UnpaidGuard { limits, since: self.shop.at(0) - TimeDelta::days(90) }
    }

    /// How many pages an order with limits reads and writes.
    async fn limited_order(&self) -> u64 {
        for _ in 0..2 {
            self.reset();
            let order = Commit { unpaid: Some(self.guard()), ..self.shop.checkout(1, &skus()) };
            self.store.commit(order).await.unwrap();
        }
        self.count().pages
    }

    /// How many pages are read for a customer's orders, and for one of them.
    async fn pages(&self, user: &str) -> (u64, u64) {
        let filter = OrderFilter { user: Some(parse(user)), ..OrderFilter::default() };
        let page = PageRequest { limit: 10, after: None };
        self.store.orders(&filter, &page).await.unwrap();
        self.reset();
        let listed = self.store.orders(&filter, &page).await.unwrap().items;
        assert_eq!(listed.len(), 10);
        let list = self.count().pages;
        self.reset();
        assert!(self.store.order(&OrderRef::Number(listed[0].number.clone())).await.unwrap().is_some());
        (list, self.count().pages)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_among_many_is_read_as_fast_as_among_few() {
    let counted = stocked().await;
    for number in 0..100 {
        counted.store.commit(counted.shop.checkout(number, &skus())).await.unwrap();
    }
    counted.server.sql(&counted.name, "ANALYZE").unwrap();
    let few = counted.pages("user-1").await;
    counted.server.sql(&counted.name, MANY).unwrap();
    let many = [counted.pages("user-1").await, counted.pages("other-500").await];
    // Ten orders, each found over indexes of some levels: at most ten pages for one. A scan would read thousands.
    assert!(many.iter().all(|(list, one)| *list <= 10 * 10 && *one <= 2 * 10), "{few:?} {many:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_orders_of_a_customer_are_not_read_to_limit_new_ones() {
    let counted = stocked().await;
    let few = counted.limited_order().await;
    counted.server.sql(&counted.name, OLD).unwrap();
    let many = counted.limited_order().await;
    // Indexes are higher by some levels. The index of 50,000 orders has hundreds of pages.
    assert!(many <= few + 40, "{few} {many}");
}
