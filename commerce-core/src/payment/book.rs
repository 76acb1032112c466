//! What a simple processor knows of one payment: the pure half of the sandbox and of doubles.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{CaptureMode, DeclineCode, OperationAnswer, OperationKind, OperationOutcome, Reference};
use crate::ids::OperationId;
use crate::money::Money;
use crate::port::{OperationAction, OperationRequest};

/// The operations of one payment at a processor.
///
/// # Invariants
/// * `BOOK-1`: an operation is entered once; its first answer stays until it was pending and [becomes](Self::settle) final.
/// * `BOOK-2`: what is taken is at most what is held, what is paid back at most what was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentBook {
    entries: Vec<BookEntry>,
}

/// An operation at a processor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct BookEntry {
    pub id: OperationId,
    pub kind: OperationKind,
    pub amount: Money,
    /// Whether what it holds is also taken.
    pub captures: bool,
    pub answer: OperationAnswer,
    /// What a pending answer becomes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub later: Option<OperationOutcome>,
}

/// What a processor decides if the amounts are right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is done.
    Approved,
    /// It is declined with this code.
    Declined(DeclineCode),
    /// It is pending with an answer, and then becomes approved or declined.
    Later(OperationOutcome, Option<DeclineCode>),
}

impl PaymentBook {
    /// An operation that was entered.
    pub fn find(&self, id: OperationId) -> Option<&BookEntry> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    /// Enters an operation, unless it was entered before. Returns its answer.
    pub fn perform(&mut self, request: &OperationRequest, verdict: Verdict) -> OperationAnswer {
        if let Some(entry) = self.find(request.id) {
            return entry.answer.clone();
        }
        let approved = OperationOutcome::Succeeded { amount: request.amount };
        let declined = |code| OperationAnswer::declined(code).outcome;
        let (outcome, later) = match verdict {
            _ if !self.covers(request) => (declined(DeclineCode::InvalidAmount), None),
            Verdict::Approved => (approved, None),
            Verdict::Declined(code) => (declined(code), None),
            Verdict::Later(pending, code) => (pending, Some(code.map_or(approved, declined))),
        };
        let kind = request.action.kind();
        let captures = kind == OperationKind::Authorize && request.payment.capture == CaptureMode::Automatic;
        let answer = OperationAnswer {
            payment_reference: named("pay", &request.payment.payment),
            reference: named(kind.name(), &request.id),
            ..OperationAnswer::new(outcome)
        };
        self.entries.push(BookEntry { id: request.id, kind, amount: request.amount, captures, answer, later });
        if matches!(request.action, OperationAction::Capture { is_final: true }) {
            self.give_back_rest(request);
        }
        self.answer(request.id)
    }

    /// Makes a pending answer final. Returns whether it was pending.
    pub fn settle(&mut self, id: OperationId) -> bool {
        let entry = self.entries.iter_mut().find(|entry| entry.id == id);
        let Some((entry, later)) = entry.and_then(|entry| entry.later.take().map(|later| (entry, later))) else {
            return false;
        };
        entry.answer.outcome = later;
        true
    }

    /// What is held and neither taken nor given back, in minor units.
    pub fn held(&self) -> i64 {
        let taken = self.sum(|entry| entry.kind == OperationKind::Capture || entry.captures);
        let freed = self.sum(|entry| entry.kind == OperationKind::Void);
        self.sum(|entry| entry.kind == OperationKind::Authorize).saturating_sub(taken).saturating_sub(freed)
    }

    /// What was taken, in minor units.
    pub fn captured(&self) -> i64 {
        self.sum(|entry| entry.kind == OperationKind::Capture || entry.captures)
    }

    /// What was paid back, in minor units.
    pub fn refunded(&self) -> i64 {
        self.sum(|entry| entry.kind == OperationKind::Refund)
    }

    /// The operations, oldest first.
    pub fn entries(&self) -> &[BookEntry] {
        &self.entries
    }

    fn answer(&self, id: OperationId) -> OperationAnswer {
        self.find(id).map_or_else(|| OperationAnswer::declined(DeclineCode::NotReceived), |entry| entry.answer.clone())
    }

    /// Refunds of a payment that was received elsewhere are approved. It was never authorized here, and got its reference from a
    /// refund at most.
    fn covers(&self, request: &OperationRequest) -> bool {
        let amount = request.amount.minor();
        let same = self.entries.first().is_none_or(|first| first.amount.currency() == request.amount.currency());
        let known = self.entries.iter().any(|entry| entry.kind == OperationKind::Authorize);
        let elsewhere = !known && (request.payment.reference.is_none() || self.refunded() > 0);
        same && amount > 0
            && match request.action {
                OperationAction::Authorize { .. } => amount <= request.payment.amount.minor() && self.held() == 0,
                OperationAction::Capture { .. } => amount <= self.held(),
                OperationAction::Void => amount == self.held(),
                OperationAction::Refund => elsewhere || amount <= self.captured().saturating_sub(self.refunded()),
            }
    }

    fn give_back_rest(&mut self, request: &OperationRequest) {
        let rest = self.held();
        let is_done = |answer: &OperationAnswer| matches!(answer.outcome, OperationOutcome::Succeeded { .. });
        if !is_done(&self.answer(request.id)) {
            return;
        }
        let holds = |entry: &&mut BookEntry| entry.kind == OperationKind::Authorize && is_done(&entry.answer);
        if let Some(entry) = self.entries.iter_mut().rev().find(holds) {
            let kept = Money::new(entry.amount.minor().saturating_sub(rest), entry.amount.currency());
            entry.amount = kept;
        }
    }

    fn sum(&self, counts: impl Fn(&BookEntry) -> bool) -> i64 {
        let done = |entry: &&BookEntry| matches!(entry.answer.outcome, OperationOutcome::Succeeded { .. });
        let counted = self.entries.iter().filter(done).filter(|entry| counts(entry));
        counted.fold(0, |sum, entry| sum.saturating_add(entry.amount.minor()))
    }
}

/// A reference of the sandbox, such as `pay-0189…`.
pub(super) fn named(prefix: &str, id: &impl core::fmt::Display) -> Option<Reference> {
    alloc::format!("{prefix}-{id}").parse().ok()
}
