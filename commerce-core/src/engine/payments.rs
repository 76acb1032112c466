//! Use cases of payments.

mod by_hand;
mod outcomes;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use chrono::TimeDelta;

use crate::actor::Actor;
use crate::commit::Commit;
use crate::document::{DocumentFilter, DocumentId, DocumentKind};
use crate::event::Recorded;
use crate::ids::{OperationId, OrderId, PaymentId, RefundId, Sku, UserId};
use crate::order::{Command, Context, Order, OrderEvent, OrderRejection, Phase, Reason, RefundOf, Trigger};
use crate::payment::{
    CaptureMode, Finding, NewOperation, Operation, OperationAnswer, OperationKind, OperationState, Payment,
    PaymentRejection, Reference, RefundPart,
};
use crate::permission::Permission;
use crate::port::{
    News, OperationAction, OperationLookup, OperationRequest, OrderRef, Page, PageRequest, PaymentToken,
    ProcessorError, StoreError,
};
use crate::stock::StockRefusal;
use crate::text::BoundedString;

use super::orders::noun;
use super::{Answer, Decided, Decision, Engine, EngineError, Key, Reply, Resource, Result, Target};

/// How long after its operation was noted a request may still be sent. It must arrive before the processor is believed that it
/// does not know the operation.
const SEND_WITHIN: TimeDelta = TimeDelta::seconds(60);

/// A payment with its order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub struct PaymentView {
    pub order: Order,
    /// `None` before its first operation.
    pub payment: Option<Payment>,
}

/// A payment with the whole history of its order, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub struct PaymentEvidence {
    pub view: PaymentView,
    pub history: Vec<Recorded<OrderEvent>>,
}

/// Selects payments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct PaymentFilter {
    pub order: Option<OrderId>,
    /// The customer.
    pub user: Option<UserId>,
    /// The processor's id of the payment.
    pub reference: Option<Reference>,
}

impl PaymentFilter {
    fn keys(&self) -> Vec<String> {
        let order = self.order.map(Payment::key_of_order);
        let user = self.user.as_ref().map(Payment::key_of_user);
        let reference = self.reference.as_ref().map(|reference| Payment::key_of_reference(reference));
        order.into_iter().chain(user).chain(reference).collect()
    }
}

/// An order as it was read and its payment as it was committed. Others may have changed them since.
struct Known {
    order: Order,
    payment: Payment,
}

/// What a finding is decided on first. After a lost race it is read again.
enum Basis {
    Known(Box<Known>),
    Stored(PaymentId),
}

impl From<Known> for Basis {
    fn from(known: Known) -> Self {
        Self::Known(Box::new(known))
    }
}

impl Basis {
    const fn id(&self) -> PaymentId {
        match self {
            Self::Known(known) => known.payment.id,
            Self::Stored(id) => *id,
        }
    }
}

/// A payment as it was read, and as it is to be.
pub(super) struct PaymentChange {
    pub(super) before: Option<Payment>,
    pub(super) after: Payment,
}

impl PaymentChange {
    /// A payment that was read, not changed yet.
    pub(super) fn of(payment: Payment) -> Self {
        Self { after: payment.clone(), before: Some(payment) }
    }
}

impl Engine {
    /// A payment with its order.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] also for the payment of another customer.
    pub async fn payment(&self, caller: &Actor, payment: PaymentId) -> Result<PaymentView> {
        self.payment_view(caller, &OrderRef::Payment(payment)).await
    }

    pub(super) async fn payment_view(&self, caller: &Actor, order_ref: &OrderRef) -> Result<PaymentView> {
        let found = self.ports.store.order_with_payment(order_ref).await?;
        let found = found.filter(|(order, _)| caller.can_access(&order.user_id));
        let (order, payment) = found.ok_or(EngineError::NotFound(noun(order_ref)))?;
        Ok(PaymentView { order, payment })
    }

    /// What can be shown in a dispute: the payment, and the history of its order.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`], [`EngineError::NotFound`].
    pub async fn payment_evidence(&self, caller: &Actor, payment: PaymentId) -> Result<PaymentEvidence> {
        caller.require(Permission::SeeAll)?;
        let view = self.payment(caller, payment).await?;
        let history = self.ports.store.order_history(view.order.id).await?;
        Ok(PaymentEvidence { view, history })
    }

