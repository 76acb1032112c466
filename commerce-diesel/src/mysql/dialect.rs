//! SQL and behaviour that are specific to `MySQL` and `MariaDB`.

#[path = "../bulk.rs"]
mod bulk;
#[path = "../one_by_one.rs"]
mod one_by_one;
mod statement;

use std::collections::BTreeMap;
use std::time::Duration;

use commerce_core::ids::PromotionId;
use commerce_core::port::StoreErrorKind;
use commerce_core::promotion::UncontendedUses;
use diesel::dsl::Like;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use diesel_bulk::Bulk;

pub(crate) use self::bulk::*;
pub(crate) use self::one_by_one::*;
pub(crate) use self::statement::{AddUses, Take};
use super::connection::Conn;
use crate::fault::{self, Answer, Fault};
use crate::network::verdict::{self, Verdict};
use crate::rows::stock::UncontendedReservationRow;

pub(crate) type Db = diesel::mysql::Mysql;

/// How often a batch is retried before its commits are tried one by one. Most failures are conflicts with other processes.
pub(crate) const RETRIES: u32 = 3;

/// How long to look for the outcome of a failed transaction.
pub(crate) fn patience(conn: &Conn) -> Duration {
    conn.patience()
}

pub(crate) use crate::network::pause;

/// How many waiting commits form a batch: as many as fill their statements. The others would need another statement per table.
pub(crate) fn whole(waiting: usize) -> usize {
    <Db as Bulk>::whole(waiting)
}

/// Reconnects if the connection is lost.
pub(crate) async fn connected(conn: &mut Conn) -> QueryResult<()> {
    conn.restore().await
}

/// Begins a transaction that writes. Each statement sees what was committed before it. Rows that will change are locked.
///
/// A Galera node may abort the transaction without an error. Without `autocommit`, what follows is in another transaction, which
/// does not have the savepoint, so [`commit`] fails.
pub(crate) async fn begin_write(conn: &mut Conn) -> QueryResult<()> {
    conn.begin("SET autocommit = 0; START TRANSACTION; SAVEPOINT begun").await
}

/// Locks out other writers until the transaction ends.
///
/// Table locks would block readers, so this locks all rows that writers lock, in their order, and finally the feed, which every
/// writer appends to. If it deadlocks with a writer that has inserted rows, the database rolls back the smaller transaction,
/// and that writer tries again. On a cluster, where locks hold on one node, the changed feed makes writers of other nodes try
/// again.
pub(crate) async fn lock_out_writers(conn: &mut Conn) -> QueryResult<()> {
    for table in ["orders", "carts", "stock", "promotion_uses", "feed"] {
        conn.run(&format!("SELECT COUNT(*) FROM {table} FOR UPDATE")).await?;
    }
    conn.run("UPDATE feed SET promotions = promotions + 1").await
}

