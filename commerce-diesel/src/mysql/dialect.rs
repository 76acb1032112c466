//! The little that only `MySQL` and `MariaDB` say so.

#[path = "../bulk.rs"]
mod bulk;
mod statement;

use std::time::Duration;

use commerce_core::port::StoreErrorKind;
use diesel::dsl::Like;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use diesel_bulk::Bulk;

pub(crate) use self::bulk::*;
pub(crate) use self::statement::Take;
use super::connection::Conn;
use crate::fault::{self, Answer, Fault};
use crate::rows::stock::UncontendedReservationRow;

/// The backend.
pub(crate) type Db = diesel::mysql::Mysql;

/// How often a batch is tried again whole before its commits are tried one by one: most of what fails here fails because
/// another process was at the same rows at the same time.
pub(crate) const RETRIES: u32 = 3;

/// How long to look for the truth when something failed.
pub(crate) fn patience(conn: &Conn) -> Duration {
    conn.patience()
}

pub(crate) use crate::network::pause;

/// How many commits of those that wait become one batch: as many as fill their statements. The rest would need one more for each
/// table.
pub(crate) fn whole(waiting: usize) -> usize {
    <Db as Bulk>::whole(waiting)
}

/// Makes sure that there is a connection to begin on.
pub(crate) async fn connected(conn: &mut Conn) -> QueryResult<()> {
    conn.restore().await
}

/// Begins a transaction that will write. Each statement sees what others committed before it; what it will change is locked.
pub(crate) async fn begin_write(conn: &mut Conn) -> QueryResult<()> {
    conn.begin("START TRANSACTION").await
}

/// Keeps others from writing until the transaction ends.
///
/// There are no locks of tables that let others read, so every row is locked that a writer would lock, in the order in which
/// writers do, and at last the feed: nobody can append an event any more. Writers who are in the middle by then hold rows that
/// they have inserted; when those are reached, the database ends the transaction with less to undo, and that writer tries again.
pub(crate) async fn lock_out_writers(conn: &mut Conn) -> QueryResult<()> {
    for table in ["orders", "carts", "stock", "promotion_uses", "feed"] {
        conn.run(&format!("SELECT COUNT(*) FROM {table} FOR UPDATE")).await?;
    }
    Ok(())
}

/// Begins to read at one point in time.
pub(crate) async fn begin_read(conn: &mut Conn) -> QueryResult<()> {
    conn.begin("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        .await
}

/// Makes a transaction durable, or ends one that has read.
pub(crate) async fn commit(conn: &mut Conn) -> QueryResult<()> {
    conn.end("COMMIT").await
}

/// Ends what has only read. Whatever the answer is, nothing depends on it.
pub(crate) async fn end_read(conn: &mut Conn) {
    if let Err(error) = conn.end("COMMIT").await {
        tracing::debug!(%error, "a connection was lost behind a query");
    }
}

/// Takes a transaction back, whole: of some failures the database has taken back a statement, of others everything. Where that
/// cannot be said the connection is given up, which has the same effect.
pub(crate) async fn rollback(conn: &mut Conn) {
    if conn.is_lost() {
        conn.give_up();
    } else if let Err(error) = conn.end("ROLLBACK").await {
        tracing::debug!(%error, "nothing to roll back");
    }
}

/// Locks what a query finds against everybody else who would change it.
macro_rules! for_update {
    ($query:expr) => {
        $query.for_update()
    };
}

/// Locks what a query finds, but for what somebody else has locked, which it passes over.
macro_rules! for_update_of_free {
    ($query:expr) => {
        $query.for_update().skip_locked()
    };
}

/// Whether stock may be taken from levels before they are locked, which leaves them to others for longer.
pub(crate) const SUPPORTS_OPTIMISTIC_RESERVE: bool = true;

/// Takes units from levels, unless one does not fit.
pub(crate) async fn take_each(conn: &mut Conn, rows: &[UncontendedReservationRow<'_>], at: i64) -> Answer<()> {
    for take in Take::pieces(rows, at) {
        let all = take.all();
        if take.execute(conn).await? != all {
            return Err(Fault::Misfit);
        }
    }
    Ok(())
}

/// What moves the end of the feed, before and behind by how much; the session remembers where it is then.
pub(crate) const ADVANCE: (&str, &str) = ("UPDATE feed SET position = LAST_INSERT_ID(position + ", ") WHERE id = 1");

/// The end of the feed, to which something is added.
pub(crate) const LAST: &str = "LAST_INSERT_ID() + ";

/// Runs what is named one after the other and binds the answers; the first failure ends the function. (Drivers for these
/// databases wait for each answer.)
macro_rules! pipeline {
    ($conn:ident; $($name:pat = $call:expr),+ $(,)?) => { $(let $name = $call.await?;)+ };
}

/// Runs a query that sees the database at one point in time.
macro_rules! snapshot {
    ($conn:ident, $query:expr) => {
        async {
            super::dialect::begin_read($conn).await?;
            let answer = $query.await?;
            super::dialect::end_read($conn).await;
            Ok::<_, $crate::fault::Fault>(answer)
        }
        .await
    };
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

pub(crate) use {commit_after, for_update, for_update_of_free, pipeline, snapshot};

diesel::define_sql_function! {
    /// A text in lower case.
    fn lower(text: Text) -> Text;
}

/// The id of the order that a row of `document_keys` is of.
pub(crate) const ORDER_OF_KEY: &str = "UNHEX(REPLACE(document_keys.id, '-', ''))";

/// Whether a column contains a text, without regard to case. Columns compare by their bytes, so both are in lower case first.
pub(crate) fn contains<C>(column: C, text: &str) -> Like<lower<C>, lower<String>>
where
    C: AsExpression<Text>,
{
    let literal = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    lower(column).like(lower(format!("%{literal}%")))
}

/// Whether no transaction could begin, because there is no connection to begin it on.
pub(crate) fn is_unavailable(fault: &Fault) -> bool {
    matches!(fault, Fault::Database(Error::DatabaseError(DatabaseErrorKind::UnableToSendCommand, _)))
}

/// Whether it was ended because it and another waited for each other. Diesel passes on the text, not the code.
pub(crate) fn is_deadlock(fault: &Fault) -> bool {
    matches!(fault, Fault::Database(Error::DatabaseError(_, text)) if text.message().starts_with("Deadlock found"))
}

/// What kind of failure it is.
pub(crate) fn kind(fault: &Fault) -> StoreErrorKind {
    fault::kind(fault, is_violated_check)
}

/// Whether it is what `MariaDB` says of a violated check; Diesel knows the code of `MySQL` alone.
fn is_violated_check(error: &Error) -> bool {
    matches!(error, Error::DatabaseError(_, information) if information.message().starts_with("CONSTRAINT `"))
}
