//! The documents of the contract. `docs/remote-payments.md` describes them.

use std::fmt;

use chrono::{DateTime, Utc};
use commerce_core::ids::{OperationId, OrderId, PaymentId, UserId};
use commerce_core::money::Currency;
use commerce_core::payment::{CaptureMode, OperationKind, PaymentMethod, Reference};
pub use commerce_core::payment::{OperationResult, ResultStatus as Status};
use commerce_core::port::{OperationAction, OperationRequest, ProcessorEvent};
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
