//! From which money a refund is paid: what was received last goes back first.

use alloc::vec::Vec;

use super::{CaptureMode, Operation, OperationKind, OperationState, Payment};
use crate::money::Money;

/// A part of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefundPart {
    /// Positive.
    pub amount: Money,
    /// The money was received elsewhere, so the processor cannot pay it back.
    pub elsewhere: bool,
}

impl Payment {
    /// How a refund is paid: at most one part by the processor and one elsewhere. What exceeds the received money is left to the
    /// processor.
    pub fn refund_parts(&self, amount: Money) -> Vec<RefundPart> {
        let mut left = amount.minor();
        let (mut by_processor, mut elsewhere) = (0_i64, 0_i64);
        for (is_elsewhere, received) in self.left_to_refund() {
            let part = received.min(left);
            let sum = if is_elsewhere { &mut elsewhere } else { &mut by_processor };
            *sum = sum.saturating_add(part);
            left = left.saturating_sub(part);
        }
        let parts = [(by_processor.saturating_add(left), false), (elsewhere, true)].into_iter();
        let parts = parts.filter(|(part, elsewhere)| *part > 0 || (!elsewhere && amount.minor() <= 0));
        parts.map(|(part, elsewhere)| RefundPart { amount: Money::new(part, amount.currency()), elsewhere }).collect()
    }

    /// What was received and not paid back, the latest first.
    fn left_to_refund(&self) -> Vec<(bool, i64)> {
        let mut received: Vec<_> = self.operations.iter().filter(|done| self.has_received(done)).collect();
        // Money of the processor is later than what was noted at the same time.
        received.sort_by_key(|done| (done.updated_at, !done.is_elsewhere()));
        let refunded = |elsewhere| self.operations.iter().filter(move |done| done.is_refund(elsewhere));
        let sum = |elsewhere| refunded(elsewhere).fold(0_i64, |sum, done| sum.saturating_add(done.amount.minor()));
        let (mut by_processor, mut paid_elsewhere) = (sum(false), sum(true));
        let left = received.iter().rev().map(|done| {
            let elsewhere = done.is_elsewhere();
            let gone = if elsewhere { &mut paid_elsewhere } else { &mut by_processor };
            let taken = done.amount.minor().min(*gone);
            *gone = gone.saturating_sub(taken);
            (elsewhere, done.amount.minor().saturating_sub(taken))
        });
        left.collect()
    }

    fn has_received(&self, operation: &Operation) -> bool {
        let takes = match operation.kind {
            OperationKind::Authorize => self.capture == CaptureMode::Automatic,
            OperationKind::Capture => true,
            OperationKind::Refund | OperationKind::Void | OperationKind::Dispute => false,
        };
        takes && operation.state == OperationState::Succeeded
    }
}

impl Operation {
    /// Whether it is not known to the processor. What was made there without the shop has a reference.
    pub(super) const fn is_elsewhere(&self) -> bool {
        self.sent == 0 && self.reference.is_none()
    }

    /// Whether it pays, or perhaps pays, money back, by the processor or elsewhere.
    fn is_refund(&self, elsewhere: bool) -> bool {
        let is_refund = matches!(self.kind, OperationKind::Refund | OperationKind::Dispute);
        is_refund && self.state != OperationState::Declined && self.is_elsewhere() == elsewhere
    }
}
