//! The feed: all events, in the order in which they became visible.

use commerce_core::document::DocumentKind;
use diesel::prelude::*;

use super::{Answer, Conn, RunQueryDsl, dialect};
use crate::rows::event::NewEventRow;
use crate::rows::{read_counter, size};
use crate::schema::feed;

/// The position of the newest event.
pub(in super::super) async fn last_position(conn: &mut Conn) -> Answer<u64> {
    let row = feed::table.filter(feed::id.eq(1));
    let position: i64 = row.select(feed::position).get_result(conn).await?;
    read_counter("feed.position", position)
}

/// Appends events. This blocks others that append until the transaction ends, so it comes last.
pub(super) async fn append(conn: &mut Conn, mut events: Vec<NewEventRow<'_>>) -> Answer<()> {
    if events.is_empty() {
        return Ok(());
    }
    let count = size(events.len());
    let promotions = events.iter().any(|event| event.stream_kind == DocumentKind::Promotion.name());
    for (event, number) in events.iter_mut().zip(1..) {
        event.position = number - count;
    }
    dialect::pipeline!(conn;
        () = dialect::append(conn, count, events),
        () = expire_promotions(conn, promotions),
    );
    Ok(())
}

/// Tells all processes that what they remember of promotions is old, if they changed.
pub(super) async fn expire_promotions(conn: &mut Conn, changed: bool) -> QueryResult<()> {
    if !changed {
        return Ok(());
    }
    let row = feed::table.filter(feed::id.eq(1));
    diesel::update(row).set(feed::promotions.eq(feed::promotions + 1)).execute(conn).await.map(drop)
}
