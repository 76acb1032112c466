//! Whether an operation may be requested, and what an answer changes.
//!
//! # Invariants
//! * `PAY-1`: what is taken, or perhaps taken, is at most what is held.
//! * `PAY-2`: what is paid back, or perhaps paid back, is at most what was taken.
//! * `PAY-3`: an operation whose end is not known is declined by the processor's word alone.
//! * `PAY-4`: an operation that succeeded stays so, and one that the processor declined too, unless it was done after all. Money that
//!   went out (a refund, a dispute) can come back: then the operation is declined and stays so.

use alloc::vec::Vec;

use chrono::{DateTime, TimeDelta, Utc};
use thiserror::Error;

use super::{
    CaptureMode, Decline, DeclineClass, DeclineCode, Details, Operation, OperationAnswer, OperationKind,
    OperationOutcome, OperationState, Payment,
};
use crate::ids::OperationId;
use crate::money::{Currency, Money};
use crate::order::Order;
use crate::port::IN_FLIGHT_SECONDS;
use crate::text::BoundedString;

/// How long before evidence is due staff are told.
const EVIDENCE_LEAD: TimeDelta = TimeDelta::days(2);

/// The maximum number of operations of a payment.
pub const MAX_OPERATIONS: usize = 100;

/// How long money is held if the processor does not say it.
const HOLD: TimeDelta = TimeDelta::days(7);
/// How long before its end something is done about a hold.
const BEFORE_END: TimeDelta = TimeDelta::days(1);

/// Why an operation cannot be requested.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say it")]
pub enum PaymentRejection {
    #[error("a payment has at most {MAX_OPERATIONS} operations")]
    TooManyOperations,
    /// It holds or took money already, or may have.
    #[error("the payment is authorized, or may be")]
    AlreadyAuthorized,
    /// There is nothing to take or to give back.
    #[error("nothing is held: it was captured or given back, or was never authorized")]
    NothingHeld,
    /// What a void or a final capture gives back depends on it.
    #[error("a capture has not ended yet")]
    CaptureOpen,
    /// The processor pays the refund.
    #[error("the processor pays this refund, and says when it is paid")]
    NotElsewhere,
    /// It is not in the currency of the payment.
    #[error("{asked} is not in {currency}, the currency of the payment")]
    Currency { asked: Money, currency: Currency },
    /// Not positive, or more than is left to take, pay back or give back.
    #[error("{asked} cannot be used: {left} is left")]
    Amount { asked: Money, left: Money },
    /// The operation is not one of the payment.
    #[error("the payment has no operation {0}")]
    UnknownOperation(OperationId),
}

/// An operation to request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct NewOperation {
    pub id: OperationId,
    pub kind: OperationKind,
    pub amount: Money,
    /// Of a capture: whether the processor gives the rest back.
    pub is_final: bool,
    /// Of a refund: staff pay it, because the money was received elsewhere.
    pub elsewhere: bool,
}

impl NewOperation {
    /// An operation; a capture is not the final one.
    pub const fn new(id: OperationId, kind: OperationKind, amount: Money) -> Self {
        Self { id, kind, amount, is_final: false, elsewhere: false }
    }
}

/// What became of an operation that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The processor answered.
    Answered(OperationAnswer),
    /// There was no answer: whether it happened is not known.
    Unanswered,
    /// The processor promised that it did nothing.
    NotDone,
    /// The processor was asked and does not know it.
    NotFound,
}

impl Payment {
    /// A payment without operations.
    pub fn new(order: &Order, processor: BoundedString<64>, capture: CaptureMode, at: DateTime<Utc>) -> Self {
        Self {
            id: order.payment.id,
            order_id: order.id,
            user_id: order.user_id.clone(),
            processor,
            method: None,
            amount: order.payment.amount,
            capture,
            reference: None,
            opening: None,
            operations: Vec::new(),
            ask_at: None,
            evidence_at: None,
            version: 0,
            created_at: at,
            updated_at: at,
        }
    }

    /// Notes what the order was paid without an operation of the payment, such as by bank transfer, as taken.
    pub fn note_received(&mut self, order: &Order, id: OperationId, at: DateTime<Utc>) {
        let missing = order.payment.captured.minor().saturating_sub(self.totals().received());
        if missing > 0 {
            let amount = Money::new(missing, order.currency());
            let received = Operation::new(NewOperation::new(id, OperationKind::Capture, amount), at);
            self.operations.push(Operation { state: OperationState::Succeeded, sent: 0, ..received });
        }
    }

