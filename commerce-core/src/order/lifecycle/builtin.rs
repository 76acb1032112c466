//! The built-in lifecycles.

use alloc::vec;
use alloc::vec::Vec;

use super::{
    LifecycleDraft, PaymentEffect, Phase, PromotionEffect, State, Status, StockEffect, Transition, Trigger, Window,
    WindowStart,
};
use crate::actor::Role;

const DAY: u32 = 86_400;
const EVERYONE: &[Role] = &[Role::Customer, Role::Support, Role::Admin, Role::Service];
const STAFF: &[Role] = &[Role::Support, Role::Admin, Role::Service];
const FULFILLERS: &[Role] = &[Role::Admin, Role::Service];
const PAYMENT_RECORDERS: &[Role] = &[Role::Admin, Role::Service, Role::System];
const ENGINE: &[Role] = &[Role::System];

pub(super) fn draft(name: &str) -> Option<LifecycleDraft> {
    match name {
        "standard" => Some(standard()),
        "placed" => Some(placed()),
        "production" => Some(production()),
        "confirmed" => Some(confirmed()),
        "simple" => Some(simple()),
        _ => None,
    }
}

fn standard() -> LifecycleDraft {
    let states = ["pending", "paid", "shipped", "delivered", "completed", "cancelled", "returned"];
    let window = within(WindowStart::Delivered, 30);
    let transitions = vec![
        pay("pending", "paid"),
        advance("paid", "shipped").stock(StockEffect::Fulfil),
        advance("shipped", "delivered"),
        advance("delivered", "completed"),
        expire("pending", "cancelled"),
        cancel("pending", "cancelled").release(),
        cancel("paid", "cancelled").refund(),
        call_back("shipped", "cancelled"),
        come_back("delivered", "returned").window(window),
        come_back("completed", "returned").window(window),
    ];
    build("standard", &states, transitions)
}

fn placed() -> LifecycleDraft {
    let states = ["draft", "placed", "paid", "fulfilled", "completed", "cancelled", "returned"];
    let cancellation = within(WindowStart::Placed, 1);
    let transitions = vec![
        transition("draft", "placed", Trigger::Place, ENGINE),
        pay("placed", "paid"),
        advance("paid", "fulfilled").stock(StockEffect::Fulfil),
        advance("fulfilled", "completed"),
        expire("placed", "cancelled"),
        cancel("placed", "cancelled").release().window(cancellation),
        cancel("paid", "cancelled").refund().window(cancellation),
        come_back("fulfilled", "returned").window(within(WindowStart::Entered, 30)),
        come_back("completed", "returned").window(within(WindowStart::Delivered, 30)),
    ];
    build("placed", &states, transitions)
}

fn production() -> LifecycleDraft {
    let states =
        ["PENDING_PAYMENT", "PAID", "AWAITING_PRODUCTION", "READY_TO_SHIP", "SHIPPED", "DELIVERED", "CANCELLED"];
    let transitions = vec![
        pay("PENDING_PAYMENT", "PAID"),
        advance("PAID", "AWAITING_PRODUCTION"),
        advance("AWAITING_PRODUCTION", "READY_TO_SHIP"),
        advance("READY_TO_SHIP", "SHIPPED").stock(StockEffect::Fulfil),
        advance("SHIPPED", "DELIVERED"),
        expire("PENDING_PAYMENT", "CANCELLED"),
        cancel("PENDING_PAYMENT", "CANCELLED").release(),
        cancel("PAID", "CANCELLED").refund(),
        transition("AWAITING_PRODUCTION", "CANCELLED", Trigger::Cancel, STAFF).stock(StockEffect::Release).refund(),
        transition("READY_TO_SHIP", "CANCELLED", Trigger::Cancel, STAFF).stock(StockEffect::Release).refund(),
    ];
    build("production", &states, transitions)
}

