//! What Stripe's events say about money.

use chrono::DateTime;
use commerce_core::ids::{OperationId, PaymentId};
use commerce_core::money::Money;
use commerce_core::payment::{DeclineCode, Details, OperationAnswer, OperationKind, OperationOutcome};
use commerce_core::port::{ProcessorEvent, Webhook, WebhookRejection};
use commerce_outbound::signature::{Refused, Secrets};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::amount::from_stripe;
use crate::found::{Mark, PAYMENT, declined};
use crate::object::{Dispute, Event, Intent, Metadata, Refund};

/// The types of events that concern money.
pub(crate) const KINDS: [&str; 14] = [
    "payment_intent.amount_capturable_updated",
    "payment_intent.canceled",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
    "refund.created",
    "refund.failed",
    "refund.updated",
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.updated",
];

/// Reads a webhook with the signature of one of the secrets.
pub(crate) fn verified(webhook: &Webhook<'_>, secrets: &Secrets) -> Result<Event, WebhookRejection> {
    let signature = webhook.header("stripe-signature");
    secrets.check(signature, webhook.body, webhook.at.timestamp()).map_err(|refused| match refused {
        Refused::Forged => WebhookRejection::Forged,
        Refused::Stale { age_seconds } => WebhookRejection::Stale { age_seconds },
    })?;
    serde_json::from_slice(webhook.body).map_err(|_| malformed("it is no event".to_owned()))
}

#[expect(clippy::needless_pass_by_value, reason = "it is used as a function of errors")]
pub(crate) fn malformed(problem: String) -> WebhookRejection {
    match problem.parse() {
        Ok(problem) => WebhookRejection::Malformed(problem),
        Err(_) => WebhookRejection::Forged,
    }
}

/// What an event says about an operation.
struct Said {
    payment: Option<PaymentId>,
    operation: Option<OperationId>,
    kind: OperationKind,
    amount: Money,
    answer: OperationAnswer,
}

impl Event {
    /// What it says about money. `None` if nothing, or in a currency that the shop does not know.
    pub(crate) fn read(&self) -> Result<Option<ProcessorEvent>, String> {
        let said = match self.kind.as_str() {
            kind if !KINDS.contains(&kind) => None,
            "payment_intent.canceled" => self.object::<Intent>()?.canceled(),
            kind if kind.starts_with("payment_intent.") => self.intent(&self.object()?),
            kind if kind.starts_with("refund.") => self.object::<Refund>()?.said(),
            _ => self.object::<Dispute>()?.said(),
        };
        let at = DateTime::from_timestamp(self.created, 0).ok_or_else(|| self.unreadable())?;
        Ok(said.map(|said| ProcessorEvent {
            id: self.id.clone(),
            at,
            payment: said.payment,
            operation: said.operation,
            kind: said.kind,
            amount: said.amount,
            answer: said.answer,
        }))
    }

    fn object<T: DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_value(self.data.object.clone()).map_err(|_| self.unreadable())
    }

    fn unreadable(&self) -> String {
        format!("the event {} of the type {} cannot be read", self.id, self.kind)
    }

    /// The operation whose request caused the event.
    fn cause(&self) -> Option<OperationId> {
        self.request.as_ref()?.get("idempotency_key")?.as_str()?.parse().ok()
    }

    fn intent(&self, intent: &Intent) -> Option<Said> {
        if intent.capture_method.as_deref() == Some("manual") && intent.amount_received > 0 {
            return intent.captured(self.cause());
        }
        let operation = self.cause().or_else(|| intent.authorization());
        intent.said(OperationKind::Authorize, operation, intent.amount, intent.authorized()?)
    }
}

fn payment(metadata: &Metadata) -> Option<PaymentId> {
    metadata.get(PAYMENT)?.parse().ok()
}

impl Intent {
    fn said(
        &self,
        kind: OperationKind,
        operation: Option<OperationId>,
        number: i64,
        answer: OperationAnswer,
    ) -> Option<Said> {
        Some(Said { payment: payment(&self.metadata), operation, kind, amount: self.money(number)?, answer })
    }

    /// A capture or release by the shop, or a capture by hand of what the shop did not capture.
    fn captured(&self, cause: Option<OperationId>) -> Option<Said> {
        if let Some((id, mark)) = cause.and_then(|id| Some((id, self.mark(id)?))) {
            return self.said(mark.kind(), Some(id), mark.number(), self.marked(mark)?);
        }
        let captures = self.marks().filter(|(_, mark)| matches!(mark, Mark::Capture(_)));
        let own = captures.fold(0_i64, |sum, (_, mark)| sum.saturating_add(mark.number()));
        let by_hand = self.amount_received.saturating_sub(own);
        let outcome = OperationOutcome::Succeeded { amount: self.money(by_hand)? };
        let said = self.said(OperationKind::Capture, None, by_hand, self.answer(outcome, json!(null)));
        said.filter(|_| by_hand > 0)
    }

    /// What was held is free again: by the shop, by hand, or because it was held too long. If nothing was held, the shop's attempt
    /// to pay, if there was one, has moved nothing.
    fn canceled(&self) -> Option<Said> {
        let own = self.marks().find(|(_, mark)| matches!(mark, Mark::Cancel(_)));
        if let Some((id, mark)) = own {
            return self.said(OperationKind::Void, Some(id), mark.number(), self.marked(mark)?);
        }
        if self.latest_charge.is_none() || self.last_payment_error.is_some() {
            let attempt = self.authorization()?;
            let answer = self.answer(declined(DeclineCode::InvalidAmount), self.reason());
            return self.said(OperationKind::Authorize, Some(attempt), self.amount, answer);
        }
        let rest = self.amount.saturating_sub(self.amount_received);
        let outcome = OperationOutcome::Succeeded { amount: self.money(rest)? };
        self.said(OperationKind::Void, None, rest, self.answer(outcome, self.reason()))
    }

    fn reason(&self) -> serde_json::Value {
        json!({ "cancellation_reason": self.cancellation_reason })
    }
}

impl Refund {
    fn said(&self) -> Option<Said> {
        Some(Said {
            payment: payment(&self.metadata),
            operation: self.operation(),
            kind: OperationKind::Refund,
            amount: from_stripe(self.amount, &self.currency)?,
            answer: self.answer()?,
        })
    }
}

impl Dispute {
    /// A dispute that is lost has succeeded: it moved money. One that is won has moved nothing.
    fn said(&self) -> Option<Said> {
        let amount = from_stripe(self.amount, &self.currency)?;
        let outcome = match self.status.as_str() {
            "lost" => OperationOutcome::Succeeded { amount },
            "won" | "warning_closed" | "prevented" => declined(DeclineCode::InvalidAmount),
            _ => OperationOutcome::Pending { next: None },
        };
        let is_needed = matches!(self.status.as_str(), "needs_response" | "warning_needs_response");
        let due = self.evidence_details.as_ref().and_then(|evidence| evidence.due_by).filter(|_| is_needed);
        let due = due.and_then(|due| DateTime::from_timestamp(due, 0));
        let details = json!({ "status": self.status, "reason": self.reason, "evidence_due_by": due });
        let answer = OperationAnswer {
            outcome,
            payment_reference: self.payment_intent.clone(),
            reference: Some(self.id.clone()),
            details: Details::new(details),
        };
        Some(Said { payment: None, operation: None, kind: OperationKind::Dispute, amount, answer })
    }
}
