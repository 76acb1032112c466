//! A store whose URL has several hosts finds the server that takes writes, and loses nothing that was acknowledged.
//!
//! `FAILOVERS` (2) makes the test on `PostgreSQL` longer.

#![cfg(all(feature = "postgres", feature = "mysql"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use commerce_core::ids::OrderId;
use commerce_core::port::{CommitError, OrderRef, PageRequest, Store, StoreErrorKind};
use commerce_diesel::mysql::MysqlStore;
use commerce_diesel::postgres::PostgresStore;
use commerce_diesel::{DatabaseError, DatabaseOptions};
use commerce_testkit::CommitBuilder;
use test_servers::{Galera, MariaDb, Postgres, ServerOptions, required};

const BUYERS: usize = 8;
/// How long writes may be away.
const PATIENCE: Duration = Duration::from_secs(10);

/// The orders whose commits were acknowledged, and when the last one was.
#[derive(Default)]
struct Sales {
    acknowledged: Mutex<(Vec<OrderId>, Option<Instant>)>,
    closed: AtomicBool,
}

impl Sales {
    async fn buy(self: Arc<Self>, store: Arc<dyn Store>, shop: Arc<CommitBuilder>) {
        while !self.closed.load(Ordering::Relaxed) {
            let placed = shop.order(&[("MUG", 1)]);
            let order = placed.orders[0].order().id;
            match store.commit(placed).await {
                Ok(()) => {
                    let mut acknowledged = self.acknowledged.lock().unwrap();
                    acknowledged.0.push(order);
                    acknowledged.1 = Some(Instant::now());
                }
                Err(CommitError::Failed(error)) => {
                    assert_ne!(error.kind, StoreErrorKind::Corrupt, "{error}");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(rejected) => panic!("{rejected}"),
            }
        }
    }

    /// Waits for an order that was acknowledged after an instant. Returns how long it took.
    async fn continued(&self, after: Instant) -> Duration {
        while self.acknowledged.lock().unwrap().1.is_none_or(|at| at <= after) {
            assert!(after.elapsed() < PATIENCE, "no order for {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        after.elapsed()
    }
}

/// Eight buyers who go on while something happens. Then every acknowledged order must be there.
async fn sell(store: Arc<dyn Store>, during: impl AsyncFnOnce(&Sales)) {
    let (sales, shop) = (Arc::new(Sales::default()), Arc::new(CommitBuilder::new(1)));
    store.commit(shop.stocked(&[("MUG", 1_000_000)])).await.unwrap();
    let buy = |_| tokio::spawn(Arc::clone(&sales).buy(store.clone(), shop.clone()));
    let buyers: Vec<_> = (0..BUYERS).map(buy).collect();
    during(&sales).await;
    sales.closed.store(true, Ordering::Relaxed);
    for buyer in buyers {
        buyer.await.unwrap();
    }
    let acknowledged = sales.acknowledged.lock().unwrap().0.clone();
    for order in &acknowledged {
        assert!(store.order(&OrderRef::Id(*order)).await.unwrap().is_some(), "{order} was acknowledged");
    }
    eprintln!("{} orders were acknowledged", acknowledged.len());
    assert!(store.last_position().await.unwrap() > u64::try_from(acknowledged.len()).unwrap());
    assert!(!store.history(&PageRequest::first(1)).await.unwrap().items.is_empty());
}

fn postgres_url(ports: [u16; 2], server: &Postgres) -> String {
    let one = server.url("shop");
    let (front, _) = one.rsplit_once('@').unwrap();
    format!("{front}@127.0.0.1:{},127.0.0.1:{}/shop", ports[0], ports[1])
}

/// Makes a server wait for its standby.
async fn replicate(primary: &Postgres) {
    primary.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'").unwrap();
    primary.sql("postgres", "SELECT pg_reload_conf()").unwrap();
    let start = Instant::now();
    while primary.sql("postgres", "SELECT sync_state FROM pg_stat_replication").unwrap().trim() != "sync" {
        assert!(start.elapsed() < PATIENCE, "the standby does not follow");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_that_is_promoted_takes_the_writes_and_has_everything() {
    let failovers = std::env::var("FAILOVERS").ok().and_then(|value| value.parse().ok()).unwrap_or(2);
    let options = ServerOptions { settings: vec![("synchronous_commit".into(), "on".into())], ..Default::default() };
    let mut primary: Postgres = required(Postgres::start(&options));
    primary.create_database("shop").unwrap();
    let mut standby = required(primary.start_standby(None));
    let url = postgres_url([standby.port(), primary.port()], &primary);
    let store = PostgresStore::open(&url, DatabaseOptions::default()).await.unwrap();
    replicate(&primary).await;
    sell(Arc::new(store), async |sales| {
        for _ in 0..failovers {
            sales.continued(Instant::now()).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            let port = primary.port();
            primary.kill().unwrap();
            let killed = Instant::now();
            standby.sql("postgres", "SELECT pg_promote()").unwrap();
            eprintln!("orders went on after {:?}", sales.continued(killed).await);
            primary = standby;
            standby = required(primary.start_standby(Some(port)));
            replicate(&primary).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_node_of_a_cluster_takes_the_writes_of_one_that_was_killed() {
    let mut cluster = required(Galera::start(3));
    cluster.nodes()[0].create_database("shop").unwrap();
    let ports: Vec<_> = cluster.nodes().iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
    let one = cluster.nodes()[0].url("shop");
    let (front, _) = one.rsplit_once('@').unwrap();
    let url = format!("{front}@{}/shop", ports.join(","));
    let store = MysqlStore::open(&url, DatabaseOptions::default()).await.unwrap();
    sell(Arc::new(store), async |sales| {
        sales.continued(Instant::now()).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        cluster.kill(0).unwrap();
        eprintln!("orders went on after {:?}", sales.continued(Instant::now()).await);
    })
    .await;
}

/// Two servers with a shop each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_with_different_shops_are_refused() {
    let servers: [MariaDb; 2] = [(); 2].map(|()| required(MariaDb::start(&ServerOptions::default())));
    for (server, sku) in servers.iter().zip(["MUG", "CUP"]) {
        server.create_database("shop").unwrap();
        let store = MysqlStore::open(&server.url("shop"), DatabaseOptions::default()).await.unwrap();
        store.commit(CommitBuilder::new(1).stocked(&[(sku, 9)])).await.unwrap();
    }
    let one = servers[0].url("shop");
    let url = one.replace("/shop", &format!(",127.0.0.1:{}/shop", servers[1].port()));
    let options = DatabaseOptions::default();
    let error = MysqlStore::open(&url, options).await.map(drop).unwrap_err();
    let is_named = |host: &str| host.ends_with(&servers[1].port().to_string());
    assert!(matches!(&error, DatabaseError::OtherShop { host } if is_named(host)), "{error}");
    let none = one.replace(&format!(":{}/", servers[0].port()), ":1,127.0.0.1:2/");
    let error = MysqlStore::open(&none, options).await.map(drop).unwrap_err().to_string();
    assert!(error.starts_with("no host takes writes: the database at 127.0.0.1:1 cannot be reached"), "{error}");
    assert!(error.contains("; the database at 127.0.0.1:2 cannot be reached"), "{error}");
}
