//! Payments: the operations that move money, the answers of processors, and the sandbox.
//!
//! The port is [`Processor`](crate::port::Processor).

mod book;
mod operation;
mod sandbox;

use alloc::boxed::Box;

use async_trait::async_trait;

pub use self::book::{BookEntry, PaymentBook, Verdict};
pub use self::operation::{
    CaptureMode, Decline, DeclineClass, DeclineCode, Details, NextAction, OperationAnswer, OperationKind,
    OperationOutcome, PaymentMethod, Reference,
};
#[cfg(feature = "std")]
pub use self::sandbox::MemoryBooks;
pub use self::sandbox::{Books, BooksUnavailable, SandboxProcessor};
use crate::order::RefundOutcome;
use crate::port::{Charge, ChargeOutcome, Payments, PaymentsUnavailable, RefundRequest};

/// A payment processor for development and tests. It decides by the token and moves no money.
///
/// | token | answer |
/// |---|---|
/// | `tok_ok` | captured in full |
/// | `tok_declined` | declined |
/// | `tok_timeout` | no answer: [`PaymentsUnavailable`] |
/// | anything else | declined, with the known tokens as the reason |
///
/// It has no state: equal requests get equal answers.
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
            "tok_timeout" => Err(PaymentsUnavailable("the token tok_timeout gets no answer".into())),
            _ => declined("The sandbox knows the tokens tok_ok, tok_declined and tok_timeout."),
        }
    }

    async fn refund(&self, _refund_request: &RefundRequest) -> Result<RefundOutcome, PaymentsUnavailable> {
        Ok(RefundOutcome::Done { reference: None })
    }
}