    /// Requests an operation.
    ///
    /// An authorization is sent by the caller, who has the token; if nothing is heard, the processor is asked. Everything else is
    /// sent by the task of the payment.
    ///
    /// # Errors
    /// [`PaymentRejection`].
    pub fn request(&mut self, new: NewOperation, at: DateTime<Utc>) -> Result<(), PaymentRejection> {
        if self.operations.len() >= MAX_OPERATIONS {
            return Err(PaymentRejection::TooManyOperations);
        }
        let currency = self.amount.currency();
        if new.amount.currency() != currency {
            return Err(PaymentRejection::Currency { asked: new.amount, currency });
        }
        let left = Money::new(self.left(new.kind)?, currency);
        // What is left to give back is known when the other captures have ended.
        let gives_back = new.is_final || new.kind == OperationKind::Void;
        if gives_back && self.open_operation(OperationKind::Capture).is_some() {
            return Err(PaymentRejection::CaptureOpen);
        }
        let whole = matches!(new.kind, OperationKind::Authorize | OperationKind::Void);
        if new.amount.minor() <= 0 || new.amount.minor() > left.minor() || (whole && new.amount != left) {
            return Err(PaymentRejection::Amount { asked: new.amount, left });
        }
        let ask_at = if new.kind == OperationKind::Authorize { after(at, Operation::pause(0)) } else { Some(at) };
        let ask_at = ask_at.filter(|_| !new.elsewhere);
        self.operations.push(Operation { ask_at, sent: u32::from(!new.elsewhere), ..Operation::new(new, at) });
        self.set_alarm();
        Ok(())
    }

    /// A capture of an amount; without one, of everything that is held. It is the final one if nobody says otherwise and no amount
    /// is given.
    pub fn capture(&self, id: OperationId, amount: Option<Money>, is_final: Option<bool>) -> NewOperation {
        let left = Money::new(self.totals().capturable(), self.amount.currency());
        let is_final = is_final.unwrap_or(amount.is_none());
        NewOperation { is_final, ..NewOperation::new(id, OperationKind::Capture, amount.unwrap_or(left)) }
    }

    /// What is to be done with money that is held, now that the order stands so: it is captured when the goods have left, and
    /// given back if the order does not claim it. What was declined is not requested again by itself, unless another capture
    /// succeeded after it. That a capture of a part was declined does not count.
    pub fn next_operation(&self, order: &Order, id: OperationId) -> Option<NewOperation> {
        let next = match order.payment.held {
            None => NewOperation { kind: OperationKind::Void, is_final: false, ..self.capture(id, None, None) },
            Some(_) if order.phase.is_shipped() => self.capture(id, None, None),
            Some(_) => return None,
        };
        let waits = self.open_operation(OperationKind::Capture).is_some();
        (next.amount.minor() > 0 && !self.was_declined(next) && !waits).then_some(next)
    }

    fn was_declined(&self, next: NewOperation) -> bool {
        let since = self.operations.iter().rev().take_while(|operation| operation.kind != OperationKind::Authorize);
        let mut ended =
            since.filter(|operation| operation.kind == next.kind).map(|known| (known.state, known.is_final));
        let counts = |(state, is_final): &(_, _)| *state == OperationState::Succeeded || *is_final == next.is_final;
        ended.find(counts).is_some_and(|(state, _)| state == OperationState::Declined)
    }

    /// Staff paid a refund of money that was received elsewhere. No effect if it is known.
    ///
    /// # Errors
    /// [`PaymentRejection::UnknownOperation`], [`PaymentRejection::NotElsewhere`].
    pub fn note_refunded(&mut self, id: OperationId, at: DateTime<Utc>) -> Result<(), PaymentRejection> {
        let refund = self.operation_mut(id)?;
        if refund.kind != OperationKind::Refund || !refund.is_elsewhere() {
            return Err(PaymentRejection::NotElsewhere);
        }
        (refund.state, refund.updated_at) = (OperationState::Succeeded, at);
        Ok(())
    }

    /// Notes that an operation that is open is about to be sent again. The questions about it begin anew.
    ///
    /// # Errors
    /// [`PaymentRejection::UnknownOperation`].
    pub fn send_again(&mut self, id: OperationId, at: DateTime<Utc>) -> Result<(), PaymentRejection> {
        let operation = self.operation_mut(id)?;
        operation.sent_at = at;
        operation.sent = operation.sent.saturating_add(1);
        operation.asked = 0;
        operation.ask_at = after(at, Operation::pause(0));
        self.set_alarm();
        Ok(())
    }

