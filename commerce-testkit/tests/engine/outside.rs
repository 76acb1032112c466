//! Money that moves at the processor without the shop: disputes, refunds made there, and refunds that come back.

use chrono::{DateTime, TimeDelta, Utc};
use commerce_core::engine::EngineError;
use commerce_core::order::{Command, Order, PaymentStatus, Phase, RefundOf, RefundStatus};
use commerce_core::payment::{
    DeclineCode, Details, Operation, OperationAnswer, OperationKind, OperationOutcome, OperationState, ReceivedState,
};
use commerce_core::port::{OperationLookup, OrderRef, PageRequest, Processor as _, ProcessorEvent, Webhook};
use commerce_core::saga::{SagaStep, StepState};
use commerce_core::task::{TaskKind, TaskState};
use commerce_testkit::commit_builder::parse;
use commerce_testkit::{FakeProcessor, ProcessorBehavior};
use serde_json::json;

use crate::shopfront::{Shopfront, admin, customer};

/// A shop with an order of 100 USD that is paid.
async fn shop() -> (Shopfront, Order) {
    let shop = Shopfront::stocked(&[("MUG", "100.00 USD", 10)]).await;
    let order = shop.place("ann", &[("MUG", 1)]).await.expect("the order can be placed");
    shop.pay("ann", &order).await.expect("it can be paid");
    (shop, order)
}

/// How an operation that the shop did not start stands at the processor.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stand {
    Open,
    Done,
    Reversed,
}

use Stand::{Done, Open, Reversed};

fn event(order: &Order, kind: OperationKind, amount: &str, stand: Stand) -> ProcessorEvent {
    let amount = parse(amount);
    let outcome = match stand {
        Open => OperationOutcome::Pending { next: None },
        Done => OperationOutcome::Succeeded { amount },
        Reversed => OperationAnswer::declined(DeclineCode::AccountClosed).outcome,
    };
    let reference = format!("{kind}-1");
    ProcessorEvent {
        id: parse(&format!("event-{kind}-{stand:?}")),
        at: DateTime::UNIX_EPOCH,
        payment: None,
        operation: None,
        kind,
        amount,
        answer: OperationAnswer {
            payment_reference: Some(parse(&format!("pay-{}", order.payment.id))),
            reference: Some(parse(&reference)),
            ..OperationAnswer::new(outcome)
        },
    }
}

/// A dispute of 100 USD that is open, with evidence due.
fn opened(order: &Order, due: DateTime<Utc>) -> ProcessorEvent {
    let mut event = event(order, OperationKind::Dispute, "100.00 USD", Open);
    event.answer.details = Details::new(json!({ "reason": "fraudulent", "evidence_due_by": due }));
    event
}

async fn send(shop: &Shopfront, events: &[ProcessorEvent]) {
    let at = shop.engine.now();
    let (signature, body) = FakeProcessor::webhook(at, events);
    let webhook = Webhook { headers: &[("x-signature", &signature)], body: &body, at };
    shop.engine.receive_webhook("fake", &webhook).await.expect("it is signed");
    shop.work().await;
}

async fn last_operation(shop: &Shopfront, order: &Order) -> Operation {
    let view = shop.engine.payment(&admin(), order.payment.id).await.expect("the payment is there");
    view.payment.and_then(|payment| payment.operations.last().cloned()).expect("an operation")
}

/// The refunds of an order, and what is refunded.
async fn refunds(shop: &Shopfront, order: &Order) -> (Vec<RefundStatus>, String) {
    let order = shop.order(order).await;
    (order.refunds.iter().map(|refund| refund.status).collect(), order.payment.refunded.to_string())
}

async fn refund(shop: &Shopfront, order: &Order, amount: &str) -> Result<Order, EngineError> {
    let command = Command::Refund { of: RefundOf::Amount(parse(amount)), reason: None };
    let refunded = shop.command(&admin(), order, command).await;
    shop.work().await;
    refunded
}

#[tokio::test]
async fn a_dispute_that_is_lost_is_money_out_without_a_call() {
    let (shop, order) = shop().await;
    let calls = shop.processor.calls();
    send(&shop, &[opened(&order, shop.engine.now() + TimeDelta::days(9))]).await;
    assert_eq!(last_operation(&shop, &order).await.state, OperationState::Pending);
    assert_eq!(refunds(&shop, &order).await, (vec![RefundStatus::Requested], "0.00 USD".to_owned()));
    refund(&shop, &order, "1.00 USD").await.expect_err("the bank may take all of it");
    send(&shop, &[event(&order, OperationKind::Dispute, "100.00 USD", Done)]).await;
    let lost = shop.order(&order).await;
    assert_eq!((lost.payment.refunded, lost.payment.status), (parse("100.00 USD"), PaymentStatus::Refunded));
    assert_eq!(shop.processor.calls(), calls, "the processor is not asked for what it told");
    let cancelled = shop.command(&customer("ann"), &order, Command::Cancel { reason: None }).await;
    assert_eq!(cancelled.expect("it is not shipped").phase, Phase::Cancelled);
    shop.work().await;
    assert_eq!(refunds(&shop, &order).await.0, [RefundStatus::Processed], "nothing is left to refund");
    shop.verify().await;
}

