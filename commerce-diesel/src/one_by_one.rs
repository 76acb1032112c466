//! Writing with a statement for each table. Included by the dialect of each database that cannot combine statements.

use std::future::{Ready, ready};

use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::BigInt;
use diesel_bulk::{InsertBehind, InsertMissing, Write};

use super::super::{Conn, RunQueryDsl};
pub(crate) use super::bulk::{insert_each as insert_together, update_each as update_together};
use super::{ADVANCE, Db, LAST};

/// Inserts the rows whose keys do not exist.
pub(crate) async fn insert_missing_together<R: Write<Db>>(
    conn: &mut Conn,
    rows: impl IntoIterator<Item = R>,
) -> QueryResult<()> {
    let rows: Vec<R> = rows.into_iter().collect();
    for statement in InsertMissing::<R, Db>::pieces(&rows) {
        statement.execute(conn).await?;
    }
    Ok(())
}

/// The rows are written already.
pub(crate) fn write_together(_: &mut Conn) -> Ready<QueryResult<()>> {
    ready(Ok(()))
}

/// Moves the end of the feed by `count`, and appends rows whose positions count from there.
pub(crate) async fn append<R: Write<Db>>(conn: &mut Conn, count: i64, rows: Vec<R>) -> QueryResult<()> {
    Advance(count).execute(conn).await?;
    for statement in InsertBehind::<R, Db>::pieces(&rows, LAST) {
        statement.execute(conn).await?;
    }
    Ok(())
}

/// Diesel would prepare its own update anew each time.
#[derive(Debug, QueryId)]
struct Advance(i64);

impl QueryFragment<Db> for Advance {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Db>) -> QueryResult<()> {
        let (before, behind) = ADVANCE;
        out.push_sql(before);
        out.push_bind_param::<BigInt, _>(&self.0)?;
        out.push_sql(behind);
        Ok(())
    }
}
