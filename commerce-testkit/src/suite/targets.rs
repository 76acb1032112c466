//! Tests of the contract of the [`Targets`] port.
//!
//! An adapter runs all of them with one line. It provides a function that creates a [`Fixture`] without targets; a store in memory is one
//! itself:
//!
//! ```
//! use commerce_testkit::MemoryStore;
//!
//! async fn start() -> MemoryStore {
//!     MemoryStore::new()
//! }
//!
//! commerce_testkit::targets_suite!(start);
//! ```

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a case fails by panicking")]
#![expect(missing_docs, reason = "the names of the cases say it")]

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use commerce_core::port::Targets;
use commerce_core::publishing::{Failure, Lease, MAX_ERROR, Pauses, TargetState};
use uuid::Uuid;

use crate::commit_builder::parse;

/// A store for one case. Dropping the fixture cleans up.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// The store. It had no targets when the fixture was created.
    fn store(&self) -> Arc<dyn Targets>;

    /// Another store on the same data, like that of another process.
    async fn reopen(&self) -> Arc<dyn Targets>;
}

/// A store whose clones are handles on the same data.
#[async_trait]
impl<S: Targets + Clone + 'static> Fixture for S {
    fn store(&self) -> Arc<dyn Targets> {
        Arc::new(self.clone())
    }

    async fn reopen(&self) -> Arc<dyn Targets> {
        self.store()
    }
}

/// Gives the list of cases to a macro.
#[doc(hidden)]
#[macro_export]
macro_rules! targets_cases {
    ([$callback:ident] [$($arguments:tt)*]) => {
        $crate::$callback! { $($arguments)*
            an_unknown_target_is_not_found
            a_state_comes_back_equal
            a_state_is_there_after_reopening
            a_target_is_created_once
            a_stale_version_changes_nothing
            of_changes_at_once_one_is_made
            a_removed_target_is_gone
            targets_come_by_name
        }
    };
}

/// Runs all tests of the contract of [`Targets`] on an adapter. See [`suite::targets`](crate::suite::targets).
#[macro_export]
macro_rules! targets_suite {
    ($start:expr) => {
        $crate::targets_cases! { [targets_suite] [@stamp ($start)] }
    };
    (@list ($fixture:ty) $($case:ident)+) => {
        vec![$($crate::suite::Case {
            name: concat!("targets::", stringify!($case)),
            run: |fixture: $fixture| Box::pin(async move { $crate::suite::targets::$case(&fixture).await }),
        }),+]
    };
    (@stamp $start:tt $($case:ident)+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::suite::targets::$case(&$start().await).await;
        }
    )+};
}

/// All tests of the contract, for programs that run them themselves.
pub fn cases<F: Fixture + 'static>() -> Vec<super::Case<F>> {
    crate::targets_cases! { [targets_suite] [@list (F)] }
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 123_456_000).unwrap() + TimeDelta::seconds(seconds)
}

fn new(name: &str) -> TargetState {
    TargetState::new(parse(name), 7)
}

async fn created(targets: &dyn Targets, name: &str) -> TargetState {
    let state = new(name);
    assert!(targets.replace_target(None, Some(&state)).await.unwrap());
    state
}

pub async fn an_unknown_target_is_not_found<F: Fixture>(fixture: &F) {
    let targets = fixture.store();
    assert_eq!(targets.target(&parse("books")).await.unwrap(), None);
    assert_eq!(targets.targets().await.unwrap(), []);
    assert!(!targets.replace_target(Some(&new("books")), Some(&new("books").confirmed(8))).await.unwrap());
    assert!(!targets.replace_target(Some(&new("books")), None).await.unwrap());
    assert_eq!(targets.targets().await.unwrap(), []);
}

