//! The books of the payment sandbox: a table that no commit writes and no history makes, as if it were at a processor.
//!
//! Included by each backend, like `ports`.

use async_trait::async_trait;
use commerce_core::ids::PaymentId;
use commerce_core::payment::{Books, BooksUnavailable, PaymentBook};
use commerce_core::port::{ProcessorEvent, StoreError, StoreErrorKind};
use tokio::sync::oneshot::error::TryRecvError;

use super::query::sandbox;
use super::{Backend, in_listing, in_short_transaction, in_statement};
use crate::fault::Fault;
use crate::rows::sandbox::NewSandboxRow;

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
        let failed = |fault: Fault| StoreError::new(StoreErrorKind::Corrupt, fault.to_string());
        let row = NewSandboxRow::of(payment, read.saturating_add(1), &book, &event).map_err(failed)?;
        let mut written = self.shared.books.push(row);
        let _turn = self.shared.books.turn.lock().await;
        match written.try_recv() {
            Ok(written) => return Ok(written),
            // Another attempt failed. Reading tells what became of it.
            Err(TryRecvError::Closed) => return Ok(false),
            Err(TryRecvError::Empty) => {}
        }
        let (rows, answers) = self.shared.books.take();
        answers.send(&in_short_transaction!(self, [rows]; conn => sandbox::append(conn, &rows))?);
        Ok(written.try_recv().unwrap_or_default())
    }

    async fn events(&self, after: u64, limit: u16) -> Result<Vec<(u64, ProcessorEvent)>, BooksUnavailable> {
        Ok(in_listing!(self, []; conn => sandbox::events(conn, after, limit))?)
    }
}
