//! Tests of the contract of the [`Store`] port.
//!
//! An adapter runs all of them with one line. It provides a function that creates a [`Fixture`] on an empty store; a store in memory
//! is one itself:
//!
//! ```
//! use commerce_testkit::MemoryStore;
//!
//! async fn start() -> MemoryStore {
//!     MemoryStore::new()
//! }
//!
//! commerce_testkit::store_suite!(start);
//! ```
//!
//! Each case becomes a `#[tokio::test]` with its name, in a module of its subject, on two threads.
//! [`store_suite!`](crate::store_suite) has the list of cases.
//!
//! # Details of the contract
//! * Products are listed newest first. Those of the same instant are in the byte order of their ids.
//! * A task that is scheduled again keeps the time of its first scheduling.
//! * The task changes of a commit are made in their order.
//! * The events of a task are numbered from 1. One is added only if the task was replaced.
//! * In the history, the events of a commit's orders come before those of its stock moves, each in the order of the commit.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc, reason = "a case fails by panicking")]

pub mod carts;
pub mod catalog;
pub mod commits;
pub mod customers;
pub mod history;
pub mod inbox;
pub mod metadata;
pub mod orders;
pub mod promotions;
pub mod stock;
pub mod tasks;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use commerce_core::actor::Role;
use commerce_core::commit::{Commit, Refusal};
use commerce_core::document::{DocumentEvent, DocumentId};
use commerce_core::event::Recorded;
use commerce_core::order::{Command, Order, ShipmentStatus};
use commerce_core::port::{CommitError, OrderRef, Page, PageRequest, Store, StoreError};
use commerce_core::stock::StockLevel;

use crate::CommitBuilder;
use crate::commit_builder::{order_of, parse};

/// A store for one case. Dropping the fixture cleans up.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// The store. It was empty when the fixture was created.
    fn store(&self) -> Arc<dyn Store>;

    /// Another store on the same data, like that of another process.
    async fn reopen(&self) -> Arc<dyn Store>;
}

/// A store whose clones are handles on the same data.
#[async_trait]
impl<S: Store + Clone + 'static> Fixture for S {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.clone())
    }

    async fn reopen(&self) -> Arc<dyn Store> {
        self.store()
    }
}

