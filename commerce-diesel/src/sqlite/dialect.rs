//! The little that only SQLite says so.

mod listed;

use std::future::{Ready, ready};

use commerce_core::port::StoreErrorKind;
use diesel::connection::SimpleConnection;
use diesel::dsl::{Escape, Like};
use diesel::prelude::*;
use diesel::query_builder::{InsertOrIgnoreStatement, InsertStatement};
use diesel::query_dsl::methods::ExecuteDsl;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_types::Text;
use uuid::Uuid;

use self::listed::{Ids, Listed, TextIds, TextPairs, Texts};
use super::connection::{Conn, RunQueryDsl};
use crate::fault::Fault;
use crate::rows::insert::Insert;

/// The backend.
pub(crate) type Db = diesel::sqlite::Sqlite;

/// Begins a transaction that will write. Taking the write lock at once means that it cannot be refused later; SQLite waits
/// for other processes as long as the options say.
pub(crate) fn begin_write(conn: &mut Conn) -> Ready<QueryResult<()>> {
    ready(conn.batch_execute("BEGIN IMMEDIATE"))
}

/// Makes a transaction durable.
pub(crate) fn commit(conn: &mut Conn) -> Ready<QueryResult<()>> {
    ready(conn.batch_execute("COMMIT"))
}

/// Takes a transaction back. Where SQLite has done so already there is nothing left to do.
pub(crate) fn rollback(conn: &mut Conn) -> Ready<()> {
    if let Err(error) = conn.batch_execute("ROLLBACK") {
        tracing::debug!(%error, "nothing to roll back");
    }
    ready(())
}

/// Begins to read at one point in time.
pub(crate) fn begin_read(conn: &mut Conn) -> QueryResult<()> {
    conn.batch_execute("BEGIN")
}

/// Ends it.
pub(crate) fn end_read(conn: &mut Conn) -> QueryResult<()> {
    conn.batch_execute("COMMIT")
}

/// Locks what a query finds. SQLite's writer has locked everything already.
pub(crate) const fn for_update<Q>(query: Q) -> Q {
    query
}

/// Inserts rows of the tables that every order writes.
pub(crate) async fn insert_each<R>(conn: &mut Conn, rows: impl IntoIterator<Item = R>) -> QueryResult<()>
where
    Insert<R>: ExecuteDsl<Conn>,
{
    for row in rows {
        Insert(row).execute(conn).await?;
    }
    Ok(())
}

/// Inserts rows: one cached statement, run once per row, which costs SQLite less than a statement of many rows.
pub(crate) async fn insert_all<T, R>(conn: &mut Conn, table: T, rows: impl IntoIterator<Item = R>) -> QueryResult<()>
where
    T: Table + Copy,
    R: Insertable<T>,
    InsertStatement<T, R::Values>: ExecuteDsl<Conn>,
{
    for row in rows {
        diesel::insert_into(table).values(row).execute(conn).await?;
    }
    Ok(())
}

/// Inserts those of the rows whose key is not there yet.
pub(crate) async fn insert_missing<T, R>(
    conn: &mut Conn,
    table: T,
    rows: impl IntoIterator<Item = R>,
) -> QueryResult<()>
where
    T: Table + Copy,
    R: Insertable<T>,
    InsertOrIgnoreStatement<T, R::Values>: ExecuteDsl<Conn>,
{
    for row in rows {
        diesel::insert_or_ignore_into(table).values(row).execute(conn).await?;
    }
    Ok(())
}

/// Whether a column of ids is among these.
pub(crate) fn ids_in<C>(column: C, ids: impl Iterator<Item = Uuid>) -> Listed<C, Ids> {
    Listed::new(column, ids.map(|id| id.simple().to_string()))
}

/// Whether a column of text is among these.
pub(crate) fn texts_in<'a, C>(column: C, texts: impl Iterator<Item = &'a str>) -> Listed<C, Texts> {
    Listed::new(column, texts)
}

/// Whether a pair of columns, text and id, is among these.
pub(crate) fn text_ids_in<'a, C>(columns: C, pairs: impl Iterator<Item = (&'a str, Uuid)>) -> Listed<C, TextIds> {
    Listed::new(columns, pairs.map(|(text, id)| (text, id.simple().to_string())))
}

/// Whether a pair of columns of text is among these.
pub(crate) fn text_pairs_in<'a, C>(
    columns: C,
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
) -> Listed<C, TextPairs> {
    Listed::new(columns, pairs)
}

/// Whether a column contains a text, without regard to ASCII case, which is how LIKE compares here.
pub(crate) fn contains<C>(column: C, text: &str) -> Escape<Like<C, String>>
where
    C: TextExpressionMethods + Expression<SqlType = Text>,
{
    let literal = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    column.like(format!("%{literal}%")).escape('\\')
}

/// What kind of failure it is.
pub(crate) fn kind(fault: &Fault) -> StoreErrorKind {
    match fault {
        Fault::Database(error) if is_corrupt(error) => StoreErrorKind::Corrupt,
        Fault::Database(_) => StoreErrorKind::Unavailable,
        Fault::Corrupt(_) | Fault::Event { .. } | Fault::History(_) => StoreErrorKind::Corrupt,
    }
}

/// Whether somebody else holds the lock.
pub(crate) fn is_busy(error: &Error) -> bool {
    says(error, &["database is locked", "database table is locked"])
}

/// Whether what is stored is at fault: a constraint that no settled commit can violate was, or a row could not be read.
fn is_corrupt(error: &Error) -> bool {
    let violated = matches!(
        error,
        Error::DatabaseError(
            DatabaseErrorKind::UniqueViolation
                | DatabaseErrorKind::ForeignKeyViolation
                | DatabaseErrorKind::NotNullViolation
                | DatabaseErrorKind::CheckViolation,
            _,
        )
    );
    violated || matches!(error, Error::DeserializationError(_)) || says(error, CORRUPT)
}

/// What SQLite says of a file, or of tables, that are not as this engine left them.
const CORRUPT: &[&str] = &["malformed", "not a database", "no such table", "no such column", "cannot store"];

/// Diesel passes on what SQLite says, not its code. These texts are SQLite's own, and it is compiled in.
pub(crate) fn says(error: &Error, phrases: &[&str]) -> bool {
    let Error::DatabaseError(_, information) = error else { return false };
    phrases.iter().any(|phrase| information.message().contains(phrase))
}
