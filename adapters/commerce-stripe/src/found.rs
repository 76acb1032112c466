//! How an operation stands, read from the objects that it made or changed.
//!
//! The id of an operation is in the metadata:
//!
//! | operation | mark | written |
//! |---|---|---|
//! | authorization | `authorize: ID` on the intent, copied by Stripe to the charge | before the confirmation |
//! | capture | `ID: capture N` on the intent | by the capture |
//! | void of everything | `ID: cancel N` on the intent | before the cancellation |
//! | void of the rest after a capture | `ID: release N` on the intent | by the capture of nothing |
//! | refund | `operation: ID` on the refund | by the refund |

use chrono::{DateTime, Utc};
use commerce_core::ids::OperationId;
use commerce_core::money::Money;
use commerce_core::payment::{
    Decline, DeclineCode, Details, NextAction, OperationAnswer, OperationKind, OperationOutcome,
};
use serde_json::{Value, json};

use crate::amount::from_stripe;
use crate::decline::{self, of_card};
use crate::object::{Charge, Intent, IntentStatus, LatestCharge, Refund};

/// The mark of an authorization.
pub(crate) const AUTHORIZE: &str = "authorize";
/// The mark of a refund.
pub(crate) const OPERATION: &str = "operation";
/// The shop's id of the payment.
pub(crate) const PAYMENT: &str = "payment";

/// What a capture or a void wrote into the metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Capture(i64),
    Cancel(i64),
    Release(i64),
}

impl Mark {
    pub(crate) fn text(self) -> String {
        match self {
            Self::Capture(number) => format!("capture {number}"),
            Self::Cancel(number) => format!("cancel {number}"),
            Self::Release(number) => format!("release {number}"),
        }
    }

    fn read(text: &str) -> Option<Self> {
        let (word, number) = text.split_once(' ')?;
        let number = number.parse().ok()?;
        match word {
            "capture" => Some(Self::Capture(number)),
            "cancel" => Some(Self::Cancel(number)),
            "release" => Some(Self::Release(number)),
            _ => None,
        }
    }

    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::Capture(number) | Self::Cancel(number) | Self::Release(number) => number,
        }
    }

    pub(crate) const fn kind(self) -> OperationKind {
        match self {
            Self::Capture(_) => OperationKind::Capture,
            Self::Cancel(_) | Self::Release(_) => OperationKind::Void,
        }
    }
}

impl Intent {
    /// The mark of a capture or a void.
    pub(crate) fn mark(&self, operation: OperationId) -> Option<Mark> {
        Mark::read(self.metadata.get(&operation.to_string())?)
    }

    /// All marks of captures and voids, with their operations.
    pub(crate) fn marks(&self) -> impl Iterator<Item = (OperationId, Mark)> {
        self.metadata.iter().filter_map(|(id, text)| Some((id.parse().ok()?, Mark::read(text)?)))
    }

    /// The last authorization of the shop.
    pub(crate) fn authorization(&self) -> Option<OperationId> {
        self.metadata.get(AUTHORIZE)?.parse().ok()
    }

    /// Whether the customer can still pay.
    pub(crate) const fn is_open(&self) -> bool {
        use IntentStatus::{RequiresAction, RequiresConfirmation, RequiresPaymentMethod};
        matches!(self.status, RequiresPaymentMethod | RequiresConfirmation | RequiresAction)
    }

    pub(crate) fn money(&self, number: i64) -> Option<Money> {
        from_stripe(number, &self.currency)
    }

    /// How the last authorization stands. `None` if it was not confirmed, or the amount cannot be read.
    pub(crate) fn authorized(&self) -> Option<OperationAnswer> {
        let held = || Some(OperationOutcome::Succeeded { amount: self.money(self.amount)? });
        let error = self.last_payment_error.as_ref();
        let code = error.map(|error| of_card([error.decline_code.as_deref(), error.code.as_deref()]));
        let outcome = match self.status {
            IntentStatus::Succeeded | IntentStatus::RequiresCapture => held()?,
            IntentStatus::Processing | IntentStatus::Other => OperationOutcome::Pending { next: None },
            IntentStatus::RequiresAction => OperationOutcome::Pending { next: self.next() },
            IntentStatus::RequiresPaymentMethod | IntentStatus::RequiresConfirmation => declined(code?),
            IntentStatus::Canceled if self.latest_charge.as_ref().is_some_and(LatestCharge::held) => held()?,
            IntentStatus::Canceled => declined(DeclineCode::InvalidAmount),
        };
        let details = error.map(|error| json!({ "code": error.code, "decline_code": error.decline_code }));
        let expires_at = self.latest_charge.as_ref().and_then(LatestCharge::capture_before).and_then(from_seconds);
        Some(OperationAnswer { expires_at, ..self.answer(outcome, details.unwrap_or_default()) })
    }

