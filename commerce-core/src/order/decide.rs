//! Decisions: whether a command is allowed, and its events.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;

use super::command::{Command, Context, NewOrder, OrderDetails, RefundOutcome, ReturnRequest, ShipmentUpdate};
use super::event::{OrderEvent, Reason};
use super::lifecycle::{Lifecycle, PaymentEffect, Phase, Status, Transition, Trigger};
use super::rejection::OrderRejection;
use super::returns::{Return, ReturnStatus};
use super::state::{Order, Payment, PaymentStatus, RefundStatus, Shipment, ShipmentStatus};
use crate::actor::Role;
use crate::cart::MAX_LINES;
use crate::ids::{RefundId, ReturnId};
use crate::metadata::check_total;
use crate::money::Money;
use crate::text::BoundedString;

type DecisionResult = Result<Vec<OrderEvent>, OrderRejection>;

/// Decides the placing of a new order.
///
/// The draft phase is left at once, and an order with a total of zero is paid at once.
///
/// # Errors
/// [`OrderRejection::ItemCount`].
pub fn place(lifecycle: &Lifecycle, context: &Context, new_order: NewOrder) -> DecisionResult {
    let lines = new_order.quote.lines.len();
    if lines == 0 || lines > MAX_LINES {
        return Err(OrderRejection::ItemCount(lines));
    }
    let of_lines = new_order.quote.lines.iter().map(|line| &line.item.metadata);
    check_total(of_lines.chain([&new_order.details.metadata]))?;
    let order = initial_order(lifecycle, context, new_order);
    let free = order.payment.amount.is_zero();
    let mut status = order.status.clone();
    let mut events = vec![OrderEvent::Created { order: Box::new(order) }];
    for trigger in [Trigger::Place, Trigger::Pay] {
        let wanted = trigger == Trigger::Place || free;
        if let Some(transition) = lifecycle.by_trigger(&status, trigger).filter(|_| wanted) {
            events.push(transitioned(lifecycle, transition, None));
            status = transition.to.clone();
        }
    }
    Ok(events)
}

fn initial_order(lifecycle: &Lifecycle, context: &Context, new_order: NewOrder) -> Order {
    let initial = lifecycle.initial();
    let amount = new_order.quote.total;
    let nothing = Money::zero(amount.currency());
    let OrderDetails { shipping_address, notes, purchase_order_number, metadata } = new_order.details;
    let status = if amount.is_zero() { PaymentStatus::Succeeded } else { PaymentStatus::Pending };
    Order {
        id: new_order.id,
        number: new_order.number,
        user_id: new_order.user_id,
        cart_id: new_order.cart_id,
        lifecycle: lifecycle.name().clone(),
        status: initial.name.clone(),
        phase: initial.phase,
        quote: new_order.quote,
        shipping_address,
        shipping_method: new_order.shipping_method,
        notes,
        purchase_order_number,
        metadata,
        reserved_until: new_order.reserved_until,
        shipment: None,
        payment: Payment {
            id: new_order.payment,
            status,
            amount,
            captured: nothing,
            refunded: nothing,
            reference: None,
            declined: 0,
        },
        refunds: Vec::new(),
        returns: Vec::new(),
        version: 1,
        created_at: context.at,
        updated_at: context.at,
        entered_at: context.at,
        delivered_at: None,
    }
}

/// Decides a command on an order. Without events there is nothing to do.
///
/// # Errors
/// [`OrderRejection`], in the order of precedence given there.
pub fn decide(lifecycle: &Lifecycle, context: &Context, order: &Order, command: Command) -> DecisionResult {
    command.permit(context.actor.role)?;
    let decider = Decider { lifecycle, context, order };
    match command {
        Command::Transition { status, reason } => decider.move_to(&status, reason),
        Command::Capture { amount, reference } => decider.capture(amount, reference),
        Command::CaptureAfterExpiry { amount, reference } => decider.capture_after_expiry(amount, reference),
        Command::CaptureSurplus { amount, reference } => decider.capture_to_refund(amount, reference),
        Command::FailPayment { reason } => decider.fail_payment(reason),
        Command::Expire => Ok(decider.expire()),
        Command::Cancel { reason } => decider.cancel(reason),
        Command::UpdateShipment(shipment) => decider.ship(shipment),
        Command::RequestReturn(request) => decider.request_return(request),
        Command::ApproveReturn(id) => decider.approve_return(id),
        Command::RejectReturn { id, reason } => decider.reject_return(id, reason),
        Command::ReceiveReturn(id) => decider.receive_return(id),
        Command::Refund { amount, reason } => decider.refund(amount, reason),
        Command::NoteRefund { id, amount, reason, outcome } => decider.note_refund(id, (amount, reason), outcome),
        Command::RecordRefund { id, outcome } => decider.record_refund(id, outcome),
    }
}