#[tokio::test]
async fn staff_are_told_two_days_before_evidence_is_due() {
    let (shop, order) = shop().await;
    let due = shop.engine.now() + TimeDelta::days(9);
    send(&shop, &[opened(&order, due)]).await;
    let task = async || {
        let page = PageRequest { limit: 10, after: None };
        let tasks = shop.engine.tasks(&admin(), None, &page).await.expect("the tasks").items;
        tasks.into_iter().find(|task| task.key.kind == TaskKind::ANSWER_DISPUTE)
    };
    let scheduled = task().await.expect("a task");
    assert_eq!((scheduled.due, scheduled.key.subject), (due - TimeDelta::days(2), order.payment.id.to_string()));
    shop.wait(TimeDelta::days(7));
    shop.engine.run_due_tasks(10).await.expect("the store answers");
    let told = task().await.expect("it waits for staff");
    assert_eq!(told.state(shop.engine.now()), TaskState::Dead);
    assert!(told.last_error.is_some_and(|error| error.contains("dispute-1") && error.contains(&due.to_string())));
    shop.verify().await;
    send(&shop, &[event(&order, OperationKind::Dispute, "100.00 USD", Reversed)]).await;
    assert_eq!(task().await, None, "the dispute is won");
    assert_eq!(refunds(&shop, &order).await, (vec![RefundStatus::Failed], "0.00 USD".to_owned()));
    assert_eq!(refund(&shop, &order, "100.00 USD").await.map(|order| order.refunds.len()).ok(), Some(2));
    shop.verify().await;
}

/// Every order of the events, and every event twice.
fn histories(stands: &[Stand]) -> Vec<Vec<Stand>> {
    let [first, rest @ ..] = stands else { return vec![Vec::new()] };
    let insert = |mut shorter: Vec<Stand>, place: usize| {
        shorter.insert(place, *first);
        shorter
    };
    histories(rest)
        .into_iter()
        .flat_map(|found| (0..=found.len()).map(move |place| insert(found.clone(), place)))
        .collect()
}

#[tokio::test]
async fn events_in_any_order_end_alike() {
    let ends: [(&[Stand], OperationState, RefundStatus, &str); 4] = [
        (&[Open, Open], OperationState::Pending, RefundStatus::Requested, "0.00 USD"),
        (&[Open, Done, Done], OperationState::Succeeded, RefundStatus::Processed, "30.00 USD"),
        (&[Open, Reversed], OperationState::Declined, RefundStatus::Failed, "0.00 USD"),
        (&[Open, Done, Reversed, Done], OperationState::Declined, RefundStatus::Failed, "0.00 USD"),
    ];
    for kind in [OperationKind::Dispute, OperationKind::Refund] {
        for (stands, state, status, refunded) in &ends {
            for history in histories(stands) {
                let (shop, order) = shop().await;
                for stand in &history {
                    send(&shop, &[event(&order, kind, "30.00 USD", *stand)]).await;
                }
                let ended = last_operation(&shop, &order).await;
                assert_eq!((ended.kind, ended.state, ended.ask_at), (kind, *state, None), "{history:?}");
                let (statuses, sum) = refunds(&shop, &order).await;
                assert_eq!((&statuses[..], &*sum), (&[*status][..], *refunded), "{history:?}");
                shop.verify().await;
            }
        }
    }
}

#[tokio::test]
async fn a_refund_made_at_the_processor_is_one_of_the_order() {
    let (shop, order) = shop().await;
    send(&shop, &[event(&order, OperationKind::Refund, "30.00 USD", Done)]).await;
    assert_eq!(refunds(&shop, &order).await, (vec![RefundStatus::Processed], "30.00 USD".to_owned()));
    refund(&shop, &order, "70.01 USD").await.expect_err("it is more than what is left");
    refund(&shop, &order, "70.00 USD").await.expect("it is left");
    let refunded = shop.order(&order).await.payment;
    assert_eq!((refunded.refunded, refunded.status), (parse("100.00 USD"), PaymentStatus::Refunded));
    shop.verify().await;
}

/// The processor tells how its own refund ends. A dispute, and money that the shop cannot account for, wait for staff.
#[tokio::test]
async fn a_refund_that_is_pending_at_the_processor_waits_for_nobody() {
    for (kind, amount, stand, state) in [
        (OperationKind::Refund, "30.00 USD", Open, StepState::Compensating),
        (OperationKind::Refund, "30.00 EUR", Done, StepState::NeedsAttention),
        (OperationKind::Dispute, "30.00 USD", Open, StepState::NeedsAttention),
    ] {
        let (shop, order) = shop().await;
        send(&shop, &[event(&order, kind, amount, stand)]).await;
        let saga = shop.engine.saga(&admin(), &OrderRef::Id(order.id)).await.expect("staff see it").saga;
        let pay = saga.steps.iter().find(|report| report.step == SagaStep::Pay).map(|report| report.state);
        assert_eq!(pay, Some(state), "{kind} {stand:?}");
    }
}

