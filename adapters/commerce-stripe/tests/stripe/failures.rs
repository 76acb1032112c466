//! Answers of Stripe that are no answers, and what they mean for the money.

use commerce_core::payment::{CaptureMode, DeclineCode, OperationOutcome};
use commerce_core::port::{OperationAction, Processor, ProcessorError};
use commerce_stripe::{Stripe, StripeConfig};
use serde_json::json;

use crate::double::{Double, Fault};
use crate::{SECRET_KEY, declined, open, open_of, pay, request, stripe};

/// Whether the error of a refund of 60.00 promises that nothing happened, and what is left of 100.00 after it.
async fn refunding(fault: Fault) -> (bool, i64) {
    let double = Double::start().await;
    let stripe = stripe(&double);
    let terms = open(&stripe, CaptureMode::Automatic).await;
    stripe.perform(&pay(&terms, "pm_ok")).await.expect("it is paid");
    // The first request on refunds is the look for this one.
    double.fail("/refunds", Fault::Garbles("{\"data\":[]}"));
    double.fail("/refunds", fault);
    let refund = request(&terms, 6_000, OperationAction::Refund);
    let error = stripe.perform(&refund).await.expect_err("it fails");
    let after = double.balance();
    let again = stripe.perform(&refund).await.expect("it is repeated");
    assert_eq!(again.outcome, OperationOutcome::Succeeded { amount: refund.amount });
    assert_eq!(double.balance(), 4_000, "one refund, whatever happened before");
    (matches!(error, ProcessorError::NotDone(_)), after)
}

#[tokio::test]
async fn errors_tell_whether_money_may_have_moved() {
    let error = |kind: &str, code: &str| json!({ "error": { "type": kind, "code": code } });
    for status in [401, 403, 429] {
        assert_eq!(refunding(Fault::Answers(status, error("api_error", ""))).await, (true, 10_000), "{status}");
    }
    for status in [302, 500, 502, 503] {
        assert_eq!(refunding(Fault::Answers(status, error("api_error", ""))).await, (false, 10_000), "{status}");
    }
    let reused = Fault::Answers(400, error("idempotency_error", ""));
    assert_eq!(refunding(reused).await, (false, 10_000));
    let wrong = Fault::Answers(400, error("invalid_request_error", "parameter_unknown"));
    assert_eq!(refunding(wrong).await, (true, 10_000));
    assert_eq!(refunding(Fault::LosesRequest).await, (false, 10_000));
    assert_eq!(refunding(Fault::LosesAnswer).await, (false, 4_000));
    assert_eq!(refunding(Fault::Garbles("<html>")).await, (false, 4_000));
}

#[tokio::test]
async fn a_locked_payment_is_tried_again() {
    let double = Double::start().await;
    let stripe = stripe(&double);
    let terms = open(&stripe, CaptureMode::Automatic).await;
    let locked = || Fault::Answers(429, json!({ "error": { "code": "lock_timeout" } }));
    double.fail("/confirm", locked());
    double.fail("/confirm", locked());
    double.fail("/confirm", Fault::Answers(409, json!({ "error": { "code": "idempotency_key_in_use" } })));
    let paid = stripe.perform(&pay(&terms, "pm_ok")).await.expect("it is paid");
    assert_eq!(paid.outcome, OperationOutcome::Succeeded { amount: terms.amount });
    let keys: Vec<_> = double
        .seen()
        .iter()
        .filter(|seen| seen.path.ends_with("/confirm"))
        .map(|seen| seen.headers["idempotency-key"].clone())
        .collect();
    assert_eq!(keys.len(), 4);
    assert!(keys.iter().all(|key| key == keys[0]), "{keys:?}");
}

