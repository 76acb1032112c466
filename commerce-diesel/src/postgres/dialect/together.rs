//! Writing many tables with one statement.

use std::future::{Ready, ready};

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use diesel_bulk::{Arrays, InsertBehind};

use super::super::connection::Conn;

/// Notes an insert for [`write_together`].
pub(crate) fn insert_together<R: Arrays>(conn: &mut Conn, rows: impl IntoIterator<Item = R>) -> Ready<QueryResult<()>> {
    let rows: Vec<R> = rows.into_iter().collect();
    ready(conn.together().insert(&rows))
}

/// Notes an insert of the rows whose keys do not exist.
pub(crate) fn insert_missing_together<R: Arrays>(
    conn: &mut Conn,
    rows: impl IntoIterator<Item = R>,
) -> Ready<QueryResult<()>> {
    let rows: Vec<R> = rows.into_iter().collect();
    ready(conn.together().insert_missing(&rows))
}

/// Notes an update of all columns except the key.
pub(crate) fn update_together<R: Arrays>(conn: &mut Conn, rows: impl IntoIterator<Item = R>) -> Ready<QueryResult<()>> {
    let rows: Vec<R> = rows.into_iter().collect();
    ready(conn.together().update(&rows))
}

/// Writes what was noted.
pub(crate) async fn write_together(conn: &mut Conn) -> QueryResult<()> {
    conn.write_together().await
}

/// Moves the end of the feed by `count`, and appends rows whose positions count from there.
pub(crate) async fn append<R: Arrays>(conn: &mut Conn, count: i64, rows: Vec<R>) -> QueryResult<()> {
    for insert in InsertBehind::pieces(&rows, "(SELECT position FROM moved) + ") {
        Append { count, insert }.execute(conn).await?;
    }
    Ok(())
}

#[derive(Debug)]
struct Append<'r, R> {
    count: i64,
    insert: InsertBehind<'r, R, Pg>,
}

impl<R: Arrays> QueryId for Append<'_, R> {
    type QueryId = Append<'static, R::Static>;
}

impl<R: Arrays> QueryFragment<Pg> for Append<'_, R> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH moved AS (UPDATE feed SET position = position + ");
        out.push_bind_param::<BigInt, _>(&self.count)?;
        out.push_sql(" WHERE id = 1 RETURNING position) ");
        self.insert.walk_ast(out)
    }
}
