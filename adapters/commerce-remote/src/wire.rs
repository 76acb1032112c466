//! The documents of the contract. `docs/remote-payments.md` describes them.

use std::fmt;

use chrono::{DateTime, Utc};
use commerce_core::ids::{OperationId, OrderId, PaymentId, UserId};
use commerce_core::money::{Currency, Money};
use commerce_core::payment::{
    CaptureMode, Decline, DeclineCode, NextAction, OperationAnswer, OperationKind, OperationOutcome, PaymentMethod,
    Reference,
};
use commerce_core::port::{OperationAction, OperationRequest, ProcessorEvent};
use commerce_core::text::BoundedString;
use serde::{Deserialize, Serialize};

/// The header with the signature of a webhook.
pub const SIGNATURE: &str = "payment-signature";
/// The code of an answer 404 about an operation that was never performed.
pub const UNKNOWN_OPERATION: &str = "unknown_operation";

/// A request to perform an operation. `Debug` does not show the token.
#[derive(Clone, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct OperationBody {
    pub operation_id: OperationId,
    pub kind: OperationKind,
    pub payment_id: PaymentId,
    pub order_id: OrderId,
    pub user_id: UserId,
    /// In minor units.
    pub amount_cents: i64,
    pub currency: Currency,
    /// What the customer agreed to pay, in minor units.
    pub payment_amount_cents: i64,
    pub capture: CaptureMode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<PaymentMethod>,
    /// Of an authorization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Of a capture: whether the rest is given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_final: Option<bool>,
}

/// How an operation stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct OperationResult {
    pub operation_id: OperationId,
    pub payment_id: PaymentId,
    pub kind: OperationKind,
    pub status: Status,
    /// What the operation is about; once it has succeeded, what it moved or held. In minor units.
    pub amount_cents: i64,
    pub currency: Currency,
    /// The service's id of the operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// Of an authorization that only holds money: until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Of a declined operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decline_code: Option<DeclineCode>,
    /// For the customer, of a declined operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<BoundedString<500>>,
    /// Of a pending operation: the page that the customer has to open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_url: Option<BoundedString<2000>>,
}

/// Whether an operation has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Status {
    Succeeded,
    Pending,
    Declined,
}

/// A webhook, or an entry of the list of events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct EventBody {
    pub id: Reference,
    #[serde(rename = "type")]
    pub kind: EventType,
    pub created: DateTime<Utc>,
    /// The account of the service, such as `live` or `test`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    pub data: OperationResult,
}

/// The types of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventType {
    /// An operation other than a refund has succeeded, or is pending.
    PaymentSucceeded,
    /// An operation other than a refund was declined.
    PaymentFailed,
    /// A refund has succeeded, is pending or was declined.
    RefundProcessed,
}

/// A page of the list of events.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EventPage {
    /// Oldest first.
    pub events: Vec<EventBody>,
    /// The cursor of the next page. `None` if the page is empty.
    pub next: Option<String>,
}

/// An answer other than 2xx.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ErrorBody {
    pub code: String,
}

impl fmt::Debug for OperationBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperationBody").field("operation_id", &self.operation_id).finish_non_exhaustive()
    }
}

impl From<&OperationRequest> for OperationBody {
    fn from(request: &OperationRequest) -> Self {
        let payment = &request.payment;
        let (token, is_final) = match &request.action {
            OperationAction::Authorize { token } => (Some(token.reveal().to_owned()), None),
            OperationAction::Capture { is_final } => (None, Some(*is_final)),
            OperationAction::Refund | OperationAction::Void => (None, None),
        };
        Self {
            operation_id: request.id,
            kind: request.action.kind(),
            payment_id: payment.payment,
            order_id: payment.order,
            user_id: payment.user.clone(),
            amount_cents: request.amount.minor(),
            currency: request.amount.currency(),
            payment_amount_cents: payment.amount.minor(),
            capture: payment.capture,
            method: payment.method,
            token,
            is_final,
        }
    }
}

impl OperationResult {
    const fn amount(&self) -> Money {
        Money::new(self.amount_cents, self.currency)
    }

    /// In the words of the port. The payment's reference is the shop's own id.
    pub fn answer(&self) -> OperationAnswer {
        let outcome = match self.status {
            Status::Succeeded => OperationOutcome::Succeeded { amount: self.amount() },
            Status::Pending => {
                let next = self.redirect_url.clone().map(|url| NextAction::Redirect { url });
                OperationOutcome::Pending { next }
            }
            Status::Declined => {
                let decline = Decline::new(self.decline_code.unwrap_or(DeclineCode::CardDeclined));
                let message = self.message.clone().unwrap_or(decline.message);
                OperationOutcome::Declined(Decline { message, ..decline })
            }
        };
        OperationAnswer {
            payment_reference: self.payment_id.to_string().parse().ok(),
            reference: self.reference.clone(),
            expires_at: self.expires_at,
            ..OperationAnswer::new(outcome)
        }
    }
}

impl EventBody {
    /// In the words of the port.
    pub fn event(&self) -> ProcessorEvent {
        ProcessorEvent {
            id: self.id.clone(),
            at: self.created,
            payment: Some(self.data.payment_id),
            operation: Some(self.data.operation_id),
            kind: self.data.kind,
            amount: self.data.amount(),
            answer: self.data.answer(),
        }
    }
}

impl EventType {
    /// The type of the event about a result.
    pub const fn of(result: &OperationResult) -> Self {
        match (result.kind, result.status) {
            (OperationKind::Refund, _) => Self::RefundProcessed,
            (_, Status::Declined) => Self::PaymentFailed,
            (_, Status::Succeeded | Status::Pending) => Self::PaymentSucceeded,
        }
    }
}
