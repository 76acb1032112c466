//! Webhooks: which are believed, and what they say.

use commerce_core::payment::{CaptureMode, DeclineCode, OperationKind, OperationOutcome};
use commerce_core::port::{OperationAction, Processor, ProcessorEvent, Webhook, WebhookRejection};
use commerce_outbound::signature::{Secrets, sign};
use commerce_stripe::{Stripe, StripeConfig};
use serde_json::{Value, json};

use crate::double::{Double, WEBHOOK_SECRET};
use crate::{at, declined, open, pay, request, stripe};

const NOW: i64 = 1_700_000_000;

fn configured(key: &str, account: Option<&str>) -> Stripe {
    let mut config = StripeConfig::new(key.to_owned());
    config.webhook_secrets = Secrets::parse(WEBHOOK_SECRET);
    config.account = account.map(str::to_owned);
    Stripe::new(config).expect("the settings are right")
}

fn read(stripe: &Stripe, body: &[u8]) -> Result<Vec<ProcessorEvent>, WebhookRejection> {
    let signature = sign(WEBHOOK_SECRET, body, NOW);
    stripe.read_webhook(&Webhook { headers: &[("stripe-signature", &signature)], body, at: at(NOW) })
}

fn event(kind: &str, object: &Value) -> Value {
    json!({ "id": "evt_1", "type": kind, "created": NOW, "livemode": false, "data": { "object": object } })
}

fn said(kind: &str, object: &Value) -> ProcessorEvent {
    let stripe = configured("sk_test_x", None);
    let mut events = read(&stripe, event(kind, object).to_string().as_bytes()).expect("it is believed");
    assert_eq!(events.len(), 1, "{kind}");
    events.remove(0)
}

#[test]
fn only_events_of_this_account_and_mode_are_believed() {
    let intent = json!({ "id": "pi_1", "status": "succeeded", "amount": 500, "currency": "usd" });
    let own = event("payment_intent.succeeded", &intent);
    let with = |name: &str, value: Value| {
        let mut other = own.clone();
        other[name] = value;
        other.to_string()
    };
    let (live, foreign) = (with("livemode", json!(true)), with("account", json!("acct_2")));
    let test = configured("sk_test_x", None);
    assert!(read(&test, own.to_string().as_bytes()).is_ok());
    assert_eq!(read(&test, live.as_bytes()), Err(WebhookRejection::Foreign));
    assert_eq!(read(&test, foreign.as_bytes()), Err(WebhookRejection::Foreign));
    assert!(read(&configured("rk_live_x", None), live.as_bytes()).is_ok());
    assert_eq!(read(&configured("sk_live_x", None), own.to_string().as_bytes()), Err(WebhookRejection::Foreign));
    assert!(read(&configured("sk_test_x", Some("acct_2")), foreign.as_bytes()).is_ok());
    assert_eq!(read(&configured("sk_test_x", Some("acct_1")), foreign.as_bytes()), Err(WebhookRejection::Foreign));
}

#[test]
fn what_is_signed_but_cannot_be_read_is_malformed() {
    let stripe = configured("sk_test_x", None);
    let broken = event("payment_intent.succeeded", &json!({ "id": 5 })).to_string();
    for body in ["", "[]", "{\"id\":\"evt_1\"}", &broken] {
        let refused = read(&stripe, body.as_bytes());
        assert!(matches!(refused, Err(WebhookRejection::Malformed(_))), "{body}: {refused:?}");
    }
    let other = event("customer.created", &json!({ "id": "cus_1" })).to_string();
    assert_eq!(read(&stripe, other.as_bytes()), Ok(Vec::new()));
}

#[test]
fn a_payment_that_nobody_tried_to_pay_is_closed_without_a_word() {
    let stripe = configured("sk_test_x", None);
    let intent = json!({ "id": "pi_1", "status": "canceled", "amount": 500, "currency": "usd" });
    let canceled = event("payment_intent.canceled", &intent).to_string();
    assert_eq!(read(&stripe, canceled.as_bytes()), Ok(Vec::new()));
}

