//! Money that is held when the order is placed and captured when the goods are shipped.

use chrono::TimeDelta;
use commerce_core::engine::{EngineError, Reply};
use commerce_core::money::Money;
use commerce_core::order::{Command, Lifecycle, Order, OrderRejection, PaymentStatus, Phase, RefundStatus};
use commerce_core::payment::{
    CaptureMode, Operation, OperationAnswer, OperationKind, OperationOutcome, OperationState, PaymentRejection,
};
use commerce_core::port::{OrderRef, PageRequest, ProcessorEvent, Webhook};
use commerce_core::settings::{ExpiringHold, Settings};
use commerce_testkit::commit_builder::{CURRENCY, parse};
use commerce_testkit::{FakeProcessor, ProcessorBehavior};

use crate::shopfront::{Shopfront, admin, customer};

fn settings() -> Settings {
    let mut settings = Settings::new(CURRENCY);
    settings.capture = CaptureMode::Manual;
    settings
}

/// An order of two pieces for 100.00 each, whose money is held.
async fn authorized() -> (Shopfront, Order) {
    let shop = Shopfront::open(settings(), &[("MUG", "100.00 USD", 10)]).await;
    let order = shop.place("ann", &[("MUG", 2)]).await.expect("the order can be placed");
    let order = shop.pay("ann", &order).await.expect("it can be paid");
    (shop, order)
}

async fn capture(
    shop: &Shopfront,
    order: &Order,
    (amount, is_final): (Option<&str>, Option<bool>),
) -> Result<Order, EngineError> {
    let wanted = (amount.map(parse), is_final);
    let reply = shop.engine.capture_payment(&admin(), order.payment.id, wanted, None).await?;
    shop.work().await;
    Ok(reply.into_fresh().expect("it was not answered before").order)
}

async fn void(shop: &Shopfront, order: &Order) -> Result<Order, EngineError> {
    let reply = shop.engine.void_payment(&admin(), order.payment.id, None).await?;
    shop.work().await;
    Ok(reply.into_fresh().expect("it was not answered before").order)
}

async fn operations(shop: &Shopfront, order: &Order) -> Vec<Operation> {
    let view = shop.engine.payment(&admin(), order.payment.id).await.expect("the payment is there");
    view.payment.map(|payment| payment.operations).unwrap_or_default()
}

/// The order and the processor agree on the money: what is held, captured and refunded, in minor units.
#[track_caller]
fn agree(shop: &Shopfront, order: &Order, (held, captured, refunded): (i64, i64, i64)) {
    let book = &shop.processor.books()[&order.payment.id];
    assert_eq!((book.held(), book.captured(), book.refunded()), (held, captured, refunded), "at the processor");
    let payment = &order.payment;
    let known = (payment.held.map_or(0, Money::minor), payment.captured.minor(), payment.refunded.minor());
    assert_eq!(known, (held, captured, refunded), "{payment:?}");
}

async fn check(shop: &Shopfront, order: &Order, phase: Phase, status: PaymentStatus, money: (i64, i64, i64)) {
    let now = shop.order(order).await;
    assert_eq!((now.phase, now.payment.status), (phase, status), "{:?}", now.payment);
    agree(shop, &now, money);
    shop.verify().await;
}

#[tokio::test]
async fn money_is_held_at_checkout_and_captured_on_shipping() {
    let (shop, order) = authorized().await;
    check(&shop, &order, Phase::Paid, PaymentStatus::Authorized, (20_000, 0, 0)).await;
    shop.wait(TimeDelta::days(2));
    shop.work().await;
    assert_eq!(shop.available("MUG").await, 8, "the reservation of an authorized order does not expire");
    shop.move_to(&order, "shipped").await.expect("it is secured");
    shop.work().await;
    check(&shop, &order, Phase::Shipped, PaymentStatus::Succeeded, (0, 20_000, 0)).await;
    shop.move_to(&order, "delivered").await.expect("it goes on");
    assert_eq!(operations(&shop, &order).await.len(), 2, "it is captured once");
}