    /// Records what became of an operation. No effect on one that has ended, unless `PAY-4` allows it.
    ///
    /// # Errors
    /// [`PaymentRejection::UnknownOperation`].
    pub fn record(&mut self, id: OperationId, finding: Finding, at: DateTime<Utc>) -> Result<(), PaymentRejection> {
        let (currency, is_manual) = (self.amount.currency(), self.capture == CaptureMode::Manual);
        let operation = self.operation_mut(id)?;
        if operation.has_ended(&finding) {
            return Ok(());
        }
        match finding {
            Finding::Answered(answer) => {
                let reference = answer.payment_reference.clone();
                operation.answer(answer, at, |amount| amount.currency() == currency && amount.minor() > 0);
                if let Some(reference) = reference {
                    self.record_opened(reference, at);
                }
            }
            Finding::Unanswered => operation.wait(OperationState::Unknown, at),
            // An earlier call may still have done it.
            Finding::NotDone if operation.sent > 1 || operation.asked > 0 => operation.wait(operation.state, at),
            Finding::NotDone => operation.decline(Decline::new(DeclineCode::ProcessorError)),
            Finding::NotFound if operation.may_arrive(at) => operation.wait(operation.state, at),
            Finding::NotFound => operation.decline(Decline::new(DeclineCode::NotReceived)),
        }
        let operation = self.operation_mut(id)?;
        operation.updated_at = at;
        if operation.kind == OperationKind::Authorize && operation.state == OperationState::Succeeded && is_manual {
            operation.set_hold_alarm(at);
        }
        self.set_alarm();
        Ok(())
    }

    /// The hold of an authorization is about to run out, which is not told again. Returns when it ends.
    ///
    /// # Errors
    /// [`PaymentRejection::UnknownOperation`].
    pub fn end_alarm(&mut self, hold: OperationId) -> Result<Option<DateTime<Utc>>, PaymentRejection> {
        let operation = self.operation_mut(hold)?;
        operation.ask_at = None;
        let expires_at = operation.expires_at;
        self.set_alarm();
        Ok(expires_at)
    }

    /// How often the customer's means of payment was declined.
    pub fn declined(&self) -> u32 {
        let by_bank = |decline: &Decline| decline.code.class() != DeclineClass::Retry;
        let declines = self.operations.iter().filter(|operation| operation.kind == OperationKind::Authorize);
        u32::try_from(declines.filter_map(|operation| operation.decline.as_ref()).filter(|d| by_bank(d)).count())
            .unwrap_or(u32::MAX)
    }

    /// What an operation of a kind can be about, in minor units.
    fn left(&self, kind: OperationKind) -> Result<i64, PaymentRejection> {
        let totals = self.totals();
        match kind {
            OperationKind::Authorize if totals.authorized > totals.voided || self.open_operation(kind).is_some() => {
                Err(PaymentRejection::AlreadyAuthorized)
            }
            OperationKind::Authorize => Ok(self.amount.minor()),
            OperationKind::Capture | OperationKind::Void if totals.capturable() <= 0 => {
                Err(PaymentRejection::NothingHeld)
            }
            OperationKind::Capture | OperationKind::Void => Ok(totals.capturable()),
            OperationKind::Refund => Ok(totals.refundable()),
            OperationKind::Dispute => Ok(totals.received().saturating_sub(totals.refunded)),
        }
    }

    fn operation_mut(&mut self, id: OperationId) -> Result<&mut Operation, PaymentRejection> {
        let found = self.operations.iter_mut().find(|operation| operation.id == id);
        found.ok_or(PaymentRejection::UnknownOperation(id))
    }

    pub(super) fn set_alarm(&mut self) {
        let holds = self.totals().capturable() > 0;
        let counts = |operation: &&Operation| holds || operation.state != OperationState::Succeeded;
        let operations = self.operations.iter().filter(counts).filter_map(|operation| operation.ask_at);
        self.ask_at = operations.chain(self.opening.and_then(|opening| opening.ask_at)).min();
        let due = self.operations.iter().filter_map(Operation::evidence_due).min();
        self.evidence_at = due.and_then(|due| due.checked_sub_signed(EVIDENCE_LEAD));
    }
}

