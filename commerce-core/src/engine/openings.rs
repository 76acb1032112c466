//! Use cases of payments before the customer pays: started with a means of payment, and opened at processors that need it.

use chrono::{DateTime, Utc};

use crate::actor::Actor;
use crate::commit::{Commit, OrderChange};
use crate::ids::{OrderId, PaymentId};
use crate::order::Order;
use crate::payment::{OpeningState, OperationKind, Payment, PaymentMethod};
use crate::port::{ClientSecret, OpenedPayment, OrderRef};

use super::payments::{PaymentChange, PaymentView, change_payment, require_buyer};
use super::{Answer, Decided, Decision, Engine, EngineError, Key, Resource, Result};

/// An attempt to pay that was started, or was under way.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StartedPayment {
    pub view: PaymentView,
    /// Whether the request changed the payment.
    pub is_new: bool,
}

impl Engine {
    /// Starts an attempt to pay an order with a means of payment. One that is under way is answered as it is.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] also for the order of another customer, [`EngineError::Forbidden`] to staff,
    /// [`EngineError::Order`] if it is paid or over, [`EngineError::Limit`].
    pub async fn start_payment(
        &self,
        caller: &Actor,
        order: OrderId,
        method: PaymentMethod,
        key: Key<'_, StartedPayment>,
    ) -> Answer<StartedPayment> {
        self.decide_and_commit(key, |_| self.decide_start(caller, order, method)).await
    }

    async fn decide_start(&self, caller: &Actor, id: OrderId, method: PaymentMethod) -> Decided<StartedPayment> {
        let order = self.order(caller, &OrderRef::Id(id)).await?;
        require_buyer(caller, &order)?;
        self.check_payable(&order)?;
        let mut commit = self.commit_by(caller, self.now());
        let before = self.stored_payment(order.payment.id).await?;
        let mut after = before.clone().unwrap_or_else(|| self.new_payment(&order));
        if after.open_operation(OperationKind::Authorize).is_none() {
            after.method = Some(method);
        }
        if self.ports.processor.must_open() && after.is_to_be_opened() {
            after.request_opening(commit.at);
        }
        let is_new = before.as_ref() != Some(&after);
        let payment = Some(change_payment(&mut commit, PaymentChange { before, after }));
        Ok(Decision { commit, outcome: StartedPayment { view: PaymentView { order, payment }, is_new } })
    }

    /// The secret of today with which the customer of an order pays at the processor. The payment is opened if it has to be.
    ///
    /// It may take as long as the processor does. The future can be dropped: then the task of the payment opens it. `None` if the
    /// caller is not the customer, the order cannot be paid any more, or the processor has no secrets.
    ///
    /// # Errors
    /// [`EngineError::Payments`] if the processor does not answer, [`EngineError::Store`].
    pub async fn client_secret(&self, caller: &Actor, order: &Order) -> Result<Option<ClientSecret>> {
        if caller.user.as_ref() != Some(&order.user_id) || !order.can_be_paid() {
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
        if self.ports.processor.must_open() && order.can_be_paid() {
            let mut after = self.new_payment(order);
            after.request_opening(commit.at);
            change_payment(commit, PaymentChange { before: None, after });
        }
    }

    /// Opens the payment of an order again, if what was held for it was given back. It must be open before it is sent: the
    /// processor may know it by another reference then.
    pub(super) async fn open_again(&self, order: &Order) -> Result<()> {
        if !self.ports.processor.must_open() || !order.is_unsecured() {
            return Ok(());
        }
        let Some(mut payment) = self.stored_payment(order.payment.id).await? else { return Ok(()) };
        if payment.is_to_be_opened() {
            payment = self.change_opening(payment.id, Payment::request_opening).await?;
        }
        match payment.opening.map(|opening| opening.state) {
            Some(OpeningState::Requested) => self.open(&payment).await.map(drop),
            Some(OpeningState::Open | OpeningState::Closing | OpeningState::Closed) | None => Ok(()),
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
