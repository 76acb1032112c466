//! The history.

use commerce_core::document::{DocumentEvent, DocumentId};
use commerce_core::event::{HistoryEntry, Recorded};
use commerce_core::ids::OrderId;
use commerce_core::order::OrderEvent;
use commerce_core::port::{Page, PageRequest};
use diesel::prelude::*;

use super::{Answer, Conn, RunQueryDsl, dialect, one_more};
use crate::rows::counter;
use crate::rows::event::{EventRow, ORDER, STOCK, TASK, order_stream};
use crate::schema::events;

/// The kinds of streams that are neither orders nor documents.
const OTHERS: [&str; 2] = [STOCK, TASK];

/// The events of an order, oldest first.
pub(in super::super) async fn of_order(conn: &mut Conn, order: OrderId) -> Answer<Vec<Recorded<OrderEvent>>> {
    let query = events::table
        .filter(events::stream_id.eq(order_stream(order)))
        .filter(events::stream_kind.eq(ORDER))
        .order(events::sequence);
    let rows: Vec<EventRow> = query.select(EventRow::as_select()).load(conn).await?;
    rows.iter().map(EventRow::recorded).collect()
}

/// The events of some orders, each oldest first.
pub(in super::super) async fn of_orders(
    conn: &mut Conn,
    orders: &[OrderId],
) -> Answer<Vec<(OrderId, Vec<Recorded<OrderEvent>>)>> {
    let ids: Vec<String> = orders.iter().map(|order| order_stream(*order)).collect();
    let of = dialect::in_list(events::stream_id, ids.iter().map(String::as_str));
    let query = events::table.filter(of).filter(events::stream_kind.eq(ORDER));
    let query = query.order((events::stream_id, events::sequence)).select(EventRow::as_select());
    let rows: Vec<EventRow> = query.load(conn).await?;
    let of_order = |rows: &[EventRow]| {
        let order = rows.first().map(EventRow::stream).transpose()?;
        let history = rows.iter().map(EventRow::recorded).collect::<Answer<Vec<_>>>()?;
        Ok(order.map(|order| (order, history)))
    };
    let histories = rows.chunk_by(|one, next| one.stream_id == next.stream_id).map(of_order);
    histories.filter_map(Answer::transpose).collect()
}

/// The events of a document, oldest first.
pub(in super::super) async fn of_document(
    conn: &mut Conn,
    id: &DocumentId,
    page: &PageRequest<u64>,
) -> Answer<Page<Recorded<DocumentEvent>, u64>> {
    let query = events::table
        .filter(events::stream_id.eq(id.id.as_str()))
        .filter(events::stream_kind.eq(id.kind.name()))
        .filter(events::sequence.gt(page.after.map_or(0, counter)))
        .order(events::sequence);
    let rows: Vec<EventRow> = query.limit(one_more(page.limit)).select(EventRow::as_select()).load(conn).await?;
    let entries = rows.iter().map(EventRow::of_document).collect::<Answer<Vec<_>>>()?;
    Ok(Page::ascending(entries, page, |entry| entry.sequence))
}

/// The ids of the streams of orders and documents after an id.
pub(super) async fn stream_ids(conn: &mut Conn, after: &str, limit: u16) -> QueryResult<Vec<String>> {
    let streams = events::table.filter(events::stream_id.gt(after)).filter(events::stream_kind.ne_all(OTHERS));
    let ids = streams.select(events::stream_id).distinct().order(events::stream_id);
    ids.limit(limit.into()).load(conn).await
}

/// The events of the orders and documents with these ids, by stream, oldest first.
pub(super) async fn of_streams(conn: &mut Conn, ids: impl Iterator<Item = &str>) -> QueryResult<Vec<EventRow>> {
    let of = events::table.filter(dialect::in_list(events::stream_id, ids)).filter(events::stream_kind.ne_all(OTHERS));
    let query = of.order((events::stream_id, events::stream_kind, events::sequence)).select(EventRow::as_select());
    query.load(conn).await
}

/// The whole history after a position.
pub(in super::super) async fn all(conn: &mut Conn, page: &PageRequest<u64>) -> Answer<Page<HistoryEntry, u64>> {
    let after = page.after.map_or(i64::MIN, counter);
    let query = events::table.filter(events::position.gt(after)).order(events::position);
    let mut rows: Vec<EventRow> = query.limit(one_more(page.limit)).select(EventRow::as_select()).load(conn).await?;
    let limit = usize::from(page.limit.max(1));
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(EventRow::place).transpose()?;
    Ok(Page { items: rows.iter().map(EventRow::entry).collect::<Answer<_>>()?, next })
}