#[tokio::test]
async fn every_built_in_lifecycle_captures_on_shipping() {
    for name in Lifecycle::BUILT_IN {
        let mut settings = settings();
        settings.lifecycle = Lifecycle::built_in(name).expect("it is built in");
        let shop = Shopfront::open(settings.clone(), &[("MUG", "100.00 USD", 10)]).await;
        let mut order = shop.place("ann", &[("MUG", 1)]).await.expect("the order can be placed");
        order = shop.pay("ann", &order).await.expect("it can be paid");
        while !order.phase.is_shipped() {
            agree(&shop, &order, (10_000, 0, 0));
            let next = settings.lifecycle.from(&order.status).next().expect("it goes on").to.clone();
            order = shop.move_to(&order, next.as_str()).await.expect("it is secured");
        }
        shop.work().await;
        agree(&shop, &shop.order(&order).await, (0, 10_000, 0));
    }
}

#[tokio::test]
async fn a_cancellation_gives_back_what_is_held() {
    let (shop, order) = authorized().await;
    let cancelled = shop.command(&customer("ann"), &order, Command::Cancel { reason: None }).await.expect("it can be");
    assert!(cancelled.refunds.is_empty(), "nothing was captured");
    shop.work().await;
    check(&shop, &order, Phase::Cancelled, PaymentStatus::Voided, (0, 0, 0)).await;
    assert_eq!(shop.available("MUG").await, 10);
}

#[tokio::test]
async fn parts_are_captured_and_the_last_gives_back_the_rest() {
    let (shop, order) = authorized().await;
    capture(&shop, &order, (Some("60.00 USD"), None)).await.expect("it is held");
    check(&shop, &order, Phase::Paid, PaymentStatus::Authorized, (14_000, 6_000, 0)).await;
    capture(&shop, &order, (Some("40.00 USD"), None)).await.expect("it is held");
    capture(&shop, &order, (Some("30.00 USD"), Some(true))).await.expect("it is held");
    check(&shop, &order, Phase::Paid, PaymentStatus::PartiallyCaptured, (0, 13_000, 0)).await;
    let more = capture(&shop, &order, (Some("1.00 USD"), None)).await;
    assert!(matches!(more, Err(EngineError::Payment(PaymentRejection::NothingHeld))), "{more:?}");
    shop.command(&customer("ann"), &order, Command::Cancel { reason: None }).await.expect("it is not shipped");
    shop.work().await;
    check(&shop, &order, Phase::Cancelled, PaymentStatus::Refunded, (0, 13_000, 13_000)).await;
}

#[tokio::test]
async fn a_cancellation_after_a_part_refunds_it_and_gives_back_the_rest() {
    let (shop, order) = authorized().await;
    capture(&shop, &order, (Some("60.00 USD"), None)).await.expect("it is held");
    shop.command(&customer("ann"), &order, Command::Cancel { reason: None }).await.expect("it can be cancelled");
    shop.work().await;
    check(&shop, &order, Phase::Cancelled, PaymentStatus::Refunded, (0, 6_000, 6_000)).await;
}

#[tokio::test]
async fn captures_and_voids_that_are_not_covered_change_nothing() {
    let (shop, order) = authorized().await;
    for amount in ["200.01 USD", "0.00 USD", "-1.00 USD"] {
        let refused = capture(&shop, &order, (Some(amount), None)).await;
        assert!(matches!(refused, Err(EngineError::Payment(PaymentRejection::Amount { .. }))), "{refused:?}");
    }
    let foreign = capture(&shop, &order, (Some("1.00 EUR"), None)).await;
    assert!(matches!(foreign, Err(EngineError::Payment(PaymentRejection::Currency { .. }))), "{foreign:?}");
    let own = shop.engine.capture_payment(&customer("ann"), order.payment.id, (None, None), None).await;
    assert!(matches!(own, Err(EngineError::Forbidden { .. })), "{own:?}");
    check(&shop, &order, Phase::Paid, PaymentStatus::Authorized, (20_000, 0, 0)).await;
    void(&shop, &order).await.expect("it is held");
    for again in [void(&shop, &order).await, capture(&shop, &order, (None, None)).await] {
        assert!(matches!(again, Err(EngineError::Payment(PaymentRejection::NothingHeld))), "{again:?}");
    }
    check(&shop, &order, Phase::Paid, PaymentStatus::Voided, (0, 0, 0)).await;
}

