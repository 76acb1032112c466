//! SQL and behaviour that are specific to SQLite.

#[path = "../bulk.rs"]
mod bulk;
#[path = "../one_by_one.rs"]
mod one_by_one;

use std::collections::BTreeMap;
use std::future::{Ready, ready};
use std::time::Duration;

use commerce_core::ids::PromotionId;
use commerce_core::port::StoreErrorKind;
use commerce_core::promotion::UncontendedUses;
use diesel::connection::SimpleConnection;
use diesel::dsl::{Escape, Like};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::Error;
use diesel::sql_types::Text;

pub(crate) use self::bulk::*;
pub(crate) use self::one_by_one::*;
use super::connection::Conn;
use crate::fault::{self, Answer, Fault};
use crate::rows::stock::UncontendedReservationRow;

pub(crate) type Db = diesel::sqlite::Sqlite;

/// How often a batch is retried before its commits are tried one by one. Once, under locks, is enough: the writer has the file
/// to itself, so a failure would repeat.
pub(crate) const RETRIES: u32 = 1;

/// No time is spent to find out the outcome of a failed transaction.
pub(crate) const fn patience(_: &Conn) -> Duration {
    Duration::ZERO
}

/// No pause: there are no concurrent writers.
pub(crate) fn pause(_: u32) -> Ready<()> {
    ready(())
}

/// Begins a transaction that writes. It takes the write lock at once, so the lock cannot be refused later. SQLite waits for
/// other processes up to the configured time-out.
pub(crate) fn begin_write(conn: &mut Conn) -> Ready<QueryResult<()>> {
    ready(Control("BEGIN IMMEDIATE").execute(conn).map(drop))
}

