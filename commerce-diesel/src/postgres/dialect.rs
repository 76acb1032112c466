//! The little that only PostgreSQL says so.

#[path = "../bulk.rs"]
mod bulk;
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

pub(crate) use self::bulk::*;
use self::statement::FITS;
pub(crate) use self::statement::Take;
use super::connection::Conn;
use crate::fault::{self, Answer, Fault};
use crate::rows::stock::UncontendedReservationRow;

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

/// Whether stock may be taken from levels before they are locked, which leaves them to others for longer.
pub(crate) const SUPPORTS_OPTIMISTIC_RESERVE: bool = true;

/// Takes units from levels, unless one does not fit.
pub(crate) async fn take_each(conn: &mut Conn, rows: &[UncontendedReservationRow<'_>], at: i64) -> Answer<()> {
    let Some(take) = Take::pieces(rows, at).next() else { return Ok(()) };
    match take.execute(conn).await {
        Err(Error::DatabaseError(_, violation)) if violation.constraint_name() == Some(FITS) => Err(Fault::Misfit),
        taken => Ok(taken.map(drop)?),
    }
}

/// What moves the end of the feed, before and behind by how much.
pub(crate) const ADVANCE: (&str, &str) = ("UPDATE feed SET position = position + ", " WHERE id = 1");

/// The end of the feed, to which something is added.
pub(crate) const LAST: &str = "(SELECT position FROM feed WHERE id = 1) + ";

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

/// The id of the order that a row of `document_keys` is of.
pub(crate) const ORDER_OF_KEY: &str = "document_keys.id::uuid";

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
