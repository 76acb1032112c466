//! The feed: every event, in the order in which they became visible.

use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::BigInt;

use super::{Answer, Conn, RunQueryDsl, dialect};
use crate::rows::event::NewEventRow;
use crate::rows::place;

/// Appends events. Whoever else appends waits until this transaction has ended, so this comes last in it.
pub(super) async fn append(conn: &mut Conn, mut events: Vec<NewEventRow<'_>>) -> Answer<()> {
    if events.is_empty() {
        return Ok(());
    }
    let count = place(events.len());
    for (event, number) in events.iter_mut().zip(1..) {
        event.position = number - count;
    }
    dialect::pipeline!(conn; _ = Advance(count).execute(conn), () = dialect::append_behind(conn, events));
    Ok(())
}

/// Moves the end of the feed. (Diesel's own updates are prepared anew each time.)
#[derive(Debug, QueryId)]
struct Advance(i64);

impl QueryFragment<dialect::Db> for Advance {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, dialect::Db>) -> QueryResult<()> {
        let (before, behind) = dialect::ADVANCE;
        out.push_sql(before);
        out.push_bind_param::<BigInt, _>(&self.0)?;
        out.push_sql(behind);
        Ok(())
    }
}
