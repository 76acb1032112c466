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

use std::mem;

use chrono::{DateTime, Utc};
use commerce_core::commit::LoadedState;
use commerce_core::ids::OrderId;
use diesel::prelude::*;

use super::{Answer, Conn, RunQueryDsl, dialect, feed};
use crate::changes::Changes;
use crate::db_uuid::DbUuid;
use crate::rows::task::{TaskRow, key_columns};
use crate::schema::tasks;

/// Everything that is to be written.
pub(super) struct Plan<'a> {
    changes: Changes<'a>,
    carts: carts::Plan<'a>,
    settled: &'a LoadedState,
    /// When units were taken from levels that are not locked, if so.
    taken_at: Option<DateTime<Utc>>,
}

/// Looks up what has to be known before anything is written.
pub(super) async fn plan<'a>(
    conn: &mut Conn,
    changes: Changes<'a>,
    settled: &'a LoadedState,
    taken_at: Option<DateTime<Utc>>,
) -> Answer<Plan<'a>> {
    let carts = carts::plan(conn, &changes).await?;
    Ok(Plan { changes, carts, settled, taken_at })
}

/// Writes everything. Nothing is decided here: the batch is settled, and the changes are those that were accepted.
///
/// The statements are as many for a thousand rows as for one, each writes in the order of keys, and none waits for the answer
/// to another: where a network lies between, the end of the transaction follows right behind them.
pub(super) async fn write(conn: &mut Conn, plan: Plan<'_>) -> Answer<()> {
    let Plan { mut changes, carts, settled, taken_at } = plan;
    let (events, mut idempotency_records) =
        (mem::take(&mut changes.events), mem::take(&mut changes.idempotency_records));
    idempotency_records.sort_by(|one, other| (&one.scope, &one.request_key).cmp(&(&other.scope, &other.request_key)));
    dialect::pipeline!(conn;
        () = catalog::write(conn, &changes),
        () = carts::write(conn, carts),
        () = orders::write(conn, &changes),
        () = promotions::write(conn, &changes, settled),
        () = write_tasks(conn, &changes),
        () = dialect::insert_each(conn, idempotency_records),
        () = stock::write(conn, settled, taken_at),
        () = feed::append(conn, events),
    );
    Ok(())
}

async fn write_tasks(conn: &mut Conn, changes: &Changes<'_>) -> Answer<()> {
    let finished = changes.tasks.iter().filter(|(_, draft)| draft.finished);
    let keys = finished.map(|(key, _)| key_columns(*key)).map(|(kind, order, refund)| (order, kind, refund));
    let scheduled = changes.tasks.iter().filter_map(|(key, draft)| Some(TaskRow::scheduled(*key, draft.scheduled?)));
    // An order that is new has no task yet.
    let of_new = |row: &TaskRow<'_>| changes.orders.get(&OrderId::new(row.order_id.0)).is_some_and(|draft| draft.new);
    let (new, others): (Vec<_>, Vec<_>) = scheduled.partition(of_new);
    dialect::pipeline!(conn;
        () = delete_tasks(conn, keys.collect()),
        () = dialect::insert_each(conn, new),
        () = dialect::insert_missing(conn, others),
    );
    Ok(())
}

async fn delete_tasks(conn: &mut Conn, keys: Vec<(DbUuid, &'static str, DbUuid)>) -> QueryResult<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let columns = (tasks::order_id, tasks::kind, tasks::refund_id);
    diesel::delete(tasks::table.filter(dialect::in_list(columns, keys))).execute(conn).await?;
    Ok(())
}
