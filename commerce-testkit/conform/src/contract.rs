//! The contracts of the ports, each case on a database of its own.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use async_trait::async_trait;
use commerce_core::port::{DeliveryLog, Store, Targets};
use commerce_testkit::suite::{Case, deliveries, store, targets};

use crate::case::Outcome;
use crate::database::{Database, Scratch, Shop};
use crate::table;

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

pub(crate) fn run(database: &Database, filter: &str) -> Vec<Outcome> {
    let mut cases = store::cases::<Fixture>();
    cases.extend(targets::cases());
    cases.extend(deliveries::cases());
    cases.retain(|case| case.name.contains(filter));
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = run_case(database, case);
                    table::note(&outcome);
                    outcomes.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
                }
            });
        }
    });
    outcomes.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn run_case(database: &Database, case: &Case<Fixture>) -> Outcome {
    Outcome::of("contract", case.name, |runtime| {
        let scratch = runtime.block_on(Scratch::create(database))?;
        let tried = catch_unwind(AssertUnwindSafe(|| {
            runtime.block_on(async {
                let fixture = Fixture { shop: scratch.open().await?, scratch: scratch.clone() };
                (case.run)(fixture).await;
                Ok(String::new())
            })
        }));
        let removed = runtime.block_on(scratch.remove());
        tried.unwrap_or_else(|panic| resume_unwind(panic)).and_then(|counted| removed.map(|()| counted))
    })
}
