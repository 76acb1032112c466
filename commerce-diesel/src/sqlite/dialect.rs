//! The little that only SQLite says so.

#[path = "../bulk.rs"]
mod bulk;

use std::future::{Ready, ready};
use std::time::Duration;

use commerce_core::port::StoreErrorKind;
use diesel::connection::SimpleConnection;
use diesel::dsl::{Escape, Like};
use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_types::Text;

pub(crate) use self::bulk::*;
use super::connection::Conn;
use crate::fault::{self, Answer, Fault};
use crate::rows::stock::UncontendedReservationRow;

/// The backend.
pub(crate) type Db = diesel::sqlite::Sqlite;

/// How often a batch is tried again whole before its commits are tried one by one: once, with nothing presumed. The writer has
/// the file to itself, so what fails then would fail again.
pub(crate) const RETRIES: u32 = 1;

/// How long to look for the truth when something failed, and how long to pause between two looks.
pub(crate) const fn patience(_: &Conn) -> Duration {
    Duration::ZERO
}

/// No pause: nobody else is in the way.
pub(crate) fn pause(_: u32) -> Ready<()> {
    ready(())
}

/// Begins a transaction that will write. Taking the write lock at once means that it cannot be refused later; SQLite waits
/// for other processes as long as the options say.
pub(crate) fn begin_write(conn: &mut Conn) -> Ready<QueryResult<()>> {
    ready(conn.batch_execute("BEGIN IMMEDIATE"))
}

/// Makes sure that there is a connection to begin on. A file has not gone away.
pub(crate) fn connected(_: &mut Conn) -> Ready<QueryResult<()>> {
    ready(Ok(()))
}

/// Keeps others from writing until the transaction ends, which it does already.
pub(crate) fn lock_out_writers(_: &mut Conn) -> Ready<QueryResult<()>> {
    ready(Ok(()))
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
macro_rules! for_update {
    ($query:expr) => {
        $query
    };
}

/// Whether stock may be taken from levels before they are locked. Here they are locked from the beginning.
pub(crate) const SUPPORTS_OPTIMISTIC_RESERVE: bool = false;

/// Takes units from levels that are not locked: there are none.
pub(crate) fn take_each(_: &mut Conn, _: &[UncontendedReservationRow<'_>], _: i64) -> Ready<Answer<()>> {
    ready(Err(Fault::Misfit))
}

/// What moves the end of the feed, before and behind by how much.
pub(crate) const ADVANCE: (&str, &str) = ("UPDATE feed SET position = position + ", " WHERE id = 1");

/// The end of the feed, to which something is added.
pub(crate) const LAST: &str = "(SELECT position FROM feed WHERE id = 1) + ";

/// Runs what is named one after the other and binds the answers; the first failure ends the function. (Where a network lies
/// between, all are sent at once.)
macro_rules! pipeline {
    ($conn:ident; $($name:pat = $call:expr),+ $(,)?) => { $(let $name = $call.await?;)+ };
}

/// Ends the transaction behind what is written. Gives whether it was written, and whether the end of the transaction was
/// confirmed: it was not committed if the first is not so.
macro_rules! commit_after {
    ($conn:ident, $write:expr) => {{
        let written = $write.await;
        let ended = if written.is_ok() { dialect::commit($conn).await } else { Ok(dialect::rollback($conn).await) };
        (written, ended)
    }};
}

pub(crate) use for_update as for_update_of_free;
pub(crate) use {commit_after, for_update, pipeline};

/// The id of the order that a row of `document_keys` is of.
pub(crate) const ORDER_OF_KEY: &str = "unhex(replace(document_keys.id, '-', ''))";

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
    fault::kind(fault, |error| says(error, CORRUPT))
}

/// Whether it is of no use to try again at once: somebody else holds the file, and was waited for.
pub(crate) fn is_unavailable(fault: &Fault) -> bool {
    matches!(fault, Fault::Database(error) if is_busy(error))
}

/// Whether somebody else holds the lock.
pub(crate) fn is_busy(error: &Error) -> bool {
    says(error, &["database is locked", "database table is locked"])
}

/// What SQLite says of a file, or of tables, that are not as this engine left them.
const CORRUPT: &[&str] = &["malformed", "not a database", "no such table", "no such column", "cannot store"];

/// Diesel passes on what SQLite says, not its code. These texts are SQLite's own, and it is compiled in.
pub(crate) fn says(error: &Error, phrases: &[&str]) -> bool {
    let Error::DatabaseError(_, information) = error else { return false };
    phrases.iter().any(|phrase| information.message().contains(phrase))
}
