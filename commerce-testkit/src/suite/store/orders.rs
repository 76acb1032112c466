//! Orders: equality after reading, references, and stable lists.

#![expect(missing_docs, reason = "the names of the cases say it")]

use std::collections::BTreeSet;

use chrono::TimeDelta;
use commerce_core::cart::MAX_LINES;
use commerce_core::commit::{Commit, Refusal};
use commerce_core::ids::{CartId, OrderId, OrderNumber, PaymentId, ReturnId, UserId};
use commerce_core::money::{Currency, Money};
use commerce_core::order::{
    Command, LimitReached, Order, OrderItem, RefundOf, RefundOutcome, ReturnLine, ReturnStatus, UnpaidGuard,
    UnpaidLimits,
};
use commerce_core::payment::{CaptureMode, Payment};
use commerce_core::port::{OrderFilter, OrderRef, ReturnFilter};

use super::{Case, Fixture, first, walk};
use crate::commit_builder::{parse, units};
use crate::quote;

/// By id, number, payment, cart and return.
pub async fn an_order_is_found_by_each_of_its_names<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 9)]).await;
    case.placed(&[("MUG", 1)]).await;
    let at = case.shop.at(1);
    let mut new_order = case.shop.new_order(&[("MUG", 3)], at);
    new_order.cart_id = Some(CartId::new(case.shop.uuid()));
    let placed = case.carry_out(case.shop.place(new_order, at)).await;
    let paid = case.pay(&placed, at).await;
    let delivered = case.deliver(&paid, at).await;
    let asked = case.carry_out(case.shop.request_return(&delivered, 1, at)).await;
    let order = case.carry_out(case.shop.request_return(&asked, 1, at)).await;
    let names = [
        OrderRef::Id(order.id),
        OrderRef::Number(order.number.clone()),
        OrderRef::Payment(order.payment.id),
        OrderRef::Return(order.returns[0].id),
        OrderRef::Return(order.returns[1].id),
    ];
    for name in names {
        assert_eq!(case.store().order(&name).await.unwrap().as_ref(), Some(&order), "{name:?}");
    }
}

/// In an empty store and in one with orders.
pub async fn an_order_nobody_placed_is_not_found<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let id = case.shop.uuid();
    let names = [
        OrderRef::Id(OrderId::new(id)),
        OrderRef::Number(parse::<OrderNumber>("ORD-20260301-ZZZZ")),
        OrderRef::Payment(PaymentId::new(id)),
        OrderRef::Return(ReturnId::new(id)),
    ];
    for filled in [false, true] {
        if filled {
            case.accept(case.shop.stocked(&[("MUG", 9)])).await;
            case.placed(&[("MUG", 1)]).await;
        }
        for name in &names {
            assert_eq!(case.store().order(name).await.unwrap(), None, "{name:?}");
        }
        assert_eq!(case.store().order_history(OrderId::new(id)).await.unwrap(), []);
    }
}

