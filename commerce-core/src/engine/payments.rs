//! Use cases of payments.

use alloc::collections::BTreeMap;
use alloc::string::String;

use crate::actor::Actor;
use crate::ids::{PaymentId, Sku};
use crate::order::{Command, Order, OrderRejection, Phase, Trigger};
use crate::port::{Charge, ChargeOutcome, OrderRef};
use crate::stock::StockRefusal;

use super::{Answer, Engine, EngineError, Key, Reply, Result};

impl Engine {
    /// Captures the payment of an order with a token from the processor, and records the processor's answer.
    ///
    /// Only the customer of the order can pay with a token, because it stands for their means of payment. Staff record
    /// a payment received elsewhere by a transition.
    ///
    /// The processor is called before the commit and captures a payment at most once, so after a crash the call can be
    /// repeated. If the reservation has expired and the units were sold to others, the order is cancelled: before the processor is
    /// called, or, if they are sold in the meantime, with a refund.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] also for the order of another customer, [`EngineError::Forbidden`] to staff,
    /// [`EngineError::Order`] if it is paid or over, [`EngineError::Limit`], [`EngineError::OrderCancelled`], [`EngineError::Payments`].
    pub async fn confirm_payment(
        &self,
        caller: &Actor,
        payment: PaymentId,
        token: String,
        key: Key<'_, Order>,
    ) -> Answer<Order> {
        let order = self.order(caller, &OrderRef::Payment(payment)).await?;
        if caller.user.as_ref() != Some(&order.user_id) {
            return Err(EngineError::Forbidden { role: caller.role });
        }
        if let Err(rejection) = self.check_payable(&order) {
            return self.answer_again(key, rejection).await;
        }
        if let Err(reached) = self.settings.unpaid.check_payment(&order, self.now()) {
            return self.answer_again(key, reached.into()).await;
        }
        if order.is_overdue(self.now()) && !self.units_are_left(&order).await? {
            let expired = self.command_read(&order, Command::Expire, None).await?;
            if matches!(expired, Reply::Fresh(order) if order.phase == Phase::Cancelled) {
                return Err(EngineError::OrderCancelled { order: order.id, refunding: false });
            }
        }
        let charge = Charge::new(payment, order.payment.amount, token);
        match self.ports.payments.charge(&charge).await? {
            ChargeOutcome::Declined { reason } => self.command_read(&order, Command::FailPayment { reason }, key).await,
            ChargeOutcome::Captured { amount, reference } => {
                let reference = Some(reference);
                let capture = Command::Capture { amount, reference: reference.clone() };
                match self.command_read(&order, capture, key).await {
                    Err(EngineError::Stock(StockRefusal::OutOfStock { .. })) => {
                        let late = Command::CaptureAfterExpiry { amount, reference };
                        self.command_read(&order, late, None).await?;
                        Err(EngineError::OrderCancelled { order: order.id, refunding: true })
                    }
                    reply => reply,
                }
            }
        }
    }

    /// Whether an order whose reservation ended can have its units again.
    async fn units_are_left(&self, order: &Order) -> Result<bool> {
        let now = self.now();
        let mut wanted = BTreeMap::<&Sku, i64>::new();
        for line in &order.quote.lines {
            let units = wanted.entry(&line.item.sku).or_default();
            *units = units.saturating_add(line.item.quantity.get());
        }
        for (sku, units) in wanted {
            let level = self.ports.store.stock(sku, now).await?;
            if level.is_none_or(|level| level.available() < units) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A payment is only captured if it causes a transition.
    fn check_payable(&self, order: &Order) -> Result<()> {
        let lifecycle = self.settings.lifecycle_of(&order.lifecycle);
        let way = lifecycle.and_then(|known| known.by_trigger(&order.status, Trigger::Pay));
        if order.phase == Phase::Cancelled && !order.payment.captured.is_zero() {
            return Err(EngineError::OrderCancelled { order: order.id, refunding: true });
        }
        if way.is_none() || !order.payment.captured.is_zero() {
            return Err(OrderRejection::NotPayable(order.status.clone()).into());
        }
        Ok(())
    }
}