    /// How a capture or a void stands. `None` if it was not performed.
    pub(crate) fn marked(&self, mark: Mark) -> Option<OperationAnswer> {
        let is_done = !matches!(mark, Mark::Cancel(_)) || self.status == IntentStatus::Canceled;
        let outcome = OperationOutcome::Succeeded { amount: self.money(mark.number())? };
        is_done.then(|| self.answer(outcome, Value::Null))
    }

    /// Declined by the adapter or a refusal.
    pub(crate) fn declined(&self, code: DeclineCode) -> OperationAnswer {
        self.answer(declined(code), Value::Null)
    }

    pub(crate) fn answer(&self, outcome: OperationOutcome, details: Value) -> OperationAnswer {
        OperationAnswer {
            outcome,
            payment_reference: Some(self.id.clone()),
            reference: self.latest_charge.as_ref().map(|charge| charge.id().clone()),
            expires_at: None,
            details: Details::new(details),
        }
    }

    fn next(&self) -> Option<NextAction> {
        let url = self.next_action.as_ref()?.pointer("/redirect_to_url/url")?.as_str()?;
        Some(NextAction::Redirect { url: url.parse().ok()? })
    }
}

impl LatestCharge {
    /// A charge that is known by its id only was read from an event, which is sent for canceled intents that held money.
    pub(crate) fn held(&self) -> bool {
        self.succeeded().unwrap_or(true)
    }
}

impl Charge {
    /// How the authorization that made this charge stands.
    pub(crate) fn authorized(&self, intent: &Intent) -> Option<OperationAnswer> {
        let outcome = match self.status.as_deref() {
            Some("succeeded") => OperationOutcome::Succeeded { amount: intent.money(intent.amount)? },
            Some("failed") => {
                let reason = self.outcome.as_ref().and_then(|outcome| outcome.reason.as_deref());
                declined(of_card([reason, self.failure_code.as_deref()]))
            }
            _ => OperationOutcome::Pending { next: None },
        };
        let (reference, expires_at) = (Some(self.id.clone()), self.capture_before().and_then(from_seconds));
        Some(OperationAnswer { reference, expires_at, ..intent.answer(outcome, Value::Null) })
    }
}

impl Refund {
    /// The refund of an operation.
    pub(crate) fn of(id: OperationId, refunds: &[Self]) -> Option<&Self> {
        refunds.iter().find(|refund| refund.operation() == Some(id))
    }

    pub(crate) fn operation(&self) -> Option<OperationId> {
        self.metadata.get(OPERATION)?.parse().ok()
    }

    /// Whether it moved nothing.
    pub(crate) fn has_failed(&self) -> bool {
        matches!(self.status.as_deref(), Some("failed" | "canceled"))
    }

    /// How it stands. `None` if its amount cannot be read.
    pub(crate) fn answer(&self) -> Option<OperationAnswer> {
        let reason = self.failure_reason.as_deref();
        let outcome = match self.status.as_deref() {
            Some("pending" | "requires_action") => OperationOutcome::Pending { next: None },
            Some("failed" | "canceled") => {
                declined(reason.and_then(decline::known).unwrap_or(DeclineCode::ProcessorError))
            }
            _ => OperationOutcome::Succeeded { amount: from_stripe(self.amount, &self.currency)? },
        };
        Some(OperationAnswer {
            outcome,
            payment_reference: self.payment_intent.clone(),
            reference: Some(self.id.clone()),
            expires_at: None,
            details: reason.map_or_else(Details::default, |reason| Details::new(json!({ "failure_reason": reason }))),
        })
    }
}

const fn from_seconds(seconds: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(seconds, 0)
}

pub(crate) fn declined(code: DeclineCode) -> OperationOutcome {
    OperationOutcome::Declined(Decline::new(code))
}