#[derive(Clone, Copy)]
struct Decider<'a> {
    lifecycle: &'a Lifecycle,
    context: &'a Context,
    order: &'a Order,
}

impl Decider<'_> {
    fn move_to(self, to: &Status, reason: Option<Reason>) -> DecisionResult {
        let ways: Vec<_> = self.lifecycle.from(&self.order.status).filter(|way| way.to == *to).collect();
        let permitted = ways.iter().find(|way| self.permit(way).is_ok());
        match (permitted, ways.first()) {
            (Some(way), _) if way.trigger == Trigger::Pay => self.capture_at(way, self.order.payment.amount, None),
            (Some(way), _) => Ok(self.follow(way, reason)),
            (None, Some(way)) => self.permit(way).map(|()| Vec::new()),
            (None, None) => Err(self.no_way(to.clone())),
        }
    }

    fn capture(self, amount: Money, reference: Option<BoundedString<200>>) -> DecisionResult {
        match self.lifecycle.by_trigger(&self.order.status, Trigger::Pay) {
            Some(way) => self.capture_at(way, amount, reference),
            None if self.is_paid() => Err(OrderRejection::AlreadyPaid),
            // The order was cancelled before the capture: record the payment and refund it.
            None => self.capture_to_refund(amount, reference),
        }
    }

    fn capture_to_refund(self, amount: Money, reference: Option<BoundedString<200>>) -> DecisionResult {
        self.check_captured(amount)?;
        Ok(vec![OrderEvent::PaymentCaptured { amount, reference }, self.refund_event(amount, None)])
    }

    /// An amount that moved must be positive and in the order's currency, so that sums with it are valid.
    fn check_captured(&self, captured: Money) -> Result<(), OrderRejection> {
        let due = self.order.payment.amount;
        if captured.minor() > 0 && captured.currency() == due.currency() {
            return Ok(());
        }
        Err(OrderRejection::AmountMismatch { captured, due })
    }

    fn capture_at(self, way: &Transition, amount: Money, reference: Option<BoundedString<200>>) -> DecisionResult {
        self.permit(way)?;
        let due = self.order.payment.amount;
        if amount != due {
            return Err(OrderRejection::AmountMismatch { captured: amount, due });
        }
        let captured = OrderEvent::PaymentCaptured { amount, reference };
        Ok(vec![captured, transitioned(self.lifecycle, way, None)])
    }

    fn capture_after_expiry(self, amount: Money, reference: Option<BoundedString<200>>) -> DecisionResult {
        if self.is_paid() {
            return Err(OrderRejection::AlreadyPaid);
        }
        self.check_captured(amount)?;
        let captured = OrderEvent::PaymentCaptured { amount, reference };
        let ways = [Trigger::Expiry, Trigger::Cancel];
        let way = ways.iter().find_map(|trigger| self.lifecycle.by_trigger(&self.order.status, *trigger));
        let cancelled = way.map(|way| transitioned(self.lifecycle, way, None));
        let events = [Some(captured), cancelled, Some(self.refund_event(amount, None))];
        Ok(events.into_iter().flatten().collect())
    }

    fn fail_payment(self, reason: Reason) -> DecisionResult {
        if self.is_paid() || self.order.payment.amount.is_zero() {
            return Err(OrderRejection::AlreadyPaid);
        }
        let way = self.lifecycle.by_trigger(&self.order.status, Trigger::PaymentFailure);
        let failed = OrderEvent::PaymentFailed { reason: reason.clone() };
        let cancelled = way.map(|way| self.follow(way, Some(reason))).unwrap_or_default();
        Ok(core::iter::once(failed).chain(cancelled).collect())
    }

    fn expire(self) -> Vec<OrderEvent> {
        let due = self.order.is_overdue(self.context.at);
        let way = self.lifecycle.by_trigger(&self.order.status, Trigger::Expiry).filter(|_| due);
        way.map(|way| self.follow(way, None)).unwrap_or_default()
    }

    fn cancel(self, reason: Option<Reason>) -> DecisionResult {
        let way = self.lifecycle.by_trigger(&self.order.status, Trigger::Cancel);
        let way = way.ok_or_else(|| self.no_way_to(Phase::Cancelled))?;
        self.permit(way)?;
        Ok(self.follow(way, reason))
    }

    /// The order follows its shipment to shipped and delivered. Neither goes back: a shipment is never behind its last
    /// recorded status or its order.
    fn ship(self, update: ShipmentUpdate) -> DecisionResult {
        let Some(reached) = self.order.phase.shipment() else {
            return Err(OrderRejection::NotShippable(self.order.status.clone()));
        };
        let from = self.order.shipment.as_ref().map_or(reached, |known| known.status.max(reached));
        let ShipmentUpdate { provider, method, tracking_number, status } = update;
        let to = status.unwrap_or(from);
        if to < from {
            return Err(OrderRejection::ShipmentGoesBack { from, to });
        }
        let shipment = Shipment { provider, method, tracking_number, status: to };
        let updated = OrderEvent::ShipmentUpdated { shipment };
        let target = match to {
            ShipmentStatus::Shipped if to != reached => Phase::Shipped,
            ShipmentStatus::Delivered if to != reached => Phase::Delivered,
            ShipmentStatus::Pending | ShipmentStatus::Shipped | ShipmentStatus::Delivered => return Ok(vec![updated]),
        };
        let way = self.advance_to(target)?;
        self.permit(way)?;
        Ok(core::iter::once(updated).chain(self.follow(way, None)).collect())
    }

    fn advance_to(&self, target: Phase) -> Result<&Transition, OrderRejection> {
        let leads =
            |way: &&Transition| way.trigger == Trigger::Advance && self.lifecycle.phase(&way.to) == Some(target);
        self.lifecycle.from(&self.order.status).find(leads).ok_or_else(|| self.no_way_to(target))
    }

    fn request_return(self, request: ReturnRequest) -> DecisionResult {
        if self.order.returns.iter().any(|known| known.id == request.id) {
            return Ok(Vec::new()); // a repeated request
        }
        let way = self.lifecycle.by_trigger(&self.order.status, Trigger::Return);
        let way = way.ok_or_else(|| OrderRejection::NotReturnable(self.order.status.clone()))?;
        self.permit(way)?;
        self.check_return_lines(&request)?;
        let request = Return {
            id: request.id,
            status: ReturnStatus::Requested,
            lines: request.lines,
            reason: request.reason,
            requested_at: self.context.at,
        };
        Ok(vec![OrderEvent::ReturnRequested { request }])
    }

    fn check_return_lines(self, request: &ReturnRequest) -> Result<(), OrderRejection> {
        let items: BTreeSet<_> = request.lines.iter().map(|line| line.item).collect();
        if items.is_empty() || items.len() != request.lines.len() {
            return Err(OrderRejection::ReturnLines);
        }
        request.lines.iter().try_for_each(|line| {
            let known = self.order.line(line.item).ok_or(OrderRejection::UnknownItem(line.item))?;
            let bought = known.item.quantity.get();
            let left = bought.saturating_sub(self.order.returning(line.item));
            let asked = line.quantity.get();
            if asked > left {
                return Err(OrderRejection::TooManyReturned { item: line.item, asked, left });
            }
            Ok(())
        })
    }

    fn approve_return(self, id: ReturnId) -> DecisionResult {
        self.find_return(id, ReturnStatus::Requested)?;
        Ok(vec![OrderEvent::ReturnApproved { id }])
    }

    fn reject_return(self, id: ReturnId, reason: Option<Reason>) -> DecisionResult {
        self.find_return(id, ReturnStatus::Requested)?;
        Ok(vec![OrderEvent::ReturnRejected { id, reason }])
    }

    fn receive_return(self, id: ReturnId) -> DecisionResult {
        let lines = &self.find_return(id, ReturnStatus::Approved)?.lines;
        if self.order.phase.is_undone() {
            // Everything was restocked and refunded when the order ended.
            return Err(OrderRejection::NotReturnable(self.order.status.clone()));
        }
        let amount = self.order.refund_for(lines);
        let refund = (!amount.is_zero()).then(|| self.refund_event(amount, None));
        let way = self.lifecycle.by_trigger(&self.order.status, Trigger::Return);
        let way = way.filter(|_| self.order.is_last_return(lines));
        let events =
            [Some(OrderEvent::ReturnReceived { id }), refund, way.map(|way| transitioned(self.lifecycle, way, None))];
        Ok(events.into_iter().flatten().collect())
    }

    fn find_return(&self, id: ReturnId, needed: ReturnStatus) -> Result<&Return, OrderRejection> {
        let found = self.order.returns.iter().find(|known| known.id == id).ok_or(OrderRejection::UnknownReturn(id))?;
        if found.status != needed {
            return Err(OrderRejection::ReturnStatus { found: found.status, needed });
        }
        Ok(found)
    }

    fn refund(self, amount: Option<Money>, reason: Option<Reason>) -> DecisionResult {
        let left = self.order.refundable();
        let asked = amount.unwrap_or(left);
        let positive = asked.currency() == left.currency() && asked.minor() > 0 && asked.minor() <= left.minor();
        if !positive {
            return Err(OrderRejection::RefundAmount { asked, left });
        }
        Ok(vec![self.refund_event(asked, reason)])
    }

    fn record_refund(self, id: RefundId, outcome: RefundOutcome) -> DecisionResult {
        let refund = self.order.refund(id).ok_or(OrderRejection::UnknownRefund(id))?;
        Ok(match (refund.status, outcome) {
            (RefundStatus::Requested, outcome) => vec![outcome.event(id)],
            // The money came back, such as from a closed account.
            (RefundStatus::Processed, failed @ RefundOutcome::Failed { .. }) => vec![failed.event(id)],
            (RefundStatus::Processed | RefundStatus::Failed, _) => Vec::new(), // a repeated answer
        })
    }

    /// Money that went out is recorded in any case.
    fn note_refund(
        self,
        id: RefundId,
        (amount, reason): (Money, Reason),
        outcome: Option<RefundOutcome>,
    ) -> DecisionResult {
        if self.order.refund(id).is_some() {
            return outcome.map_or(Ok(Vec::new()), |outcome| self.record_refund(id, outcome));
        }
        self.check_captured(amount)?;
        let requested = OrderEvent::RefundRequested { id, amount, reason: Some(reason) };
        Ok(core::iter::once(requested).chain(outcome.map(|outcome| outcome.event(id))).collect())
    }

    /// Takes a transition, with its refund.
    fn follow(self, way: &Transition, reason: Option<Reason>) -> Vec<OrderEvent> {
        let left = self.order.refundable();
        let refunds = way.payment == PaymentEffect::Refund && !left.is_zero();
        let refund = refunds.then(|| self.refund_event(left, reason.clone()));
        core::iter::once(transitioned(self.lifecycle, way, reason)).chain(refund).collect()
    }

    const fn refund_event(&self, amount: Money, reason: Option<Reason>) -> OrderEvent {
        OrderEvent::RefundRequested { id: self.context.refund, amount, reason }
    }

    const fn is_paid(&self) -> bool {
        !self.order.payment.captured.is_zero()
    }

    fn permit(&self, way: &Transition) -> Result<(), OrderRejection> {
        way.permit(self.order, &self.context.actor, self.context.at)
    }

    fn no_way_to(&self, phase: Phase) -> OrderRejection {
        let state = self.lifecycle.states().iter().find(|state| state.phase == phase);
        self.no_way(state.map_or(&self.order.status, |state| &state.name).clone())
    }

    fn no_way(&self, to: Status) -> OrderRejection {
        let role: Role = self.context.actor.role;
        let ways = self.lifecycle.from(&self.order.status).filter(|way| way.roles.contains(&role));
        let allowed: BTreeSet<_> = ways.map(|way| way.to.clone()).collect();
        OrderRejection::InvalidTransition {
            from: self.order.status.clone(),
            to,
            allowed: allowed.into_iter().collect(),
        }
    }
}

impl RefundOutcome {
    fn event(self, id: RefundId) -> OrderEvent {
        match self {
            Self::Done { reference } => OrderEvent::RefundProcessed { id, reference },
            Self::Failed { reason } => OrderEvent::RefundFailed { id, reason },
        }
    }
}

#[expect(clippy::expect_used, reason = "a lifecycle is verified when it is built")]
fn transitioned(lifecycle: &Lifecycle, way: &Transition, reason: Option<Reason>) -> OrderEvent {
    OrderEvent::Transitioned {
        to: way.to.clone(),
        phase: lifecycle.phase(&way.to).expect("a way leads to a state of its lifecycle"),
        trigger: way.trigger,
        stock: way.stock,
        promotions: way.promotions,
        reason,
    }
}
