//! The little that only PostgreSQL says so.

mod in_list;
mod statement;

use std::time::Duration;

use commerce_core::port::StoreErrorKind;
use diesel::dsl::Escape;
use diesel::expression::Expression;
use diesel::helper_types::ILike;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use futures_util::FutureExt;

use self::in_list::InList;
use self::statement::{Append, Insert, InsertMissing, Take, Update};
use super::connection::Conn;
use crate::fault::{self, Fault};
use crate::key::Key;
use crate::rows::event::NewEventRow;
use crate::rows::stock::{LevelRow, UncontendedReservationRow};
use crate::rows::table::Columns;

/// The backend.
pub(crate) type Db = diesel::pg::Pg;

/// How often a batch is tried again whole before its commits are tried one by one: most of what fails here fails because
/// another process was at the same rows at the same time.
pub(crate) const RETRIES: u32 = 3;

/// How long to look for the truth when something failed.
pub(crate) fn patience(conn: &Conn) -> Duration {
    conn.patience()
}

pub(crate) use crate::network::pause;

/// How many commits of those that wait become one batch: all.
pub(crate) const fn whole(waiting: usize) -> usize {
    waiting
}

/// Makes sure that there is a connection to begin on.
pub(crate) async fn connected(conn: &mut Conn) -> QueryResult<()> {
    conn.restore()
        .await
        .map_err(|error| Error::DatabaseError(DatabaseErrorKind::UnableToSendCommand, Box::new(error.to_string())))
}

/// Begins a transaction that will write. Each statement sees what others committed before it; what it will change is locked.
pub(crate) async fn begin_write(conn: &mut Conn) -> QueryResult<()> {
    conn.run("BEGIN ISOLATION LEVEL READ COMMITTED").await
}

/// Keeps others from writing until the transaction ends. They take these locks in this order.
pub(crate) async fn lock_out_writers(conn: &mut Conn) -> QueryResult<()> {
    conn.run("LOCK TABLE idempotency_keys, orders, carts, stock, promotion_uses, feed IN EXCLUSIVE MODE").await
}

/// Begins to read at one point in time.
pub(crate) async fn begin_read(conn: &mut Conn) -> QueryResult<()> {
    conn.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
}

/// Makes a transaction durable, or ends one that has read.
pub(crate) async fn commit(conn: &mut Conn) -> QueryResult<()> {
    conn.end("COMMIT").await
}

/// Ends what has only read. Nobody waits for the answer: whatever it is, nothing depends on it.
pub(crate) fn end_read(conn: &Conn) {
    drop(conn.run("COMMIT").now_or_never());
}

/// Takes a transaction back. Where that cannot be said the connection is given up, which has the same effect.
pub(crate) async fn rollback(conn: &mut Conn) {
    if let Err(error) = conn.end("ROLLBACK").await {
        tracing::debug!(%error, "nothing to roll back");
        conn.give_up();
    }
}

/// Locks what a query finds against everybody else who would change it.
macro_rules! for_update {
    ($query:expr) => {
        $query.for_no_key_update()
    };
}

/// Locks what a query finds, but for what somebody else has locked, which it passes over.
macro_rules! for_update_of_free {
    ($query:expr) => {
        $query.for_no_key_update().skip_locked()
    };
}

/// Inserts rows.
pub(crate) async fn insert_each<R: Columns>(conn: &mut Conn, rows: impl IntoIterator<Item = R>) -> QueryResult<()> {
    let rows: Vec<R> = rows.into_iter().collect();
    if rows.is_empty() { Ok(()) } else { Insert::of(&rows).execute(conn).await.map(drop) }
}

/// Inserts those of the rows whose key is not there yet.
pub(crate) async fn insert_missing<R: Columns>(conn: &mut Conn, rows: impl IntoIterator<Item = R>) -> QueryResult<()> {
    let rows: Vec<R> = rows.into_iter().collect();
    if rows.is_empty() { Ok(()) } else { InsertMissing::of(&rows).execute(conn).await.map(drop) }
}