/// With every field, and without.
pub async fn a_state_comes_back_equal<F: Fixture>(fixture: &F) {
    let targets = fixture.store();
    let mut state = created(&*targets, "a name, as long as it may be \u{e9} it's \"x\" % _ and 64 characters!").await;
    assert_eq!(targets.target(&state.name).await.unwrap().as_ref(), Some(&state));
    let lease = Lease { holder: Uuid::from_u128(u128::MAX), until: at(30) };
    let error = &"it's \"down\" 🦀".repeat(MAX_ERROR);
    let pauses = Pauses { first: TimeDelta::seconds(2), longest: TimeDelta::seconds(60) };
    let changes = [
        state.leased(lease),
        state.leased(lease).confirmed(u64::MAX >> 1),
        state.leased(lease).failed(9, &Failure { at: at(1), error, pauses, random: 77 }),
        state.released(),
    ];
    for change in changes {
        let after = TargetState { version: state.version + 1, ..change };
        assert!(targets.replace_target(Some(&state), Some(&after)).await.unwrap());
        assert_eq!(targets.target(&state.name).await.unwrap().as_ref(), Some(&after));
        state = after;
    }
}

pub async fn a_state_is_there_after_reopening<F: Fixture>(fixture: &F) {
    let state = created(&*fixture.store(), "books").await;
    let targets = fixture.reopen().await;
    assert_eq!(targets.target(&state.name).await.unwrap().as_ref(), Some(&state));
    assert!(targets.replace_target(Some(&state), Some(&state.confirmed(8))).await.unwrap());
    assert_eq!(fixture.store().target(&state.name).await.unwrap(), Some(state.confirmed(8)));
}

pub async fn a_target_is_created_once<F: Fixture>(fixture: &F) {
    let targets = fixture.store();
    let state = created(&*targets, "books").await;
    assert!(
        !fixture.reopen().await.replace_target(None, Some(&TargetState::new(state.name.clone(), 0))).await.unwrap()
    );
    assert_eq!(targets.targets().await.unwrap(), [state]);
}

pub async fn a_stale_version_changes_nothing<F: Fixture>(fixture: &F) {
    let targets = fixture.store();
    let (read, other) = (created(&*targets, "books").await, created(&*targets, "other").await);
    assert!(targets.replace_target(Some(&read), Some(&read.confirmed(3))).await.unwrap());
    assert!(!targets.replace_target(Some(&read), Some(&read.confirmed(8))).await.unwrap());
    assert!(!targets.replace_target(Some(&read), None).await.unwrap());
    assert_eq!(targets.targets().await.unwrap(), [read.confirmed(3), other]);
}

/// By any number of processes.
pub async fn of_changes_at_once_one_is_made<F: Fixture>(fixture: &F) {
    let name = "books";
    for round in 0..3 {
        let before = fixture.store().target(&parse(name)).await.unwrap();
        let writers: Vec<_> = (0..8_u64)
            .map(|writer| {
                let (targets, before) = (fixture.store(), before.clone());
                tokio::spawn(async move {
                    let after = before.as_ref().map_or_else(|| new(name), TargetState::released);
                    let after = TargetState { position: writer, ..after };
                    targets.replace_target(before.as_ref(), Some(&after)).await.unwrap().then_some(writer)
                })
            })
            .collect();
        let mut made = Vec::new();
        for writer in writers {
            made.extend(writer.await.unwrap());
        }
        let stored = fixture.store().target(&parse(name)).await.unwrap().unwrap();
        assert_eq!(made, [stored.position], "in round {round}");
    }
}

pub async fn a_removed_target_is_gone<F: Fixture>(fixture: &F) {
    let targets = fixture.store();
    let state = created(&*targets, "books").await;
    assert!(targets.replace_target(Some(&state), None).await.unwrap());
    assert_eq!(targets.target(&state.name).await.unwrap(), None);
    created(&*targets, "books").await;
}

pub async fn targets_come_by_name<F: Fixture>(fixture: &F) {
    let targets = fixture.store();
    for name in ["b", "webhook/2", "a", "B"] {
        created(&*targets, name).await;
    }
    let names: Vec<_> = targets.targets().await.unwrap().into_iter().map(|state| state.name.to_string()).collect();
    assert_eq!(names, ["B", "a", "b", "webhook/2"]);
}