/// After every step of a long lifecycle.
pub async fn a_whole_life_comes_back_equal<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 9), ("TEA", 9)]).await;
    let at = |days: i64| case.shop.at(days * 86_400);
    let check = async |order: Order| {
        assert_eq!(case.order(&order).await.as_ref(), Some(&order));
        order
    };
    let mut new_order = case.shop.new_order(&[("MUG", 3), ("TEA", 1), ("MUG", 1)], at(0));
    new_order.quote = quote::rich(new_order.quote.items());
    let order = check(case.carry_out(case.shop.place(new_order, at(0))).await).await;
    let order = check(case.tell(&order, Command::FailPayment { reason: parse("declined") }, at(0)).await).await;
    let order = check(case.pay(&order, at(0)).await).await;
    let order = check(case.deliver(&order, at(1)).await).await;
    let order = check(case.carry_out(case.shop.request_return(&order, 1, at(2))).await).await;
    let id = order.returns[0].id;
    let order = check(case.tell(&order, Command::ApproveReturn(id), at(3)).await).await;
    let order = check(case.tell(&order, Command::ReceiveReturn(id), at(4)).await).await;
    let outcome = RefundOutcome::Done { reference: Some(parse("re_1")) };
    let refund = order.refunds[0].id;
    let order = check(case.tell(&order, Command::RecordRefund { id: refund, outcome }, at(5)).await).await;
    let order = check(case.carry_out(case.shop.request_return(&order, 1, at(6))).await).await;
    let id = order.returns[1].id;
    let reject = Command::RejectReturn { id, reason: Some(parse("worn")) };
    let order = check(case.tell(&order, reject, at(7)).await).await;
    let refund =
        Command::Refund { of: RefundOf::Amount(Money::new(1, order.currency())), reason: Some(parse("sorry")) };
    let order = check(case.tell(&order, refund, at(8)).await).await;
    let outcome = RefundOutcome::Failed { reason: parse("card expired") };
    let refund = order.refunds[1].id;
    let order = check(case.tell(&order, Command::RecordRefund { id: refund, outcome }, at(9)).await).await;
    let lines = vec![ReturnLine { item: order.lines()[0].item.id, quantity: units(2) }];
    let refund = Command::Refund { of: RefundOf::Units(lines.clone()), reason: Some(parse("scratched")) };
    let order = check(case.tell(&order, refund, at(10)).await).await;
    assert_eq!(order.refunds[2].lines, lines);
}

pub async fn five_hundred_lines_come_back_equal<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let skus: Vec<_> = (0..MAX_LINES).map(|n| format!("SKU-{n:03}")).collect();
    let levels: Vec<_> = skus.iter().map(|sku| (sku.as_str(), 3)).collect();
    case.accept(case.shop.stocked(&levels)).await;
    let lines: Vec<_> = skus.iter().rev().map(|sku| (sku.as_str(), 2)).collect();
    let mut new_order = case.shop.new_order(&lines, case.shop.at(1));
    new_order.quote = quote::rich(new_order.quote.items());
    let order = case.carry_out(case.shop.place(new_order, case.shop.at(1))).await;
    let order = case.pay(&order, case.shop.at(2)).await;
    assert_eq!(case.order(&order).await, Some(order));
    assert_eq!(case.level("SKU-000").await.available(), 1);
    assert_eq!(case.level("SKU-499").await.available(), 1);
}

/// With four-byte characters, and characters that have a meaning in SQL and JSON.
pub async fn the_longest_texts_come_back_equal<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let at = case.shop.at(1);
    let long = |length: usize| "🦀".repeat(length);
    let odd = r#"'; DROP TABLE orders; -- "quoted" \n \u0041 %_ {} ü ﷽ 日本"#;
    for (text_id, text_of) in [(long(64), None), ("a'b\"c\\d%e_f".to_owned(), Some(odd))] {
        let text = |length: usize| text_of.map_or_else(|| long(length), str::to_owned);
        case.accept(case.shop.stocked(&[(&text_id, 5)])).await;
        let mut item = case.shop.item(parse(&text_id), units(2));
        item.name = parse(&text(255));
        item.product_id = parse(&text_id);
        let mut new_order = case.shop.new_order_of(&[item], at);
        new_order.user_id = parse(&text_id);
        new_order.details.notes = Some(parse(&text(1000)));
        new_order.shipping_method = parse(&text(64));
        new_order.details.shipping_address.name = Some(parse(&text(255)));
        new_order.details.shipping_address.line1 = parse(&text(255));
        new_order.details.shipping_address.line2 = Some(parse(&text(255)));
        new_order.details.shipping_address.state = Some(parse(&text(255)));
        let order = case.carry_out(case.shop.place(new_order, at)).await;
        let order = case.tell(&order, Command::Cancel { reason: Some(parse(&text(500))) }, at).await;
        assert_eq!(case.order(&order).await.as_ref(), Some(&order));
        let filter = OrderFilter { user: Some(order.user_id.clone()), ..OrderFilter::default() };
        assert_eq!(case.store().orders(&filter, &first(5)).await.unwrap().items, [order]);
        assert_eq!(case.level(&text_id).await.available(), 5);
    }
}

