//! Writing and finding rows with the statements of [`diesel_bulk`]. Included by the dialect of each database.

use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::BigInt;
use diesel_bulk::{Find, InList, Insert, InsertBehind, InsertMissing, Key, Update, Write};

use super::super::{Conn, RunQueryDsl};
use super::{ADVANCE, Db, LAST};

pub(crate) async fn insert_each<R: Write<Db>>(conn: &mut Conn, rows: impl IntoIterator<Item = R>) -> QueryResult<()> {
    let rows: Vec<R> = rows.into_iter().collect();
    for statement in Insert::<R, Db>::pieces(&rows) {
        statement.execute(conn).await?;
    }
    Ok(())
}

/// Inserts the rows whose keys do not exist.
pub(crate) async fn insert_missing<R: Write<Db>>(
    conn: &mut Conn,
    rows: impl IntoIterator<Item = R>,
) -> QueryResult<()> {
    let rows: Vec<R> = rows.into_iter().collect();
    for statement in InsertMissing::<R, Db>::pieces(&rows) {
        statement.execute(conn).await?;
    }
    Ok(())
}

/// Updates all columns except the key.
pub(crate) async fn update_each<R: Write<Db>>(conn: &mut Conn, rows: impl IntoIterator<Item = R>) -> QueryResult<()> {
    let rows: Vec<R> = rows.into_iter().collect();
    for statement in Update::<R, Db>::pieces(&rows) {
        statement.execute(conn).await?;
    }
    Ok(())
}

/// The rows of the table that have the keys of these, each as a JSON array of texts.
pub(crate) async fn find_each<R: Write<Db>>(conn: &mut Conn, rows: &[R]) -> QueryResult<Vec<String>> {
    let mut found = Vec::new();
    for statement in Find::<R, Db>::pieces(rows) {
        found.extend(statement.load::<String>(conn).await?);
    }
    Ok(found)
}

/// Appends rows. Their positions count from the end of the feed that [`advance`] has set.
pub(crate) async fn append_behind<R: Write<Db>>(conn: &mut Conn, rows: Vec<R>) -> QueryResult<()> {
    for statement in InsertBehind::<R, Db>::pieces(&rows, LAST) {
        statement.execute(conn).await?;
    }
    Ok(())
}

/// Moves the end of the feed by `count`.
pub(crate) async fn advance(conn: &mut Conn, count: i64) -> QueryResult<()> {
    Advance(count).execute(conn).await.map(drop)
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

/// The condition that the columns are in a list of keys.
pub(crate) fn in_list<'k, C: Expression, K: Key<'k, C::SqlType>>(
    columns: C,
    keys: impl IntoIterator<Item = K>,
) -> InList<'k, C, Db> {
    InList::new(columns, keys)
}