/// Sets all columns but the key of rows that are there.
pub(crate) async fn update_each<R: Columns>(conn: &mut Conn, rows: impl IntoIterator<Item = R>) -> QueryResult<()> {
    let rows: Vec<R> = rows.into_iter().collect();
    if rows.is_empty() { Ok(()) } else { Update::of(&rows).execute(conn).await.map(drop) }
}

/// Whether stock may be taken from levels that were read before they are locked, which leaves them to others for longer.
pub(crate) const SUPPORTS_OPTIMISTIC_RESERVE: bool = true;

/// Takes units from levels, or fails if one does not fit.
pub(crate) async fn take_each(
    conn: &mut Conn,
    _: Vec<LevelRow<'_>>,
    rows: Vec<UncontendedReservationRow<'_>>,
    at: i64,
) -> QueryResult<()> {
    if rows.is_empty() { Ok(()) } else { Take::of(&rows, at).execute(conn).await.map(drop) }
}

/// What moves the end of the feed, before and behind by how much.
pub(crate) const ADVANCE: (&str, &str) = ("UPDATE feed SET position = position + ", " WHERE id = 1");

/// Appends events whose positions are counted from behind the last one.
pub(crate) async fn append_behind(conn: &mut Conn, rows: Vec<NewEventRow<'_>>) -> QueryResult<()> {
    Append::of(&rows).execute(conn).await.map(drop)
}

/// Whether a column, or several, are among these keys.
pub(crate) fn in_list<C, K: Key>(columns: C, keys: impl IntoIterator<Item = K>) -> InList<C, K::Named> {
    InList::new(columns, keys)
}

/// Sends what is named, one behind the other, and waits for the answers together; the first failure ends the function.
macro_rules! pipeline {
    ($conn:ident; $($name:pat = $call:expr),+ $(,)?) => {
        let ($($name,)+) = $crate::network::pipeline::AllOk::all_ok(tokio::join!(biased; $(async {
            let mut shared = $conn.clone();
            let $conn = &mut shared;
            $crate::network::pipeline::answer($call.await)
        }),+))?;
    };
}

/// Runs a query that sees the database at one point in time.
macro_rules! snapshot {
    ($conn:ident, $query:expr) => {
        async {
            super::dialect::pipeline!($conn; () = super::dialect::begin_read($conn), answer = $query);
            super::dialect::end_read($conn);
            Ok::<_, $crate::fault::Fault>(answer)
        }
        .await
    };
}

/// Sends the end of the transaction right behind what is written. Gives whether it was written, and whether the end of the
/// transaction was confirmed: it was not committed if the first is not so.
macro_rules! commit_after {
    ($conn:ident, $write:expr) => {{
        let end = $conn.clone();
        tokio::join!(biased;
            async {
                let mut shared = $conn.clone();
                let $conn = &mut shared;
                $write.await
            },
            async { end.end("COMMIT").await },
        )
    }};
}

pub(crate) use {commit_after, for_update, for_update_of_free, pipeline, snapshot};

/// Whether a column contains a text, without regard to case.
pub(crate) fn contains<C>(column: C, text: &str) -> Escape<ILike<C, String>>
where
    C: PgTextExpressionMethods + Expression<SqlType = Text>,
{
    let literal = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    column.ilike(format!("%{literal}%")).escape('\\')
}

/// Whether it is of no use to try again at once. A connection that is lost is made anew by the next try.
pub(crate) const fn is_unavailable(_: &Fault) -> bool {
    false
}

/// Whether it was ended because it and another waited for each other. Diesel passes on the text, not the code.
pub(crate) fn is_deadlock(fault: &Fault) -> bool {
    matches!(fault, Fault::Database(Error::DatabaseError(_, text)) if text.message() == "deadlock detected")
}

/// What kind of failure it is.
pub(crate) fn kind(fault: &Fault) -> StoreErrorKind {
    fault::kind(fault, |_| false)
}