    /// Payments by id, so the oldest first: those that were opened, or with which something was done. That of the order in the
    /// filter is listed in any case. Customers see only their own.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] if a customer asks for those of another, [`EngineError::Forbidden`] if one filters by reference.
    pub async fn payments(
        &self,
        caller: &Actor,
        mut filter: PaymentFilter,
        page: &PageRequest<String>,
    ) -> Result<Page<PaymentView, String>> {
        if !caller.role.may(Permission::SeeAll) {
            let own = caller.user_id()?;
            if filter.user.as_ref().is_some_and(|user| user != own) {
                return Err(EngineError::NotFound(Resource::Payment));
            }
            if filter.reference.is_some() {
                return Err(EngineError::Forbidden { role: caller.role });
            }
            filter.user = Some(own.clone());
        }
        if let (Some(order), None) = (filter.order, &filter.reference) {
            return self.payment_of_order(order, &filter, page).await;
        }
        let selected = DocumentFilter::all_of(filter.keys());
        let Page { items, next } = self.ports.store.documents(DocumentKind::Payment, &selected, page).await?;
        let payments = items.into_iter().map(Payment::try_from).collect::<Result<Vec<_>, _>>();
        Ok(Page { items: self.with_orders(payments.map_err(StoreError::from)?).await?, next })
    }

    async fn with_orders(&self, payments: Vec<Payment>) -> Result<Vec<PaymentView>> {
        let ids: Vec<_> = payments.iter().map(|payment| payment.order_id).collect();
        let orders = self.ports.store.orders_by_id(&ids).await?;
        let mut orders: BTreeMap<_, _> = orders.into_iter().map(|order| (order.id, order)).collect();
        let view = |payment: Payment| {
            let order = orders.remove(&payment.order_id).ok_or(EngineError::NotFound(Resource::Order))?;
            Ok(PaymentView { order, payment: Some(payment) })
        };
        payments.into_iter().map(view).collect()
    }

    /// The payment of an order, if nothing was done with it, too.
    async fn payment_of_order(
        &self,
        order: OrderId,
        filter: &PaymentFilter,
        page: &PageRequest<String>,
    ) -> Result<Page<PaymentView, String>> {
        let found = self.ports.store.order_with_payment(&OrderRef::Id(order)).await?.filter(|_| page.after.is_none());
        let found = found.filter(|(order, _)| filter.user.as_ref().is_none_or(|user| *user == order.user_id));
        Ok(Page {
            items: found.into_iter().map(|(order, payment)| PaymentView { order, payment }).collect(),
            next: None,
        })
    }

    /// Authorizes and captures the payment of an order with a token from the processor, and records the processor's answer.
    ///
    /// Only the customer of the order can pay with a token, because it stands for their means of payment. Staff record
    /// a payment received elsewhere by a transition.
    ///
    /// The operation is committed before the processor is called, and its outcome afterwards. Without an answer, the task of the
    /// payment finds the outcome. A repeated call while the outcome is open repeats the same operation. If the reservation has
    /// expired and the units were sold to others, the order is cancelled: before the processor is called, or, if they are sold in
    /// the meantime, with a refund.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] also for the order of another customer, [`EngineError::Forbidden`] to staff,
    /// [`EngineError::Order`] if it is paid or over, [`EngineError::Limit`], [`EngineError::OrderCancelled`], [`EngineError::Payments`].
    pub async fn confirm_payment(
        &self,
        caller: &Actor,
        payment: PaymentId,
        token: String,
        key: Key<'_, PaymentView>,
    ) -> Answer<PaymentView> {
        let view = self.payment(caller, payment).await?;
        self.confirm_read(caller, view, PaymentToken::new(token), key).await
    }

    pub(super) async fn confirm_read(
        &self,
        caller: &Actor,
        PaymentView { order, payment }: PaymentView,
        token: PaymentToken,
        key: Key<'_, PaymentView>,
    ) -> Answer<PaymentView> {
        require_buyer(caller, &order)?;
        if let Err(error) = self.check_payable(&order) {
            return self.answer_again(key, error).await;
        }
        if order.is_overdue(self.now()) && !self.units_are_left(&order).await? {
            let expired = self.command_read(&order, Command::Expire).await?;
            if expired.phase == Phase::Cancelled {
                return Err(EngineError::OrderCancelled { order: order.id, refunding: false });
            }
        }
        self.open_again(&order).await?;
        let (payment, id) = self.note_authorization(caller, &order, payment.as_ref()).await?;
        let answer = self.send_authorization(&payment, id, token).await;
        let known = Known { order, payment };
        match answer {
            Ok(answer) => self.record_finding(&known.into(), id, &Finding::Answered(answer), key).await,
            Err(error) => {
                let finding = match error {
                    ProcessorError::NotDone(_) => Finding::NotDone,
                    ProcessorError::Unknown(_) => Finding::Unanswered,
                };
                self.record_finding(&known.into(), id, &finding, None).await?;
                Err(error.into())
            }
        }
    }