#[tokio::test]
async fn a_refund_that_comes_back_can_be_made_again() {
    let (shop, order) = shop().await;
    refund(&shop, &order, "40.00 USD").await.expect("it is left");
    assert_eq!(refunds(&shop, &order).await, (vec![RefundStatus::Processed], "40.00 USD".to_owned()));
    let paid = last_operation(&shop, &order).await;
    let back = ProcessorEvent {
        payment: Some(order.payment.id),
        operation: Some(paid.id),
        ..event(&order, OperationKind::Refund, "40.00 USD", Reversed)
    };
    send(&shop, &[back]).await;
    assert_eq!(refunds(&shop, &order).await, (vec![RefundStatus::Failed], "0.00 USD".to_owned()));
    assert_eq!(shop.order(&order).await.payment.status, PaymentStatus::Succeeded);
    refund(&shop, &order, "50.00 USD").await.expect("the money is with the shop");
    let (statuses, sum) = refunds(&shop, &order).await;
    assert_eq!((statuses, &*sum), (vec![RefundStatus::Failed, RefundStatus::Processed], "50.00 USD"));
    shop.verify().await;
}

#[tokio::test]
async fn an_event_that_came_too_early_is_tried_when_its_payment_appears() {
    let shop = Shopfront::stocked(&[("MUG", "100.00 USD", 10)]).await;
    let order = shop.place("ann", &[("MUG", 1)]).await.expect("the order can be placed");
    for _ in 0..3 {
        send(&shop, &[event(&order, OperationKind::Refund, "30.00 USD", Done)]).await;
        shop.wait(TimeDelta::minutes(6));
        shop.work().await;
    }
    assert_eq!(refunds(&shop, &order).await.0, []);
    shop.pay("ann", &order).await.expect("it can be paid");
    shop.work().await;
    assert_eq!(refunds(&shop, &order).await, (vec![RefundStatus::Processed], "30.00 USD".to_owned()));
    shop.verify().await;
}

/// The sums of the orders, and whether they are those of the processor's books.
async fn books_are_equal(shop: &Shopfront, orders: &[Order]) -> bool {
    let books = shop.processor.books();
    let mut equal = true;
    for order in orders {
        let payment = shop.order(order).await.payment;
        let book = books.get(&order.payment.id).cloned().unwrap_or_default();
        equal &= (payment.captured.minor(), payment.refunded.minor()) == (book.captured(), book.refunded());
    }
    equal
}

/// No task is due that asks about a payment: what the shop knows, it knows from the list.
#[tokio::test]
async fn after_webhooks_were_off_one_pull_makes_the_books_equal() {
    let shop = Shopfront::stocked(&[("MUG", "100.00 USD", 40)]).await;
    let mut orders = Vec::new();
    for number in 0..8 {
        let order = shop.place("ann", &[("MUG", 1)]).await.expect("the order can be placed");
        let token = ["tok_ok", "tok_pending", "tok_timeout_paid", "tok_timeout", "tok_declined"][number % 5];
        drop(shop.pay_with("ann", &order, token).await);
        if number % 5 == 0 {
            shop.processor.be(ProcessorBehavior::LosesAnswers);
            refund(&shop, &order, "60.00 USD").await.expect("it is paid");
            shop.processor.be(ProcessorBehavior::Answers);
        }
        orders.push(order);
    }
    for order in &orders {
        let view = shop.engine.payment(&admin(), order.payment.id).await.expect("the payment is there");
        let payment = view.payment.expect("it was sent");
        for operation in &payment.operations {
            let lookup = OperationLookup { id: operation.id, kind: operation.kind, payment: payment.terms() };
            shop.processor.find(&lookup).await.expect("it answers");
        }
    }
    assert!(!books_are_equal(&shop, &orders).await, "nobody told the shop");
    let told = shop.engine.pull_events().await.expect("the processor answers");
    assert!(told > 4, "{told} events");
    shop.work().await;
    assert!(books_are_equal(&shop, &orders).await);
    assert_eq!(shop.engine.pull_events().await.expect("the processor answers"), 0);
    shop.verify().await;
}

#[tokio::test]
async fn a_refund_in_another_currency_waits_for_staff() {
    let (shop, order) = shop().await;
    send(&shop, &[event(&order, OperationKind::Refund, "30.00 EUR", Done)]).await;
    assert_eq!(last_operation(&shop, &order).await.state, OperationState::Unknown);
    assert_eq!(refunds(&shop, &order).await.0, []);
    shop.verify().await;
}

#[tokio::test]
async fn an_event_that_names_an_operation_of_another_kind_waits_for_staff() {
    let (shop, order) = shop().await;
    let paid = last_operation(&shop, &order).await;
    let refund = event(&order, OperationKind::Refund, "100.00 USD", Reversed);
    send(&shop, &[ProcessorEvent { operation: Some(paid.id), ..refund }]).await;
    assert_eq!(last_operation(&shop, &order).await, paid);
    let unmatched = Some(ReceivedState::Unmatched);
    let events = shop.engine.received_events(&admin(), unmatched, &PageRequest::first(9)).await.expect("an admin");
    assert_eq!(events.items.len(), 1);
    shop.verify().await;
}
