//! Payments when the processor is slow, silent, or answers late.

use chrono::TimeDelta;
use commerce_core::engine::{EngineError, Target};
use commerce_core::ids::OperationId;
use commerce_core::order::{Command, Order, OrderRejection, PaymentStatus, Phase, Refund, RefundOf, RefundStatus};
use commerce_core::payment::{
    BookEntry, CaptureMode, DeclineCode, NewOperation, Operation, OperationKind, OperationOutcome, OperationState,
    Payment, PaymentRejection, RefundPart,
};
use commerce_core::port::{OrderRef, Processor as _, Webhook};
use commerce_core::settings::Settings;
use commerce_testkit::commit_builder::{CURRENCY, order_of, parse};
use commerce_testkit::{CommitBuilder, FakeProcessor, ProcessorBehavior};

use crate::shopfront::{Shopfront, admin, customer};

async fn shop() -> (Shopfront, Order) {
    let shop = Shopfront::stocked(&[("MUG", "100.00 USD", 10)]).await;
    let order = shop.place("ann", &[("MUG", 1)]).await.expect("the order can be placed");
    (shop, order)
}

async fn operations(shop: &Shopfront, order: &Order) -> Vec<Operation> {
    let view = shop.engine.payment(&admin(), order.payment.id).await.expect("the payment is there");
    view.payment.map(|payment| payment.operations).unwrap_or_default()
}

async fn states(shop: &Shopfront, order: &Order) -> Vec<(OperationKind, OperationState)> {
    operations(shop, order).await.iter().map(|operation| (operation.kind, operation.state)).collect()
}

/// The operations end as they did at the processor, and the history tells the same.
async fn check(shop: &Shopfront, order: &Order) {
    let books = shop.processor.books();
    for operation in operations(shop, order).await {
        let entry = books.get(&order.payment.id).and_then(|book| book.find(operation.id));
        let moved = entry.is_some_and(is_done);
        assert_eq!(operation.state == OperationState::Succeeded, moved, "{operation:?}");
    }
    shop.verify().await;
}

fn is_done(entry: &BookEntry) -> bool {
    matches!(entry.answer.outcome, OperationOutcome::Succeeded { .. })
}

#[tokio::test]
async fn an_answer_that_was_lost_is_found() {
    let (shop, order) = shop().await;
    let lost = shop.pay_with("ann", &order, "tok_timeout_paid").await;
    assert!(matches!(lost, Err(EngineError::Payments(_))), "{lost:?}");
    assert_eq!(states(&shop, &order).await, [(OperationKind::Authorize, OperationState::Unknown)]);
    assert_eq!(shop.order(&order).await.phase, Phase::AwaitingPayment);
    shop.verify().await;
    shop.wait(TimeDelta::seconds(5));
    shop.work().await;
    assert_eq!(shop.order(&order).await.phase, Phase::Paid);
    check(&shop, &order).await;
}

#[tokio::test]
async fn a_request_that_was_lost_ends_when_it_cannot_arrive_any_more() {
    let (shop, order) = shop().await;
    shop.pay_with("ann", &order, "tok_timeout").await.expect_err("there is no answer");
    for _ in 0..4 {
        shop.wait(TimeDelta::minutes(1));
        shop.work().await;
        assert_eq!(states(&shop, &order).await, [(OperationKind::Authorize, OperationState::Unknown)]);
        shop.verify().await;
    }
    shop.wait(TimeDelta::minutes(5));
    shop.work().await;
    let [ended] = &operations(&shop, &order).await[..] else { panic!("one operation") };
    assert_eq!(ended.decline.as_ref().map(|decline| decline.code), Some(DeclineCode::NotReceived));
    let unpaid = shop.order(&order).await.payment;
    assert_eq!((unpaid.status, unpaid.declined), (PaymentStatus::Pending, 0), "the customer did nothing wrong");
    shop.pay("ann", &order).await.expect("it can be tried again");
    assert_eq!(operations(&shop, &order).await.len(), 2);
    check(&shop, &order).await;
}

#[tokio::test]
async fn a_repeated_confirmation_repeats_the_operation() {
    let (shop, order) = shop().await;
    for token in ["tok_timeout", "tok_timeout_paid"] {
        shop.pay_with("ann", &order, token).await.expect_err("there is no answer");
    }
    let paid = shop.pay("ann", &order).await.expect("the processor knows it");
    assert_eq!((paid.phase, operations(&shop, &order).await.len()), (Phase::Paid, 1));
    check(&shop, &order).await;
}

