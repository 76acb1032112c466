//! Payments without money: the sandbox.

use alloc::boxed::Box;

use async_trait::async_trait;

use crate::order::Refunded;
use crate::port::{Charge, Charged, Payments, PaymentsUnavailable, Repayment};

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
pub struct Sandbox;

#[async_trait]
impl Payments for Sandbox {
    async fn charge(&self, charge: &Charge) -> Result<Charged, PaymentsUnavailable> {
        let declined = |reason: &str| {
            let reason = reason.parse().map_err(|error| PaymentsUnavailable(Box::new(error)))?;
            Ok(Charged::Declined { reason })
        };
        match charge.token.as_str() {
            "tok_ok" => {
                let reference = alloc::format!("sandbox-{}", charge.payment);
                let reference = reference.parse().map_err(|error| PaymentsUnavailable(Box::new(error)))?;
                Ok(Charged::Captured { amount: charge.amount, reference })
            }
            "tok_declined" => declined("The card was declined."),
            "tok_timeout" => Err(PaymentsUnavailable("the sandbox was told not to answer".into())),
            _ => declined("The sandbox knows the tokens tok_ok, tok_declined and tok_timeout."),
        }
    }

    async fn repay(&self, _repayment: &Repayment) -> Result<Refunded, PaymentsUnavailable> {
        Ok(Refunded::Done { reference: None })
    }
}
