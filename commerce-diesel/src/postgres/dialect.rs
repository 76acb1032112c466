//! SQL and behaviour that are specific to PostgreSQL.

#[path = "../bulk.rs"]
mod bulk;
mod statement;
mod together;

use std::collections::BTreeMap;
use std::time::Duration;

use commerce_core::ids::PromotionId;
use commerce_core::port::StoreErrorKind;
use commerce_core::promotion::UncontendedUses;
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
pub(crate) use self::statement::{AddUses, Take};
pub(crate) use self::together::*;
use super::connection::Conn;
use crate::fault::{self, Answer, Fault};
use crate::network::verdict::{self, Verdict};
use crate::rows::stock::UncontendedReservationRow;

pub(crate) type Db = diesel::pg::Pg;

/// How often a batch is retried before its commits are tried one by one. Most failures are conflicts with other processes.
pub(crate) const RETRIES: u32 = 3;

/// How long to look for the outcome of a failed transaction.
pub(crate) fn patience(conn: &Conn) -> Duration {
    conn.patience()
}

pub(crate) use crate::network::pause;

/// How many waiting commits form a batch: all.
pub(crate) const fn whole(waiting: usize) -> usize {
    waiting
}

/// Reconnects if the connection is lost.
pub(crate) async fn connected(conn: &mut Conn) -> QueryResult<()> {
    conn.restore()
        .await
        .map_err(|error| Error::DatabaseError(DatabaseErrorKind::UnableToSendCommand, Box::new(error.to_string())))
}

/// Begins a transaction that writes. Each statement sees what was committed before it. Rows that will change are locked.
pub(crate) async fn begin_write(conn: &mut Conn) -> QueryResult<()> {
    conn.forget_together();
    conn.run("BEGIN ISOLATION LEVEL READ COMMITTED").await
}

/// Locks out other writers until the transaction ends. They take these locks in this order.
pub(crate) async fn lock_out_writers(conn: &mut Conn) -> QueryResult<()> {
    conn.run("LOCK TABLE idempotency_keys, orders, carts, stock, promotion_uses, feed IN EXCLUSIVE MODE").await
}

pub(crate) async fn begin_read(conn: &mut Conn) -> QueryResult<()> {
    conn.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
}

/// Ends a transaction that writes or reads.
pub(crate) async fn commit(conn: &mut Conn) -> QueryResult<()> {
    conn.end("COMMIT").await
}

/// Ends a transaction that reads. Nothing depends on the answer.
pub(crate) fn end_read(conn: &Conn) {
    drop(conn.run("COMMIT").now_or_never());
}

/// Rolls back. If this fails, the connection is closed, which has the same effect.
pub(crate) async fn rollback(conn: &mut Conn) {
    if let Err(error) = conn.end("ROLLBACK").await {
        tracing::debug!(%error, "nothing to roll back");
        conn.give_up();
    }
}

/// Locks the rows of a query against changes.
macro_rules! for_update {
    ($query:expr) => {
        $query.for_no_key_update()
    };
}

/// Locks the rows of a query that are not locked by others, and skips the rest.
macro_rules! for_update_of_free {
    ($query:expr) => {
        $query.for_no_key_update().skip_locked()
    };
}

/// Whether stock may be taken before it is locked, which shortens the lock.
pub(crate) const SUPPORTS_OPTIMISTIC_RESERVE: bool = true;

/// Writes uncontended reservations, unless one does not fit.
pub(crate) async fn take_each(conn: &mut Conn, rows: &[UncontendedReservationRow<'_>], at: i64) -> Answer<()> {
    let Some(take) = Take::pieces(rows, at).next() else { return Ok(()) };
    fitting(take.execute(conn).await)
}

/// Adds uses to counters, unless one does not fit.
pub(crate) async fn add_uses(conn: &mut Conn, added: &BTreeMap<PromotionId, UncontendedUses>) -> Answer<()> {
    if added.is_empty() {
        return Ok(());
    }
    fitting(AddUses::of(added).execute(conn).await)
}

fn fitting(taken: QueryResult<usize>) -> Answer<()> {
    match taken {
        Err(Error::DatabaseError(_, violation)) if violation.constraint_name() == Some(FITS) => Err(Fault::Misfit),
        taken => Ok(taken.map(drop)?),
    }
}

/// Sends the calls together, waits for all answers and binds them. Returns the first error.
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

/// Writes, and sends the end of the transaction without waiting. Evaluates to the results of both. If the write failed, nothing
/// is committed.
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

/// The order id in a row of `document_keys`, as an expression.
pub(crate) const ORDER_OF_KEY: &str = "document_keys.id::uuid";

/// The query of the id of the order with a number, up to the number.
pub(crate) const ORDER_OF_NUMBER: &str = "(SELECT owner::uuid FROM claims WHERE kind = 'order_number' AND claim = ";

/// The condition that a product sells SKUs, before and after the condition on the claims of these SKUs. PostgreSQL
/// looks up each product; it might look at all of them for a join.
pub(crate) const SOLD: (&str, &str) =
    ("products.id = ANY(ARRAY(SELECT owner FROM claims WHERE kind = 'sku' AND ", "))");

/// The id of an order's stream of events, as an expression.
pub(crate) const STREAM_OF_ORDER: &str = "orders.id::text";

/// The query of the document of an order's payment.
pub(crate) const PAYMENT_OF_ORDER: &str = "(SELECT body FROM payments WHERE payments.id = orders.payment_id::text)";

/// Whether a column contains a text, ignoring case.
pub(crate) fn contains<C>(column: C, text: &str) -> Escape<ILike<C, String>>
where
    C: PgTextExpressionMethods + Expression<SqlType = Text>,
{
    let literal = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    column.ilike(format!("%{literal}%")).escape('\\')
}

/// Whether an immediate retry is useless. Never: a retry reconnects.
pub(crate) const fn is_unavailable(_: &Fault) -> bool {
    false
}

/// Whether a failed `COMMIT` has certainly not happened. A server may have committed before the connection was lost.
pub(crate) fn is_certain(error: &Error) -> bool {
    matches!(verdict::verdict(verdict::POSTGRES, error), Some(Verdict::Conflict | Verdict::NotServed))
}

/// Whether the transaction was rolled back because of another one.
pub(crate) fn is_conflict(fault: &Fault) -> bool {
    matches!(fault, Fault::Database(error) if verdict::verdict(verdict::POSTGRES, error) == Some(Verdict::Conflict))
}

/// Whether a commit is on this server but perhaps on no standby, so that finding it here shows nothing.
pub(crate) fn is_unreplicated(fault: &Fault) -> bool {
    matches!(fault, Fault::Database(error) if verdict::verdict(verdict::POSTGRES, error) == Some(Verdict::NotReplicated))
}

pub(crate) fn kind(fault: &Fault) -> StoreErrorKind {
    fault::kind(fault, |_| false)
}
