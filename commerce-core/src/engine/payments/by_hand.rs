//! What staff do with money by hand, and what is done with a hold that runs out.

use alloc::vec::Vec;

use crate::actor::Actor;
use crate::ids::{OperationId, PaymentId, RefundId};
use crate::money::Money;
use crate::order::{Command, Context, RefundOutcome};
use crate::payment::{NewOperation, OperationKind};
use crate::permission::Permission;
use crate::settings::ExpiringHold;

use super::{Answer, Engine, EngineError, Key, PaymentView, Resource, Result};

impl Engine {
    /// Staff have paid a refund of money that was received elsewhere.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`], [`EngineError::NotFound`], [`EngineError::Payment`] if the processor pays it.
    pub async fn note_refund_paid(
        &self,
        caller: &Actor,
        payment: PaymentId,
        refund: RefundId,
        key: Key<'_, PaymentView>,
    ) -> Answer<PaymentView> {
        caller.require(Permission::HandleReturns)?;
        let decide = async |_| {
            let (context, order, mut change) = self.read_payment(caller, payment).await?;
            order.refund(refund).ok_or(EngineError::NotFound(Resource::Refund))?;
            change.after.note_refunded(OperationId::new(refund.uuid()), context.at)?;
            let system = Context { actor: Actor::SYSTEM, ..context.clone() };
            let outcome = RefundOutcome::Done { reference: None };
            let events = self.decide_events(&system, &order, Command::RecordRefund { id: refund, outcome })?;
            self.commit_with_payment(&context, order, events, Some(change)).await
        };
        self.decide_and_commit(key, decide).await
    }

    /// Captures an amount of what is held; `None`: all of it. The task of the payment sends it. A final capture gives the rest back.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`], [`EngineError::NotFound`], [`EngineError::Payment`] if it is not held.
    pub async fn capture_payment(
        &self,
        caller: &Actor,
        payment: PaymentId,
        (amount, is_final): (Option<Money>, Option<bool>),
        key: Key<'_, PaymentView>,
    ) -> Answer<PaymentView> {
        caller.require(Permission::CapturePayments)?;
        let decide = async |_| {
            let (context, order, mut change) = self.read_payment(caller, payment).await?;
            let capture = change.after.capture(OperationId::new(self.ports.ids.next()), amount, is_final);
            change.after.request(capture, context.at)?;
            self.commit_with_payment(&context, order, Vec::new(), Some(change)).await
        };
        self.decide_and_commit(key, decide).await
    }

    /// Gives back what is held and not captured. The order counts it as given back at once; the task of the payment sends it.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`], [`EngineError::NotFound`], [`EngineError::Payment`] if nothing is held.
    pub async fn void_payment(
        &self,
        caller: &Actor,
        payment: PaymentId,
        key: Key<'_, PaymentView>,
    ) -> Answer<PaymentView> {
        caller.require(Permission::CapturePayments)?;
        let decide = async |_| {
            let (context, order, mut change) = self.read_payment(caller, payment).await?;
            let id = OperationId::new(self.ports.ids.next());
            let void = NewOperation::new(id, OperationKind::Void, change.after.capture(id, None, None).amount);
            change.after.request(void, context.at)?;
            let events = self.decide_events(&context, &order, Command::Void { amount: void.amount })?;
            self.commit_with_payment(&context, order, events, Some(change)).await
        };
        self.decide_and_commit(key, decide).await
    }

    /// What is held runs out soon: it is captured, given back or told, as the settings say.
    pub(super) async fn end_hold(&self, payment: PaymentId, hold: OperationId) -> Result<()> {
        let decide = async |_| {
            let (context, order, mut change) = self.read_payment(&Actor::SYSTEM, payment).await?;
            let new = OperationId::new(self.ports.ids.next());
            let all = change.after.capture(new, None, None);
            let expires_at = change.after.end_alarm(hold)?.filter(|_| all.amount.minor() > 0);
            let void = NewOperation::new(new, OperationKind::Void, all.amount);
            let decide = |command| self.decide_events(&context, &order, command);
            let events = match (expires_at, self.settings.expiring_hold) {
                (None, _) => Vec::new(),
                (Some(_), ExpiringHold::Capture) if order.payment.held.is_some() => {
                    change.after.request(all, context.at)?;
                    Vec::new()
                }
                (Some(_), ExpiringHold::Void) => {
                    change.after.request(void, context.at)?;
                    decide(Command::Void { amount: void.amount })?
                }
                (Some(expires_at), _) => decide(Command::TellExpiringHold { expires_at })?,
            };
            self.commit_with_payment(&context, order, events, Some(change)).await
        };
        self.decide_and_commit(None, decide).await.map(drop)
    }
}