#[tokio::test]
async fn an_order_whose_hold_was_given_back_is_paid_again_before_it_is_shipped() {
    let (shop, order) = authorized().await;
    void(&shop, &order).await.expect("it is held");
    let unpaid = shop.move_to(&order, "shipped").await;
    assert!(matches!(unpaid, Err(EngineError::Order(OrderRejection::Unsecured))), "{unpaid:?}");
    shop.pay_with("ann", &order, "tok_declined").await.expect("it is an answer");
    let unpaid = shop.move_to(&order, "shipped").await;
    assert!(matches!(unpaid, Err(EngineError::Order(OrderRejection::Unsecured))), "{unpaid:?}");
    shop.pay("ann", &order).await.expect("it can be paid again");
    shop.move_to(&order, "shipped").await.expect("it is secured");
    shop.work().await;
    check(&shop, &order, Phase::Shipped, PaymentStatus::Succeeded, (0, 20_000, 0)).await;
}

#[tokio::test]
async fn a_capture_that_was_declined_is_seen_and_tried_again() {
    let (shop, order) = authorized().await;
    shop.processor.be(ProcessorBehavior::Declines);
    shop.move_to(&order, "shipped").await.expect("it is secured");
    shop.work().await;
    check(&shop, &order, Phase::Shipped, PaymentStatus::CaptureFailed, (20_000, 0, 0)).await;
    shop.move_to(&order, "delivered").await.expect("the goods are on their way");
    shop.work().await;
    assert_eq!(operations(&shop, &order).await.len(), 2, "it is not captured again by itself");
    shop.processor.be(ProcessorBehavior::Answers);
    capture(&shop, &order, (None, None)).await.expect("it is held");
    check(&shop, &order, Phase::Delivered, PaymentStatus::Succeeded, (0, 20_000, 0)).await;
}

#[tokio::test]
async fn a_part_that_was_declined_does_not_keep_the_rest_from_being_captured_on_shipping() {
    let (shop, order) = authorized().await;
    shop.processor.be(ProcessorBehavior::LosesAnswers);
    capture(&shop, &order, (Some("60.00 USD"), None)).await.expect("it is held");
    shop.processor.be(ProcessorBehavior::Declines);
    capture(&shop, &order, (Some("70.00 USD"), None)).await.expect("it is held");
    assert_eq!(shop.order(&order).await.payment.status, PaymentStatus::CaptureFailed);
    shop.move_to(&order, "shipped").await.expect("it is secured");
    shop.processor.be(ProcessorBehavior::Answers);
    shop.wait(TimeDelta::hours(2));
    shop.work().await;
    check(&shop, &order, Phase::Shipped, PaymentStatus::Succeeded, (0, 20_000, 0)).await;
}

#[tokio::test]
async fn the_rest_is_captured_after_a_part_that_staff_captured_when_the_whole_was_declined() {
    let (shop, order) = authorized().await;
    shop.processor.be(ProcessorBehavior::Declines);
    shop.move_to(&order, "shipped").await.expect("it is secured");
    shop.work().await;
    shop.processor.be(ProcessorBehavior::Answers);
    capture(&shop, &order, (Some("60.00 USD"), None)).await.expect("it is held");
    check(&shop, &order, Phase::Shipped, PaymentStatus::Succeeded, (0, 20_000, 0)).await;
}

