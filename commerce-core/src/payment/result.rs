//! How an operation stands, as a payment service outside of the shop tells it.

use alloc::string::ToString as _;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Decline, DeclineCode, NextAction, OperationAnswer, OperationKind, OperationOutcome, Reference};
use crate::ids::{OperationId, PaymentId};
use crate::money::{Currency, Money};
use crate::text::BoundedString;

/// How an operation stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct OperationResult {
    pub operation_id: OperationId,
    pub payment_id: PaymentId,
    pub kind: OperationKind,
    pub status: ResultStatus,
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
pub enum ResultStatus {
    Succeeded,
    Pending,
    Declined,
}

impl OperationResult {
    /// What it is about.
    pub const fn amount(&self) -> Money {
        Money::new(self.amount_cents, self.currency)
    }

    /// In the words of the port. The payment's reference is the shop's own id.
    pub fn answer(&self) -> OperationAnswer {
        let outcome = match self.status {
            ResultStatus::Succeeded => OperationOutcome::Succeeded { amount: self.amount() },
            ResultStatus::Pending => {
                let next = self.redirect_url.clone().map(|url| NextAction::Redirect { url });
                OperationOutcome::Pending { next }
            }
            ResultStatus::Declined => {
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