/// Gives the list of cases to a macro.
#[doc(hidden)]
#[macro_export]
macro_rules! store_cases {
    ([$callback:ident] [$($arguments:tt)*]) => {
        $crate::$callback! { $($arguments)*
            commits:
                what_is_committed_is_read
                what_is_committed_is_there_after_reopening
                everything_of_a_commit_is_read
                a_refused_commit_leaves_nothing
                each_guard_refuses_the_whole_commit
                a_commit_cannot_contradict_itself
                a_stale_version_is_refused
                a_new_order_must_not_exist
                two_decisions_on_one_version_have_one_effect
                a_taken_number_is_refused
                a_number_drawn_at_once_goes_to_one_order
                a_key_is_answered_with_the_first_reply
                a_refused_commit_leaves_its_key_free
                one_key_sent_at_once_has_one_effect
                a_refusal_does_not_touch_its_neighbours
                idempotency_records_are_purged_by_age;
            orders:
                an_order_is_found_by_each_of_its_names
                an_order_nobody_placed_is_not_found
                a_whole_life_comes_back_equal
                five_hundred_lines_come_back_equal
                the_longest_texts_come_back_equal
                extreme_amounts_come_back_equal
                instants_come_back_to_the_microsecond
                orders_come_newest_first
                orders_are_filtered
                orders_are_found_by_ids
                an_order_is_found_with_its_payment
                returns_come_newest_first_and_are_filtered
                active_orders_are_counted
                unpaid_orders_are_counted_and_limited
                a_page_that_ends_the_list_says_so
                orders_are_paged_while_orders_are_placed;
            stock:
                two_writers_share_the_last_unit_fairly
                many_buyers_of_one_sku_get_what_is_there
                writers_of_the_same_skus_do_not_block_each_other
                a_reservation_expires_without_a_sweeper
                reservations_expire_one_after_the_other
                an_expired_reservation_is_taken_anew_when_paid
                an_expired_reservation_whose_units_are_gone_is_refused
                a_paid_reservation_does_not_expire
                a_cancelled_order_gives_its_units_back_once
                shipped_units_leave_the_house
                returned_units_can_be_sold_again
                nothing_falls_below_what_is_reserved
                on_hand_has_limits
                a_stale_level_is_not_changed
                two_counts_on_one_version_have_one_effect
                corrections_at_once_add_up
                a_sku_nobody_stocked_is_out_of_stock
                a_threshold_is_kept_until_another_is_given
                falling_levels_are_noticed_once
                levels_come_by_sku
                low_levels_are_listed_as_of_an_instant;
            carts:
                a_cart_comes_back_equal
                a_changed_cart_replaces_the_old_one
                a_stale_cart_is_refused
                a_customer_has_one_active_cart
                a_cart_may_take_the_place_of_a_closed_one_in_one_commit
                carts_opened_at_once_leave_one_active
                an_overdue_cart_is_still_the_active_one
                a_cart_becomes_one_order;
            catalog:
                a_product_comes_back_equal
                a_changed_product_replaces_the_old_one
                a_stale_product_is_refused
                a_sku_belongs_to_one_product
                a_sku_claimed_at_once_goes_to_one_product
                a_dropped_sku_is_free_for_another_product
                offers_are_of_the_skus_that_exist
                products_come_newest_first_then_by_id
                products_are_paged_while_products_are_made
                products_are_filtered
                a_search_looks_at_names_ids_and_skus
                wildcards_in_a_search_are_plain_characters
                categories_come_by_id_and_can_be_renamed;
            customers:
                a_customer_comes_back_equal
                a_stale_customer_is_refused
                customers_are_found_by_group
                a_deleted_customer_is_in_no_list;
            promotions:
                a_promotion_comes_back_equal
                a_stale_promotion_is_refused
                candidates_are_automatic_or_asked_for
                facts_for_a_price_are_those_of_single_reads
                uses_are_counted_and_limited
                a_refused_commit_uses_nothing
                the_last_use_is_given_once
                a_use_is_released_once
                promotions_and_uses_are_paged;
            inbox:
                an_event_sent_at_once_takes_effect_once
                a_change_in_several_events_takes_effect_once
                the_newest_level_wins
                dead_letters_are_kept_until_they_are_discarded
                a_refused_level_waits;
            history:
                an_orders_events_make_the_order
                a_documents_events_make_the_document
                events_keep_the_trace_of_their_commit
                documents_are_paged_by_id
                documents_are_found_by_ids
                events_of_orders_stand_before_those_of_their_stock
                histories_of_orders_are_read_at_once
                positions_of_the_history_have_no_gaps
                the_history_keeps_the_order_of_commits
                a_reader_of_the_history_misses_nothing
                a_replay_makes_the_same_tables
                a_replay_makes_the_same_tables_after_a_rush;
            metadata:
                metadata_comes_back_equal
                documents_are_found_by_their_metadata
                documents_changed_in_a_row_are_found_by_their_last_metadata
                orders_are_found_by_their_metadata
                the_longest_entry_is_found;
            tasks:
                due_tasks_come_oldest_first
                a_task_is_leased_to_one_worker
                workers_at_once_share_the_tasks
                a_lost_lease_goes_to_another_worker
                a_failed_task_comes_back_when_it_is_due
                a_task_that_is_given_up_does_not_come_back
                a_finished_task_does_not_come_back
                scheduling_twice_is_scheduling_once
                scheduled_and_finished_at_once_leaves_nothing
                a_task_of_an_unknown_kind_is_left_alone
                tasks_are_listed_by_state
                tasks_follow_from_the_history;
        }
    };
}