#[tokio::test]
async fn what_fails_before_the_confirmation_has_not_happened() {
    let double = Double::start().await;
    let stripe = stripe(&double);
    let terms = open(&stripe, CaptureMode::Automatic).await;
    let reference = terms.reference.clone().expect("it is open");
    let end: &'static str = Box::leak(reference.to_string().into_boxed_str());
    // The look for the operation, and then the mark.
    for passes in 0..2 {
        for _ in 0..passes {
            double.fail(end, Fault::Garbles(Box::leak(intent(&reference.to_string()).into_boxed_str())));
        }
        double.fail(end, Fault::Answers(500, json!({})));
        let error = stripe.perform(&pay(&terms, "pm_ok")).await.expect_err("it fails");
        assert!(matches!(error, ProcessorError::NotDone(_)), "{error}");
    }
    assert_eq!(double.balance(), 0);
}

fn intent(id: &str) -> String {
    json!({ "id": id, "status": "requires_payment_method", "amount": 10_000, "currency": "usd" }).to_string()
}

#[tokio::test]
async fn an_earlier_attempt_is_found_by_its_charge() {
    let double = Double::start().await;
    let stripe = stripe(&double);
    let terms = open(&stripe, CaptureMode::Automatic).await;
    let (first, second) = (pay(&terms, "pm_declined"), pay(&terms, "pm_ok"));
    assert_eq!(declined(&stripe.perform(&first).await.expect("an answer")), Some(DeclineCode::InsufficientFunds));
    stripe.perform(&second).await.expect("it is paid");
    for _ in 0..2 {
        let found = stripe.find(&first.lookup()).await.expect("an answer").expect("it is found");
        assert_eq!(declined(&found), Some(DeclineCode::InsufficientFunds));
        let repeated = stripe.perform(&first).await.expect("an answer");
        assert_eq!(declined(&repeated), Some(DeclineCode::InsufficientFunds));
    }
    assert_eq!(double.balance(), 10_000);
}

/// The shop may have died before it noted the reference.
#[tokio::test]
async fn a_payment_without_a_reference_is_opened_once() {
    let double = Double::start().await;
    let stripe = stripe(&double);
    let mut terms = open(&stripe, CaptureMode::Automatic).await;
    let reference = terms.reference.take();
    let paying = pay(&terms, "pm_lost_answer");
    assert!(matches!(stripe.perform(&paying).await, Err(ProcessorError::Unknown(_))));
    let found = stripe.find(&paying.lookup()).await.expect("an answer").expect("it is found");
    assert_eq!(
        (found.outcome, found.payment_reference),
        (OperationOutcome::Succeeded { amount: terms.amount }, reference)
    );
    let refund = request(&terms, 100, OperationAction::Refund);
    assert!(matches!(stripe.perform(&refund).await, Err(ProcessorError::NotDone(_))));
    assert_eq!(double.balance(), 10_000);
}

#[tokio::test]
async fn a_paid_payment_is_not_paid_again() {
    let double = Double::start().await;
    let stripe = stripe(&double);
    let terms = open(&stripe, CaptureMode::Automatic).await;
    stripe.perform(&pay(&terms, "pm_ok")).await.expect("it is paid");
    let again = stripe.perform(&pay(&terms, "pm_ok")).await.expect("an answer");
    assert_eq!(declined(&again), Some(DeclineCode::InvalidAmount));
    assert_eq!(double.balance(), 10_000);
}

#[tokio::test]
async fn the_rest_of_a_hold_is_released() {
    let double = Double::start().await;
    let stripe = stripe(&double);
    let terms = open(&stripe, CaptureMode::Manual).await;
    stripe.perform(&pay(&terms, "pm_ok")).await.expect("it is held");
    let part = request(&terms, 6_000, OperationAction::Capture { is_final: false });
    stripe.perform(&part).await.expect("it is taken");
    let rest = request(&terms, 4_000, OperationAction::Void);
    let released = stripe.perform(&rest).await.expect("it is released");
    assert_eq!(released.outcome, OperationOutcome::Succeeded { amount: rest.amount });
    assert_eq!(stripe.find(&rest.lookup()).await.expect("an answer"), Some(released));
    let more = request(&terms, 1, OperationAction::Capture { is_final: false });
    assert_eq!(declined(&stripe.perform(&more).await.expect("an answer")), Some(DeclineCode::InvalidAmount));
    assert_eq!(double.balance(), 6_000);
}

