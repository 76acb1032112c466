//! Decisions: whether a command is allowed, and its events.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use super::command::{
    Command, Context, NewOrder, OrderDetails, RefundOf, RefundOutcome, ReturnRequest, ShipmentUpdate,
};
use super::event::{OrderEvent, Reason};
use super::lifecycle::{Lifecycle, PaymentEffect, Phase, Status, Transition, Trigger};
use super::rejection::OrderRejection;
use super::returns::{Return, ReturnLine, ReturnStatus};
use super::state::{Order, Payment, PaymentStatus, RefundStatus, Shipment, ShipmentStatus};
use crate::actor::Role;
use crate::cart::MAX_LINES;
use crate::ids::{ItemId, RefundId, ReturnId};
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
        extended_until: None,
        shipment: None,
        payment: Payment {
            id: new_order.payment,
            status,
            amount,
            captured: nothing,
            held: None,
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
        Command::Authorize { amount, reference } => decider.authorize(amount, reference),
        Command::CancelSoldOut => decider.cancel_sold_out(),
        Command::CaptureHeld { amount, reference, is_final } => decider.capture_held((amount, is_final), reference),
        Command::FailCapture { reason } => Ok(decider.fail_capture(reason)),
        Command::TellExpiringHold { expires_at } => Ok(decider.tell_expiring_hold(expires_at)),
        Command::Void { amount } => decider.void(amount),
        Command::Capture { amount, reference } => decider.capture(amount, reference),
        Command::CaptureAfterExpiry { amount, reference } => decider.capture_after_expiry(amount, reference),
        Command::CaptureSurplus { amount, reference } => decider.capture_to_refund(amount, reference),
        Command::FailPayment { reason } => decider.fail_payment(reason),
        Command::ExtendReservation { until } => Ok(decider.extend_reservation(until)),
        Command::Expire => Ok(decider.expire()),
        Command::Cancel { reason } => decider.cancel(reason),
        Command::UpdateShipment(shipment) => decider.ship(shipment),
        Command::RequestReturn(request) => decider.request_return(request),
        Command::ApproveReturn(id) => decider.approve_return(id),
        Command::RejectReturn { id, reason } => decider.reject_return(id, reason),
        Command::ReceiveReturn(id) => decider.receive_return(id),
        Command::Refund { of, reason } => decider.refund(of, reason),
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
            None if self.order.is_unsecured() => {
                self.check_due(amount)?;
                Ok(vec![captured(amount, reference)])
            }
            None if self.order.is_paid() => Err(OrderRejection::AlreadyPaid),
            // The order was cancelled before the capture: record the payment and refund it.
            None => self.capture_to_refund(amount, reference),
        }
    }

    fn capture_to_refund(self, amount: Money, reference: Option<BoundedString<200>>) -> DecisionResult {
        self.check_captured(amount)?;
        Ok(vec![captured(amount, reference), self.refund_event(amount, None)])
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
        self.check_due(amount)?;
        Ok(vec![captured(amount, reference), transitioned(self.lifecycle, way, None)])
    }

    fn check_due(&self, amount: Money) -> Result<(), OrderRejection> {
        let due = self.order.payment.amount;
        if amount == due { Ok(()) } else { Err(OrderRejection::AmountMismatch { captured: amount, due }) }
    }

    /// An order with money held goes on as if it were paid. One whose hold was given back stays where it is.
    fn authorize(self, amount: Money, reference: Option<BoundedString<200>>) -> DecisionResult {
        let way = self.lifecycle.by_trigger(&self.order.status, Trigger::Pay);
        if self.order.is_paid() {
            return Err(OrderRejection::AlreadyPaid);
        }
        if way.is_none() && !self.order.is_unsecured() {
            return Err(OrderRejection::NotPayable(self.order.status.clone()));
        }
        way.map_or(Ok(()), |way| self.permit(way))?;
        self.check_due(amount)?;
        let authorized = OrderEvent::PaymentAuthorized { amount, reference };
        Ok(core::iter::once(authorized).chain(way.map(|way| transitioned(self.lifecycle, way, None))).collect())
    }

    /// What is captured beyond the price of what the customer keeps is refunded. An order that was not authorized is paid by it.
    fn capture_held(self, (amount, is_final): (Money, bool), reference: Option<BoundedString<200>>) -> DecisionResult {
        if self.lifecycle.by_trigger(&self.order.status, Trigger::Pay).is_some() {
            return self.capture(amount, reference);
        }
        self.check_captured(amount)?;
        let surplus = self.order.surplus_of(amount);
        let refund = (!surplus.is_zero()).then(|| self.refund_event(surplus, None));
        let captured = OrderEvent::PaymentCaptured { amount, reference, is_final };
        Ok(core::iter::once(captured).chain(refund).collect())
    }

    fn fail_capture(self, reason: Reason) -> Vec<OrderEvent> {
        self.order.payment.held.map(|_| OrderEvent::CaptureFailed { reason }).into_iter().collect()
    }

    fn tell_expiring_hold(self, expires_at: DateTime<Utc>) -> Vec<OrderEvent> {
        self.order.payment.held.map(|_| OrderEvent::HoldExpiring { expires_at }).into_iter().collect()
    }

    fn void(self, amount: Money) -> DecisionResult {
        let Some(held) = self.order.payment.held else { return Ok(Vec::new()) };
        self.check_captured(amount)?;
        let amount = if amount.minor() < held.minor() { amount } else { held };
        Ok(vec![OrderEvent::PaymentVoided { amount }])
    }

    fn capture_after_expiry(self, amount: Money, reference: Option<BoundedString<200>>) -> DecisionResult {
        let cancelled = self.cancel_sold_out()?;
        self.check_captured(amount)?;
        let captured = core::iter::once(captured(amount, reference));
        Ok(captured.chain(cancelled).chain([self.refund_event(amount, None)]).collect())
    }

    fn cancel_sold_out(self) -> DecisionResult {
        if self.order.is_paid() {
            return Err(OrderRejection::AlreadyPaid);
        }
        let ways = [Trigger::Expiry, Trigger::Cancel];
        let way = ways.iter().find_map(|trigger| self.lifecycle.by_trigger(&self.order.status, *trigger));
        Ok(way.map(|way| transitioned(self.lifecycle, way, None)).into_iter().collect())
    }

    fn fail_payment(self, reason: Reason) -> DecisionResult {
        if self.order.is_paid() || self.order.payment.amount.is_zero() {
            return Err(OrderRejection::AlreadyPaid);
        }
        let way = self.lifecycle.by_trigger(&self.order.status, Trigger::PaymentFailure);
        let failed = OrderEvent::PaymentFailed { reason: reason.clone() };
        let cancelled = way.map(|way| self.follow(way, Some(reason))).unwrap_or_default();
        Ok(core::iter::once(failed).chain(cancelled).collect())
    }

    fn extend_reservation(self, until: DateTime<Utc>) -> Vec<OrderEvent> {
        let waits = self.order.phase == Phase::AwaitingPayment && until > self.order.reservation_end();
        waits.then_some(OrderEvent::ReservationExtended { until }).into_iter().collect()
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
        self.check_lines(&request.lines, |item, asked, left| OrderRejection::TooManyReturned { item, asked, left })?;
        let request = Return {
            id: request.id,
            status: ReturnStatus::Requested,
            lines: request.lines,
            reason: request.reason,
            requested_at: self.context.at,
        };
        Ok(vec![OrderEvent::ReturnRequested { request }])
    }

    /// Units are returned or refunded once.
    fn check_lines(
        self,
        lines: &[ReturnLine],
        too_many: impl Fn(ItemId, i64, i64) -> OrderRejection,
    ) -> Result<(), OrderRejection> {
        let items: BTreeSet<_> = lines.iter().map(|line| line.item).collect();
        if items.is_empty() || items.len() != lines.len() {
            return Err(OrderRejection::ReturnLines);
        }
        lines.iter().try_for_each(|line| {
            let known = self.order.line(line.item).ok_or(OrderRejection::UnknownItem(line.item))?;
            let used = self.order.returning(line.item).saturating_add(self.order.refunded_units(line.item));
            let (asked, left) = (line.quantity.get(), known.item.quantity.get().saturating_sub(used));
            if asked > left { Err(too_many(line.item, asked, left)) } else { Ok(()) }
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
        let events = [Some(OrderEvent::ReturnReceived { id }), refund].into_iter().flatten();
        Ok(events.chain(way.into_iter().flat_map(|way| self.enter(way, None))).collect())
    }

    fn find_return(&self, id: ReturnId, needed: ReturnStatus) -> Result<&Return, OrderRejection> {
        let found = self.order.returns.iter().find(|known| known.id == id).ok_or(OrderRejection::UnknownReturn(id))?;
        if found.status != needed {
            return Err(OrderRejection::ReturnStatus { found: found.status, needed });
        }
        Ok(found)
    }

    fn refund(self, of: RefundOf, reason: Option<Reason>) -> DecisionResult {
        let left = self.order.refundable();
        let (asked, lines) = match of {
            RefundOf::Remainder => (left, Vec::new()),
            RefundOf::Amount(amount) => (amount, Vec::new()),
            RefundOf::Units(lines) => {
                self.check_lines(&lines, |item, asked, left| OrderRejection::TooManyRefunded { item, asked, left })?;
                (self.order.price_of_units(&lines), lines)
            }
        };
        let positive = asked.currency() == left.currency() && asked.minor() > 0 && asked.minor() <= left.minor();
        if !positive {
            return Err(OrderRejection::RefundAmount { asked, left });
        }
        let (id, elsewhere) = (self.context.refund, false);
        Ok(vec![OrderEvent::RefundRequested { id, amount: asked, reason, elsewhere, lines }])
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
        let (reason, lines) = (Some(reason), Vec::new());
        let requested = OrderEvent::RefundRequested { id, amount, reason, elsewhere: false, lines };
        Ok(core::iter::once(requested).chain(outcome.map(|outcome| outcome.event(id))).collect())
    }

    /// Takes a transition. An order that ends gives back what is held for it.
    fn enter(&self, way: &Transition, reason: Option<Reason>) -> impl Iterator<Item = OrderEvent> + use<> {
        let ends = self.lifecycle.phase(&way.to).is_some_and(Phase::is_undone);
        let voided = self.order.payment.held.filter(|_| ends).map(|amount| OrderEvent::PaymentVoided { amount });
        core::iter::once(transitioned(self.lifecycle, way, reason)).chain(voided)
    }

    /// Takes a transition, with its refund.
    fn follow(self, way: &Transition, reason: Option<Reason>) -> Vec<OrderEvent> {
        let left = self.order.refundable();
        let refunds = way.payment == PaymentEffect::Refund && !left.is_zero();
        let refund = refunds.then(|| self.refund_event(left, reason.clone()));
        self.enter(way, reason).chain(refund).collect()
    }

    const fn refund_event(&self, amount: Money, reason: Option<Reason>) -> OrderEvent {
        OrderEvent::RefundRequested { id: self.context.refund, amount, reason, elsewhere: false, lines: Vec::new() }
    }

    fn permit(&self, way: &Transition) -> Result<(), OrderRejection> {
        if way.trigger == Trigger::Advance && self.order.is_unsecured() && !self.order.phase.is_shipped() {
            return Err(OrderRejection::Unsecured);
        }
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

const fn captured(amount: Money, reference: Option<BoundedString<200>>) -> OrderEvent {
    OrderEvent::PaymentCaptured { amount, reference, is_final: false }
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