fn confirmed() -> LifecycleDraft {
    let states = ["pending", "confirmed", "shipped", "delivered", "cancelled"];
    let transitions = vec![
        pay("pending", "confirmed"),
        advance("confirmed", "shipped").stock(StockEffect::Fulfil),
        advance("shipped", "delivered"),
        expire("pending", "cancelled"),
        transition("pending", "cancelled", Trigger::PaymentFailure, ENGINE).stock(StockEffect::Release).release(),
        cancel("pending", "cancelled").release(),
        transition("confirmed", "cancelled", Trigger::Cancel, STAFF).stock(StockEffect::Release).refund(),
        call_back("shipped", "cancelled"),
    ];
    build("confirmed", &states, transitions)
}

fn simple() -> LifecycleDraft {
    let states = ["pending", "paid", "shipped", "delivered", "cancelled"];
    let transitions = vec![
        pay("pending", "paid"),
        advance("paid", "shipped").stock(StockEffect::Fulfil),
        advance("shipped", "delivered"),
        expire("pending", "cancelled"),
        cancel("pending", "cancelled").release(),
        cancel("paid", "cancelled").refund(),
        call_back("shipped", "cancelled"),
    ];
    build("simple", &states, transitions)
}

/// The full amount was captured: the reservation no longer expires.
fn pay(from: &str, to: &str) -> Transition {
    transition(from, to, Trigger::Pay, PAYMENT_RECORDERS).stock(StockEffect::Confirm)
}

fn advance(from: &str, to: &str) -> Transition {
    transition(from, to, Trigger::Advance, FULFILLERS)
}

fn expire(from: &str, to: &str) -> Transition {
    transition(from, to, Trigger::Expiry, ENGINE).stock(StockEffect::Release).release()
}

/// Before shipment, the customer may cancel the order.
fn cancel(from: &str, to: &str) -> Transition {
    transition(from, to, Trigger::Cancel, EVERYONE).stock(StockEffect::Release)
}

/// The goods return before delivery.
fn call_back(from: &str, to: &str) -> Transition {
    transition(from, to, Trigger::Cancel, STAFF).stock(StockEffect::Restock).refund()
}

fn come_back(from: &str, to: &str) -> Transition {
    transition(from, to, Trigger::Return, EVERYONE).stock(StockEffect::Restock).refund()
}

const fn within(since: WindowStart, days: u32) -> Window {
    Window { since, seconds: days.saturating_mul(DAY) }
}

fn transition(from: &str, to: &str, trigger: Trigger, roles: &[Role]) -> Transition {
    Transition {
        from: status(from),
        to: status(to),
        trigger,
        roles: roles.iter().copied().collect(),
        window: None,
        stock: StockEffect::None,
        payment: PaymentEffect::None,
        promotions: PromotionEffect::None,
    }
}

impl Transition {
    const fn stock(mut self, stock: StockEffect) -> Self {
        self.stock = stock;
        self
    }

    const fn refund(mut self) -> Self {
        self.payment = PaymentEffect::Refund;
        self
    }

    const fn release(mut self) -> Self {
        self.promotions = PromotionEffect::Release;
        self
    }

    const fn window(mut self, window: Window) -> Self {
        self.window = Some(window);
        self
    }
}

fn build(name: &str, states: &[&str], transitions: Vec<Transition>) -> LifecycleDraft {
    let states = states.iter().map(|name| State { name: status(name), phase: phase(name) });
    LifecycleDraft { name: status(name), states: states.collect(), transitions }
}

fn phase(state: &str) -> Phase {
    match state {
        "draft" => Phase::Draft,
        "pending" | "placed" | "PENDING_PAYMENT" => Phase::AwaitingPayment,
        "paid" | "confirmed" | "PAID" => Phase::Paid,
        "AWAITING_PRODUCTION" | "READY_TO_SHIP" => Phase::InFulfilment,
        "shipped" | "fulfilled" | "SHIPPED" => Phase::Shipped,
        "delivered" | "DELIVERED" => Phase::Delivered,
        "completed" => Phase::Completed,
        "returned" => Phase::Returned,
        _ => Phase::Cancelled,
    }
}

#[expect(clippy::expect_used, reason = "the names in this file are short and printable")]
fn status(name: &str) -> Status {
    name.parse().expect("a built-in name is a status")
}
