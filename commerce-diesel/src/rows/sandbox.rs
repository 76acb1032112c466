//! The books of the payment sandbox.

use commerce_core::ids::PaymentId;
use commerce_core::payment::PaymentBook;
use commerce_core::port::ProcessorEvent;
use diesel_bulk::DbUuid;
use uuid::Uuid;

use super::{counter, read_counter, read_stored, stored};
use crate::fault::Answer;
use crate::schema::sandbox_books;

/// An event, and the book of its payment after it.
#[derive(Clone, Debug)]
pub(crate) struct NewSandboxRow {
    payment_id: DbUuid,
    written: i64,
    book: String,
    event: String,
}

impl NewSandboxRow {
    /// # Errors
    /// Serialization fails, which no book causes.
    pub(crate) fn of(payment: PaymentId, written: u64, book: &PaymentBook, event: &ProcessorEvent) -> Answer<Self> {
        Ok(Self {
            payment_id: DbUuid(payment.uuid()),
            written: counter(written),
            book: stored("sandbox_books.book", book)?,
            event: stored("sandbox_books.event", event)?,
        })
    }
}

/// A row with its number.
#[derive(Debug)]
pub(crate) struct SandboxRow<'a> {
    number: i64,
    payment_id: DbUuid,
    written: i64,
    book: &'a str,
    event: &'a str,
}

diesel_bulk::rows! { sandbox_books: SandboxRow<'a> (number) { payment_id, written, book, event } }

impl NewSandboxRow {
    /// The payment, and how often its book was written then.
    pub(crate) const fn key(&self) -> (Uuid, i64) {
        (self.payment_id.0, self.written)
    }

    pub(crate) fn numbered(&self, number: i64) -> SandboxRow<'_> {
        let Self { payment_id, written, book, event } = self;
        SandboxRow { number, payment_id: *payment_id, written: *written, book, event }
    }
}

/// The number of times that a book was written, and the book.
pub(crate) fn read_book((written, book): (i64, String)) -> Answer<(u64, PaymentBook)> {
    Ok((read_counter("sandbox_books.written", written)?, read_stored("sandbox_books.book", &book)?))
}

pub(crate) fn read_event((number, event): (i64, String)) -> Answer<(u64, ProcessorEvent)> {
    Ok((read_counter("sandbox_books.number", number)?, read_stored("sandbox_books.event", &event)?))
}
