//! Payments: capture, and what follows.

use alloc::string::String;

use crate::actor::Actor;
use crate::ids::PaymentId;
use crate::order::{Command, Order, Rejection, Trigger};
use crate::port::{Charge, Charged, OrderRef};
use crate::stock::StockRefusal;

use super::{Engine, EngineError, Once, Reply, Target};

impl Engine {
    /// Captures the payment of an order with a token from the processor, and records what the processor said.
    ///
    /// Only who bought pays with a token: it stands for their means of payment. Staff record a payment received elsewhere by
    /// moving the order.
    ///
    /// The processor is called before anything is committed and takes a payment once, so a crash in between leaves nothing
    /// but a call to be made again. If the reservation ended meanwhile and the stock is gone, the order is cancelled and the
    /// money goes back.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] also for another customer's, [`EngineError::Forbidden`] to staff, [`EngineError::Order`] if
    /// it is paid or over, [`EngineError::Payments`].
    pub async fn confirm_payment(
        &self,
        caller: &Actor,
        payment: PaymentId,
        token: String,
        once: Option<&Once<'_, Order>>,
    ) -> Result<Reply<Order>, EngineError> {
        let which = OrderRef::Payment(payment);
        let order = self.order(caller, &which).await?;
        if caller.user.as_ref() != Some(&order.user_id) {
            return Err(EngineError::Forbidden { role: caller.role });
        }
        if let Err(rejection) = self.check_payable(&order) {
            return self.answer_again(once, rejection).await;
        }
        let charge = Charge { payment, amount: order.payment.amount, token };
        match self.ports.payments.charge(&charge).await? {
            Charged::Declined { reason } => {
                self.command(&Actor::SYSTEM, Target::any(&which), Command::FailPayment { reason }, once).await
            }
            Charged::Captured { amount, reference } => {
                let reference = Some(reference);
                let capture = Command::Capture { amount, reference: reference.clone() };
                match self.command(&Actor::SYSTEM, Target::any(&which), capture, once).await {
                    Err(EngineError::Stock(StockRefusal::OutOfStock { .. })) => {
                        let late = Command::CaptureTooLate { amount, reference };
                        self.command(&Actor::SYSTEM, Target::any(&which), late, once).await
                    }
                    reply => reply,
                }
            }
        }
    }

    /// Money is only asked for where it completes something.
    fn check_payable(&self, order: &Order) -> Result<(), EngineError> {
        let lifecycle = self.settings.lifecycle_of(&order.lifecycle);
        let way = lifecycle.and_then(|known| known.by_trigger(&order.status, Trigger::Pay));
        if way.is_none() || !order.payment.captured.is_zero() {
            return Err(Rejection::NotPayable(order.status.clone()).into());
        }
        Ok(())
    }
}