    /// Refunds money of a payment without a return.
    ///
    /// # Errors
    /// As [`Engine::command`].
    pub async fn refund_payment(
        &self,
        caller: &Actor,
        payment: PaymentId,
        (of, reason): (RefundOf, Option<Reason>),
        key: Key<'_, PaymentView>,
    ) -> Answer<PaymentView> {
        let command = Command::Refund { of, reason };
        self.command_on(caller, Target::any(&OrderRef::Payment(payment)), &command, key).await
    }

    async fn read_payment(&self, caller: &Actor, id: PaymentId) -> Result<(Context, Order, PaymentChange)> {
        let PaymentView { order, payment } = self.payment(caller, id).await?;
        let context = self.context(caller);
        let change = self.payment_change(&order, payment, &context);
        Ok((context, order, change))
    }

    /// The payment of an order, with what was received elsewhere.
    fn payment_change(&self, order: &Order, before: Option<Payment>, context: &Context) -> PaymentChange {
        let mut after = before.clone().unwrap_or_else(|| self.new_payment(order));
        after.note_received(order, OperationId::new(self.ports.ids.next()), context.at);
        PaymentChange { before, after }
    }

    /// Whether an order that awaited its payment does so no longer, which closes a payment that was opened.
    fn ends_unpaid(&self, order: &Order, events: &[OrderEvent]) -> bool {
        let moves = |event: &OrderEvent| matches!(event, OrderEvent::Transitioned { phase, .. } if !phase.is_unpaid());
        self.ports.processor.must_open() && order.can_be_paid() && events.iter().any(moves)
    }

    /// A refund of money that was received in two ways is two refunds, unless it was made at the processor.
    fn split_refund(&self, payment: &Payment, event: OrderEvent) -> Vec<OrderEvent> {
        let is_known = |id: RefundId| payment.operation(OperationId::new(id.uuid())).is_some();
        let OrderEvent::RefundRequested { id, amount, reason, mut lines, .. } = event else {
            return Vec::from([event]);
        };
        if is_known(id) {
            return Vec::from([OrderEvent::RefundRequested { id, amount, reason, elsewhere: false, lines }]);
        }
        let ids = core::iter::once(id).chain(core::iter::from_fn(|| Some(RefundId::new(self.ports.ids.next()))));
        // The first part names the units.
        let part = |(id, RefundPart { amount, elsewhere })| OrderEvent::RefundRequested {
            id,
            amount,
            reason: reason.clone(),
            elsewhere,
            lines: core::mem::take(&mut lines),
        };
        ids.zip(payment.refund_parts(amount)).map(part).collect()
    }

