//! A process on each node of a Galera cluster, all of which write.

#![cfg(feature = "mysql")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use commerce_core::port::Store;
use commerce_diesel::DatabaseOptions;
use commerce_diesel::mysql::MysqlStore;
use commerce_testkit::sale::{Answers, Caller, SKUS, USES};
use commerce_testkit::{CommitBuilder, audit};
use test_servers::{Galera, required};

const NODES: usize = 3;
/// Callers of each process.
const CALLERS: u64 = 16;
const SALE: Duration = Duration::from_secs(12);
/// Units of the hot SKU, which are not sold out: every order writes its level.
const UNITS: i64 = 1_000_000;

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
    stores[0].commit(shop.stocked(&SKUS.map(|sku| (sku, UNITS)))).await.unwrap();
    let start = Instant::now();
    let callers: Vec<_> = (0..CALLERS * u64::try_from(NODES).unwrap())
        .zip(stores.iter().cycle())
        .map(|(number, store)| Caller::new(Arc::new(store.clone()), Arc::clone(&shop), number))
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
    let total = told.iter().fold(Answers::default(), |sum, caller| sum.plus(caller.answers()));
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