/// The largest amount, zero, and currencies with more and fewer decimals.
pub async fn extreme_amounts_come_back_equal<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 90)]).await;
    let at = case.shop.at(1);
    for currency in [Currency::USD, Currency::JPY, Currency::KWD] {
        for minor in [0, 1, i64::MAX - 1, i64::MAX] {
            let unit_price = Money::new(minor, currency);
            let item = OrderItem { unit_price, ..case.shop.item(parse("MUG"), units(1)) };
            let new_order = case.shop.new_order_of(&[item], at);
            let order = case.carry_out(case.shop.place(new_order, at)).await;
            assert_eq!(order.payment.amount, unit_price);
            let order = if minor == 0 { order } else { case.pay(&order, at).await };
            assert_eq!(case.order(&order).await, Some(order));
        }
    }
}

/// No time zone shifts them.
pub async fn instants_come_back_to_the_microsecond<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 9)]).await;
    for microseconds in [-1, 1, 999_999, 1_000_001] {
        let at = case.shop.at(1) + TimeDelta::microseconds(microseconds);
        let mut new_order = case.shop.new_order(&[("MUG", 1)], at);
        new_order.reserved_until = at + TimeDelta::microseconds(1);
        let placed = case.shop.place(new_order, at);
        let order = case.carry_out(placed.clone()).await;
        assert_eq!(case.order(&order).await.as_ref(), Some(&order));
        assert_eq!(case.store().order_history(order.id).await.unwrap(), placed.orders[0].events());
        assert_eq!(case.level_at("MUG", at).await.reserved, 1);
        assert_eq!(case.level_at("MUG", at + TimeDelta::microseconds(1)).await.reserved, 0);
    }
}

/// By the time of placing, which is part of their ids.
pub async fn orders_come_newest_first<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 9)]).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.insert(0, case.placed(&[("MUG", 1)]).await.id);
    }
    for limit in [1, 2, 5, 10] {
        let page = async |page| case.store().orders(&OrderFilter::default(), &page).await;
        let orders = walk(limit, page, async || ()).await;
        assert_eq!(orders.iter().map(|order| order.id).collect::<Vec<_>>(), ids);
    }
}

/// By customer, state and time (the start is included, the end is not), and by all of them.
pub async fn orders_are_filtered<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 99)]).await;
    let mut orders = Vec::new();
    for n in 0..8 {
        let at = case.shop.at(n);
        let mut new_order = case.shop.new_order(&[("MUG", 1)], at);
        new_order.user_id = parse(if n % 2 == 0 { "even" } else { "odd" });
        let order = case.carry_out(case.shop.place(new_order, at)).await;
        orders.push(if n >= 4 { case.pay(&order, case.shop.at(20)).await } else { order });
    }
    let user: UserId = parse("odd");
    let all = OrderFilter::default;
    let (from, to) = (Some(case.shop.at(2)), Some(case.shop.at(7)));
    let filters: [(OrderFilter, &[usize]); 8] = [
        (all(), &[7, 6, 5, 4, 3, 2, 1, 0]),
        (OrderFilter { user: Some(user.clone()), ..all() }, &[7, 5, 3, 1]),
        (OrderFilter { status: Some(parse("paid")), ..all() }, &[7, 6, 5, 4]),
        (OrderFilter { from, ..all() }, &[7, 6, 5, 4, 3, 2]),
        (OrderFilter { to, ..all() }, &[6, 5, 4, 3, 2, 1, 0]),
        (OrderFilter { user: Some(user.clone()), status: Some(parse("pending")), from, to, ..all() }, &[3]),
        (OrderFilter { user: Some(parse("Odd")), ..all() }, &[]),
        (OrderFilter { status: Some(parse("pai_")), ..all() }, &[]),
    ];
    for (filter, expected) in filters {
        let found = walk(3, async |page| case.store().orders(&filter, &page).await, async || ()).await;
        let expected: Vec<_> = expected.iter().map(|n| orders[*n].clone()).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
}