#[tokio::test]
async fn a_capture_whose_answer_was_lost_is_done_once() {
    for behavior in [ProcessorBehavior::LosesAnswers, ProcessorBehavior::LosesRequests, ProcessorBehavior::Unavailable]
    {
        let (shop, order) = authorized().await;
        shop.processor.be(behavior);
        shop.move_to(&order, "shipped").await.expect("it is secured");
        shop.work().await;
        assert_eq!(shop.order(&order).await.payment.status, PaymentStatus::Authorized);
        shop.processor.be(ProcessorBehavior::Answers);
        shop.wait(TimeDelta::hours(1));
        shop.work().await;
        check(&shop, &order, Phase::Shipped, PaymentStatus::Succeeded, (0, 20_000, 0)).await;
    }
}

#[tokio::test]
async fn a_capture_that_is_found_after_the_cancellation_is_refunded() {
    let (shop, order) = authorized().await;
    shop.processor.be(ProcessorBehavior::LosesAnswers);
    capture(&shop, &order, (Some("60.00 USD"), None)).await.expect("it is held");
    shop.processor.be(ProcessorBehavior::Unavailable);
    shop.command(&customer("ann"), &order, Command::Cancel { reason: None }).await.expect("it can be cancelled");
    shop.work().await;
    shop.processor.be(ProcessorBehavior::Answers);
    shop.wait(TimeDelta::hours(2));
    shop.work().await;
    check(&shop, &order, Phase::Cancelled, PaymentStatus::Refunded, (0, 6_000, 6_000)).await;
}

#[tokio::test]
async fn units_that_came_back_before_the_capture_are_refunded_after_it() {
    for (count, phase, kept) in [(1, Phase::Delivered, 10_000), (2, Phase::Returned, 0)] {
        let (shop, order) = authorized().await;
        shop.processor.be(ProcessorBehavior::LosesAnswers);
        for status in ["shipped", "delivered"] {
            shop.move_to(&order, status).await.expect("it is secured");
            shop.work().await;
        }
        shop.send_back("ann", &order, count).await;
        assert!(shop.order(&order).await.refunds.is_empty(), "nothing is known to be captured");
        shop.processor.be(ProcessorBehavior::Answers);
        shop.wait(TimeDelta::hours(2));
        shop.work().await;
        let now = shop.order(&order).await;
        assert_eq!(now.phase, phase);
        assert!(now.refunds.iter().all(|refund| refund.status == RefundStatus::Processed), "{:?}", now.refunds);
        agree(&shop, &now, (0, 20_000, 20_000 - kept));
        shop.verify().await;
    }
}

#[tokio::test]
async fn an_authorization_that_is_found_too_late_is_given_back() {
    let late: [fn(Order) -> (bool, Command); 2] = [
        |_| (false, Command::Cancel { reason: None }),
        |_| (true, Command::Transition { status: parse("paid"), reason: None }),
    ];
    for meanwhile in late {
        let shop = Shopfront::open(settings(), &[("MUG", "100.00 USD", 10)]).await;
        let order = shop.place("ann", &[("MUG", 2)]).await.expect("the order can be placed");
        shop.pay_with("ann", &order, "tok_timeout_paid").await.expect_err("there is no answer");
        let (is_paid, command) = meanwhile(order.clone());
        shop.command(&admin(), &order, command).await.expect("it can be done");
        shop.wait(TimeDelta::hours(1));
        shop.work().await;
        let now = shop.order(&order).await;
        assert_eq!((now.payment.held, !now.payment.captured.is_zero()), (None, is_paid));
        let book = &shop.processor.books()[&order.payment.id];
        assert_eq!((book.held(), book.captured()), (0, 0));
        shop.verify().await;
    }
}

#[tokio::test]
async fn an_order_whose_units_were_sold_gives_back_what_is_held() {
    let shop = Shopfront::open(settings(), &[("MUG", "100.00 USD", 1)]).await;
    let order = shop.place("ann", &[("MUG", 1)]).await.expect("the order can be placed");
    shop.pay_with("ann", &order, "tok_timeout_paid").await.expect_err("there is no answer");
    shop.processor.be(ProcessorBehavior::Answers);
    shop.wait(TimeDelta::minutes(31));
    shop.paid("bob", &[("MUG", 1)]).await;
    shop.wait(TimeDelta::hours(1));
    shop.work().await;
    let now = shop.order(&order).await;
    assert_eq!((now.phase, now.payment.held), (Phase::Cancelled, None));
    assert_eq!(shop.processor.books()[&order.payment.id].held(), 0);
    shop.verify().await;
}

