//! Finding out whether a commit is in the database after its transaction was not confirmed.

use commerce_core::commit::{Accepted, Commit};
use diesel::prelude::*;
use diesel_bulk::DbUuid;

use super::{Answer, Conn, RunQueryDsl, idempotency};
use crate::rows::counter;
use crate::rows::event::{ORDER, STOCK, order_stream};
use crate::schema::events;

/// Whether an accepted commit is in the database. `None` if it wrote nothing that identifies it.
pub(in super::super) async fn is_committed(
    conn: &mut Conn,
    commit: &Commit,
    settled: &Accepted,
) -> Answer<Option<bool>> {
    if let Some(change) = commit.orders.as_slice().first() {
        let event = change.events().first().map(|entry| (entry.sequence, DbUuid(entry.id.uuid())));
        let Some((sequence, id)) = event else { return Ok(None) };
        return has_event(conn, ORDER, &order_stream(change.order().id), sequence, id).await.map(Some);
    }
    if let Some((sku, entry)) = settled.stock_events.as_slice().first() {
        return has_event(conn, STOCK, sku.as_str(), entry.sequence, DbUuid(entry.id.uuid())).await.map(Some);
    }
    if let Some(change) = commit.documents.as_slice().first() {
        let (id, entry) = (change.id(), change.event());
        return has_event(conn, id.kind.name(), &id.id, entry.sequence, DbUuid(entry.id.uuid())).await.map(Some);
    }
    // Last: the record may be that of another attempt at the same request, which had the same effect.
    match &commit.idempotency {
        Some(record) => Ok(Some(idempotency::get(conn, &record.key).await?.as_ref() == Some(record))),
        None => Ok(None),
    }
}

async fn has_event(conn: &mut Conn, kind: &str, stream: &str, sequence: u64, id: DbUuid) -> Answer<bool> {
    let query = events::table
        .filter(events::stream_id.eq(stream))
        .filter(events::stream_kind.eq(kind))
        .filter(events::sequence.eq(counter(sequence)))
        .select(events::event_id);
    let found: Option<DbUuid> = query.get_result(conn).await.optional()?;
    Ok(found == Some(id))
}
