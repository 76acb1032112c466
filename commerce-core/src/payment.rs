//! Payments without money: the sandbox.

use alloc::boxed::Box;

use async_trait::async_trait;

use crate::order::RefundOutcome;
use crate::port::{Charge, ChargeOutcome, Payments, PaymentsUnavailable, RefundRequest};

/// A payment processor that decides by the token, for development and tests. It moves no money and knows no card.
///
/// | token | answer |
/// |---|---|
/// | `tok_ok` | captured in full |
/// | `tok_declined` | declined |
/// | `tok_timeout` | no answer: [`PaymentsUnavailable`] |
/// | anything else | declined, saying so |
///
/// It keeps nothing: what it answers follows from the request, so the same request gets the same answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SandboxPayments;

#[async_trait]
impl Payments for SandboxPayments {
    async fn charge(&self, charge: &Charge) -> Result<ChargeOutcome, PaymentsUnavailable> {
        let declined = |reason: &str| {
            let reason = reason.parse().map_err(|error| PaymentsUnavailable(Box::new(error)))?;
            Ok(ChargeOutcome::Declined { reason })
        };
        match charge.token.as_str() {
            "tok_ok" => {
                let reference = alloc::format!("sandbox-{}", charge.payment);
                let reference = reference.parse().map_err(|error| PaymentsUnavailable(Box::new(error)))?;
                Ok(ChargeOutcome::Captured { amount: charge.amount, reference })
            }
            "tok_declined" => declined("The card was declined."),
            "tok_timeout" => Err(PaymentsUnavailable("the sandbox was told not to answer".into())),
            _ => declined("The sandbox knows the tokens tok_ok, tok_declined and tok_timeout."),
        }
    }

    async fn refund(&self, _refund_request: &RefundRequest) -> Result<RefundOutcome, PaymentsUnavailable> {
        Ok(RefundOutcome::Done { reference: None })
    }
}
