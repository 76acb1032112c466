//! The fault decorator keeps the contract of the store it wraps while nothing goes wrong, and while everything is late. Its
//! faults do what they say, and the same again for the same seed.

use std::future::{Ready, ready};
use std::time::Duration;

use commerce_core::port::{CommitError, Store, StoreErrorKind};
use commerce_testkit::{CommitBuilder, FaultInjector, Faults, MemoryStore};

fn wrapped(faults: Faults) -> Ready<FaultInjector<MemoryStore>> {
    let store = FaultInjector::new(MemoryStore::new(), 1);
    store.set(faults);
    ready(store)
}

mod without_faults {
    use super::*;

    fn start() -> Ready<FaultInjector<MemoryStore>> {
        wrapped(Faults::NONE)
    }

    commerce_testkit::store_suite!(start);
}

mod with_delays {
    use super::*;

    fn start() -> Ready<FaultInjector<MemoryStore>> {
        wrapped(Faults { late: 300, latest: Duration::from_micros(300), ..Faults::NONE })
    }

    commerce_testkit::store_suite!(start);
}

fn stock(n: i64) -> (CommitBuilder, FaultInjector<MemoryStore>) {
    (CommitBuilder::new(1), FaultInjector::new(MemoryStore::new(), n.unsigned_abs()))
}

#[tokio::test]
async fn a_refused_call_has_not_happened() {
    let (shop, store) = stock(1);
    store.set(Faults { refused: 1000, ..Faults::NONE });
    let answer = store.commit(shop.stocked(&[("MUG", 1)])).await;
    assert!(matches!(answer, Err(CommitError::Failed(error)) if error.kind == StoreErrorKind::Unavailable));
    assert_eq!(store.injected(), 1);
    assert_eq!(store.inner().stock(&"MUG".parse().unwrap(), shop.at(1)).await.unwrap(), None);
}

#[tokio::test]
async fn a_lost_answer_is_not_known() {
    let (shop, store) = stock(1);
    store.set(Faults { lost: 1000, ..Faults::NONE });
    let answer = store.commit(shop.stocked(&[("MUG", 1)])).await;
    assert!(matches!(answer, Err(CommitError::Failed(error)) if error.kind == StoreErrorKind::Unknown));
    assert!(store.inner().stock(&"MUG".parse().unwrap(), shop.at(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn the_same_seed_has_the_same_faults() {
    let mut runs = Vec::new();
    for seed in [7, 7, 8] {
        let (shop, store) = stock(seed);
        store.set(Faults { refused: 300, lost: 300, ..Faults::NONE });
        let mut answers = Vec::new();
        for _ in 0..50 {
            let answer = store.commit(shop.stocked(&[("MUG", 1)])).await;
            answers.push(answer.map_err(|error| error.to_string()));
        }
        runs.push(answers);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}