/// A statement without values. Unlike `batch_execute`, it is prepared once.
#[derive(Debug)]
struct Control(&'static str);

/// The text tells statements apart.
impl QueryId for Control {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Db> for Control {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Db>) -> QueryResult<()> {
        out.push_sql(self.0);
        Ok(())
    }
}

impl RunQueryDsl<Conn> for Control {}

/// A file needs no reconnecting.
pub(crate) fn connected(_: &mut Conn) -> Ready<QueryResult<()>> {
    ready(Ok(()))
}

/// The transaction has locked out other writers already.
pub(crate) fn lock_out_writers(_: &mut Conn) -> Ready<QueryResult<()>> {
    ready(Ok(()))
}

pub(crate) fn commit(conn: &mut Conn) -> Ready<QueryResult<()>> {
    ready(Control("COMMIT").execute(conn).map(drop))
}

/// Rolls back, unless SQLite has done so already.
pub(crate) fn rollback(conn: &mut Conn) -> Ready<()> {
    if let Err(error) = conn.batch_execute("ROLLBACK") {
        tracing::debug!(%error, "nothing to roll back");
    }
    ready(())
}

/// Begins to read at one point in time.
pub(crate) fn begin_read(conn: &mut Conn) -> QueryResult<()> {
    Control("BEGIN").execute(conn).map(drop)
}

pub(crate) fn end_read(conn: &mut Conn) -> QueryResult<()> {
    Control("COMMIT").execute(conn).map(drop)
}

/// Locks the rows of a query. SQLite has locked the database already.
macro_rules! for_update {
    ($query:expr) => {
        $query
    };
}

/// Whether stock may be taken before it is locked. Here it is always locked.
pub(crate) const SUPPORTS_OPTIMISTIC_RESERVE: bool = false;

/// Never called: all levels are locked.
pub(crate) fn take_each(_: &mut Conn, _: &[UncontendedReservationRow<'_>], _: i64) -> Ready<Answer<()>> {
    ready(Err(Fault::Misfit))
}

/// Never called: all counters are locked.
pub(crate) fn add_uses(_: &mut Conn, _: &BTreeMap<PromotionId, UncontendedUses>) -> Ready<Answer<()>> {
    ready(Err(Fault::Misfit))
}

/// The statement that moves the end of the feed, before and after the number.
pub(crate) const ADVANCE: (&str, &str) = ("UPDATE feed SET position = position + ", " WHERE id = 1");

/// An expression for the end of the feed, to which a number is added.
pub(crate) const LAST: &str = "(SELECT position FROM feed WHERE id = 1) + ";

/// Runs the calls in sequence and binds their answers. Returns the first error. (On a server they are sent together.)
macro_rules! pipeline {
    ($conn:ident; $($name:pat = $call:expr),+ $(,)?) => { $(let $name = $call.await?;)+ };
}

/// Writes, then ends the transaction. Evaluates to the results of both. If the write failed, nothing is committed.
macro_rules! commit_after {
    ($conn:ident, $write:expr) => {{
        let written = $write.await;
        let ended = if written.is_ok() { dialect::commit($conn).await } else { Ok(dialect::rollback($conn).await) };
        (written, ended)
    }};
}

pub(crate) use for_update as for_update_of_free;
pub(crate) use {commit_after, for_update, pipeline};

/// The order id in a row of `document_keys`, as an expression.
pub(crate) const ORDER_OF_KEY: &str = "unhex(replace(document_keys.id, '-', ''))";

/// The query of the id of the order with a number, up to the number.
pub(crate) const ORDER_OF_NUMBER: &str =
    "(SELECT unhex(replace(owner, '-', '')) FROM claims WHERE kind = 'order_number' AND claim = ";

/// The condition that a product sells SKUs, before and after the condition on the claims of these SKUs.
pub(crate) const SOLD: (&str, &str) = ("products.id IN (SELECT owner FROM claims WHERE kind = 'sku' AND ", ")");

/// The id of an order's stream of events, as an expression.
pub(crate) const STREAM_OF_ORDER: &str = "lower(substr(hex(orders.id), 1, 8) || '-' || substr(hex(orders.id), 9, 4) || '-' || substr(hex(orders.id), 13, 4) || '-' || \
     substr(hex(orders.id), 17, 4) || '-' || substr(hex(orders.id), 21))";

/// The query of the document of an order's payment.
pub(crate) const PAYMENT_OF_ORDER: &str = "(SELECT body FROM payments WHERE payments.id = lower(substr(hex(orders.payment_id), 1, 8) || '-' || \
     substr(hex(orders.payment_id), 9, 4) || '-' || substr(hex(orders.payment_id), 13, 4) || '-' || \
     substr(hex(orders.payment_id), 17, 4) || '-' || substr(hex(orders.payment_id), 21)))";

/// Whether a column contains a text. `LIKE` ignores ASCII case.
pub(crate) fn contains<C>(column: C, text: &str) -> Escape<Like<C, String>>
where
    C: TextExpressionMethods + Expression<SqlType = Text>,
{
    let literal = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    column.like(format!("%{literal}%")).escape('\\')
}

pub(crate) fn kind(fault: &Fault) -> StoreErrorKind {
    fault::kind(fault, |error| says(error, CORRUPT))
}

/// Whether an immediate retry is useless: another process holds the lock after the time-out.
pub(crate) fn is_unavailable(fault: &Fault) -> bool {
    matches!(fault, Fault::Database(error) if is_busy(error))
}

/// Whether a failed `COMMIT` has certainly not happened: there was no space for it, or another process holds the lock.
pub(crate) fn is_certain(error: &Error) -> bool {
    says(error, &["database or disk is full"]) || is_busy(error)
}

/// Writers take turns, so there are no conflicts.
pub(crate) const fn is_conflict(_: &Fault) -> bool {
    false
}

/// There is only one copy of a file.
pub(crate) const fn is_unreplicated(_: &Fault) -> bool {
    false
}

/// Whether another process holds the lock.
pub(crate) fn is_busy(error: &Error) -> bool {
    says(error, &["database is locked", "database table is locked"])
}

/// Messages of SQLite about a file or tables that are not as this engine left them.
const CORRUPT: &[&str] = &["malformed", "not a database", "no such table", "no such column", "cannot store"];

/// Whether SQLite's message contains one of the phrases. Diesel does not pass on the error code.
pub(crate) fn says(error: &Error, phrases: &[&str]) -> bool {
    let Error::DatabaseError(_, information) = error else { return false };
    phrases.iter().any(|phrase| information.message().contains(phrase))
}
