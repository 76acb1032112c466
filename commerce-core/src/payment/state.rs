//! The state of a payment.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{
    CaptureMode, Decline, DeclineClass, Details, NextAction, Opening, OperationKind, PaymentMethod, Reference,
};
use crate::document::{Aggregate, Versioned as _};
use crate::ids::{OperationId, OrderId, PaymentId, UserId};
use crate::money::Money;
use crate::port::PaymentTerms;
use crate::text::{BoundedString, named};

/// One attempt to be paid for an order, with everything that was done with its money.
///
/// It is made when it must be opened, or with its first operation. Until then, the order knows its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Payment {
    pub id: PaymentId,
    pub order_id: OrderId,
    /// The customer.
    pub user_id: UserId,
    /// The name of the processor.
    pub processor: BoundedString<64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<PaymentMethod>,
    /// What the customer agreed to pay.
    pub amount: Money,
    pub capture: CaptureMode,
    /// The processor's id of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// `None` if the processor needs no opening.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opening: Option<Opening>,
    /// Oldest first.
    pub operations: Vec<Operation>,
    /// When the processor must be called next: the earliest of the operations and of the opening. It is when the task of the payment
    /// is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask_at: Option<DateTime<Utc>>,
    /// When staff are told to answer a dispute: two days before the processor needs the evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_at: Option<DateTime<Utc>>,
    /// Grows by one with every change.
    pub version: u64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// Something that was done, or is to be done, with the money of a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Operation {
    /// Also the idempotency key at the processor.
    pub id: OperationId,
    pub kind: OperationKind,
    /// What was asked for; once it succeeded, what the processor moved or held.
    pub amount: Money,
    /// Of a capture: whether the processor gives the rest back.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_final: bool,
    pub state: OperationState,
    /// The processor's id of the operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// Of an authorization: until when the processor holds what is not captured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Why it was declined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decline: Option<Decline>,
    /// What the customer has to do while it is pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NextAction>,
    /// What else the processor said.
    #[serde(default, skip_serializing_if = "Details::is_empty")]
    pub details: Details,
    pub requested_at: DateTime<Utc>,
    /// When it was last sent, or is about to be sent.
    pub sent_at: DateTime<Utc>,
    /// How often it was sent. 0: the shop did not start it, as with a dispute.
    pub sent: u32,
    pub updated_at: DateTime<Utc>,
    /// How often the processor was asked how it stands, since it was last sent.
    #[serde(default)]
    pub asked: u32,
    /// When the processor must be asked next. `None`: it has ended, or staff have to look at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask_at: Option<DateTime<Utc>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

named! {
    /// How an operation stands.
    ///
    /// ```text
    ///             ┌──────────► succeeded ◄─┐
    /// requested ──┼─► pending ─┬───────────┤
    ///             ├─► unknown ─┘           │
    ///             └──────────► declined ───┘ (the processor did it after all)
    /// ```
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum OperationState {
        /// It is to be sent, or was sent and not answered yet.
        Requested = "requested",
        /// The processor has it; the customer or a bank has to act.
        Pending = "pending",
        /// The money moved, or is held.
        Succeeded = "succeeded",
        /// Nothing moved.
        Declined = "declined",
        /// Whether it happened is not known. Only the processor's word ends it.
        Unknown = "unknown",
    }
}

impl OperationState {
    /// Whether its end is not known, so that its amount is blocked.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Requested | Self::Pending | Self::Unknown)
    }
}

impl Operation {
    /// When the processor needs evidence about a dispute that is open.
    pub fn evidence_due(&self) -> Option<DateTime<Utc>> {
        let is_open = self.kind == OperationKind::Dispute && self.state.is_open();
        self.details.evidence_due().filter(|_| is_open)
    }

    /// How long after an answer that ends nothing the processor is asked again: after 5 s, 1 min, 5 min and 1 h, then daily for
    /// seven days. `None`: it waits for staff.
    pub const fn pause(asked: u32) -> Option<TimeDelta> {
        match asked {
            0 => Some(TimeDelta::seconds(5)),
            1 => Some(TimeDelta::minutes(1)),
            2 => Some(TimeDelta::minutes(5)),
            3 => Some(TimeDelta::hours(1)),
            4..=10 => Some(TimeDelta::days(1)),
            _ => None,
        }
    }
}

/// Sums of the operations of a payment, in minor units of its currency.
///
/// A blocked amount is that of operations whose end is not known. It is counted as if they succeeded wherever that is the safe side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Held, including what was taken of it since.
    pub authorized: i64,
    /// Taken.
    pub captured: i64,
    /// Received elsewhere, without the processor.
    pub elsewhere: i64,
    /// Perhaps taken.
    pub capturing: i64,
    /// Paid back, disputes included.
    pub refunded: i64,
    /// Perhaps paid back.
    pub refunding: i64,
    /// Given back without being taken.
    pub voided: i64,
    /// Perhaps given back.
    pub voiding: i64,
    /// Whether a final capture gave back what was left, or perhaps did.
    pub is_closed: bool,
}

