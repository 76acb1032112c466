//! The auditor: counts for itself, and compares.

use std::collections::{BTreeMap, BTreeSet};

use commerce_core::ids::{PaymentId, Sku};
use commerce_core::money::Money;
use commerce_core::order::{Order, PaymentStatus, Phase, Refund, RefundStatus, ReturnStatus};
use commerce_core::payment::{BookEntry, OperationKind, OperationOutcome, PaymentBook};
use commerce_core::port::{PageRequest, Store};
use commerce_core::replay;
use commerce_testkit::commit_builder::parse;
use uuid::Uuid;

use crate::people::Told;
use crate::world::{GOODS, USES, World};

pub(crate) async fn check(world: &World, told: &[Told]) {
    let orders = world.orders().await;
    every_answer_was_true(told, &orders);
    money_adds_up(world, &orders);
    stock_adds_up(world, &orders).await;
    uses_add_up(world, &orders).await;
    let report = replay::verify(world.store.inner(), world.now(), |_| ()).await.unwrap();
    assert!(report.is_identical(), "the history makes other tables: {:?}", report.differences);
}

/// What somebody was told is there; one key was told one order and made one order.
fn every_answer_was_true(told: &[Told], orders: &[Order]) {
    let mut by_key = BTreeMap::new();
    for Told { key, order } in told {
        assert_eq!(by_key.entry(key).or_insert(order), &order, "two answers for key {key}");
    }
    let known: BTreeSet<_> = orders.iter().map(|order| order.id.to_string()).collect();
    assert!(by_key.values().all(|order| known.contains(*order)), "an acknowledged order is lost");
    let keys: BTreeSet<_> = orders.iter().map(|order| order.notes.as_ref().unwrap().as_str()).collect();
    assert_eq!(keys.len(), orders.len(), "one key made two orders");
}

/// The orders know of every cent that moved, and whoever has nothing has paid nothing.
fn money_adds_up(world: &World, orders: &[Order]) {
    let books = world.payments.books();
    let repaid = repaid(&books);
    for order in orders {
        let booked = |sum: fn(&PaymentBook) -> i64| books.get(&order.payment.id).map_or(0, sum);
        assert_eq!(order.payment.captured.minor(), booked(PaymentBook::captured), "{order:?}");
        let held = booked(PaymentBook::held);
        assert_eq!(order.payment.held.map_or(0, Money::minor), held, "{order:?}");
        let is_needed = order.phase == Phase::Paid || order.payment.status == PaymentStatus::CaptureFailed;
        assert!(held == 0 || is_needed, "money is held for nothing: {order:?}");
        for refund in &order.refunds {
            let moved = repaid.get(&refund.id.uuid()).copied();
            assert_eq!(moved, (refund.status == RefundStatus::Processed).then_some(refund.amount), "{order:?}");
        }
        let refused = order.refunds.iter().any(|refund| refund.status == RefundStatus::Failed);
        if order.phase.is_undone() && !refused {
            assert_eq!(order.payment.refunded, order.payment.captured, "money was kept: {order:?}");
        }
        assert!(order.payment.refunded.minor() <= order.payment.captured.minor(), "too much went back: {order:?}");
        returns_are_refunded(order);
        let waits = order.phase == Phase::Paid && order.is_unsecured();
        assert!(order.is_paid() || order.phase.is_undone() || waits, "goods for nothing: {order:?}");
        assert_ne!((order.phase, order.payment.status), (Phase::Paid, PaymentStatus::Pending));
    }
    let refunds: usize = orders.iter().map(|order| order.refunds.len()).sum();
    assert!(repaid.len() <= refunds, "a refund nobody decided");
}

/// What came back is refunded at the price that was paid for it, and what was paid too much.
fn returns_are_refunded(order: &Order) {
    let received = |item| {
        let received = order.returns.iter().filter(|known| known.status == ReturnStatus::Received);
        received.flat_map(|known| &known.lines).filter(|line| line.item == item).map(|line| line.quantity.get()).sum()
    };
    let came_back: Vec<(i64, i64, i64)> = order
        .quote
        .lines
        .iter()
        .map(|line| (line.total.minor(), received(line.item.id), line.item.quantity.get()))
        .collect();
    if order.phase.is_undone() || came_back.iter().all(|(_, back, bought)| back == bought) {
        return;
    }
    let due: i64 = came_back.iter().map(|(total, back, bought)| total * back / bought).sum();
    let surplus = (order.payment.captured.minor() - order.payment.amount.minor()).max(0);
    let sum = |counts: fn(&Refund) -> bool| -> i64 {
        order.refunds.iter().filter(|refund| counts(refund)).map(|refund| refund.amount.minor()).sum()
    };
    // What a failed refund did not pay back is refunded with the next one, or waits for staff.
    let refunded = sum(|refund| refund.status != RefundStatus::Failed)..=sum(|_| true);
    assert!(refunded.contains(&(due + surplus)), "another price was refunded: {order:?}");
}

/// The refunds that were paid, by their ids.
fn repaid(books: &BTreeMap<PaymentId, PaymentBook>) -> BTreeMap<Uuid, Money> {
    let entries = books.values().flat_map(PaymentBook::entries);
    let paid = |entry: &&BookEntry| {
        let succeeded = matches!(entry.answer.outcome, OperationOutcome::Succeeded { .. });
        entry.kind == OperationKind::Refund && succeeded
    };
    entries.filter(paid).map(|entry| (entry.id.uuid(), entry.amount)).collect()
}

/// What left the house and did not come back is missing, nothing else; what is paid and not shipped is reserved.
async fn stock_adds_up(world: &World, orders: &[Order]) {
    for (sku, opening) in GOODS {
        let units = |order: &Order, phases: &[Phase]| {
            let bought = order.units_by_sku().get(&parse::<Sku>(sku)).copied().unwrap_or_default();
            let back = order.returned_by_sku().get(&parse::<Sku>(sku)).copied().unwrap_or_default();
            if phases.contains(&order.phase) { bought - back } else { 0 }
        };
        let gone: i64 =
            orders.iter().map(|order| units(order, &[Phase::Shipped, Phase::Delivered, Phase::Completed])).sum();
        let promised: i64 = orders.iter().map(|order| units(order, &[Phase::Paid])).sum();
        assert!(gone + promised <= opening, "{sku}: {promised} promised and {gone} gone of {opening}");
        let level = world.store.inner().stock(&parse(sku), world.now()).await.unwrap().unwrap();
        assert_eq!((level.on_hand, level.reserved), (opening - gone, promised), "{sku}: {level:?}");
    }
}

/// A promotion is used as often as orders say that kept it.
async fn uses_add_up(world: &World, orders: &[Order]) {
    let id = parse("few");
    let kept = world.store.inner().promotion(&id).await.unwrap().unwrap();
    assert!(kept.usage.used <= USES, "used {} times", kept.usage.used);
    let page = PageRequest { limit: 10_000, after: None };
    let redemptions = world.store.inner().redemptions(&id, &page).await.unwrap().items;
    let live: BTreeSet<_> =
        redemptions.iter().filter(|known| known.released_at.is_none()).map(|known| known.order).collect();
    assert_eq!(u64::try_from(live.len()).unwrap(), kept.usage.used);
    let unpaid = |order: &&Order| {
        let was_held = order.payment.status == PaymentStatus::Voided;
        order.phase == Phase::Cancelled && order.payment.captured.is_zero() && !was_held
    };
    assert!(orders.iter().filter(unpaid).all(|order| !live.contains(&order.id)), "an unpaid order keeps its use");
}
