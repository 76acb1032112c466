//! Connections that break, and what is told to whom: the truth, whenever it can be known.

#[path = "connection/away.rs"]
pub(crate) mod away;
#[path = "connection/cut.rs"]
pub(crate) mod cut;
#[path = "connection/wild.rs"]
pub(crate) mod wild;

use std::time::Duration;

use commerce_core::commit::Commit;
use commerce_core::event::HistoryEntry;
use commerce_core::port::{PageRequest, Store};
use commerce_core::stock::{StockAction, StockEvent};
use commerce_diesel::DatabaseOptions;
use commerce_testkit::CommitBuilder;
use commerce_testkit::commit_builder::parse;

use crate::database::Database;
use crate::proxy::Proxy;

/// A store behind a wire, another one beside it, and a shop.
struct Wired<D: Database> {
    store: D::Store,
    /// Reads what is there, whatever becomes of the wire.
    beside: D::Store,
    proxy: Proxy,
    shop: CommitBuilder,
}

impl<D: Database> Wired<D> {
    async fn new(options: DatabaseOptions) -> Self {
        let (database, shop) = (D::create(), CommitBuilder::new(1));
        let beside = database.open().await;
        let levels: Vec<_> = SKUS.iter().map(|sku| (*sku, 100_000)).collect();
        beside.commit(shop.stocked(&levels)).await.unwrap();
        let proxy = Proxy::start(D::port()).await;
        let store = D::connect(&proxy.url(&database.url()), options).await.unwrap();
        Self { store, beside, proxy, shop }
    }
}

/// What is sold.
const SKUS: [&str; 4] = ["MUG", "TEA", "POT", "CUP"];

/// With one writer, so that what comes together stays together.
fn one_writer() -> DatabaseOptions {
    DatabaseOptions { writers: 1, readers: 2, patience: Duration::from_secs(20), ..DatabaseOptions::default() }
}

/// A delivery that says what it is.
fn delivery(shop: &CommitBuilder, sku: &str, name: &str) -> Commit {
    shop.moves(sku, StockAction::Adjust { delta: 1, reason: parse(name), expected: None }, shop.at(1))
}

/// The names of the deliveries that arrived, as often as they did.
async fn delivered<S: Store>(store: &S) -> Vec<String> {
    let (mut names, mut after) = (Vec::new(), None);
    loop {
        let page = store.history(&PageRequest { limit: 1000, after }).await.unwrap();
        names.extend(page.items.iter().filter_map(|entry| match entry {
            HistoryEntry::Stock(_, recorded) => match &recorded.event {
                StockEvent::Adjusted { reason, .. } => Some(reason.to_string()),
                StockEvent::Set { .. } | StockEvent::LowStock { .. } | StockEvent::OutOfStock => None,
            },
            HistoryEntry::Order(..) | HistoryEntry::Document(..) | HistoryEntry::Task(..) => None,
        }));
        if page.next.is_none() {
            return names;
        }
        after = page.next;
    }
}

/// Makes a test of each case on a database.
macro_rules! connection_tests {
    ($database:ident; $($subject:ident: $($case:ident)+;)+) => {$(
        mod $subject {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    crate::connection::$subject::$case::<crate::$database>().await;
                }
            )+
        }
    )+};
    ($database:ident) => {
        crate::connection::connection_tests! { $database;
            cut:
                a_connection_lost_in_the_first_trip_is_made_anew
                a_commit_that_was_never_sent_is_sent_again
                a_commit_whose_answer_is_lost_is_found
                a_commit_that_comes_late_is_found
                a_server_that_says_no_more_is_not_waited_for;
            away:
                a_database_that_is_away_is_said_to_be
                connections_that_died_unused_are_replaced;
        }
    };
}

pub(crate) use connection_tests;
