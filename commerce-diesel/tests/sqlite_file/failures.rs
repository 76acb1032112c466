//! Failures that no guard foresees, and callers that do not wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use commerce_core::commit::Commit;
use commerce_core::port::{CommitError, OrderRef, Store, StoreErrorKind};
use commerce_core::stock::StockAction;
use commerce_diesel::sqlite::{SqliteOptions, SqliteStore};
use commerce_testkit::commit_builder::{order_of, parse};
use commerce_testkit::{CommitBuilder, MemoryStore};
use diesel::SqliteConnection;
use diesel::connection::SimpleConnection;

use super::Place;

/// The levels every test begins with.
const LEVELS: [(&str, i64); 2] = [("MUG", 100), ("POISON", 100)];

async fn stocked(place: &Place) -> (Arc<SqliteStore>, CommitBuilder) {
    let (store, shop) = (place.open().await, CommitBuilder::new(1));
    store.commit(shop.stocked(&LEVELS)).await.unwrap();
    (Arc::new(store), shop)
}

/// Submits all while another process holds the lock, so that they become one batch; gives their answers.
async fn in_one_batch(place: &Place, store: &Arc<SqliteStore>, commits: Vec<Commit>) -> Vec<Result<(), CommitError>> {
    let mut lock = lock(place);
    let submit = |commit| {
        let store = Arc::clone(store);
        tokio::spawn(async move { store.commit(commit).await })
    };
    // The first is taken by itself; what follows waits behind it.
    let answers: Vec<_> = commits.into_iter().map(submit).collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    lock.batch_execute("ROLLBACK").unwrap();
    let mut told = Vec::new();
    for answer in answers {
        told.push(answer.await.unwrap());
    }
    told
}

fn lock(place: &Place) -> SqliteConnection {
    let mut other = place.raw();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    other
}

async fn is_placed(store: &SqliteStore, commit: &Commit) -> bool {
    store.order(&OrderRef::Id(order_of(commit).id)).await.unwrap().is_some()
}

