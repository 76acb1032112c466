//! The processor on a double of Stripe's API: the contract of the port, failures, webhooks.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod double;
mod failures;
mod holds;
mod suite;
mod webhooks;

use std::time::Duration;

use chrono::{DateTime, Utc};
use commerce_core::ids::OperationId;
use commerce_core::money::Money;
use commerce_core::payment::{CaptureMode, DeclineCode, OperationAnswer, OperationOutcome};
use commerce_core::port::{OperationAction, OperationRequest, PaymentTerms, PaymentToken, Processor};
use commerce_outbound::signature::Secrets;
use commerce_stripe::{Stripe, StripeConfig};
use uuid::Uuid;

use self::double::{Double, WEBHOOK_SECRET};

const SECRET_KEY: &str = "sk_test_hush";

fn stripe_at(base: String) -> Stripe {
    let mut config = StripeConfig::new(SECRET_KEY.to_owned());
    config.webhook_secrets = Secrets::parse(WEBHOOK_SECRET);
    config.base = base;
    config.time_out = Duration::from_secs(1);
    config.return_url = Some("https://shop.example.com/paid".to_owned());
    Stripe::new(config).expect("the settings are right")
}

fn stripe(double: &Double) -> Stripe {
    stripe_at(format!("http://{}", double.address))
}

/// A payment of 100.00 USD that is open.
async fn open(stripe: &Stripe, capture: CaptureMode) -> PaymentTerms {
    open_of(stripe, capture, "100.00 USD").await
}

async fn open_of(stripe: &Stripe, capture: CaptureMode, amount: &str) -> PaymentTerms {
    let id = Uuid::now_v7().to_string();
    let mut terms = PaymentTerms {
        payment: id.parse().expect("an id"),
        order: id.parse().expect("an id"),
        user: "ann".parse().expect("an id"),
        amount: amount.parse().expect("an amount"),
        method: None,
        capture,
        reference: None,
    };
    terms.reference = Some(stripe.open(&terms).await.expect("it opens").reference);
    terms
}

fn request(terms: &PaymentTerms, minor: i64, action: OperationAction) -> OperationRequest {
    let amount = Money::new(minor, terms.amount.currency());
    OperationRequest { id: OperationId::new(Uuid::now_v7()), payment: terms.clone(), amount, action }
}

fn pay(terms: &PaymentTerms, token: &str) -> OperationRequest {
    let token = PaymentToken::new(token.to_owned());
    request(terms, terms.amount.minor(), OperationAction::Authorize { token })
}

fn declined(answer: &OperationAnswer) -> Option<DeclineCode> {
    match &answer.outcome {
        OperationOutcome::Declined(decline) => Some(decline.code),
        OperationOutcome::Succeeded { .. } | OperationOutcome::Pending { .. } => None,
    }
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).expect("a time")
}
