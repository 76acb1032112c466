//! The books of the payment sandbox.

use commerce_core::ids::PaymentId;
use commerce_core::payment::PaymentBook;
use commerce_core::port::ProcessorEvent;
use diesel::dsl::max;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use diesel_bulk::DbUuid;

use super::{Answer, Conn, RunQueryDsl};
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

/// Appends a row behind the last one, unless another did so meanwhile. Returns whether it did. A row waits for another with its
/// number, so rows become visible in order.
pub(in super::super) async fn append(
    conn: &mut Conn,
    (payment, written): (PaymentId, u64),
    book: &PaymentBook,
    event: &ProcessorEvent,
) -> Answer<bool> {
    let row = NewSandboxRow::of(payment, written, book, event)?;
    let last: Option<i64> = sandbox_books::table.select(max(sandbox_books::number)).get_result(conn).await?;
    let number = sandbox_books::number.eq(last.unwrap_or_default().saturating_add(1));
    match diesel::insert_into(sandbox_books::table).values((number, row)).execute(conn).await {
        Ok(_) => Ok(true),
        Err(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Events after a number, oldest first.
pub(in super::super) async fn events(conn: &mut Conn, after: u64, limit: u16) -> Answer<Vec<(u64, ProcessorEvent)>> {
    let newer = sandbox_books::table.filter(sandbox_books::number.gt(counter(after)));
    let oldest = newer.order(sandbox_books::number).limit(limit.into());
    let rows: Vec<(i64, String)> = oldest.select((sandbox_books::number, sandbox_books::event)).load(conn).await?;
    rows.into_iter().map(read_event).collect()
}
