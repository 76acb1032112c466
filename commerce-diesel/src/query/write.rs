//! Writing what a settled batch changes, table by table.

#[path = "write/carts.rs"]
mod carts;
#[path = "write/catalog.rs"]
mod catalog;
#[path = "write/orders.rs"]
pub(super) mod orders;
#[path = "write/promotions.rs"]
pub(super) mod promotions;
#[path = "write/stock.rs"]
mod stock;

use diesel::prelude::*;

use super::{Answer, Conn, RunQueryDsl, dialect};
use crate::changes::Changes;
use crate::rows::task::{TaskRow, key_columns};
use crate::schema::tasks;
use commerce_core::commit::Facts;

/// Writes everything. Nothing is decided here: the facts have been settled, and the changes are those that were accepted.
pub(super) async fn write(conn: &mut Conn, changes: Changes<'_>, settled: &Facts) -> Answer<()> {
    catalog::write(conn, &changes).await?;
    carts::write(conn, &changes).await?;
    orders::write(conn, &changes).await?;
    promotions::write(conn, &changes, settled).await?;
    stock::write(conn, settled).await?;
    write_tasks(conn, &changes).await?;
    dialect::insert_each(conn, changes.events).await?;
    dialect::insert_each(conn, changes.receipts).await?;
    Ok(())
}

async fn write_tasks(conn: &mut Conn, changes: &Changes<'_>) -> QueryResult<()> {
    for (key, _) in changes.tasks.iter().filter(|(_, draft)| draft.finished) {
        let (kind, order, refund) = key_columns(*key);
        diesel::delete(tasks::table.find((order, kind, refund))).execute(conn).await?;
    }
    let scheduled = changes.tasks.iter().filter_map(|(key, draft)| Some(TaskRow::scheduled(*key, draft.scheduled?)));
    dialect::insert_missing(conn, tasks::table, scheduled).await
}