    /// Sends the operations of a payment that are to be sent, asks about those whose end is open, and records the answers. A
    /// refund that follows from an answer is sent at once. Then opens or closes the payment.
    pub(super) async fn settle_payment(&self, id: PaymentId) -> Result<()> {
        let now = self.now();
        let is_due = |operation: &&Operation| operation.ask_at.is_some_and(|at| at <= now);
        while let Some(payment) = self.stored_payment(id).await? {
            // A hold waits for the captures of it.
            let Some(operation) = payment.operations.iter().filter(is_due).min_by_key(|due| !due.state.is_open())
            else {
                break;
            };
            if operation.state == OperationState::Succeeded {
                self.end_hold(id, operation.id).await?;
                continue;
            }
            let finding = self.ask(&payment, operation).await?;
            match self.record_finding(&Basis::Stored(id), operation.id, &finding, None).await {
                Ok(_) | Err(EngineError::OrderCancelled { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.settle_opening(id).await
    }

    /// Fails while a dispute of a payment needs evidence, so that staff see the task. The payment finishes it.
    pub(super) async fn ask_for_evidence(&self, id: PaymentId) -> Result<()> {
        let payment = self.stored_payment(id).await?;
        let disputes = payment.iter().flat_map(|payment| &payment.operations);
        let due = disputes.filter_map(|dispute| Some((dispute.evidence_due()?, dispute.reference.clone()?)));
        match due.min() {
            Some((due, dispute)) => Err(EngineError::EvidenceDue { dispute, due }),
            None => Ok(()),
        }
    }

    /// What the processor says of an operation. It is sent again if the processor does not know it and it needs no token.
    async fn ask(&self, payment: &Payment, operation: &Operation) -> Result<Finding> {
        let action = match operation.kind {
            OperationKind::Authorize | OperationKind::Dispute => None,
            OperationKind::Capture => Some(OperationAction::Capture { is_final: operation.is_final }),
            OperationKind::Refund => Some(OperationAction::Refund),
            OperationKind::Void => Some(OperationAction::Void),
        };
        let (id, terms) = (operation.id, payment.terms());
        if action.is_none() || operation.asked > 0 {
            let lookup = OperationLookup { id, kind: operation.kind, payment: terms.clone() };
            if let Some(answer) = self.ports.processor.find(&lookup).await? {
                return Ok(Finding::Answered(answer));
            }
        }
        let Some(action) = action else { return Ok(Finding::NotFound) };
        let request = OperationRequest { id, payment: terms, amount: operation.amount, action };
        match self.ports.processor.perform(&request).await {
            Ok(answer) => Ok(Finding::Answered(answer)),
            Err(ProcessorError::Unknown(_)) => Ok(Finding::Unanswered),
            Err(error @ ProcessorError::NotDone(_)) => Err(error.into()),
        }
    }

    /// Notes that an authorization is about to be sent: a new one, or the one whose end is not known. It is decided on the payment
    /// as it was read first. After a lost race it is read again.
    async fn note_authorization(
        &self,
        caller: &Actor,
        order: &Order,
        read: Option<&Payment>,
    ) -> Result<(Payment, OperationId)> {
        let id = OperationId::new(self.ports.ids.next());
        let decide = async |lost| {
            let at = self.now();
            let before = if lost == 0 { read.cloned() } else { self.stored_payment(order.payment.id).await? };
            let mut after = before.clone().unwrap_or_else(|| self.new_payment(order));
            let open = after.open_operation(OperationKind::Authorize).map(|operation| operation.id);
            if let Some(open) = open {
                after.send_again(open, at)?;
            } else {
                // Other attempts may have been declined since the order was read.
                self.settings.unpaid.check_payment(order, after.declined(), at)?;
                after.request(NewOperation::new(id, OperationKind::Authorize, order.payment.amount), at)?;
            }
            let mut commit = self.commit_by(caller, at);
            let payment = change_payment(&mut commit, PaymentChange { before, after });
            Ok(Decision { commit, outcome: (payment, open.unwrap_or(id)) })
        };
        let reply = self.decide_and_commit(None, decide).await?;
        reply.into_fresh().ok_or(EngineError::IdempotencyKeyReused) // there is no key
    }

    async fn send_authorization(
        &self,
        payment: &Payment,
        id: OperationId,
        token: PaymentToken,
    ) -> Result<OperationAnswer, ProcessorError> {
        let sent = payment.operation(id).map(|operation| operation.sent_at);
        if sent.is_none_or(|sent| self.now().signed_duration_since(sent) > SEND_WITHIN) {
            return Err(ProcessorError::Unknown("it is too late to send the request".into()));
        }
        let (action, amount) = (OperationAction::Authorize { token }, payment.amount);
        self.ports.processor.perform(&OperationRequest { id, payment: payment.terms(), amount, action }).await
    }

    /// Records what became of an operation, with what follows for the order. If the units of a late payment are gone, the order is
    /// cancelled and the payment refunded.
    async fn record_finding(
        &self,
        basis: &Basis,
        id: OperationId,
        finding: &Finding,
        key: Key<'_, PaymentView>,
    ) -> Answer<PaymentView> {
        let record = |units_gone, key| {
            self.decide_and_commit(key, move |lost| self.decide_finding((basis, lost), id, finding, units_gone))
        };
        match record(false, key).await {
            Err(EngineError::Stock(StockRefusal::OutOfStock { .. })) => match record(true, None).await? {
                Reply::Fresh(view) => {
                    let refunding = !view.order.payment.captured.is_zero();
                    Err(EngineError::OrderCancelled { order: view.order.id, refunding })
                }
                replayed @ (Reply::Again(_) | Reply::Replayed(_)) => Ok(replayed),
            },
            reply => reply,
        }
    }

    async fn decide_finding(
        &self,
        (basis, lost): (&Basis, u32),
        operation: OperationId,
        finding: &Finding,
        units_gone: bool,
    ) -> Decided<PaymentView> {
        match basis {
            Basis::Known(known) if lost == 0 => self.decide_known(known, operation, finding, units_gone).await,
            Basis::Known(_) | Basis::Stored(_) => self.decide_stored(basis.id(), operation, finding, units_gone).await,
        }
    }

    /// Decides on what is known, if the commit guards the versions of both. Otherwise what others changed would go unnoticed.
    async fn decide_known(
        &self,
        Known { order, payment }: &Known,
        operation: OperationId,
        finding: &Finding,
        units_gone: bool,
    ) -> Decided<PaymentView> {
        let known = (order.clone(), PaymentChange::of(payment.clone()));
        match self.decide_with_finding(known, operation, finding.clone(), units_gone).await {
            Ok(decided) if decided.commit.guards(order.id, payment) => Ok(decided),
            _ => self.decide_stored(payment.id, operation, finding, units_gone).await,
        }
    }

    async fn decide_stored(
        &self,
        id: PaymentId,
        operation: OperationId,
        finding: &Finding,
        units_gone: bool,
    ) -> Decided<PaymentView> {
        let PaymentView { order, payment } = self.payment(&Actor::SYSTEM, id).await?;
        let payment = payment.ok_or(EngineError::NotFound(Resource::Payment))?;
        self.decide_with_finding((order, PaymentChange::of(payment)), operation, finding.clone(), units_gone).await
    }

    /// What a finding changes, with what follows for the order.
    pub(super) async fn decide_with_finding(
        &self,
        (order, PaymentChange { before, mut after }): (Order, PaymentChange),
        operation: OperationId,
        finding: Finding,
        units_gone: bool,
    ) -> Decided<PaymentView> {
        let context = self.context(&Actor::SYSTEM);
        after.note_received(&order, OperationId::new(self.ports.ids.next()), context.at);
        after.record(operation, finding, context.at)?;
        let state = before.as_ref().and_then(|before| before.operation(operation)).map(|operation| operation.state);
        let news = after.operation(operation).filter(|operation| Some(operation.state) != state).cloned();
        let events = match &news {
            Some(news) => self.follow_operation(&context, &order, (&after, news), units_gone)?,
            None => Vec::new(),
        };
        let known = before.as_ref().and_then(|before| before.reference.clone());
        let change = Some(PaymentChange { before, after });
        let mut decision = self.commit_with_payment(&context, order, events, change).await?;
        let is_news = |payment: &&Payment| payment.reference != known && !self.ports.processor.names_payments();
        if let Some(payment) = decision.outcome.payment.as_ref().filter(is_news) {
            self.retry_events(&mut decision.commit, payment).await?;
        }
        Ok(decision)
    }

    /// A commit with the events of an order, and with what they and a change of its payment make of the payment: an order that
    /// requests a refund requests it of its payment, and one that is not to be paid any more closes it.
    pub(super) async fn commit_with_payment(
        &self,
        context: &Context,
        order: Order,
        events: Vec<OrderEvent>,
        change: Option<PaymentChange>,
    ) -> Decided<PaymentView> {
        let asks = !events.is_empty() && order.payment.held.is_some();
        let asks = asks || events.iter().any(|event| requested_refund(event).is_some());
        let change = match change {
            None if asks => Some(self.payment_change(&order, self.stored_payment(order.payment.id).await?, context)),
            None if self.ends_unpaid(&order, &events) => {
                self.stored_payment(order.payment.id).await?.map(PaymentChange::of)
            }
            change => change,
        };
        let Some(PaymentChange { before, mut after }) = change else {
            let Decision { commit, outcome: order } = self.commit_events(context, order, events)?;
            return Ok(Decision { commit, outcome: PaymentView { order, payment: None } });
        };
        let events: Vec<_> = events.into_iter().flat_map(|event| self.split_refund(&after, event)).collect();
        let is_new = |refund: &NewOperation| after.operation(refund.id).is_none();
        let refunds: Vec<_> = events.iter().filter_map(requested_refund).filter(is_new).collect();
        let Decision { mut commit, outcome: order } = self.commit_events(context, order, events)?;
        for refund in refunds {
            after.request(refund, context.at).map_err(refused_refund)?;
        }
        after.follow_order(&order, context.at);
        if after.capture == CaptureMode::Manual {
            let next = after.next_operation(&order, OperationId::new(self.ports.ids.next()));
            next.map_or(Ok(()), |next| after.request(next, context.at))?;
        }
        let payment = Some(change_payment(&mut commit, PaymentChange { before, after }));
        Ok(Decision { commit, outcome: PaymentView { order, payment } })
    }

    pub(super) async fn stored_payment(&self, id: PaymentId) -> Result<Option<Payment>> {
        let stored = self.ports.store.document(&DocumentId::new(DocumentKind::Payment, &id)).await?;
        Ok(stored.and_then(|document| Payment::try_from(document).ok()))
    }

    #[expect(clippy::expect_used, reason = "the contract of the port says it is short")]
    pub(super) fn processor_name(&self) -> BoundedString<64> {
        self.ports.processor.name().parse().expect("a processor has a name")
    }

    pub(super) fn new_payment(&self, order: &Order) -> Payment {
        Payment::new(order, self.processor_name(), self.settings.capture, self.now())
    }

    /// Whether an order that is overdue can have its units again.
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
    pub(super) fn check_payable(&self, order: &Order) -> Result<()> {
        let lifecycle = self.settings.lifecycle_of(&order.lifecycle);
        let way = lifecycle.and_then(|known| known.by_trigger(&order.status, Trigger::Pay));
        if order.phase == Phase::Cancelled && !order.payment.captured.is_zero() {
            return Err(EngineError::OrderCancelled { order: order.id, refunding: true });
        }
        if (way.is_none() && !order.is_unsecured()) || order.is_paid() {
            return Err(OrderRejection::NotPayable(order.status.clone()).into());
        }
        Ok(self.settings.unpaid.check_payment(order, order.payment.declined, self.now())?)
    }
}

/// Only the customer of an order pays it with a token.
pub(super) fn require_buyer(caller: &Actor, order: &Order) -> Result<()> {
    if caller.user.as_ref() == Some(&order.user_id) {
        return Ok(());
    }
    Err(EngineError::Forbidden { role: caller.role })
}

/// Adds the change of a payment to a commit, unless nothing changes. Returns the payment after it.
pub(super) fn change_payment(commit: &mut Commit, change: PaymentChange) -> Payment {
    let PaymentChange { before, mut after } = change;
    if before.as_ref() != Some(&after) {
        after.version = before.as_ref().map_or(0, |before| before.version).saturating_add(1);
        after.updated_at = commit.at;
        commit.news.extend(news(before.as_ref(), &after));
        commit.change(before.as_ref(), after.clone());
    }
    after
}

/// The payment can know of a refund that the order, which was read before, does not know yet. The refusal is the same.
fn refused_refund(rejection: PaymentRejection) -> EngineError {
    match rejection {
        PaymentRejection::Amount { asked, left } => OrderRejection::RefundAmount { asked, left }.into(),
        PaymentRejection::TooManyOperations
        | PaymentRejection::AlreadyAuthorized
        | PaymentRejection::NothingHeld
        | PaymentRejection::CaptureOpen
        | PaymentRejection::NotElsewhere
        | PaymentRejection::Currency { .. }
        | PaymentRejection::UnknownOperation(_) => rejection.into(),
    }
}

/// The operations that a change brings to another state.
fn news(before: Option<&Payment>, after: &Payment) -> impl Iterator<Item = News> {
    let state = move |id| before.and_then(|before| before.operation(id)).map(|operation| operation.state);
    let moved = after.operations.iter().filter(move |operation| state(operation.id) != Some(operation.state));
    moved.map(|operation| News::Operation {
        kind: operation.kind,
        state: operation.state,
        decline: operation.decline.as_ref().map(|decline| decline.code),
    })
}

fn requested_refund(event: &OrderEvent) -> Option<NewOperation> {
    let OrderEvent::RefundRequested { id, amount, elsewhere, .. } = event else { return None };
    let refund = NewOperation::new(OperationId::new(id.uuid()), OperationKind::Refund, *amount);
    Some(NewOperation { elsewhere: *elsewhere, ..refund })
}
