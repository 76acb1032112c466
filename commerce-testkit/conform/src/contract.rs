//! The contracts of the ports, each case on a database of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use async_trait::async_trait;
use commerce_core::port::{DeliveryLog, Store, Targets};
use commerce_testkit::suite::{Case, deliveries, store, targets};

use crate::case::{Outcome, on_scratch};
use crate::database::{Database, Scratch, Shop};

/// Cases at once.
const THREADS: usize = 4;

/// A store on an empty database.
struct Fixture {
    shop: Arc<dyn Shop>,
    scratch: Scratch,
}

impl Fixture {
    async fn again(&self) -> Arc<dyn Shop> {
        self.scratch.open().await.unwrap_or_else(|error| panic!("the database is not opened again: {error}"))
    }
}

#[async_trait]
impl store::Fixture for Fixture {
    fn store(&self) -> Arc<dyn Store> {
        let shop: Arc<dyn Shop> = Arc::clone(&self.shop);
        shop
    }

    async fn reopen(&self) -> Arc<dyn Store> {
        self.again().await
    }
}

#[async_trait]
impl targets::Fixture for Fixture {
    fn store(&self) -> Arc<dyn Targets> {
        let shop: Arc<dyn Shop> = Arc::clone(&self.shop);
        shop
    }

    async fn reopen(&self) -> Arc<dyn Targets> {
        self.again().await
    }
}

impl deliveries::Fixture for Fixture {
    fn log(&self) -> &dyn DeliveryLog {
        &*self.shop
    }
}

/// Runs the cases whose name contains `filter`.
///
/// # Errors
/// There is none.
pub(crate) fn run(database: &Database, filter: &str) -> Result<Vec<Outcome>, String> {
    let mut cases = store::cases::<Fixture>();
    cases.extend(targets::cases());
    cases.extend(deliveries::cases());
    cases.retain(|case| case.name.contains(filter));
    if cases.is_empty() {
        return Err(format!("no case of the contract has {filter:?} in its name"));
    }
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = run_case(database, case);
                    outcomes.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
                }
            });
        }
    });
    Ok(outcomes.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn run_case(database: &Database, case: &Case<Fixture>) -> Outcome {
    on_scratch(("contract", case.name.to_owned()), database, |runtime, scratch| {
        runtime.block_on(async {
            let fixture = Fixture { shop: scratch.open().await?, scratch: scratch.clone() };
            (case.run)(fixture).await;
            Ok(String::new())
        })
    })
}