#[test]
fn a_dispute_is_pending_until_it_is_won_or_lost() {
    let dispute = |status: &str| {
        json!({
            "id": "dp_1", "amount": 700, "currency": "usd", "status": status, "reason": "fraudulent",
            "payment_intent": "pi_1", "evidence_details": { "due_by": NOW },
        })
    };
    let opened = said("charge.dispute.created", &dispute("needs_response"));
    assert_eq!((opened.kind, opened.operation), (OperationKind::Dispute, None));
    assert_eq!(opened.answer.outcome, OperationOutcome::Pending { next: None });
    assert_eq!(opened.answer.payment_reference.map(|id| id.to_string()), Some("pi_1".to_owned()));
    assert_eq!(opened.answer.details.value()["evidence_due_by"], "2023-11-14T22:13:20Z");
    let lost = said("charge.dispute.closed", &dispute("lost"));
    assert_eq!(lost.answer.outcome, OperationOutcome::Succeeded { amount: lost.amount });
    assert_eq!(lost.amount.to_string(), "7.00 USD");
    let won = said("charge.dispute.funds_reinstated", &dispute("won"));
    assert!(declined(&won.answer).is_some());
}

#[test]
fn a_refund_can_fail_days_later() {
    let refund = |status: &str| {
        json!({
            "id": "re_1", "amount": 700, "currency": "usd", "status": status, "payment_intent": "pi_1",
            "failure_reason": "expired_or_canceled_card",
            "metadata": { "operation": "01890000-0000-7000-8000-000000000001" },
        })
    };
    assert_eq!(said("refund.created", &refund("pending")).answer.outcome, OperationOutcome::Pending { next: None });
    let failed = said("refund.failed", &refund("failed"));
    assert_eq!(declined(&failed.answer), Some(DeclineCode::AccountClosed));
    assert_eq!(failed.operation.map(|id| id.to_string()), Some("01890000-0000-7000-8000-000000000001".to_owned()));
}

#[test]
fn a_hold_that_ran_out_is_void() {
    let intent = json!({
        "id": "pi_1", "status": "canceled", "amount": 900, "amount_received": 0, "currency": "usd",
        "latest_charge": "ch_1", "cancellation_reason": "automatic", "capture_method": "manual",
    });
    let void = said("payment_intent.canceled", &intent);
    assert_eq!((void.kind, void.operation), (OperationKind::Void, None));
    assert_eq!(void.answer.outcome, OperationOutcome::Succeeded { amount: void.amount });
    assert_eq!(void.answer.details.value()["cancellation_reason"], "automatic");
}

/// Each capture, void and capture by hand is an event of its own.
#[tokio::test]
async fn captures_are_listed_with_their_operations() {
    let double = Double::start().await;
    let stripe = stripe(&double);
    let terms = open(&stripe, CaptureMode::Manual).await;
    let hold = pay(&terms, "pm_ok");
    let parts = [2_000, 3_000].map(|minor| request(&terms, minor, OperationAction::Capture { is_final: false }));
    let rest = request(&terms, 5_000, OperationAction::Void);
    for request in [&hold, &parts[0], &parts[1], &rest] {
        stripe.perform(request).await.expect("it is done");
    }
    let (mut listed, mut cursor) = (Vec::new(), None);
    loop {
        let page = stripe.list(cursor.as_deref()).await.expect("a page");
        listed.extend(page.events.into_iter().map(|event| (event.kind, event.operation, event.amount.minor())));
        let Some(next) = page.next else { break };
        cursor = Some(next);
    }
    let expected = [
        (OperationKind::Authorize, Some(hold.id), 10_000),
        (OperationKind::Capture, Some(parts[0].id), 2_000),
        (OperationKind::Capture, Some(parts[1].id), 3_000),
        (OperationKind::Void, Some(rest.id), 5_000),
    ];
    assert_eq!(listed, expected);
    let forgotten = stripe.list(Some("evt_forgotten")).await.expect("the oldest");
    assert_eq!(forgotten.events.len(), 2);
}

#[test]
fn a_capture_by_hand_has_no_operation() {
    let intent = json!({
        "id": "pi_1", "status": "succeeded", "amount": 900, "amount_received": 900, "currency": "usd",
        "latest_charge": "ch_1", "capture_method": "manual",
        "metadata": { "01890000-0000-7000-8000-000000000001": "capture 300" },
    });
    let capture = said("payment_intent.succeeded", &intent);
    assert_eq!((capture.kind, capture.operation, capture.amount.minor()), (OperationKind::Capture, None, 600));
}