impl Totals {
    /// What can still be taken: held, neither taken nor given back, not even perhaps.
    pub const fn capturable(&self) -> i64 {
        if self.is_closed {
            return 0;
        }
        let taken = self.captured.saturating_add(self.capturing);
        self.authorized.saturating_sub(taken).saturating_sub(self.voided).saturating_sub(self.voiding)
    }

    /// What was taken or received elsewhere.
    pub const fn received(&self) -> i64 {
        self.captured.saturating_add(self.elsewhere)
    }

    /// What can still be paid back: taken and not paid back, not even perhaps.
    pub const fn refundable(&self) -> i64 {
        self.received().saturating_sub(self.refunded).saturating_sub(self.refunding)
    }

    fn add(mut self, operation: &Operation, capture: CaptureMode) -> Self {
        let amount = operation.amount.minor();
        self.is_closed |= operation.is_final && operation.state != OperationState::Declined;
        let (done, open) = match operation.kind {
            OperationKind::Authorize if operation.state == OperationState::Succeeded => {
                self.authorized = self.authorized.saturating_add(amount);
                if capture == CaptureMode::Automatic {
                    self.captured = self.captured.saturating_add(amount);
                }
                return self;
            }
            OperationKind::Authorize => return self,
            OperationKind::Capture if operation.sent == 0 => (&mut self.elsewhere, &mut self.capturing),
            OperationKind::Capture => (&mut self.captured, &mut self.capturing),
            OperationKind::Refund | OperationKind::Dispute => (&mut self.refunded, &mut self.refunding),
            OperationKind::Void => (&mut self.voided, &mut self.voiding),
        };
        if operation.state == OperationState::Succeeded {
            *done = done.saturating_add(amount);
        } else if operation.state.is_open() {
            *open = open.saturating_add(amount);
        }
        self
    }
}

impl Payment {
    /// The key of all payments of an order.
    pub fn key_of_order(order: OrderId) -> String {
        alloc::format!("order:{order}")
    }

    /// The key of all payments of a customer.
    pub fn key_of_user(user: &UserId) -> String {
        alloc::format!("user:{user}")
    }

    /// The key of the payments with an id of the processor.
    pub fn key_of_reference(reference: &dyn fmt::Display) -> String {
        alloc::format!("reference:{reference}")
    }

    /// An operation.
    pub fn operation(&self, id: OperationId) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.id == id)
    }

    /// An operation of a kind whose end is not known.
    pub fn open_operation(&self, kind: OperationKind) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.kind == kind && operation.state.is_open())
    }

    /// When the last authorization got no answer from the processor, or the promise that nothing was done; `None` if it got another
    /// answer, or there is none.
    pub fn unanswered(&self) -> Option<DateTime<Utc>> {
        let last = self.operations.iter().rev().find(|operation| operation.kind == OperationKind::Authorize)?;
        let is_ours = |decline: &Decline| decline.code.class() == DeclineClass::Retry;
        let unanswered = matches!(last.state, OperationState::Requested | OperationState::Unknown)
            || last.decline.as_ref().is_some_and(is_ours);
        unanswered.then_some(last.updated_at)
    }

    /// The sums of its operations.
    pub fn totals(&self) -> Totals {
        self.operations.iter().fold(Totals::default(), |totals, operation| totals.add(operation, self.capture))
    }

    /// What the processor has to know of it.
    pub fn terms(&self) -> PaymentTerms {
        PaymentTerms {
            payment: self.id,
            order: self.order_id,
            user: self.user_id.clone(),
            amount: self.amount,
            method: self.method,
            capture: self.capture,
            reference: self.reference.clone(),
        }
    }
}

impl Aggregate for Payment {
    const EVENT_TYPES: &[&str] =
        &[Self::CREATED, Self::UPDATED, "dispute.opened", "dispute.won", "dispute.lost", "dispute.reinstated"];

    fn keys(&self) -> Vec<String> {
        let reference = self.reference.iter().map(|reference| Self::key_of_reference(reference));
        [Self::key_of_order(self.order_id), Self::key_of_user(&self.user_id)].into_iter().chain(reference).collect()
    }

    /// The change of a dispute is named.
    fn event_type(&self, before: Option<&Self>) -> &'static str {
        let Some(before) = before else { return Self::CREATED };
        let was = |dispute: &Operation| before.operation(dispute.id).map(|before| before.state);
        let mut disputes = self.operations.iter().filter(|operation| operation.kind == OperationKind::Dispute);
        let changed = disputes.find(|dispute| was(dispute) != Some(dispute.state));
        match changed.map(|dispute| (was(dispute), dispute.state)) {
            Some((_, OperationState::Succeeded)) => "dispute.lost",
            Some((Some(OperationState::Succeeded), OperationState::Declined)) => "dispute.reinstated",
            Some((_, OperationState::Declined)) => "dispute.won",
            Some(_) => "dispute.opened",
            None => Self::UPDATED,
        }
    }
}
