//! The processor on the double of the service: the contract of the port, failures, webhooks.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod failures;
mod suite;
mod webhooks;

use std::time::Duration;

use commerce_core::ids::OperationId;
use commerce_core::money::Money;
use commerce_core::payment::CaptureMode;
use commerce_core::port::{OperationAction, OperationRequest, PaymentTerms, PaymentToken};
use commerce_outbound::signature::Secrets;
use commerce_remote::{Remote, RemoteConfig};
use uuid::Uuid;

const SECRET: &str = "whsec_double";

fn remote_at(base: String) -> Remote {
    let mut config = RemoteConfig::new(base);
    config.token = Some("service-token-hush".to_owned());
    config.webhook_secrets = Secrets::parse(SECRET);
    config.time_out = Duration::from_secs(1);
    Remote::new(config).expect("the settings are right")
}

fn pay(token: &str) -> OperationRequest {
    let id = Uuid::now_v7().to_string();
    let amount: Money = "100.00 USD".parse().expect("an amount");
    let payment = PaymentTerms {
        payment: id.parse().expect("an id"),
        order: id.parse().expect("an id"),
        user: "ann".parse().expect("an id"),
        amount,
        method: None,
        capture: CaptureMode::Automatic,
        reference: None,
    };
    let action = OperationAction::Authorize { token: PaymentToken::new(token.to_owned()) };
    OperationRequest { id: OperationId::new(Uuid::now_v7()), payment, amount, action }
}
