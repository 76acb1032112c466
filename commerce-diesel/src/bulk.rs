//! Writing and finding rows with the statements of [`diesel_bulk`]. Included by the dialect of each database.

use diesel::prelude::*;
use diesel_bulk::{Find, InList, Insert, Key, Update, Write};

use super::super::{Conn, RunQueryDsl};
use super::Db;

pub(crate) async fn insert_each<R: Write<Db>>(conn: &mut Conn, rows: impl IntoIterator<Item = R>) -> QueryResult<()> {
    let rows: Vec<R> = rows.into_iter().collect();
    for statement in Insert::<R, Db>::pieces(&rows) {
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

/// The condition that the columns are in a list of keys.
pub(crate) fn in_list<'k, C: Expression, K: Key<'k, C::SqlType>>(
    columns: C,
    keys: impl IntoIterator<Item = K>,
) -> InList<'k, C, Db> {
    InList::new(columns, keys)
}
