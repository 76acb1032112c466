//! Rebuilds the tables that are derived from the history.
//!
//! [`commerce_core::replay`] decides. The caller provides the transaction. Memory holds at most a page of orders, the open
//! orders, and the stock.

#[path = "rebuild/orders.rs"]
mod orders;
#[path = "rebuild/stock.rs"]
mod stock;

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::{Answer, Conn, RunQueryDsl, dialect, history, write};
use crate::fault::Fault;
use crate::rebuilt::Rebuilt;
use crate::rows::read_counter;
use crate::schema::promotion_uses;

/// The number of rows in a page.
const PAGE: u16 = 250;

/// Counts the progress and reports it.
pub(super) struct Progress<F> {
    tell: F,
    done: u64,
}

impl<F: FnMut(u64)> Progress<F> {
    fn add(&mut self, more: usize) {
        self.done = self.done.saturating_add(size(more));
        (self.tell)(self.done);
    }
}

fn size(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Runs [`rebuild`] with other writers locked out.
pub(in super::super) async fn locked(
    conn: &mut Conn,
    at: DateTime<Utc>,
    tell: impl FnMut(u64) + Send,
) -> Answer<Rebuilt> {
    dialect::lock_out_writers(conn).await?;
    rebuild(conn, at, tell).await
}

/// Rebuilds orders, uses of promotions and stock. `tell` receives the number of orders, events and skus done so far. Existing
/// stock is compared as of `at`, which must not be earlier than the last commit.
async fn rebuild(conn: &mut Conn, at: DateTime<Utc>, tell: impl FnMut(u64) + Send) -> Answer<Rebuilt> {
    let mut progress = Progress { tell, done: 0 };
    let orders = orders::rebuild(conn, &mut progress).await?;
    let (events, skus) = stock::rebuild(conn, at, &mut progress).await?;
    let promotions: i64 = promotion_uses::table.count().get_result(conn).await?;
    let promotions = read_counter("promotion_uses.promotion_id", promotions)?;
    Ok(Rebuilt { events, orders, skus, promotions })
}
