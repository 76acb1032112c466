//! The books of the payment sandbox.

use std::collections::BTreeSet;

use commerce_core::ids::PaymentId;
use commerce_core::payment::PaymentBook;
use commerce_core::port::ProcessorEvent;
use diesel::dsl::max;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use diesel_bulk::DbUuid;
use uuid::Uuid;

use super::{Answer, Conn, RunQueryDsl, dialect};
use crate::rows::counter;
use crate::rows::sandbox::{NewSandboxRow, read_book, read_event};
use crate::schema::sandbox_books;

/// The book of a payment, with the number of times that it was written.
pub(in super::super) async fn book(conn: &mut Conn, payment: PaymentId) -> Answer<(u64, PaymentBook)> {
    let of_payment = sandbox_books::table.filter(sandbox_books::payment_id.eq(DbUuid(payment.uuid())));
    let newest = of_payment.order(sandbox_books::written.desc()).limit(1);
    let row = newest.select((sandbox_books::written, sandbox_books::book)).get_result(conn).await.optional()?;
    row.map_or_else(|| Ok(Default::default()), read_book)
}

/// Appends rows behind the last one, except those of payments that were written meanwhile. Returns which it appended. A row waits
/// for another with its number, so rows become visible in order. All processes begin behind the last row, so if one was faster, the
/// first row meets one of its rows, and none is written.
pub(in super::super) async fn append(conn: &mut Conn, rows: &[NewSandboxRow]) -> Answer<Vec<bool>> {
    dialect::pipeline!(conn; last = last(conn), known = known(conn, rows));
    let is_new: Vec<bool> = rows.iter().map(|row| !known.contains(&row.key())).collect();
    let new = rows.iter().zip(&is_new).filter_map(|(row, is_new)| is_new.then_some(row));
    let numbered = new.zip(1..).map(|(row, number)| row.numbered(last.saturating_add(number)));
    match dialect::insert_each(conn, numbered).await {
        Ok(()) => Ok(is_new),
        Err(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(vec![false; rows.len()]),
        Err(error) => Err(error.into()),
    }
}

async fn last(conn: &mut Conn) -> QueryResult<i64> {
    let last: Option<i64> = sandbox_books::table.select(max(sandbox_books::number)).get_result(conn).await?;
    Ok(last.unwrap_or_default())
}

/// How often the payments of some rows were written. A single row meets the one that it repeats.
async fn known(conn: &mut Conn, rows: &[NewSandboxRow]) -> QueryResult<BTreeSet<(Uuid, i64)>> {
    if rows.len() == 1 {
        return Ok(BTreeSet::new());
    }
    let of_payments = dialect::in_list(sandbox_books::payment_id, rows.iter().map(|row| DbUuid(row.key().0)));
    let query = sandbox_books::table.filter(of_payments).select((sandbox_books::payment_id, sandbox_books::written));
    let known: Vec<(DbUuid, i64)> = query.load(conn).await?;
    Ok(known.into_iter().map(|(payment, written)| (payment.0, written)).collect())
}

/// Events after a number, oldest first.
pub(in super::super) async fn events(conn: &mut Conn, after: u64, limit: u16) -> Answer<Vec<(u64, ProcessorEvent)>> {
    let newer = sandbox_books::table.filter(sandbox_books::number.gt(counter(after)));
    let oldest = newer.order(sandbox_books::number).limit(limit.into());
    let rows: Vec<(i64, String)> = oldest.select((sandbox_books::number, sandbox_books::event)).load(conn).await?;
    rows.into_iter().map(read_event).collect()
}
