//! Evolution: what an event changes.

use thiserror::Error;

use super::event::OrderEvent;
use super::lifecycle::{Phase, Status};
use super::returns::{Return, ReturnStatus};
use super::state::{Order, Payment, PaymentStatus, Refund, RefundStatus};
use crate::event::Recorded;
use crate::ids::{RefundId, ReturnId};
use crate::money::{Money, MoneyError};

/// A history that this engine cannot have written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say it")]
pub enum CorruptHistory {
    #[error("the history does not begin with the creation of the order")]
    NoBeginning,
    #[error("event {0} creates an order that exists")]
    SecondBeginning(u64),
    /// A number is missing or occurs twice.
    #[error("event {found} follows event {last}")]
    Gap { last: u64, found: u64 },
    /// An event names an unknown return.
    #[error("the order has no return {0}")]
    UnknownReturn(ReturnId),
    /// An event names an unknown refund.
    #[error("the order has no refund {0}")]
    UnknownRefund(RefundId),
    /// A sum overflows or mixes currencies.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// The order after a whole history.
///
/// # Errors
/// [`CorruptHistory`].
pub fn fold<'a>(history: impl IntoIterator<Item = &'a Recorded<OrderEvent>>) -> Result<Order, CorruptHistory> {
    let order = history.into_iter().try_fold(None, |order, entry| evolve(order, entry).map(Some))?;
    order.ok_or(CorruptHistory::NoBeginning)
}

/// The order after one more event.
///
/// # Errors
/// [`CorruptHistory`].
pub fn evolve(order: Option<Order>, entry: &Recorded<OrderEvent>) -> Result<Order, CorruptHistory> {
    let mut order = match (order, &entry.event) {
        (None, OrderEvent::Created { order }) if entry.sequence == 1 => return Ok(Order::clone(order)),
        (None, _) => return Err(CorruptHistory::NoBeginning),
        (Some(_), OrderEvent::Created { .. }) => return Err(CorruptHistory::SecondBeginning(entry.sequence)),
        (Some(order), _) => order,
    };
    if order.version.checked_add(1) != Some(entry.sequence) {
        return Err(CorruptHistory::Gap { last: order.version, found: entry.sequence });
    }
    order.apply(entry)?;
    order.version = entry.sequence;
    order.updated_at = entry.at;
    Ok(order)
}

impl Order {
    fn apply(&mut self, entry: &Recorded<OrderEvent>) -> Result<(), CorruptHistory> {
        match &entry.event {
            OrderEvent::Created { .. } | OrderEvent::HoldExpiring { .. } => {}
            OrderEvent::Transitioned { to, phase, .. } => self.enter(to, *phase, entry),
            OrderEvent::ReservationExtended { until } => self.extended_until = Some(*until),
            OrderEvent::PaymentAuthorized { amount, reference } => {
                (self.payment.held, self.payment.status) = (Some(*amount), PaymentStatus::Authorized);
                self.payment.reference.clone_from(reference);
            }
            OrderEvent::PaymentCaptured { amount, reference, is_final } => {
                self.payment.count_capture(*amount, *is_final)?;
                self.payment.reference.clone_from(reference);
            }
            OrderEvent::CaptureFailed { .. } => self.payment.status = PaymentStatus::CaptureFailed,
            OrderEvent::PaymentVoided { amount } => {
                self.payment.release(*amount)?;
                self.payment.status = self.payment.counted();
            }
            OrderEvent::PaymentFailed { .. } => {
                if self.payment.status != PaymentStatus::Voided {
                    self.payment.status = PaymentStatus::Failed;
                }
                self.payment.declined = self.payment.declined.saturating_add(1);
            }
            OrderEvent::RefundRequested { id, amount, reason, elsewhere, lines } => self.refunds.push(Refund {
                id: *id,
                amount: *amount,
                elsewhere: *elsewhere,
                lines: lines.clone(),
                reason: reason.clone(),
                status: RefundStatus::Requested,
                reference: None,
            }),
            OrderEvent::RefundProcessed { id, reference } => {
                let refund = self.refund_mut(*id)?;
                refund.status = RefundStatus::Processed;
                refund.reference.clone_from(reference);
                let amount = refund.amount;
                self.payment.refunded = self.payment.refunded.plus(amount)?;
                self.payment.status = self.payment.counted();
            }
            OrderEvent::RefundFailed { id, .. } => self.fail_refund(*id)?,
            OrderEvent::ShipmentUpdated { shipment } => self.shipment = Some(shipment.clone()),
            OrderEvent::ReturnRequested { request } => self.returns.push(request.clone()),
            OrderEvent::ReturnApproved { id } => self.return_mut(*id)?.status = ReturnStatus::Approved,
            OrderEvent::ReturnRejected { id, .. } => self.return_mut(*id)?.status = ReturnStatus::Rejected,
            OrderEvent::ReturnReceived { id } => self.return_mut(*id)?.status = ReturnStatus::Received,
        }
        Ok(())
    }