async fn only_the_poison_fails(trigger: &str) {
    let place = Place::new();
    let (store, shop) = stocked(&place).await;
    place.execute(trigger);
    let commits: Vec<_> = (0..21).map(|n| shop.order(&[(if n == 13 { "POISON" } else { "MUG" }, 1)])).collect();
    let answers = in_one_batch(&place, &store, commits.clone()).await;
    for (n, (commit, answer)) in commits.iter().zip(answers).enumerate() {
        assert_eq!(is_placed(&store, commit).await, n != 13);
        match answer {
            Ok(()) => assert_ne!(n, 13),
            Err(error) => assert!(n == 13 && matches!(error, CommitError::Failed(_)), "{n}: {error}"),
        }
    }
    place.execute("DROP TRIGGER poison");
    store.commit(commits[13].clone()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_cannot_be_written_does_not_harm_its_neighbours() {
    only_the_poison_fails(
        "CREATE TRIGGER poison AFTER INSERT ON reservations WHEN NEW.sku = 'POISON'
         BEGIN SELECT RAISE(ABORT, 'out of luck'); END;",
    )
    .await;
}

/// The database writes everything and refuses at the very end.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_end_of_transaction_does_not_harm_the_neighbours() {
    only_the_poison_fails(
        "CREATE TABLE nowhere (id INTEGER PRIMARY KEY);
         CREATE TABLE late (id INTEGER REFERENCES nowhere (id) DEFERRABLE INITIALLY DEFERRED);
         CREATE TRIGGER poison AFTER INSERT ON reservations WHEN NEW.sku = 'POISON'
         BEGIN INSERT INTO late VALUES (1); END;",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_held_too_long_makes_the_store_unavailable() {
    let place = Place::new();
    let (store, shop) = stocked(&place).await;
    let mut other = lock(&place);
    let commit = shop.order(&[("MUG", 1)]);
    let Err(CommitError::Failed(error)) = store.commit(commit.clone()).await else { panic!("the lock is held") };
    assert_eq!(error.kind, StoreErrorKind::Unavailable);
    assert!(!is_placed(&store, &commit).await, "reads do not wait for the lock");
    other.batch_execute("ROLLBACK").unwrap();
    store.commit(commit).await.unwrap();
}

/// A caller may write on its own thread, but does not wait there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_does_not_stop_the_runtime() {
    let place = Place::new();
    let (_, shop) = stocked(&place).await;
    // As patient as a shop.
    let store = SqliteStore::open(&place.path(), SqliteOptions::default()).await.unwrap();
    for _ in 0..20 {
        store.commit(shop.order(&[("MUG", 1)])).await.unwrap();
    }
    let _lock = lock(&place);
    let commit = shop.order(&[("MUG", 1)]);
    let began = Instant::now();
    let waiting = tokio::time::timeout(Duration::from_millis(50), store.commit(commit)).await;
    assert!(waiting.is_err(), "nothing can be written yet");
    assert!(began.elapsed() < Duration::from_secs(3), "the thread was blocked for {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_disturbs_nobody() {
    let place = Place::new();
    let (store, shop) = stocked(&place).await;
    let mut other = lock(&place);
    let commits: Vec<_> = (0..6).map(|_| shop.order(&[("MUG", 1)])).collect();
    let mut callers = Vec::new();
    for commit in commits.clone() {
        let store = Arc::clone(&store);
        callers.push(tokio::spawn(async move { store.commit(commit).await }));
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    let staying = callers.split_off(3);
    for gone in callers {
        gone.abort();
    }
    other.batch_execute("ROLLBACK").unwrap();
    for caller in staying {
        caller.await.unwrap().unwrap();
    }
    // Those of the callers who are gone may be in a later batch than the others.
    let placed = async {
        for commit in &commits {
            while !is_placed(&store, commit).await {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), placed).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_is_finished_when_the_store_is_dropped() {
    let place = Place::new();
    let shop = CommitBuilder::new(1);
    let store = SqliteStore::open(&place.path(), SqliteOptions::default()).await.unwrap();
    store.commit(shop.stocked(&LEVELS)).await.unwrap();
    let mut other = lock(&place);
    let commits: Vec<_> = (0..5).map(|_| shop.order(&[("MUG", 1)])).collect();
    for commit in commits.clone() {
        let waiting = tokio::time::timeout(Duration::from_millis(20), store.commit(commit)).await;
        assert!(waiting.is_err(), "nothing can be written yet");
    }
    let dropped = tokio::task::spawn_blocking(move || drop(store));
    tokio::time::sleep(Duration::from_millis(50)).await;
    other.batch_execute("ROLLBACK").unwrap();
    dropped.await.unwrap();
    let store = place.open().await;
    for commit in &commits {
        assert!(is_placed(&store, commit).await);
    }
}

/// New orders are taken to hold nothing; one that does is found all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_reservation_that_was_there_before_its_order_is_counted_with_it() {
    let place = Place::new();
    let (store, shop) = stocked(&place).await;
    let double = MemoryStore::new();
    let order = shop.order(&[("MUG", 2)]);
    let (id, until) = (order_of(&order).id, shop.at(60));
    let early = shop.moves("MUG", StockAction::Reserve { order: id, units: 1, until }, shop.at(1));
    for commit in [shop.stocked(&[("MUG", 100)]), early, order] {
        store.commit(commit.clone()).await.unwrap();
        double.commit(commit).await.unwrap();
    }
    assert_eq!(store.reservations(&parse("MUG")).await.unwrap(), double.reservations(&parse("MUG")).await.unwrap());
    let level = store.stock(&parse("MUG"), shop.at(1)).await.unwrap().unwrap();
    assert_eq!((level.available(), level.reserved), (97, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_written_is_told_and_tried_seldom() {
    let place = Place::new();
    let (store, shop) = (place.open().await, CommitBuilder::new(1));
    let mut lock = lock(&place);
    assert_eq!(store.check().await.unwrap_err().kind, StoreErrorKind::Unavailable);
    lock.batch_execute("ROLLBACK").unwrap();
    assert!(store.check().await.is_err(), "it does not try each time");
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    store.check().await.unwrap();
    lock.batch_execute("BEGIN IMMEDIATE").unwrap();
    store.check().await.unwrap();
    assert!(store.commit(shop.stocked(&LEVELS)).await.is_err());
    assert!(store.check().await.is_err(), "a commit has shown it");
    lock.batch_execute("ROLLBACK").unwrap();
    store.commit(shop.stocked(&LEVELS)).await.unwrap();
    store.check().await.unwrap();
    let none = commerce_core::commit::IdempotencyKey { scope: String::new(), key: String::new() };
    assert_eq!(store.idempotency_record(&none).await.unwrap(), None, "nothing is left");
}
