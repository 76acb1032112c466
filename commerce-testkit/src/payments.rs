use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use commerce_core::ids::{PaymentId, RefundId};
use commerce_core::money::Money;
use commerce_core::order::RefundOutcome;
use commerce_core::port::{Charge, ChargeOutcome, Payments, PaymentsUnavailable, RefundRequest};
use commerce_core::text::BoundedString;

/// A payment processor that records the money it moved, and that can fail on demand.
///
/// It keeps the contract of the port in every mode: a payment is captured once and a refund paid once, even if they are sent
/// repeatedly. A declined charge may be tried again with another token.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use commerce_core::port::{Charge, Payments};
/// use commerce_testkit::commit_builder::parse;
/// use commerce_testkit::{FakePayments, PaymentBehavior};
///
/// let (payments, payment) = (FakePayments::new(), parse("01890000-0000-7000-8000-000000000001"));
/// let charge = Charge::new(payment, "5.00 USD".parse().unwrap(), "tok".into());
/// payments.be(PaymentBehavior::LosesAnswers);
/// assert!(payments.charge(&charge).await.is_err());
/// payments.be(PaymentBehavior::Answers);
/// assert!(payments.charge(&charge).await.is_ok());
/// assert_eq!(payments.captured(), [(payment, charge.amount)]);
/// # });
/// ```
#[derive(Debug, Default)]
pub struct FakePayments(Mutex<Ledger>);

/// How a [`FakePayments`] answers calls that it has not answered yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PaymentBehavior {
    /// Captures charges and pays refunds.
    #[default]
    Answers,
    /// Declines charges and fails refunds permanently.
    Declines,
    /// Has no effect and returns an error.
    Unavailable,
    /// Has the effect but returns an error.
    LosesAnswers,
}

#[derive(Debug, Default)]
struct Ledger {
    behavior: PaymentBehavior,
    captured: BTreeMap<PaymentId, Money>,
    declined: BTreeMap<(PaymentId, String), ChargeOutcome>,
    repaid: BTreeMap<RefundId, (Money, RefundOutcome)>,
    calls: u64,
}

impl FakePayments {
    /// A processor that answers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes the behaviour.
    pub fn be(&self, behavior: PaymentBehavior) {
        self.ledger().behavior = behavior;
    }

    /// The captured amounts, once per payment.
    pub fn captured(&self) -> Vec<(PaymentId, Money)> {
        self.ledger().captured.iter().map(|(payment, amount)| (*payment, *amount)).collect()
    }

    /// The refunded amounts, once per refund.
    pub fn repaid(&self) -> Vec<(RefundId, Money)> {
        let ledger = self.ledger();
        let paid = ledger.repaid.iter().filter(|(_, (_, outcome))| matches!(outcome, RefundOutcome::Done { .. }));
        paid.map(|(refund, (amount, _))| (*refund, *amount)).collect()
    }

    /// The number of calls, repetitions included.
    pub fn calls(&self) -> u64 {
        self.ledger().calls
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger {
    fn charge(&mut self, charge: &Charge) -> Result<ChargeOutcome, PaymentsUnavailable> {
        if let Some(amount) = self.captured.get(&charge.payment) {
            return capture(charge.payment, *amount);
        }
        let attempt = (charge.payment, charge.token.clone());
        if let Some(answer) = self.declined.get(&attempt) {
            return Ok(answer.clone());
        }
        if self.behavior == PaymentBehavior::Declines {
            let answer = ChargeOutcome::Declined { reason: words("The card was declined.")? };
            self.declined.insert(attempt, answer.clone());
            return Ok(answer);
        }
        self.captured.insert(charge.payment, charge.amount);
        capture(charge.payment, charge.amount)
    }

    fn refund(&mut self, refund_request: &RefundRequest) -> Result<RefundOutcome, PaymentsUnavailable> {
        if let Some((_, answer)) = self.repaid.get(&refund_request.refund) {
            return Ok(answer.clone());
        }
        let answer = if self.behavior == PaymentBehavior::Declines {
            RefundOutcome::Failed { reason: words("The account is closed.")? }
        } else {
            RefundOutcome::Done { reference: Some(words(&format!("re_{}", refund_request.refund))?) }
        };
        self.repaid.insert(refund_request.refund, (refund_request.amount, answer.clone()));
        Ok(answer)
    }

    /// Applies the behaviour to a call and its answer.
    fn with_behaviors<T>(
        &mut self,
        call: impl FnOnce(&mut Self) -> Result<T, PaymentsUnavailable>,
    ) -> Result<T, PaymentsUnavailable> {
        self.calls = self.calls.saturating_add(1);
        if self.behavior == PaymentBehavior::Unavailable {
            return Err(PaymentsUnavailable("the processor was told to be unavailable".into()));
        }
        let answer = call(self)?;
        if self.behavior == PaymentBehavior::LosesAnswers {
            return Err(PaymentsUnavailable("the processor was told to lose its answer".into()));
        }
        Ok(answer)
    }
}

fn capture(payment: PaymentId, amount: Money) -> Result<ChargeOutcome, PaymentsUnavailable> {
    Ok(ChargeOutcome::Captured { amount, reference: words(&format!("ch_{payment}"))? })
}

fn words<const MAX: usize>(text: &str) -> Result<BoundedString<MAX>, PaymentsUnavailable> {
    text.parse().map_err(|error| PaymentsUnavailable(Box::new(error)))
}

#[async_trait]
impl Payments for FakePayments {
    async fn charge(&self, charge: &Charge) -> Result<ChargeOutcome, PaymentsUnavailable> {
        self.ledger().with_behaviors(|ledger| ledger.charge(charge))
    }

    async fn refund(&self, refund_request: &RefundRequest) -> Result<RefundOutcome, PaymentsUnavailable> {
        self.ledger().with_behaviors(|ledger| ledger.refund(refund_request))
    }
}
