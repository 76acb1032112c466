//! What the end of an operation means for the order.

use alloc::vec::Vec;

use crate::ids::RefundId;
use crate::money::Money;
use crate::order::{Command, Context, Order, OrderEvent, OrderRejection, RefundOutcome};
use crate::payment::{CaptureMode, DeclineClass, Operation, OperationKind, OperationState, Payment, Reference};

use super::{Engine, EngineError, Result};

impl Engine {
    /// The events of an order that follow from the new state of an operation.
    pub(super) fn follow_operation(
        &self,
        context: &Context,
        order: &Order,
        (payment, operation): (&Payment, &Operation),
        units_gone: bool,
    ) -> Result<Vec<OrderEvent>> {
        let decide = |command| self.decide_events(context, order, command);
        let id = RefundId::new(operation.id.uuid());
        let reason = || operation.decline.as_ref().map(|decline| decline.message.clone());
        match (operation.kind, operation.state) {
            (OperationKind::Authorize, OperationState::Succeeded) if payment.capture == CaptureMode::Automatic => {
                self.capture_events(context, order, (operation.amount, payment.reference.clone()), units_gone)
            }
            (OperationKind::Authorize, OperationState::Succeeded) => {
                self.authorize_events(context, order, (operation.amount, payment.reference.clone()), units_gone)
            }
            (OperationKind::Capture, OperationState::Succeeded) => {
                self.capture_held_events(context, order, (payment, operation))
            }
            (OperationKind::Capture, OperationState::Declined) => match reason() {
                Some(reason) => decide(Command::FailCapture { reason }),
                None => Ok(Vec::new()),
            },
            (OperationKind::Void, OperationState::Succeeded) => match unheld(order, payment) {
                Some(amount) => decide(Command::Void { amount }),
                None => Ok(Vec::new()),
            },
            (OperationKind::Authorize, OperationState::Declined) => {
                let ours = operation.decline.as_ref().is_some_and(|known| known.code.class() == DeclineClass::Retry);
                let failed = reason().filter(|_| !ours).map(|reason| decide(Command::FailPayment { reason }));
                match failed {
                    // It was paid in another way meanwhile.
                    Some(Err(EngineError::Order(OrderRejection::AlreadyPaid))) | None => Ok(Vec::new()),
                    Some(events) => events,
                }
            }
            (OperationKind::Refund | OperationKind::Dispute, _) if operation.sent == 0 => {
                foreign_refund(order, operation).map_or(Ok(Vec::new()), decide)
            }
            (OperationKind::Refund, OperationState::Succeeded) => {
                let outcome = RefundOutcome::Done { reference: operation.reference.clone() };
                decide(Command::RecordRefund { id, outcome })
            }
            (OperationKind::Refund, OperationState::Declined) => match reason() {
                Some(reason) => decide(Command::RecordRefund { id, outcome: RefundOutcome::Failed { reason } }),
                None => Ok(Vec::new()),
            },
            _ => Ok(Vec::new()),
        }
    }

    /// Money that was taken is recorded in any case. An order that cannot have it gives it back.
    fn capture_events(
        &self,
        context: &Context,
        order: &Order,
        (amount, reference): (Money, Option<Reference>),
        units_gone: bool,
    ) -> Result<Vec<OrderEvent>> {
        let decide = |command| self.decide_events(context, order, command);
        let late = || Command::CaptureAfterExpiry { amount, reference: reference.clone() };
        let usual = || Command::Capture { amount, reference: reference.clone() };
        match decide(if units_gone { late() } else { usual() }) {
            Err(EngineError::Order(OrderRejection::AlreadyPaid)) => {
                decide(Command::CaptureSurplus { amount, reference: reference.clone() })
            }
            Err(EngineError::Order(OrderRejection::AmountMismatch { .. })) => decide(late()),
            events => events,
        }
    }

    /// An order that cannot use what is held does not count it, so that it is given back.
    fn authorize_events(
        &self,
        context: &Context,
        order: &Order,
        (amount, reference): (Money, Option<Reference>),
        units_gone: bool,
    ) -> Result<Vec<OrderEvent>> {
        let held = Command::Authorize { amount, reference };
        match self.decide_events(context, order, if units_gone { Command::CancelSoldOut } else { held }) {
            Err(EngineError::Order(
                OrderRejection::AlreadyPaid | OrderRejection::NotPayable(_) | OrderRejection::AmountMismatch { .. },
            )) => Ok(Vec::new()),
            events => events,
        }
    }

    fn capture_held_events(
        &self,
        context: &Context,
        order: &Order,
        (payment, operation): (&Payment, &Operation),
    ) -> Result<Vec<OrderEvent>> {
        let (amount, reference, is_final) = (operation.amount, payment.reference.clone(), operation.is_final);
        let late = Command::CaptureAfterExpiry { amount, reference: reference.clone() };
        match self.decide_events(context, order, Command::CaptureHeld { amount, reference, is_final }) {
            Err(EngineError::Order(OrderRejection::AmountMismatch { .. })) => self.decide_events(context, order, late),
            events => events,
        }
    }
}

/// What an order records of a refund or a dispute that the shop did not start, under the same id. `None`: its sums cannot follow, and
/// staff have to look at the operation.
fn foreign_refund(order: &Order, operation: &Operation) -> Option<Command> {
    if operation.amount.currency() != order.currency() || operation.amount.minor() <= 0 {
        return None;
    }
    let is_dispute = operation.kind == OperationKind::Dispute;
    let (reason, back) = if is_dispute {
        ("The payment was disputed.", "The dispute was won.")
    } else {
        ("Refunded at the payment processor.", "The refund at the payment processor failed.")
    };
    let outcome = match operation.state {
        OperationState::Succeeded => Some(RefundOutcome::Done { reference: operation.reference.clone() }),
        OperationState::Declined => Some(RefundOutcome::Failed { reason: back.parse().ok()? }),
        OperationState::Requested | OperationState::Pending | OperationState::Unknown => None,
    };
    let (id, amount) = (RefundId::new(operation.id.uuid()), operation.amount);
    Some(Command::NoteRefund { id, amount, reason: reason.parse().ok()?, outcome })
}

/// What an order counts as held although the payment does not hold it any more.
fn unheld(order: &Order, payment: &Payment) -> Option<Money> {
    let totals = payment.totals();
    let held = order.payment.held?;
    let left = totals.capturable().saturating_add(totals.capturing).max(0);
    let gone = held.minor().saturating_sub(left);
    (gone > 0).then(|| Money::new(gone, held.currency()))
}