#[tokio::test]
async fn a_hold_that_runs_out_is_captured_given_back_or_told() {
    for (setting, status, money) in [
        (ExpiringHold::Capture, PaymentStatus::Succeeded, (0, 20_000, 0)),
        (ExpiringHold::Void, PaymentStatus::Voided, (0, 0, 0)),
        (ExpiringHold::Notify, PaymentStatus::Authorized, (20_000, 0, 0)),
    ] {
        let mut settings = settings();
        settings.expiring_hold = setting;
        let shop = Shopfront::open(settings, &[("MUG", "100.00 USD", 10)]).await;
        let order = shop.place("ann", &[("MUG", 2)]).await.expect("the order can be placed");
        shop.pay("ann", &order).await.expect("it can be paid");
        for (days, expected) in
            [(5, (PaymentStatus::Authorized, (20_000, 0, 0))), (1, (status, money)), (3, (status, money))]
        {
            shop.wait(TimeDelta::days(days));
            shop.work().await;
            check(&shop, &order, Phase::Paid, expected.0, expected.1).await;
        }
        let page = PageRequest { limit: 100, after: None };
        let history = shop.engine.order_history(&admin(), &OrderRef::Id(order.id), &page).await.expect("it is there");
        let told = history.items.iter().filter(|item| item.entry.event.event_type() == "payment.hold_expiring");
        assert_eq!(told.count(), usize::from(setting == ExpiringHold::Notify));
    }
}

#[tokio::test]
async fn a_hold_that_the_processor_gave_back_is_known() {
    let (shop, order) = authorized().await;
    let void = ProcessorEvent {
        id: parse("event-by-hand"),
        at: shop.engine.now(),
        payment: Some(order.payment.id),
        operation: None,
        kind: OperationKind::Void,
        amount: parse("200.00 USD"),
        answer: OperationAnswer::new(OperationOutcome::Succeeded { amount: parse("200.00 USD") }),
    };
    let (signature, body) = FakeProcessor::webhook(void.at, std::slice::from_ref(&void));
    let webhook = Webhook { headers: &[("x-signature", &signature)], body: &body, at: void.at };
    shop.engine.receive_webhook("fake", &webhook).await.expect("it is signed");
    shop.work().await;
    let now = shop.order(&order).await;
    assert_eq!((now.phase, now.payment.status, now.payment.held), (Phase::Paid, PaymentStatus::Voided, None));
    shop.move_to(&order, "shipped").await.expect_err("it is not secured");
    shop.verify().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_captures_at_once_those_that_are_held_are_done() {
    let (shop, order) = authorized().await;
    let capture = || {
        let (engine, payment) = (shop.engine.clone(), order.payment.id);
        let wanted = (Some(parse("120.00 USD")), None);
        tokio::spawn(async move { engine.capture_payment(&admin(), payment, wanted, None).await })
    };
    let tasks: Vec<_> = (0..50).map(|_| capture()).collect();
    let mut accepted = 0;
    for task in tasks {
        match task.await.expect("no capture panics") {
            Ok(Reply::Fresh(_)) => accepted += 1,
            other => assert!(matches!(other, Err(EngineError::Payment(PaymentRejection::Amount { .. }))), "{other:?}"),
        }
    }
    shop.work().await;
    assert_eq!(accepted, 1);
    check(&shop, &order, Phase::Paid, PaymentStatus::Authorized, (8_000, 12_000, 0)).await;
    let states: Vec<_> = operations(&shop, &order).await.iter().map(|done| (done.kind, done.state)).collect();
    let done = [OperationKind::Authorize, OperationKind::Capture].map(|kind| (kind, OperationState::Succeeded));
    assert_eq!(states, done);
}