#[tokio::test]
async fn attempts_without_an_answer_do_not_use_up_the_questions() {
    let (shop, order) = shop().await;
    for _ in 0..20 {
        shop.pay_with("ann", &order, "tok_timeout").await.expect_err("there is no answer");
        shop.wait(TimeDelta::seconds(6));
    }
    shop.pay_with("ann", &order, "tok_timeout_paid").await.expect_err("there is no answer");
    shop.wait(TimeDelta::seconds(5));
    shop.work().await;
    assert_eq!(shop.order(&order).await.phase, Phase::Paid);
    check(&shop, &order).await;
}

#[tokio::test]
async fn no_connection_after_a_time_out_does_not_end_the_operation() {
    let (shop, order) = shop().await;
    for token in ["tok_timeout_paid", "tok_unavailable"] {
        shop.pay_with("ann", &order, token).await.expect_err("there is no answer");
    }
    assert_eq!(states(&shop, &order).await, [(OperationKind::Authorize, OperationState::Unknown)]);
    shop.wait(TimeDelta::minutes(1));
    shop.work().await;
    assert_eq!(shop.order(&order).await.phase, Phase::Paid);
    check(&shop, &order).await;
}

#[tokio::test]
async fn without_a_connection_nothing_is_asked() {
    let (shop, order) = shop().await;
    shop.pay_with("ann", &order, "tok_unavailable").await.expect_err("there is no connection");
    let [ended] = &operations(&shop, &order).await[..] else { panic!("one operation") };
    assert_eq!((ended.state, ended.ask_at), (OperationState::Declined, None));
    check(&shop, &order).await;
}

#[tokio::test]
async fn what_is_pending_is_asked_about() {
    let (shop, order) = shop().await;
    let waiting = shop.pay_with("ann", &order, "tok_pending").await.expect("it is an answer");
    assert_eq!(waiting.phase, Phase::AwaitingPayment);
    assert_eq!(states(&shop, &order).await, [(OperationKind::Authorize, OperationState::Pending)]);
    shop.wait(TimeDelta::seconds(5));
    shop.work().await;
    assert_eq!(shop.order(&order).await.phase, Phase::Paid);
    check(&shop, &order).await;
}

#[tokio::test]
async fn money_that_is_found_after_the_cancellation_is_paid_back() {
    let (shop, order) = shop().await;
    shop.pay_with("ann", &order, "tok_timeout_paid").await.expect_err("there is no answer");
    shop.command(&customer("ann"), &order, Command::Cancel { reason: None }).await.expect("it is not paid");
    shop.wait(TimeDelta::seconds(5));
    shop.work().await;
    let cancelled = shop.order(&order).await;
    assert_eq!((cancelled.phase, cancelled.payment.status), (Phase::Cancelled, PaymentStatus::Refunded));
    assert_eq!(shop.processor.books()[&order.payment.id].refunded(), 10_000);
    check(&shop, &order).await;
}

#[tokio::test]
async fn money_that_is_found_after_another_payment_is_paid_back() {
    let (shop, order) = shop().await;
    shop.pay_with("ann", &order, "tok_timeout_paid").await.expect_err("there is no answer");
    shop.move_to(&order, "paid").await.expect("it was paid by bank transfer");
    shop.wait(TimeDelta::seconds(5));
    shop.work().await;
    let paid = shop.order(&order).await;
    assert_eq!((paid.phase, paid.payment.captured), (Phase::Paid, parse("200.00 USD")));
    assert_eq!((paid.payment.refunded, paid.refunds.len()), (parse("100.00 USD"), 1));
    shop.verify().await;
}

