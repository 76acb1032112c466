//! Every query, written once and compiled once per database.
//!
//! This file and those below it are included by each backend (`#[path]`), which provides, beside them:
//! * `Conn`, its connection, and `RunQueryDsl`, which runs a query on it in the shape of diesel-async;
//! * `dialect`, the little that databases do not agree on:
//!   the `Db`;
//!   `connected`, `begin_write`, `lock_out_writers`, `commit_after!`, `rollback` for a transaction;
//!   `pipeline!` for statements that do not wait for each other, `for_update!` and `for_update_of_free!` for rows that
//!   will change;
//!   `insert_each`, `insert_missing`, `update_each`, `ADVANCE`, `append_behind` for rows, in one statement
//!   or one per row, whichever its database is quicker with;
//!   `SUPPORTS_OPTIMISTIC_RESERVE`, `take_each` for units of levels that may be old;
//!   `in_list` (conditions on lists of keys of any length), `contains`;
//!   `kind`, `is_unavailable`, `RETRIES`, `patience`, `pause` for what fails.

#[path = "query/committed.rs"]
pub(super) mod committed;
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
#[path = "query/promotions.rs"]
pub(super) mod promotions;
#[path = "query/rebuild.rs"]
pub(super) mod rebuild;
#[path = "query/stock.rs"]
pub(super) mod stock;
#[path = "query/tasks.rs"]
pub(super) mod tasks;
#[path = "query/write.rs"]
mod write;

use commerce_core::port::Page;

use super::{Conn, RunQueryDsl, dialect};
use crate::fault::{Answer, Fault};

/// How many rows to ask for to know whether there are more than `limit`.
fn one_more(limit: u16) -> i64 {
    i64::from(limit.max(1)).saturating_add(1)
}

/// Cuts a list that was asked for with [`one_more`].
pub(super) fn listing<T, K>(mut items: Vec<T>, limit: u16, key: impl Fn(&T) -> K) -> Page<T, K> {
    let limit = usize::from(limit.max(1));
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(key);
    Page { items, next }
}
