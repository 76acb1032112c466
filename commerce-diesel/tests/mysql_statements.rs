//! How much `MariaDB` reads for a commit.

#![cfg(feature = "mysql")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use commerce_core::actor::Role;
use commerce_core::order::Command;
use commerce_core::port::Store;
use commerce_diesel::DatabaseOptions;
use commerce_diesel::mysql::MysqlStore;
use commerce_testkit::CommitBuilder;
use commerce_testkit::commit_builder::order_of;
use test_servers::{MariaDb, ServerOptions, required};

/// Orders that have nothing to do with the commit.
const OTHERS: usize = 300;

/// The rows that statements without an index have read so far.
fn scanned(server: &MariaDb) -> u64 {
    let status = server.sql("shop", "SHOW GLOBAL STATUS LIKE 'Handler_read_rnd_next'").unwrap();
    status.split_whitespace().last().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_commit_reads_no_row_of_other_orders() {
    let server: MariaDb = required(MariaDb::start(&ServerOptions::default()));
    server.create_database("shop").unwrap();
    let store = MysqlStore::open(&server.url("shop"), DatabaseOptions::default()).await.unwrap();
    let shop = CommitBuilder::new(1);
    store.commit(shop.stocked(&[("MUG", 10_000)])).await.unwrap();
    for _ in 0..OTHERS {
        store.commit(shop.order(&[("MUG", 1)])).await.unwrap();
    }
    let placed = [shop.order(&[("MUG", 1)]), shop.order(&[("MUG", 1)])];
    let [paid, cancelled] = placed.each_ref().map(|commit| order_of(commit).clone());
    let pay = shop.pay(&paid, shop.at(2));
    let cancel = shop.decide(&cancelled, Role::Admin, Command::Cancel { reason: None }, shop.at(2)).unwrap();
    let before = scanned(&server);
    for commit in placed.into_iter().chain([pay, cancel]) {
        store.commit(commit).await.unwrap();
    }
    let scanned = scanned(&server) - before;
    assert!(scanned < 100, "{scanned} rows were read without an index");
}
