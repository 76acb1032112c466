//! The tables that follow from the history, made anew from it.
//!
//! Nothing is decided here: what the events make, [`commerce_core::replay`] says. Everything happens in the transaction of
//! whoever calls, and memory holds no more than a page of orders, the orders that are open, and the stock.

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

/// How many rows are read at a time.
const PAGE: u16 = 250;

/// Whoever hears how far it is, and how far that is.
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

/// As [`rebuild`], while nobody else writes.
pub(in super::super) async fn locked(
    conn: &mut Conn,
    at: DateTime<Utc>,
    tell: impl FnMut(u64) + Send,
) -> Answer<Rebuilt> {
    dialect::lock_out_writers(conn).await?;
    rebuild(conn, at, tell).await
}

/// Makes orders, uses of promotions and stock anew; `tell` hears how many orders, events and skus are done. What an earlier
/// transaction left is compared as of an instant no earlier than the last commit.
async fn rebuild(conn: &mut Conn, at: DateTime<Utc>, tell: impl FnMut(u64) + Send) -> Answer<Rebuilt> {
    let mut progress = Progress { tell, done: 0 };
    let orders = orders::rebuild(conn, &mut progress).await?;
    let (events, skus) = stock::rebuild(conn, at, &mut progress).await?;
    let promotions: i64 = promotion_uses::table.count().get_result(conn).await?;
    let promotions = read_counter("promotion_uses.promotion_id", promotions)?;
    Ok(Rebuilt { events, orders, skus, promotions })
}
