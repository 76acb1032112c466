//! The books of the payment sandbox: a table that no commit writes and no history makes, as if it were at a processor.
//!
//! Included by each backend, like `ports`.

use async_trait::async_trait;
use commerce_core::ids::PaymentId;
use commerce_core::payment::{Books, BooksUnavailable, PaymentBook};
use commerce_core::port::ProcessorEvent;

use super::query::sandbox;
use super::{Backend, in_listing, in_statement, in_transaction};

#[async_trait]
impl Books for Backend {
    async fn read(&self, payment: PaymentId) -> Result<(u64, PaymentBook), BooksUnavailable> {
        Ok(in_statement!(self, []; conn => sandbox::book(conn, payment))?)
    }

    async fn write(
        &self,
        payment: PaymentId,
        read: u64,
        book: PaymentBook,
        event: ProcessorEvent,
    ) -> Result<bool, BooksUnavailable> {
        // One at a time: rows that meet wait for each other, and all but one are in vain.
        let _turn = self.shared.books.lock().await;
        let written = read.saturating_add(1);
        Ok(in_transaction!(self, []; conn => sandbox::append(conn, (payment, written), &book, &event))?)
    }

    async fn events(&self, after: u64, limit: u16) -> Result<Vec<(u64, ProcessorEvent)>, BooksUnavailable> {
        Ok(in_listing!(self, []; conn => sandbox::events(conn, after, limit))?)
    }
}