/// Runs all tests of the store's contract on an adapter. See [`suite::store`](crate::suite::store).
#[macro_export]
macro_rules! store_suite {
    ($start:expr) => {
        $crate::store_cases! { [store_suite] [@stamp ($start)] }
    };
    (@list ($fixture:ty) $($subject:ident: $($case:ident)+;)+) => {
        vec![$($($crate::suite::Case {
            name: concat!("store::", stringify!($subject), "::", stringify!($case)),
            run: |fixture: $fixture| Box::pin(async move { $crate::suite::store::$subject::$case(&fixture).await }),
        }),+),+]
    };
    (@stamp $start:tt $($subject:ident: $($case:ident)+;)+) => {$(
        mod $subject {
                #[allow(unused_imports, reason = "the fixture may need what is beside the suite")]
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

/// All tests of the store's contract, for programs that run them themselves.
pub fn cases<F: Fixture + 'static>() -> Vec<super::Case<F>> {
    crate::store_cases! { [store_suite] [@list (F)] }
}

/// The store of a fixture, and a builder of commits.
#[derive(Debug)]
struct Case {
    store: Arc<dyn Store>,
    shop: CommitBuilder,
}

impl Case {
    fn new<F: Fixture>(fixture: &F) -> Self {
        Self { store: fixture.store(), shop: CommitBuilder::new(1) }
    }

    /// With units of some SKUs on hand.
    async fn stocked<F: Fixture>(fixture: &F, levels: &[(&str, i64)]) -> Self {
        let case = Self::new(fixture);
        case.accept(case.shop.stocked(levels)).await;
        case
    }

    fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// The history of a document, read in pages of two.
    async fn document_history(&self, id: &DocumentId) -> Vec<Recorded<DocumentEvent>> {
        let (mut all, mut page) = (Vec::new(), PageRequest::first(2));
        loop {
            let Page { items, next } = self.store().document_history(id, &page).await.unwrap();
            assert!(items.len() <= 2, "{items:?}");
            all.extend(items);
            let Some(next) = next else { return all };
            page.after = Some(next);
        }
    }

    /// Commits, which must succeed.
    #[track_caller]
    fn accept(&self, commit: Commit) -> impl Future<Output = ()> + Send {
        let caller = std::panic::Location::caller();
        let store = Arc::clone(&self.store);
        async move {
            if let Err(error) = store.commit(commit).await {
                panic!("the commit at {caller} must be accepted, but: {error:?}");
            }
        }
    }

    /// Commits, which must be refused.
    async fn refused(&self, commit: Commit) -> Refusal {
        refusal(self.store().commit(commit).await).expect("the commit is refused")
    }

    /// Places an order.
    async fn placed(&self, lines: &[(&str, i64)]) -> Order {
        let commit = self.shop.order(lines);
        self.carry_out(commit).await
    }

    /// Commits, and returns the order.
    async fn carry_out(&self, commit: Commit) -> Order {
        let order = order_of(&commit).clone();
        self.accept(commit).await;
        order
    }

    async fn level_at(&self, sku: &str, at: DateTime<Utc>) -> StockLevel {
        self.store().stock(&parse(sku), at).await.unwrap().expect("the sku is stocked")
    }

    async fn pay(&self, order: &Order, at: DateTime<Utc>) -> Order {
        self.carry_out(self.shop.pay(order, at)).await
    }

    /// Ships and delivers an order.
    async fn deliver(&self, order: &Order, at: DateTime<Utc>) -> Order {
        let shipped = self.carry_out(self.shop.ship(order, ShipmentStatus::Shipped, at)).await;
        self.carry_out(self.shop.ship(&shipped, ShipmentStatus::Delivered, at)).await
    }

    /// Runs a command as an admin, or as the engine if only the engine may.
    async fn tell(&self, order: &Order, command: Command, at: DateTime<Utc>) -> Order {
        let role = if command.permit(Role::Admin).is_ok() { Role::Admin } else { Role::System };
        self.carry_out(self.shop.decide(order, role, command, at).expect("the order obeys")).await
    }

    async fn level(&self, sku: &str) -> StockLevel {
        self.level_at(sku, self.shop.at(1)).await
    }

    async fn order(&self, order: &Order) -> Option<Order> {
        self.store().order(&OrderRef::Id(order.id)).await.unwrap()
    }
}

/// The refusal of a commit. `None` if it was accepted.
fn refusal(answer: Result<(), CommitError>) -> Option<Refusal> {
    match answer {
        Ok(()) => None,
        Err(CommitError::Refused(refusal)) => Some(refusal),
        Err(CommitError::Failed(error)) => panic!("the store failed: {error:?}"),
    }
}

/// Runs commits concurrently. The refusals have the order of the commits.
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

const fn first<K>(limit: u16) -> PageRequest<K> {
    PageRequest { limit, after: None }
}

/// All entries of a list, read in pages, with an action between two pages.
async fn walk<T, K: Clone>(
    limit: u16,
    mut page: impl AsyncFnMut(PageRequest<K>) -> Result<Page<T, K>, StoreError>,
    mut meanwhile: impl AsyncFnMut(),
) -> Vec<T> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let listing = page(PageRequest { limit, after }).await.unwrap();
        assert!(listing.items.len() <= limit.into(), "a page has at most {limit} entries");
        all.extend(listing.items);
        if listing.next.is_none() {
            return all;
        }
        after = listing.next;
        meanwhile().await;
    }
}