pub async fn orders_are_found_by_ids<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 99)]).await;
    let mut orders = Vec::new();
    for n in 0..4 {
        orders.push(case.carry_out(case.shop.order(&[("MUG", n + 1)])).await);
    }
    orders[2] = case.pay(&orders[2], case.shop.at(20)).await;
    let ids = [orders[2].id, OrderId::new(case.shop.uuid()), orders[0].id];
    let mut found = case.store().orders_by_id(&ids).await.unwrap();
    found.sort_by_key(|order| order.id);
    assert_eq!(found, [orders[0].clone(), orders[2].clone()]);
    assert_eq!(case.store().orders_by_id(&[]).await.unwrap(), []);
}

/// Also if nothing was done with it, and after the order has changed.
pub async fn an_order_is_found_with_its_payment<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 9)]).await;
    let (other, placed) = (case.placed(&[("MUG", 1)]).await, case.placed(&[("MUG", 1)]).await);
    let unpaid = case.store().order_with_payment(&OrderRef::Id(placed.id)).await.unwrap();
    assert_eq!(unpaid, Some((placed.clone(), None)));
    let payment = |order: &Order| Payment::new(order, parse("sandbox"), CaptureMode::Automatic, case.shop.at(1));
    for order in [&other, &placed] {
        case.accept(case.shop.create(&payment(order))).await;
    }
    let paid = case.pay(&placed, case.shop.at(2)).await;
    for order_ref in [OrderRef::Id(paid.id), OrderRef::Number(paid.number.clone()), OrderRef::Payment(paid.payment.id)]
    {
        let found = case.store().order_with_payment(&order_ref).await.unwrap();
        assert_eq!(found, Some((paid.clone(), Some(payment(&placed)))), "{order_ref:?}");
    }
    let nobodys = OrderRef::Payment(PaymentId::new(case.shop.uuid()));
    assert_eq!(case.store().order_with_payment(&nobodys).await.unwrap(), None);
}

/// By customer, order and state, and by all of them.
pub async fn returns_come_newest_first_and_are_filtered<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 99)]).await;
    let at = case.shop.at(1);
    let mut orders = Vec::new();
    for user in ["ann", "bob"] {
        let mut new_order = case.shop.new_order(&[("MUG", 5)], at);
        new_order.user_id = parse(user);
        let placed = case.carry_out(case.shop.place(new_order, at)).await;
        let paid = case.pay(&placed, at).await;
        orders.push(case.deliver(&paid, at).await);
    }
    for turn in [0, 1, 0] {
        orders[turn] = case.carry_out(case.shop.request_return(&orders[turn], 1, at)).await;
    }
    let rejected = orders[0].returns[0].id;
    orders[0] = case.tell(&orders[0], Command::RejectReturn { id: rejected, reason: Some(parse("worn")) }, at).await;
    let known = |order: usize, at: usize| (orders[order].id, orders[order].returns[at].clone());
    let (first, second, third) = (known(0, 0), known(1, 0), known(0, 1));
    let all = ReturnFilter::default;
    let (user, requested) = (Some(parse("ann")), Some(ReturnStatus::Requested));
    let filters = [
        (all(), vec![&third, &second, &first]),
        (ReturnFilter { user: user.clone(), ..all() }, vec![&third, &first]),
        (ReturnFilter { order: Some(orders[1].id), ..all() }, vec![&second]),
        (ReturnFilter { status: requested, ..all() }, vec![&third, &second]),
        (ReturnFilter { user: user.clone(), order: Some(orders[0].id), status: requested }, vec![&third]),
        (ReturnFilter { user, order: Some(orders[1].id), ..all() }, vec![]),
        (ReturnFilter { status: Some(ReturnStatus::Received), ..all() }, vec![]),
    ];
    for (filter, expected) in filters {
        for limit in [1, 2, 9] {
            let found = walk(limit, async |page| case.store().returns(&filter, &page).await, async || ()).await;
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{filter:?}");
        }
    }
}