pub(crate) async fn begin_read(conn: &mut Conn) -> QueryResult<()> {
    conn.begin("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        .await
}

/// Ends a transaction that writes, if it is still the one that was begun.
pub(crate) async fn commit(conn: &mut Conn) -> QueryResult<()> {
    conn.end("RELEASE SAVEPOINT begun; COMMIT; SET autocommit = 1").await
}

/// Ends a transaction that reads. Nothing depends on the answer.
pub(crate) async fn end_read(conn: &mut Conn) {
    if let Err(error) = conn.end("COMMIT").await {
        tracing::debug!(%error, "a connection was lost after a query");
    }
}

/// Rolls back the whole transaction: after some failures the server has rolled back only a statement. If this fails, the
/// connection is closed, which has the same effect.
pub(crate) async fn rollback(conn: &mut Conn) {
    if conn.is_lost() {
        conn.give_up();
    } else if let Err(error) = conn.end("ROLLBACK; SET autocommit = 1").await {
        tracing::debug!(%error, "nothing to roll back");
    }
}

/// Locks the rows of a query against changes.
macro_rules! for_update {
    ($query:expr) => {
        $query.for_update()
    };
}

/// Locks the rows of a query that are not locked by others, and skips the rest.
macro_rules! for_update_of_free {
    ($query:expr) => {
        $query.for_update().skip_locked()
    };
}

/// Whether stock may be taken before it is locked, which shortens the lock.
pub(crate) const SUPPORTS_OPTIMISTIC_RESERVE: bool = true;

/// Writes uncontended reservations, unless one does not fit.
pub(crate) async fn take_each(conn: &mut Conn, rows: &[UncontendedReservationRow<'_>], at: i64) -> Answer<()> {
    for take in Take::pieces(rows, at) {
        let all = take.all();
        if take.execute(conn).await? != all {
            return Err(Fault::Misfit);
        }
    }
    Ok(())
}

/// Adds uses to counters, unless one does not fit.
pub(crate) async fn add_uses(conn: &mut Conn, added: &BTreeMap<PromotionId, UncontendedUses>) -> Answer<()> {
    for (promotion, added) in added {
        if AddUses::of(promotion, added).execute(conn).await? != 1 {
            return Err(Fault::Misfit);
        }
    }
    Ok(())
}

/// The statement that moves the end of the feed, before and after the number. The session remembers the new end.
pub(crate) const ADVANCE: (&str, &str) = ("UPDATE feed SET position = LAST_INSERT_ID(position + ", ") WHERE id = 1");

/// An expression for the end of the feed, to which a number is added.
pub(crate) const LAST: &str = "LAST_INSERT_ID() + ";

/// Runs the calls in sequence and binds their answers. Returns the first error. (The drivers cannot send several statements at
/// once.)
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

/// Writes, then ends the transaction. Evaluates to the results of both. If the write failed, nothing is committed.
macro_rules! commit_after {
    ($conn:ident, $write:expr) => {{
        let written = $write.await;
        let ended = if written.is_ok() { dialect::commit($conn).await } else { Ok(dialect::rollback($conn).await) };
        (written, ended)
    }};
}

pub(crate) use {commit_after, for_update, for_update_of_free, pipeline, snapshot};

diesel::define_sql_function! {
    fn lower(text: Text) -> Text;
}

/// The order id in a row of `document_keys`, as an expression.
pub(crate) const ORDER_OF_KEY: &str = "UNHEX(REPLACE(document_keys.id, '-', ''))";

/// The query of the id of the order with a number, up to the number.
pub(crate) const ORDER_OF_NUMBER: &str =
    "(SELECT UNHEX(REPLACE(owner, '-', '')) FROM claims WHERE kind = 'order_number' AND claim = ";

/// The condition that a product sells SKUs, before and after the condition on the claims of these SKUs.
pub(crate) const SOLD: (&str, &str) = ("products.id IN (SELECT owner FROM claims WHERE kind = 'sku' AND ", ")");

/// The id of an order's stream of events, as an expression.
pub(crate) const STREAM_OF_ORDER: &str = "LOWER(CONCAT_WS('-', SUBSTR(HEX(orders.id), 1, 8), SUBSTR(HEX(orders.id), 9, 4), SUBSTR(HEX(orders.id), 13, 4), \
     SUBSTR(HEX(orders.id), 17, 4), SUBSTR(HEX(orders.id), 21)))";

/// The query of the document of an order's payment.
pub(crate) const PAYMENT_OF_ORDER: &str = "(SELECT body FROM payments WHERE payments.id = LOWER(CONCAT_WS('-', SUBSTR(HEX(orders.payment_id), 1, 8), \
     SUBSTR(HEX(orders.payment_id), 9, 4), SUBSTR(HEX(orders.payment_id), 13, 4), SUBSTR(HEX(orders.payment_id), 17, 4), \
     SUBSTR(HEX(orders.payment_id), 21))))";

/// Whether a column contains a text, ignoring case. Columns compare bytes, so both are converted to lower case.
pub(crate) fn contains<C>(column: C, text: &str) -> Like<lower<C>, lower<String>>
where
    C: AsExpression<Text>,
{
    let literal = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    lower(column).like(lower(format!("%{literal}%")))
}

/// Whether no transaction could begin because there is no connection.
pub(crate) fn is_unavailable(fault: &Fault) -> bool {
    matches!(fault, Fault::Database(Error::DatabaseError(DatabaseErrorKind::UnableToSendCommand, _)))
}

/// Whether a failed `COMMIT` has certainly not happened. A server may have committed before the connection was lost.
pub(crate) fn is_certain(error: &Error) -> bool {
    matches!(verdict::verdict(verdict::MYSQL, error), Some(Verdict::Conflict | Verdict::NotServed))
}

/// Whether the transaction was rolled back because of another one.
pub(crate) fn is_conflict(fault: &Fault) -> bool {
    matches!(fault, Fault::Database(error) if verdict::verdict(verdict::MYSQL, error) == Some(Verdict::Conflict))
}

/// Whether a commit was not replicated. No error says so.
pub(crate) const fn is_unreplicated(_: &Fault) -> bool {
    false
}

pub(crate) fn kind(fault: &Fault) -> StoreErrorKind {
    fault::kind(fault, |_| false)
}
