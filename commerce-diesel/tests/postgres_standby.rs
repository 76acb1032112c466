//! Commits that wait for a synchronous standby.

#![cfg(feature = "postgres")]

use std::time::Duration;

use commerce_core::port::{CommitError, Store, StoreErrorKind};
use commerce_diesel::DatabaseOptions;
use commerce_diesel::postgres::PostgresStore;
use commerce_testkit::CommitBuilder;
use commerce_testkit::commit_builder::parse;
use test_servers::{Postgres, ServerOptions, required};

const WAIT_FOR_A_STANDBY: &str = "ALTER SYSTEM SET synchronous_standby_names = 'missing'";
const CANCEL_THE_WAIT: &str = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";

/// `PostgreSQL` answers such a commit with success and a warning.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_wait_was_cancelled_is_not_acknowledged() {
    let options = ServerOptions { settings: vec![("synchronous_commit".into(), "on".into())], ..Default::default() };
    let server: Postgres = required(Postgres::start(&options));
    server.create_database("shop").unwrap();
    let store = PostgresStore::open(&server.url("shop"), DatabaseOptions::default()).await.unwrap();
    let shop = CommitBuilder::new(1);
    store.commit(shop.stocked(&[("MUG", 9)])).await.unwrap();
    server.sql("shop", WAIT_FOR_A_STANDBY).unwrap();
    server.sql("shop", "SELECT pg_reload_conf()").unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let commit = shop.stocked(&[("TEA", 9)]);
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { store.commit(commit).await }
    });
    let mut cancelled = String::new();
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        cancelled = server.sql("shop", CANCEL_THE_WAIT).unwrap();
        if cancelled.trim() != "0" {
            break;
        }
    }
    assert_eq!(cancelled.trim(), "1", "a commit waited");
    let answer = waiting.await.unwrap();
    let unknown = matches!(&answer, Err(CommitError::Failed(error)) if error.kind == StoreErrorKind::Unknown);
    assert!(unknown, "{answer:?}");
    let level = store.stock(&parse("TEA"), shop.at(1)).await.unwrap();
    assert_eq!(level.unwrap().on_hand, 9, "it is on this server");
}