pub async fn active_orders_are_counted<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 99)]).await;
    let count = async |user| case.store().count_active_orders(&parse(user)).await.unwrap();
    assert_eq!(count("user-1").await, 0);
    let waiting = case.placed(&[("MUG", 1)]).await;
    let cancelled = case.placed(&[("MUG", 1)]).await;
    let placed = case.placed(&[("MUG", 1)]).await;
    assert_eq!((count("user-1").await, count("user-2").await), (3, 0));
    case.accept(case.shop.cancel(&cancelled, case.shop.at(2))).await;
    assert_eq!(count("user-1").await, 2);
    let paid = case.pay(&placed, case.shop.at(2)).await;
    let delivered = case.deliver(&paid, case.shop.at(3)).await;
    assert_eq!(count("user-1").await, 2);
    case.tell(&delivered, Command::Transition { status: parse("returned"), reason: None }, case.shop.at(4)).await;
    assert_eq!(count("user-1").await, 1);
    case.pay(&waiting, case.shop.at(5)).await;
    assert_eq!(count("user-1").await, 1);
}

/// A full last page has no cursor, nor has an empty list.
pub async fn a_page_that_ends_the_list_says_so<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 9)]).await;
    let list = async |limit| case.store().orders(&OrderFilter::default(), &first(limit)).await.unwrap();
    assert_eq!(list(3).await.next, None);
    for _ in 0..3 {
        case.placed(&[("MUG", 1)]).await;
    }
    assert_eq!(list(3).await.next, None);
    let two = list(2).await;
    assert_eq!(two.next, two.items.last().map(|order| order.id));
}

/// New orders neither hide nor repeat another.
pub async fn orders_are_paged_while_orders_are_placed<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 999)]).await;
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.insert(0, case.placed(&[("MUG", 1)]).await.id);
    }
    let page = async |page| case.store().orders(&OrderFilter::default(), &page).await;
    let seen = walk(2, page, async || drop(case.placed(&[("MUG", 1)]).await)).await;
    let seen: Vec<_> = seen.iter().map(|order| order.id).collect();
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len(), "none twice");
    assert_eq!(seen, ids, "none left out");
}

/// Those of one customer since an instant. Paid orders and those of others do not count.
pub async fn unpaid_orders_are_counted_and_limited<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 99)]).await;
    let mut limits = UnpaidLimits::NONE;
    (limits.orders, limits.units) = (Some(2), Some(5));
    let long_ago = case.shop.at(1) - TimeDelta::days(90);
    let order = |user: &str, count, since| {
        let mut new_order = case.shop.new_order(&[("MUG", count)], case.shop.at(1));
        new_order.user_id = parse(user);
        let mut commit = case.shop.place(new_order, case.shop.at(1));
        commit.unpaid = Some(UnpaidGuard { limits, since });
        commit
    };
    let units = async |count| {
        let refused = case.refused(order("ann", count, long_ago)).await;
        let Refusal::Limit(LimitReached::UnpaidUnits { limit: 5, held, asked, .. }) = refused else {
            panic!("{refused:?}")
        };
        (held, asked)
    };
    assert_eq!(units(6).await, (0, 6));
    let first = case.carry_out(order("ann", 1, long_ago)).await;
    assert_eq!(units(5).await, (1, 5));
    case.accept(order("ann", 4, long_ago)).await;
    let refused = case.refused(order("ann", 1, long_ago)).await;
    let Refusal::Limit(LimitReached::UnpaidOrders { limit: 2, wait }) = refused else { panic!("{refused:?}") };
    assert_eq!(wait, TimeDelta::days(90), "until the first is as old");
    case.accept(order("bob", 5, long_ago)).await;
    case.accept(order("ann", 1, case.shop.at(1))).await;
    case.accept(Commit { unpaid: None, ..order("ann", 1, long_ago) }).await;
    assert!(matches!(case.refused(order("ann", 1, long_ago)).await, Refusal::Limit(_)));
    case.pay(&first, case.shop.at(2)).await;
    assert!(matches!(case.refused(order("ann", 1, long_ago)).await, Refusal::Limit(_)));
}
