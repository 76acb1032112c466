//! The contract of the [`Store`] port (with [`Carts`] and [`Catalog`], which read what it writes), as named cases.
//!
//! An adapter runs all of it in one line. It gives a function that makes a [`Fixture`] on an empty store:
//!
//! ```
//! use commerce_testkit::MemoryStore;
//! use commerce_testkit::suite::store::{Fixture, Handles};
//!
//! struct InMemory(Handles);
//!
//! impl InMemory {
//!     async fn start() -> Self {
//!         Self(Handles::of(MemoryStore::new()))
//!     }
//! }
//!
//! #[async_trait::async_trait]
//! impl Fixture for InMemory {
//!     fn handles(&self) -> Handles {
//!         self.0.clone()
//!     }
//!
//!     async fn reopen(&self) -> Handles {
//!         self.0.clone() // an adapter of a database connects a second time here
//!     }
//! }
//!
//! commerce_testkit::store_suite!(InMemory::start);
//! ```
//!
//! Each case becomes a `#[tokio::test]` of its own name in a module of its subject, on two threads. The list of cases
//! stands in [`store_suite!`](crate::store_suite) and nowhere else.
//!
//! # What the port leaves open and the cases settle
//! * Products come newest first; those made at the same instant come in the order of their ids, by their bytes.
//! * A task that is on the list keeps the time it was first scheduled for.
//! * The changes to the list of tasks of one commit are made in their order.
//! * In the history, the events of a commit's orders stand before the events of its stock moves, both in the order of the
//!   commit.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc, reason = "a case fails by panicking")]

pub mod catalogue;
pub mod commits;
pub mod stock;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use commerce_core::commit::{Commit, Refusal};
use commerce_core::order::Order;
use commerce_core::port::{Carts, Catalog, CommitError, OrderRef, Store};
use commerce_core::stock::StockLevel;

use crate::Shop;
use crate::shop::{order_of, parse};

/// The ports a case works with. All three look at the same data.
#[derive(Clone, Debug)]
pub struct Handles {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Its carts.
    pub carts: Arc<dyn Carts>,
    /// Its products.
    pub catalog: Arc<dyn Catalog>,
}

impl Handles {
    /// The handles of an adapter that is all three.
    pub fn of<S: Store + Carts + Catalog + Clone + 'static>(adapter: S) -> Self {
        Self { store: Arc::new(adapter.clone()), carts: Arc::new(adapter.clone()), catalog: Arc::new(adapter) }
    }
}

/// A store for one case. It lives as long as the case; whatever has to be cleaned up goes with it.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// The store, which was empty when the fixture was made.
    fn handles(&self) -> Handles;

    /// Other handles on the same data, as another process would have them.
    async fn reopen(&self) -> Handles;
}

/// Runs every case of the store's contract on an adapter. See [`suite::store`](crate::suite::store).
#[macro_export]
macro_rules! store_suite {
    ($start:expr) => {
        $crate::store_suite! { @stamp ($start)
            commits:
                what_is_committed_is_read
                what_is_committed_is_there_after_reopening
                a_refused_commit_leaves_nothing
                a_stale_version_is_refused
                a_new_order_must_not_exist
                a_taken_number_is_refused
                a_key_is_answered_with_the_first_reply
                one_key_sent_at_once_has_one_effect
                a_refusal_does_not_touch_its_neighbours;
            stock:
                two_writers_share_the_last_unit_fairly
                many_buyers_of_one_sku_get_what_is_there
                a_hold_ends_without_a_sweeper
                an_ended_hold_is_taken_anew_when_paid
                an_ended_hold_whose_units_are_gone_is_refused
                a_paid_hold_does_not_end;
            catalogue:
                a_sku_belongs_to_one_product
                wildcards_in_a_search_are_plain_characters;
        }
    };
    (@stamp $start:tt $($subject:ident: $($case:ident)+;)+) => {$(
        mod $subject {
            #[allow(unused_imports, reason = "what the fixture needs stands beside the suite")]
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    $crate::suite::store::$subject::$case(&$start().await).await;
                }
            )+
        }
    )+};
}

/// One case at work: the handles of a fixture, and a shop to make commits with.
#[derive(Debug)]
struct Case {
    handles: Handles,
    shop: Shop,
}

impl Case {
    fn new<F: Fixture>(fixture: &F) -> Self {
        Self { handles: fixture.handles(), shop: Shop::new(1) }
    }

    /// On a store that has units of some skus.
    async fn stocked<F: Fixture>(fixture: &F, levels: &[(&str, i64)]) -> Self {
        let case = Self::new(fixture);
        case.accept(case.shop.stocked(levels)).await;
        case
    }

    fn store(&self) -> &dyn Store {
        &*self.handles.store
    }

    /// Commits what must be accepted.
    #[track_caller]
    fn accept(&self, commit: Commit) -> impl Future<Output = ()> + Send {
        let caller = std::panic::Location::caller();
        let store = Arc::clone(&self.handles.store);
        async move {
            if let Err(error) = store.commit(commit).await {
                panic!("the commit at {caller} must be accepted, but: {error:?}");
            }
        }
    }

    /// Commits what must be refused; says how.
    async fn refused(&self, commit: Commit) -> Refusal {
        refusal(self.store().commit(commit).await).expect("the commit is refused")
    }

    /// Places an order and gives it.
    async fn placed(&self, lines: &[(&str, i64)]) -> Order {
        let commit = self.shop.order(lines);
        self.carry_out(commit).await
    }

    /// Commits what is about one order, and gives the order.
    async fn carry_out(&self, commit: Commit) -> Order {
        let order = order_of(&commit).clone();
        self.accept(commit).await;
        order
    }

    async fn level_at(&self, sku: &str, at: DateTime<Utc>) -> StockLevel {
        self.store().stock(&parse(sku), at).await.unwrap().expect("the sku is stocked")
    }

    async fn level(&self, sku: &str) -> StockLevel {
        self.level_at(sku, self.shop.at(1)).await
    }

    async fn order(&self, order: &Order) -> Option<Order> {
        self.store().order(&OrderRef::Id(order.id)).await.unwrap()
    }
}

/// How a commit was refused; none if it was accepted.
fn refusal(answer: Result<(), CommitError>) -> Option<Refusal> {
    match answer {
        Ok(()) => None,
        Err(CommitError::Refused(refusal)) => Some(refusal),
        Err(CommitError::Failed(error)) => panic!("the store failed: {error:?}"),
    }
}

/// Commits all of them at once, from as many tasks; the answers stand in the order of the commits.
async fn at_once(store: &Arc<dyn Store>, commits: Vec<Commit>) -> Vec<Option<Refusal>> {
    let barrier = Arc::new(tokio::sync::Barrier::new(commits.len()));
    let submit = |commit| {
        let (store, barrier) = (Arc::clone(store), Arc::clone(&barrier));
        tokio::spawn(async move {
            barrier.wait().await;
            refusal(store.commit(commit).await)
        })
    };
    let tasks: Vec<_> = commits.into_iter().map(submit).collect();
    let mut answers = Vec::with_capacity(tasks.len());
    for task in tasks {
        answers.push(task.await.expect("no writer panics"));
    }
    answers
}
