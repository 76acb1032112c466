//! Several handles and several processes on one file.

use std::process::Command;
use std::sync::Arc;
use std::{env, thread};

use commerce_core::commit::Refusal;
use commerce_core::port::{CommitError, Store};
use commerce_diesel::sqlite::{SqliteOptions, SqliteStore};
use commerce_testkit::CommitBuilder;
use commerce_testkit::commit_builder::parse;

use super::{Place, payments};

/// Set for a process that only buys.
const FILE: &str = "COMMERCE_TEST_BUY_FROM";
/// Its seed.
const SEED: &str = "COMMERCE_TEST_SEED";
/// How many each buyer tries to buy.
const TRIES: usize = 100;

async fn patient(path: &std::path::Path) -> SqliteStore {
    SqliteStore::open(path, SqliteOptions::default()).await.unwrap()
}

/// Buys one MUG after the other in several tasks; says how many it got.
async fn buy(store: SqliteStore, seed: u32) -> usize {
    let (store, shop) = (Arc::new(store), Arc::new(CommitBuilder::new(seed)));
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let (store, shop) = (Arc::clone(&store), Arc::clone(&shop));
            tokio::spawn(async move {
                let mut bought = 0;
                for _ in 0..TRIES / 4 {
                    match store.commit(shop.order(&[("MUG", 1)])).await {
                        Ok(()) => bought += 1,
                        Err(CommitError::Refused(Refusal::Stock(_))) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
                bought
            })
        })
        .collect();
    let mut bought = 0;
    for task in tasks {
        bought += task.await.unwrap();
    }
    bought
}

async fn stocked(place: &Place, units: i64) -> SqliteStore {
    let store = patient(&place.path()).await;
    store.commit(CommitBuilder::new(1).stocked(&[("MUG", units)])).await.unwrap();
    store
}

async fn left(store: &SqliteStore) -> i64 {
    store.stock(&parse("MUG"), CommitBuilder::new(1).at(1)).await.unwrap().unwrap().available()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_handles_sell_what_is_there() {
    let place = Place::new();
    let store = stocked(&place, 150).await;
    let other = tokio::spawn(buy(patient(&place.path()).await, 2));
    let bought = buy(store.clone(), 3).await + other.await.unwrap();
    assert_eq!(bought, 150);
    assert_eq!(left(&store).await, 0);
}

/// Callers that write on their own threads leave checkpoints to the thread that writes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_of_a_lone_caller_stays_small() {
    let place = Place::new();
    let (store, shop) = (stocked(&place, 1_000).await, CommitBuilder::new(2));
    for _ in 0..700 {
        store.commit(shop.order(&[("MUG", 1)])).await.unwrap();
    }
    let size = place.path().with_extension("db-wal").metadata().unwrap().len();
    assert!(size < 24 << 20, "{size} bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_sell_what_is_there() {
    let place = Place::new();
    let store = stocked(&place, 250).await;
    let children: Vec<_> = (10..13)
        .map(|seed| {
            let mut child = Command::new(env::current_exe().unwrap());
            child.args(["--exact", "sharing::a_process_that_only_buys", "--nocapture", "--include-ignored"]);
            child.env(FILE, place.path()).env(SEED, seed.to_string());
            thread::spawn(move || child.output().unwrap())
        })
        .collect();
    for child in children {
        let output = child.join().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(left(&store).await, 0);
    let reservations = store.reservations(&parse("MUG")).await.unwrap();
    assert_eq!(reservations.len(), 250);
}

/// Does nothing but where the test above starts it.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_only_buys() {
    let (Some(file), Ok(seed)) = (env::var_os(FILE), env::var(SEED)) else { return };
    buy(patient(file.as_ref()).await, seed.parse().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_refunds_at_once_one_is_paid() {
    let place = Place::new();
    payments::of_many_refunds_at_once_one_is_paid([patient(&place.path()).await, patient(&place.path()).await]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_and_a_confirmation_at_once_are_one_capture() {
    let place = Place::new();
    let stores = [patient(&place.path()).await, patient(&place.path()).await];
    payments::a_webhook_and_a_confirmation_at_once_are_one_capture(stores).await;
}