#[tokio::test]
async fn amounts_are_sent_as_stripe_counts_them() {
    let double = Double::start().await;
    let stripe = stripe(&double);
    for (amount, sent) in [("500 JPY", "500"), ("700 UGX", "70000"), ("5.120 KWD", "5120")] {
        let terms = open_of(&stripe, CaptureMode::Automatic, amount).await;
        let paid = stripe.perform(&pay(&terms, "pm_ok")).await.expect("it is paid");
        assert_eq!(paid.outcome, OperationOutcome::Succeeded { amount: terms.amount });
        let seen = double.seen();
        let created = seen.iter().rev().find(|seen| seen.path == "/v1/payment_intents").expect("it was created");
        assert_eq!(created.fields["amount"], sent, "{amount}");
    }
    let terms = open_of(&stripe, CaptureMode::Automatic, "5.120 KWD").await;
    stripe.perform(&pay(&terms, "pm_ok")).await.expect("it is paid");
    let fine = request(&terms, 5, OperationAction::Refund);
    assert_eq!(declined(&stripe.perform(&fine).await.expect("an answer")), Some(DeclineCode::NotSupported));
}

#[tokio::test]
async fn requests_name_the_version_the_key_and_the_operation() {
    let double = Double::start().await;
    let stripe = stripe(&double);
    let terms = open(&stripe, CaptureMode::Automatic).await;
    let paying = pay(&terms, "pm_ok");
    stripe.perform(&paying).await.expect("it is paid");
    let seen = double.seen();
    assert!(seen.iter().all(|seen| seen.headers["stripe-version"] == "2025-09-30.clover"));
    assert!(seen.iter().all(|seen| seen.headers["authorization"] == format!("Bearer {SECRET_KEY}").as_str()));
    let confirmed = seen.iter().find(|seen| seen.path.ends_with("/confirm")).expect("it was confirmed");
    assert_eq!(confirmed.headers["idempotency-key"], paying.id.to_string().as_str());
    assert_eq!(confirmed.fields["return_url"], "https://shop.example.com/paid");
}

#[tokio::test]
async fn secrets_and_tokens_are_not_shown() {
    let double = Double::start().await;
    let stripe = stripe(&double);
    let terms = open(&stripe, CaptureMode::Automatic).await;
    let opened = stripe.open(&terms).await.expect("it is open");
    let unknown = stripe.perform(&pay(&terms, "pm_unknown")).await.expect("an answer");
    assert_eq!(declined(&unknown), Some(DeclineCode::IncorrectDetails));
    let refused = Fault::Answers(400, json!({ "error": { "code": "url_invalid", "message": "pm_hush sk_test_hush" } }));
    double.fail("/confirm", refused);
    let error = stripe.perform(&pay(&terms, "pm_hush")).await.expect_err("it is refused");
    for shown in [
        format!("{stripe:?} {opened:?} {unknown:?} {error:?} {error}"),
        format!("{:?}", StripeConfig::new(SECRET_KEY.into())),
    ] {
        assert!(!shown.contains("hush") && !shown.contains("_secret_") && !shown.contains("whsec"), "{shown}");
    }
}

/// Another customer's card would be charged.
#[tokio::test]
async fn a_token_of_a_client_is_no_saved_card() {
    let double = Double::start().await;
    let stripe = stripe(&double);
    let terms = open(&stripe, CaptureMode::Automatic).await;
    stripe.perform(&pay(&terms, "cus_1/pm_ok")).await.expect("an answer");
    let seen = double.seen();
    assert!(seen.iter().all(|seen| !seen.fields.contains_key("customer") && !seen.fields.contains_key("off_session")));
}

#[test]
fn settings_that_would_leak_the_key_are_refused() {
    let with = |key: &str, base: &str| {
        let mut config = StripeConfig::new(key.to_owned());
        config.base = base.to_owned();
        Stripe::new(config).map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(with("rk_live_x", "https://api.stripe.com"), Ok(()));
    assert!(with("pk_test_x", "https://api.stripe.com").is_err_and(|error| error.contains("publishable")));
    assert!(with("sk_test_x", "http://stripe.example.com").is_err_and(|error| error.contains("https://")));
}
