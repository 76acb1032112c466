//! Writing the changes of a settled batch, table by table.

#[path = "write/orders.rs"]
pub(super) mod orders;
#[path = "write/promotions.rs"]
pub(super) mod promotions;
#[path = "write/stock.rs"]
mod stock;

use std::mem;

use commerce_core::commit::{ClaimChange, Claims};
use commerce_core::ids::OrderId;
use diesel::prelude::*;

use super::loaded_state::Writable;
use super::{Answer, Conn, RunQueryDsl, dialect, documents, feed};
use crate::changes::Changes;
use crate::rows::document::ClaimRow;
use crate::rows::event::NewEventRow;
use crate::rows::task::{TaskRow, key_columns};
use crate::schema::{claims, tasks};

/// Writes the changes of the accepted commits.
///
/// The number of statements hardly depends on the number of rows, and each writes in the order of keys. Rows are deleted before the
/// others are written. No row is both updated and inserted, so that a server can do this with one statement. Only `pipeline!` may
/// combine statements: on a server, `COMMIT` is sent right after them, so a statement that waits for another would be outside
/// of the transaction.
pub(super) async fn write(conn: &mut Conn, mut changes: Changes<'_>, settled: &Writable) -> Answer<()> {
    let (events, order_keys) = (mem::take(&mut changes.events), mem::take(&mut changes.order_keys));
    let mut idempotency_records = mem::take(&mut changes.idempotency_records);
    idempotency_records.sort_by(|one, other| (&one.scope, &one.request_key).cmp(&(&other.scope, &other.request_key)));
    dialect::pipeline!(conn;
        () = write_claims(conn, &settled.state.claims),
        () = documents::write(conn, &changes),
        () = orders::write(conn, &changes),
        () = dialect::insert_together(conn, order_keys),
        () = write_tasks(conn, &changes),
        () = dialect::insert_together(conn, idempotency_records),
        () = stock::write(conn, &settled.state),
        () = promotions::write(conn, &settled.state.usage_counters),
        () = write_last(conn, events, settled),
    );
    Ok(())
}

/// Writes what was noted to be written together, and then what others wait for.
async fn write_last(conn: &mut Conn, events: Vec<NewEventRow<'_>>, settled: &Writable) -> Answer<()> {
    dialect::pipeline!(conn;
        () = stock::write_locked(conn, settled),
        () = promotions::write_locked(conn, settled),
        () = dialect::write_together(conn),
        () = stock::take(conn, settled),
        () = promotions::add(conn, settled),
        () = feed::append(conn, events),
    );
    Ok(())
}

/// Writes the claims that changed owner, in the order of keys. Released claims come before taken ones.
pub(super) async fn write_claims(conn: &mut Conn, claims: &Claims) -> Answer<()> {
    let (mut taken, mut passed, mut released) = (Vec::new(), Vec::new(), Vec::new());
    for change in claims.changes() {
        match change {
            ClaimChange::Take(claim, owner) => taken.push(ClaimRow::of(claim, owner)),
            ClaimChange::Pass(claim, owner) => passed.push(ClaimRow::of(claim, owner)),
            ClaimChange::Release(claim) => released.push((claim.kind.name(), claim.key.as_str())),
        }
    }
    dialect::pipeline!(conn;
        () = delete_claims(conn, released),
        () = dialect::update_together(conn, passed),
        () = dialect::insert_together(conn, taken),
    );
    Ok(())
}

async fn delete_claims(conn: &mut Conn, keys: Vec<(&str, &str)>) -> QueryResult<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let released = claims::table.filter(dialect::in_list((claims::kind, claims::claim), keys));
    diesel::delete(released).execute(conn).await.map(drop)
}

async fn write_tasks(conn: &mut Conn, changes: &Changes<'_>) -> Answer<()> {
    let finished = changes.tasks.iter().filter(|(_, draft)| draft.finished);
    let keys = finished.map(|(key, _)| key_columns(key)).collect();
    let scheduled = changes.tasks.values().filter_map(|draft| Some(TaskRow::of(draft.scheduled.as_ref()?)));
    // A new order has no task yet.
    let placed = |id: OrderId| changes.orders.get(&id).is_some_and(|draft| draft.new);
    let of_new = |row: &TaskRow<'_>| row.subject.parse().is_ok_and(placed);
    let (new, others): (Vec<_>, Vec<_>) = scheduled.partition(of_new);
    dialect::pipeline!(conn;
        () = delete_tasks(conn, keys),
        () = dialect::insert_together(conn, new),
        () = dialect::insert_missing_together(conn, others),
    );
    Ok(())
}

async fn delete_tasks(conn: &mut Conn, keys: Vec<(&str, &str)>) -> QueryResult<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let finished = tasks::table.filter(dialect::in_list((tasks::subject, tasks::kind), keys));
    diesel::delete(finished).execute(conn).await.map(drop)
}
