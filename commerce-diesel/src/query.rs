//! The queries, written once and compiled once per database.
//!
//! Each backend includes this file and those below it (`#[path]`) and provides:
//! * `Conn`, its connection, and `RunQueryDsl`, which runs a query on it like the trait of diesel-async;
//! * `dialect`, SQL and behaviour that are specific to the database:
//!   `Db`;
//!   `connected`, `begin_write`, `lock_out_writers`, `commit_after!`, `rollback` for transactions;
//!   `pipeline!` for independent statements, `for_update!` and `for_update_of_free!` to lock rows;
//!   `insert_each`, `update_each` for rows, with one statement or one per row;
//!   `insert_together`, `insert_missing_together`, `update_together`, and `write_together` behind them, which may be one statement;
//!   `append` for the feed;
//!   `SUPPORTS_OPTIMISTIC_RESERVE`, `take_each`, `add_uses` for uncontended reservations and uses;
//!   `in_list` (conditions on lists of keys), `contains`, `ORDER_OF_KEY`, `ORDER_OF_NUMBER`, `SOLD`, `STREAM_OF_ORDER`;
//!   `kind`, `is_unavailable`, `is_conflict`, `is_unreplicated`, `RETRIES`, `patience`, `pause` for failures.

#[path = "query/committed.rs"]
pub(super) mod committed;
#[path = "query/deliveries.rs"]
pub(super) mod deliveries;
#[path = "query/documents.rs"]
pub(super) mod documents;
#[path = "query/feed.rs"]
pub(super) mod feed;
#[path = "query/group.rs"]
pub(super) mod group;
#[path = "query/history.rs"]
pub(super) mod history;
#[path = "query/idempotency.rs"]
pub(super) mod idempotency;
#[path = "query/loaded_state.rs"]
pub(super) mod loaded_state;
#[path = "query/orders.rs"]
pub(super) mod orders;
#[path = "query/pricing.rs"]
pub(super) mod pricing;
#[path = "query/promotions.rs"]
pub(super) mod promotions;
#[path = "query/rebuild.rs"]
pub(super) mod rebuild;
#[path = "query/sandbox.rs"]
pub(super) mod sandbox;
#[path = "query/stock.rs"]
pub(super) mod stock;
#[path = "query/targets.rs"]
pub(super) mod targets;
#[path = "query/tasks.rs"]
pub(super) mod tasks;
#[path = "query/write.rs"]
mod write;

use commerce_core::port::Page;

use super::{Conn, RunQueryDsl, dialect};
use crate::fault::{Answer, Fault};

/// The limit of a query that also has to find out whether there is another page.
fn one_more(limit: u16) -> i64 {
    i64::from(limit.max(1)).saturating_add(1)
}

/// A page of the result of a query with the limit [`one_more`].
pub(super) fn listing<T, K>(mut items: Vec<T>, limit: u16, key: impl Fn(&T) -> K) -> Page<T, K> {
    let limit = usize::from(limit.max(1));
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(key);
    Page { items, next }
}