#[tokio::test]
async fn while_the_processor_is_down_nothing_is_assumed() {
    let (shop, order) = shop().await;
    shop.pay_with("ann", &order, "tok_timeout_paid").await.expect_err("there is no answer");
    shop.processor.be(ProcessorBehavior::Unavailable);
    for _ in 0..12 {
        shop.wait(TimeDelta::minutes(30));
        shop.work().await;
    }
    assert_eq!(states(&shop, &order).await, [(OperationKind::Authorize, OperationState::Unknown)]);
    assert_eq!(shop.order(&order).await.phase, Phase::Cancelled, "its reservation ended");
    shop.processor.be(ProcessorBehavior::Answers);
    shop.wait(TimeDelta::hours(1));
    shop.work().await;
    assert_eq!(shop.order(&order).await.payment.status, PaymentStatus::Refunded);
    check(&shop, &order).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_refunds_at_once_those_that_are_covered_are_paid() {
    let (shop, order) = shop().await;
    shop.pay("ann", &order).await.expect("it can be paid");
    let refund = || {
        let (shop, order) = (shop.clone(), OrderRef::Id(order.id));
        let command = Command::Refund { of: RefundOf::Amount(parse("60.00 USD")), reason: None };
        tokio::spawn(async move { shop.engine.command(&admin(), Target::any(&order), command, None).await })
    };
    let tasks: Vec<_> = (0..200).map(|_| refund()).collect();
    let mut accepted = 0;
    for task in tasks {
        match task.await.expect("no refund panics") {
            Ok(_) => accepted += 1,
            Err(error) => assert!(matches!(error, EngineError::Order(OrderRejection::RefundAmount { .. })), "{error}"),
        }
    }
    shop.work().await;
    assert_eq!((accepted, shop.processor.books()[&order.payment.id].refunded()), (1, 6_000));
    check(&shop, &order).await;
}

#[tokio::test]
async fn a_refund_whose_answer_was_lost_is_paid_once() {
    let (shop, order) = shop().await;
    let paid = shop.pay("ann", &order).await.expect("it can be paid");
    shop.processor.be(ProcessorBehavior::LosesAnswers);
    shop.command(&customer("ann"), &paid, Command::Cancel { reason: None }).await.expect("it can be cancelled");
    shop.work().await;
    let last = |states: Vec<_>| states.last().copied();
    assert_eq!(last(states(&shop, &order).await), Some((OperationKind::Refund, OperationState::Unknown)));
    assert_eq!(shop.order(&order).await.refunds[0].status, RefundStatus::Requested);
    shop.processor.be(ProcessorBehavior::Answers);
    shop.wait(TimeDelta::minutes(1));
    shop.work().await;
    assert_eq!(shop.order(&order).await.refunds[0].status, RefundStatus::Processed);
    assert_eq!(shop.processor.books()[&order.payment.id].refunded(), 10_000);
    check(&shop, &order).await;
}

#[tokio::test]
async fn money_that_was_received_elsewhere_is_paid_back_by_staff() {
    let (shop, order) = shop().await;
    let received = Command::Transition { status: parse("paid"), reason: None };
    shop.command(&admin(), &order, received).await.expect("staff can record a payment");
    for part in ["10.00 USD", "20.00 USD"] {
        let refund = Command::Refund { of: RefundOf::Amount(parse(part)), reason: None };
        shop.command(&admin(), &order, refund).await.expect("it can be refunded");
        shop.work().await;
    }
    assert!(shop.processor.books().is_empty(), "the processor never had the money");
    let refunds = shop.order(&order).await.refunds;
    let standing =
        |refunds: &[Refund]| refunds.iter().map(|refund| (refund.elsewhere, refund.status)).collect::<Vec<_>>();
    assert_eq!(standing(&refunds), [(true, RefundStatus::Requested); 2]);
    for _ in 0..2 {
        let paid = shop.engine.note_refund_paid(&admin(), order.payment.id, refunds[1].id, None).await;
        let paid = paid.expect("it is one of staff").into_fresh().expect("it was not answered before").order;
        assert_eq!(standing(&paid.refunds), [(true, RefundStatus::Requested), (true, RefundStatus::Processed)]);
        assert_eq!(paid.payment.refunded, parse("20.00 USD"));
    }
    shop.verify().await;
}

/// A refund at the processor is none of the money that was received elsewhere.
#[test]
fn a_refund_that_was_made_at_the_processor_is_of_its_money() {
    let shop = CommitBuilder::new(1);
    let order = order_of(&shop.place(shop.new_order(&[("MUG", 1)], shop.at(0)), shop.at(0))).clone();
    let mut payment = Payment::new(&order, parse("fake"), CaptureMode::Automatic, shop.at(0));
    let amount = payment.amount;
    let new = NewOperation::new(OperationId::new(shop.uuid()), OperationKind::Authorize, amount);
    payment.request(new, shop.at(0)).expect("it is the first");
    let template = payment.operations[0].clone();
    let done = |kind, reference: Option<&str>, at| Operation {
        id: OperationId::new(shop.uuid()),
        kind,
        state: OperationState::Succeeded,
        reference: reference.map(parse),
        sent: 0,
        updated_at: shop.at(at),
        ..template.clone()
    };
    payment.operations = vec![
        done(OperationKind::Capture, None, 1),
        done(OperationKind::Capture, Some("ch_1"), 2),
        done(OperationKind::Refund, Some("re_1"), 3),
    ];
    assert_eq!(payment.refund_parts(amount), [RefundPart { amount, elsewhere: true }]);
}

/// The order was paid by bank transfer, and then, by an answer that was lost, by card.
#[tokio::test]
async fn what_was_received_last_goes_back_first() {
    let (shop, order) = shop().await;
    shop.pay_with("ann", &order, "tok_timeout_paid").await.expect_err("there is no answer");
    shop.move_to(&order, "paid").await.expect("it was paid by bank transfer");
    shop.wait(TimeDelta::seconds(5));
    shop.work().await;
    let refunds = shop.order(&order).await.refunds;
    assert_eq!(refunds.iter().map(|refund| refund.elsewhere).collect::<Vec<_>>(), [false], "the card paid too much");
    let cancelled = shop.command(&customer("ann"), &order, Command::Cancel { reason: None }).await.expect("it can be");
    assert_eq!(cancelled.refunds.iter().map(|refund| refund.elsewhere).collect::<Vec<_>>(), [false, true]);
    let by_processor = shop.engine.note_refund_paid(&admin(), order.payment.id, refunds[0].id, None).await;
    assert!(matches!(by_processor, Err(EngineError::Payment(PaymentRejection::NotElsewhere))), "{by_processor:?}");
    shop.work().await;
    assert_eq!(shop.processor.books()[&order.payment.id].refunded(), 10_000);
    shop.verify().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempts_at_the_same_time_do_not_pass_the_limit() {
    let mut settings = Settings::new(CURRENCY);
    settings.unpaid.declined_payments = Some(3);
    let shop = Shopfront::open(settings, &[("MUG", "100.00 USD", 10)]).await;
    let order = shop.place("ann", &[("MUG", 1)]).await.expect("the order can be placed");
    shop.processor.be(ProcessorBehavior::Declines);
    let attempts = || {
        let (engine, payment) = (shop.engine.clone(), order.payment.id);
        tokio::spawn(async move {
            for _ in 0..10 {
                drop(engine.confirm_payment(&customer("ann"), payment, "tok_declined".into(), None).await);
            }
        })
    };
    for attempt in (0..20).map(|_| attempts()).collect::<Vec<_>>() {
        attempt.await.expect("no attempt panics");
    }
    assert_eq!((operations(&shop, &order).await.len(), shop.order(&order).await.payment.declined), (3, 3));
    check(&shop, &order).await;
}

/// Sends what happened at the processor, twice and the latest first.
async fn send_webhooks(shop: &Shopfront) {
    let mut events = shop.processor.list(None).await.expect("it answers").events;
    events.reverse();
    let at = shop.engine.now();
    let (signature, body) = FakeProcessor::webhook(at, &events);
    for _ in 0..2 {
        let webhook = Webhook { headers: &[("x-signature", &signature)], body: &body, at };
        shop.engine.receive_webhook("fake", &webhook).await.expect("it is signed");
    }
    shop.work().await;
}

#[tokio::test]
async fn a_webhook_before_or_after_the_answer_records_one_payment() {
    for token in ["tok_ok", "tok_timeout_paid", "tok_pending"] {
        for webhook_first in [true, false] {
            let (shop, order) = shop().await;
            drop(shop.pay_with("ann", &order, token).await);
            if webhook_first {
                send_webhooks(&shop).await;
            }
            shop.wait(TimeDelta::minutes(10));
            shop.work().await;
            send_webhooks(&shop).await;
            let paid = shop.order(&order).await;
            assert_eq!((paid.phase, paid.payment.captured), (Phase::Paid, parse("100.00 USD")), "{token}");
            assert_eq!(states(&shop, &order).await, [(OperationKind::Authorize, OperationState::Succeeded)]);
            check(&shop, &order).await;
        }
    }
}

#[tokio::test]
async fn events_that_were_missed_are_pulled() {
    let (shop, order) = shop().await;
    shop.pay_with("ann", &order, "tok_timeout_paid").await.expect_err("there is no answer");
    assert_eq!(shop.engine.pull_events().await.expect("it answers"), 1);
    shop.work().await;
    assert_eq!(shop.order(&order).await.phase, Phase::Paid);
    assert_eq!(shop.engine.pull_events().await.expect("it answers"), 0);
    check(&shop, &order).await;
}