impl Operation {
    /// A requested operation that was sent once.
    pub(super) const fn new(new: NewOperation, at: DateTime<Utc>) -> Self {
        Self {
            id: new.id,
            kind: new.kind,
            amount: new.amount,
            is_final: new.is_final,
            state: OperationState::Requested,
            reference: None,
            expires_at: None,
            decline: None,
            next: None,
            details: Details::NONE,
            requested_at: at,
            sent_at: at,
            sent: 1,
            updated_at: at,
            asked: 0,
            ask_at: None,
        }
    }

    fn answer(&mut self, answer: OperationAnswer, at: DateTime<Utc>, is_valid: impl Fn(&Money) -> bool) {
        self.reference = answer.reference.or_else(|| self.reference.take());
        self.expires_at = answer.expires_at;
        self.details = answer.details;
        match answer.outcome {
            OperationOutcome::Succeeded { amount } if is_valid(&amount) => {
                (self.state, self.amount, self.decline, self.next, self.ask_at) =
                    (OperationState::Succeeded, amount, None, None, None);
            }
            // Money moved that the shop cannot account for: staff have to look at it.
            OperationOutcome::Succeeded { .. } => {
                (self.state, self.ask_at) = (OperationState::Unknown, None);
            }
            OperationOutcome::Pending { next } => {
                self.wait(OperationState::Pending, at);
                (self.next, self.decline) = (next, None);
            }
            OperationOutcome::Declined(decline) => self.decline(decline),
        }
    }

    fn decline(&mut self, decline: Decline) {
        (self.state, self.decline, self.next, self.ask_at) = (OperationState::Declined, Some(decline), None, None);
    }

    /// Whether a finding changes nothing any more. A decline that was the shop's own conclusion gives way to any answer. Of two
    /// answers that end an operation that pays out, the decline is the later one.
    fn has_ended(&self, finding: &Finding) -> bool {
        let Finding::Answered(answer) = finding else { return !self.state.is_open() };
        let is_ours = self.decline.as_ref().is_some_and(|decline| decline.code.class() == DeclineClass::Retry);
        match (self.state, &answer.outcome) {
            (OperationState::Succeeded, OperationOutcome::Declined(_)) => !self.kind.pays_out(),
            (OperationState::Succeeded, _) => true,
            (OperationState::Declined, _) if self.kind.pays_out() => true,
            (OperationState::Declined, OperationOutcome::Pending { .. } | OperationOutcome::Declined(_)) => !is_ours,
            (OperationState::Declined, OperationOutcome::Succeeded { .. })
            | (OperationState::Requested | OperationState::Pending | OperationState::Unknown, _) => false,
        }
    }

    /// Something is done before the hold runs out.
    fn set_hold_alarm(&mut self, at: DateTime<Utc>) {
        self.expires_at = self.expires_at.or_else(|| at.checked_add_signed(HOLD));
        self.ask_at = self.expires_at.and_then(|end| end.checked_sub_signed(BEFORE_END)).map(|alarm| alarm.max(at));
    }

    /// Waits for the next question. An answer that comes before it is due does not take its place. The processor tells by itself
    /// about what the shop did not start.
    fn wait(&mut self, state: OperationState, at: DateTime<Utc>) {
        self.state = state;
        if self.sent == 0 || self.ask_at.is_some_and(|due| at < due) {
            return;
        }
        self.ask_at = after(at, Self::pause(self.asked));
        self.asked = self.asked.saturating_add(1);
    }

    /// Whether an outcome tells nothing new.
    pub(crate) fn stands_as(&self, outcome: &OperationOutcome) -> bool {
        match outcome {
            OperationOutcome::Succeeded { amount } => self.state == OperationState::Succeeded && self.amount == *amount,
            OperationOutcome::Declined(_) => self.state == OperationState::Declined,
            OperationOutcome::Pending { .. } => {
                !matches!(self.state, OperationState::Requested | OperationState::Unknown)
            }
        }
    }

    /// Whether its answer is on the way: the call that requested it gets it, or the task of the payment asks.
    pub(crate) fn is_awaited(&self) -> bool {
        self.state == OperationState::Requested && self.ask_at.is_some()
    }

    /// Whether a request that was sent may still arrive.
    fn may_arrive(&self, at: DateTime<Utc>) -> bool {
        at.signed_duration_since(self.sent_at) < TimeDelta::seconds(IN_FLIGHT_SECONDS)
    }
}

pub(super) fn after(at: DateTime<Utc>, pause: Option<TimeDelta>) -> Option<DateTime<Utc>> {
    at.checked_add_signed(pause?)
}
