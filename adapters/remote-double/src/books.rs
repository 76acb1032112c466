//! The books: a file with a line of JSON for each change, on disk before it is answered.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use commerce_core::ids::{OperationId, PaymentId};
use commerce_core::payment::{BookEntry, Decline, NextAction, OperationOutcome, PaymentBook, Verdict};
use commerce_core::port::OperationRequest;
use commerce_remote::wire::{EventBody, EventType, OperationResult, Status};
use serde::{Deserialize, Serialize};

/// A change: the payment as it is after it, and the event about it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Line {
    pub payment: PaymentId,
    pub book: PaymentBook,
    pub event: EventBody,
}

/// The sums of a payment, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Sums {
    pub payment: PaymentId,
    pub held: i64,
    pub captured: i64,
    pub refunded: i64,
}

#[derive(Default)]
pub(crate) struct Books {
    file: Option<File>,
    by_payment: BTreeMap<PaymentId, PaymentBook>,
    payments: BTreeMap<OperationId, PaymentId>,
    pub(crate) events: Vec<EventBody>,
    account: Option<String>,
}

impl Books {
    /// Reads the books of a file, or begins them. A last line that is not complete was never answered.
    pub(crate) fn open(path: Option<&Path>, account: Option<String>) -> io::Result<Self> {
        let mut books = Self { account, ..Self::default() };
        let Some(path) = path else { return Ok(books) };
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
        let mut complete = 0_u64;
        for line in BufReader::new(&file).split(b'\n') {
            let line = line?;
            let Ok(change) = serde_json::from_slice::<Line>(&line) else { break };
            complete = complete.saturating_add(u64::try_from(line.len()).unwrap_or(u64::MAX)).saturating_add(1);
            books.enter(change);
        }
        file.set_len(complete.min(file.metadata()?.len()))?;
        file.flush()?;
        books.file = Some(file);
        Ok(books)
    }

    fn enter(&mut self, change: Line) {
        self.payments.insert(change.event.data.operation_id, change.payment);
        self.by_payment.insert(change.payment, change.book);
        self.events.push(change.event);
    }

    /// Performs an operation, once. Returns its result, and whether it is new.
    pub(crate) fn perform(
        &mut self,
        request: &OperationRequest,
        verdict: Verdict,
    ) -> io::Result<(OperationResult, bool)> {
        let payment = request.payment.payment;
        if let Some(known) = self.find(request.id) {
            return Ok((known, false));
        }
        let mut book = self.by_payment.get(&payment).cloned().unwrap_or_default();
        book.perform(request, verdict);
        let result = self.write(payment, book, request.id)?;
        Ok((result, true))
    }

    /// An operation that was performed.
    pub(crate) fn find(&self, id: OperationId) -> Option<OperationResult> {
        let payment = *self.payments.get(&id)?;
        self.by_payment.get(&payment)?.find(id).map(|entry| result(payment, entry))
    }

    /// Makes a pending operation final. Returns whether it was pending.
    pub(crate) fn settle(&mut self, id: OperationId) -> io::Result<bool> {
        let payment = self.payments.get(&id).copied();
        let Some((payment, mut book)) =
            payment.and_then(|payment| Some((payment, self.by_payment.get(&payment)?.clone())))
        else {
            return Ok(false);
        };
        let was_pending = book.settle(id);
        if was_pending {
            self.write(payment, book, id)?;
        }
        Ok(was_pending)
    }

    pub(crate) fn sums(&self) -> Vec<Sums> {
        let sums = |(payment, book): (&PaymentId, &PaymentBook)| Sums {
            payment: *payment,
            held: book.held(),
            captured: book.captured(),
            refunded: book.refunded(),
        };
        self.by_payment.iter().map(sums).collect()
    }

    fn write(&mut self, payment: PaymentId, book: PaymentBook, id: OperationId) -> io::Result<OperationResult> {
        let entry = book.find(id).ok_or_else(|| io::Error::other("the book lost an operation"))?;
        let result = result(payment, entry);
        let number = self.events.len().saturating_add(1);
        let id = format!("event-{number}").parse().map_err(io::Error::other)?;
        let event = EventBody {
            id,
            kind: EventType::of(&result),
            created: chrono::Utc::now(),
            account: self.account.clone(),
            data: result.clone(),
        };
        let change = Line { payment, book, event };
        if let Some(file) = &mut self.file {
            let mut line = serde_json::to_vec(&change)?;
            line.push(b'\n');
            file.write_all(&line)?;
            file.sync_data()?;
        }
        self.enter(change);
        Ok(result)
    }
}

fn result(payment: PaymentId, entry: &BookEntry) -> OperationResult {
    let mut result = OperationResult {
        operation_id: entry.id,
        payment_id: payment,
        kind: entry.kind,
        status: Status::Pending,
        amount_cents: entry.amount.minor(),
        currency: entry.amount.currency(),
        reference: entry.answer.reference.clone(),
        expires_at: None,
        decline_code: None,
        message: None,
        redirect_url: None,
    };
    match &entry.answer.outcome {
        OperationOutcome::Succeeded { amount } => {
            (result.status, result.amount_cents) = (Status::Succeeded, amount.minor());
        }
        OperationOutcome::Pending { next } => {
            result.redirect_url = next.clone().map(|NextAction::Redirect { url }| url);
        }
        OperationOutcome::Declined(Decline { code, message }) => {
            result.status = Status::Declined;
            (result.decline_code, result.message) = (Some(*code), Some(message.clone()));
        }
    }
    result
}