    fn enter(&mut self, to: &Status, phase: Phase, entry: &Recorded<OrderEvent>) {
        self.status = to.clone();
        self.phase = phase;
        self.entered_at = entry.at;
        if matches!(phase, Phase::Delivered | Phase::Completed) {
            self.delivered_at = self.delivered_at.or(Some(entry.at));
        }
    }

    /// Money that was paid back before is with the shop again.
    fn fail_refund(&mut self, id: RefundId) -> Result<(), CorruptHistory> {
        let refund = self.refund_mut(id)?;
        let was_paid = refund.status == RefundStatus::Processed;
        refund.status = RefundStatus::Failed;
        let amount = refund.amount;
        if was_paid {
            self.payment.refunded = self.payment.refunded.minus(amount)?;
            self.payment.status = self.payment.counted();
        }
        Ok(())
    }

    fn refund_mut(&mut self, id: RefundId) -> Result<&mut Refund, CorruptHistory> {
        self.refunds.iter_mut().find(|refund| refund.id == id).ok_or(CorruptHistory::UnknownRefund(id))
    }

    fn return_mut(&mut self, id: ReturnId) -> Result<&mut Return, CorruptHistory> {
        self.returns.iter_mut().find(|known| known.id == id).ok_or(CorruptHistory::UnknownReturn(id))
    }
}

impl Payment {
    fn count_capture(&mut self, amount: Money, is_final: bool) -> Result<(), CorruptHistory> {
        let was_held = self.held;
        self.status = PaymentStatus::Authorized;
        self.captured = self.captured.plus(amount)?;
        self.release(if is_final { was_held.unwrap_or(amount) } else { amount })?;
        let counted = self.counted();
        let is_whole = was_held.is_none() && counted == PaymentStatus::PartiallyCaptured;
        self.status = if is_whole { PaymentStatus::Succeeded } else { counted };
        Ok(())
    }

    /// An amount of what is held is captured or given back.
    fn release(&mut self, amount: Money) -> Result<(), CorruptHistory> {
        let left = self.held.map(|held| held.minus(amount)).transpose()?;
        self.held = left.filter(|left| left.minor() > 0);
        Ok(())
    }

    /// The status that follows from the amounts. A failed capture is shown until one succeeds or the hold ends.
    fn counted(&self) -> PaymentStatus {
        let (captured, refunded) = (self.captured.minor(), self.refunded.minor());
        match self.held {
            Some(_) if self.status == PaymentStatus::CaptureFailed => PaymentStatus::CaptureFailed,
            Some(_) => PaymentStatus::Authorized,
            None if captured == 0 => PaymentStatus::Voided,
            None if refunded >= captured => PaymentStatus::Refunded,
            None if refunded > 0 => PaymentStatus::PartiallyRefunded,
            None if captured < self.amount.minor() => PaymentStatus::PartiallyCaptured,
            None => PaymentStatus::Succeeded,
        }
    }
}
