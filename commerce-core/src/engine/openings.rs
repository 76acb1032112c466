//! Use cases of payments that must be opened at the processor before the customer can pay.

use chrono::{DateTime, Utc};

use crate::actor::Actor;
use crate::commit::{Commit, OrderChange};
use crate::ids::PaymentId;
use crate::order::Order;
use crate::payment::{OpeningState, Payment};
use crate::port::{ClientSecret, OpenedPayment};

use super::payments::{PaymentChange, change_payment};
use super::{Decision, Engine, EngineError, Resource, Result};

impl Engine {
    /// The secret of today with which the customer of an order pays at the processor. The payment is opened if it has to be.
    ///
    /// It may take as long as the processor does. The future can be dropped: then the task of the payment opens it. `None` if the
    /// caller is not the customer, the order cannot be paid any more, or the processor has no secrets.
    ///
    /// # Errors
    /// [`EngineError::Payments`] if the processor does not answer, [`EngineError::Store`].
    pub async fn client_secret(&self, caller: &Actor, order: &Order) -> Result<Option<ClientSecret>> {
        if caller.user.as_ref() != Some(&order.user_id) || !can_be_opened(order) {
            return Ok(None);
        }
        if !self.ports.processor.must_open() {
            let opened = self.ports.processor.open(&self.new_payment(order).terms()).await?;
            return Ok(opened.client_secret);
        }
        match self.stored_payment(order.payment.id).await? {
            Some(payment) if payment.is_open() => self.open(&payment).await,
            _ => Ok(None),
        }
    }

    /// Adds the payment of a new order to its commit, if it must be opened.
    pub(super) fn request_opening(&self, commit: &mut Commit) {
        let Some(order) = commit.orders.first().map(OrderChange::order) else { return };
        if self.ports.processor.must_open() && can_be_opened(order) {
            let mut after = self.new_payment(order);
            after.request_opening(commit.at);
            change_payment(commit, PaymentChange { before: None, after });
        }
    }

    /// Opens or closes a payment, if that is due.
    pub(super) async fn settle_opening(&self, id: PaymentId) -> Result<()> {
        let Some(payment) = self.stored_payment(id).await? else { return Ok(()) };
        match payment.due_opening(self.now()) {
            Some(OpeningState::Requested) => self.open(&payment).await.map(drop),
            Some(OpeningState::Closing) => {
                self.ports.processor.close(&payment.terms()).await?;
                self.change_opening(id, |payment, _| payment.record_closed()).await.map(drop)
            }
            Some(OpeningState::Open | OpeningState::Closed) | None => Ok(()),
        }
    }

    /// Opens a payment, or asks for the secret of one that is open.
    async fn open(&self, payment: &Payment) -> Result<Option<ClientSecret>> {
        let OpenedPayment { reference, client_secret } = self.ports.processor.open(&payment.terms()).await?;
        let state = payment.opening.map(|opening| opening.state);
        if state == Some(OpeningState::Open) && payment.reference.as_ref() == Some(&reference) {
            return Ok(client_secret);
        }
        let changed =
            self.change_opening(payment.id, |payment, at| payment.record_opened(reference.clone(), at)).await?;
        Ok(client_secret.filter(|_| changed.is_open()))
    }

    async fn change_opening(&self, id: PaymentId, change: impl Fn(&mut Payment, DateTime<Utc>)) -> Result<Payment> {
        let decide = async |_| {
            let at = self.now();
            let before = self.stored_payment(id).await?;
            let mut after = before.clone().ok_or(EngineError::NotFound(Resource::Payment))?;
            change(&mut after, at);
            let mut commit = self.commit_by(&Actor::SYSTEM, at);
            let outcome = change_payment(&mut commit, PaymentChange { before, after });
            Ok(Decision { commit, outcome })
        };
        let reply = self.decide_and_commit(None, decide).await?;
        reply.into_fresh().ok_or(EngineError::IdempotencyKeyReused) // there is no key
    }
}

/// Whether there is something to pay.
const fn can_be_opened(order: &Order) -> bool {
    order.phase.is_unpaid() && !order.payment.amount.is_zero()
}
