//! Payments that must be opened at the processor before the customer can pay.

use std::sync::Arc;

use chrono::TimeDelta;
use commerce_core::engine::EngineError;
use commerce_core::order::{Command, Order, Phase};
use commerce_core::payment::{OpeningState, Payment, SandboxProcessor};
use commerce_core::port::ClientSecret;
use commerce_testkit::ProcessorBehavior;

use crate::shopfront::{Shopfront, admin, customer};

async fn shop() -> Shopfront {
    Shopfront::stocked(&[("MUG", "100.00 USD", 10)]).await.that_opens_payments()
}

async fn placed(shop: &Shopfront) -> Order {
    shop.place("ann", &[("MUG", 1)]).await.expect("the order can be placed")
}

async fn payment(shop: &Shopfront, order: &Order) -> Payment {
    let view = shop.engine.payment(&admin(), order.payment.id).await.expect("the payment is there");
    view.payment.expect("it is stored")
}

async fn state(shop: &Shopfront, order: &Order) -> Option<OpeningState> {
    shop.verify().await;
    payment(shop, order).await.opening.map(|opening| opening.state)
}

async fn secret(shop: &Shopfront, order: &Order) -> Result<Option<ClientSecret>, EngineError> {
    shop.engine.client_secret(&customer("ann"), order).await
}

/// Whether the customer can pay at the processor. `None` if it does not know the payment.
fn is_open(shop: &Shopfront, order: &Order) -> Option<bool> {
    shop.processor.opened().get(&order.payment.id).copied()
}

#[tokio::test]
async fn a_payment_is_opened_by_whoever_asks_first() {
    let shop = shop().await;
    let (asked, left) = (placed(&shop).await, placed(&shop).await);
    let first = secret(&shop, &asked).await.expect("the processor answers");
    assert!(first.is_some());
    assert_eq!(state(&shop, &asked).await, Some(OpeningState::Open));
    shop.work().await;
    assert_eq!(is_open(&shop, &left), None, "the request that placed it opens it");
    shop.wait(TimeDelta::seconds(5));
    shop.work().await;
    assert_eq!((is_open(&shop, &left), state(&shop, &left).await), (Some(true), Some(OpeningState::Open)));
    let version = payment(&shop, &asked).await.version;
    assert_eq!(secret(&shop, &asked).await.expect("the processor answers"), first);
    assert_eq!(payment(&shop, &asked).await.version, version, "an answer that is known needs no commit");
}

#[tokio::test]
async fn only_the_customer_gets_the_secret() {
    let shop = shop().await;
    let order = placed(&shop).await;
    for other in [customer("bob"), admin()] {
        assert_eq!(shop.engine.client_secret(&other, &order).await.expect("nothing is asked"), None);
    }
    assert_eq!(shop.processor.calls(), 0);
}

#[tokio::test]
async fn an_order_stands_while_the_processor_is_down() {
    let shop = shop().await;
    shop.processor.be(ProcessorBehavior::Unavailable);
    let order = placed(&shop).await;
    assert!(matches!(secret(&shop, &order).await, Err(EngineError::Payments(_))));
    shop.wait(TimeDelta::seconds(5));
    shop.work().await;
    assert_eq!(state(&shop, &order).await, Some(OpeningState::Requested));
    shop.processor.be(ProcessorBehavior::Answers);
    shop.wait(TimeDelta::seconds(5));
    shop.work().await;
    assert_eq!(state(&shop, &order).await, Some(OpeningState::Open));
    assert!(secret(&shop, &order).await.expect("the processor answers").is_some());
}

#[tokio::test]
async fn an_answer_that_was_lost_opens_one_payment() {
    let shop = shop().await;
    shop.processor.be(ProcessorBehavior::LosesAnswers);
    let order = placed(&shop).await;
    assert!(matches!(secret(&shop, &order).await, Err(EngineError::Payments(_))));
    shop.processor.be(ProcessorBehavior::Answers);
    assert!(secret(&shop, &order).await.expect("the processor answers").is_some());
    assert_eq!(state(&shop, &order).await, Some(OpeningState::Open));
}

#[tokio::test]
async fn a_cancelled_order_closes_its_payment() {
    let shop = shop().await;
    let order = placed(&shop).await;
    secret(&shop, &order).await.expect("the processor answers");
    shop.command(&customer("ann"), &order, Command::Cancel { reason: None }).await.expect("it can be cancelled");
    assert_eq!(secret(&shop, &order).await.expect("nothing is asked"), None);
    shop.processor.be(ProcessorBehavior::LosesAnswers);
    shop.work().await;
    assert_eq!(state(&shop, &order).await, Some(OpeningState::Closing));
    shop.processor.be(ProcessorBehavior::Answers);
    shop.wait(TimeDelta::minutes(1));
    shop.work().await;
    assert_eq!((is_open(&shop, &order), state(&shop, &order).await), (Some(false), Some(OpeningState::Closed)));
}

#[tokio::test]
async fn an_order_that_expires_or_is_paid_in_another_way_closes_its_payment() {
    let shop = shop().await;
    let (left, paid) = (placed(&shop).await, placed(&shop).await);
    for order in [&left, &paid] {
        secret(&shop, order).await.expect("the processor answers");
    }
    shop.move_to(&paid, "paid").await.expect("staff received the money");
    shop.wait(TimeDelta::days(1));
    shop.work().await;
    assert_eq!(shop.order(&left).await.phase, Phase::Cancelled);
    for order in [&left, &paid] {
        assert_eq!((is_open(&shop, order), state(&shop, order).await), (Some(false), Some(OpeningState::Closed)));
    }
}

#[tokio::test]
async fn a_payment_that_was_never_opened_is_not_called_for() {
    let shop = shop().await;
    let order = placed(&shop).await;
    shop.command(&customer("ann"), &order, Command::Cancel { reason: None }).await.expect("it can be cancelled");
    shop.wait(TimeDelta::minutes(1));
    shop.work().await;
    assert_eq!((shop.processor.calls(), state(&shop, &order).await), (0, Some(OpeningState::Closed)));
}

#[tokio::test]
async fn a_paid_payment_needs_no_closing() {
    let shop = shop().await;
    let order = placed(&shop).await;
    shop.pay("ann", &order).await.expect("it can be paid at once");
    shop.wait(TimeDelta::minutes(1));
    shop.work().await;
    assert_eq!((shop.processor.calls(), state(&shop, &order).await), (1, Some(OpeningState::Closed)));
    assert_eq!(shop.order(&order).await.phase, Phase::Paid);
}

#[tokio::test]
async fn a_secret_without_a_call_does_not_end_an_outage() {
    let shop = Shopfront::stocked(&[("MUG", "100.00 USD", 10)]).await;
    let shop = shop.paid_through(Arc::new(SandboxProcessor::in_memory()));
    let order = placed(&shop).await;
    for _ in 0..10 {
        shop.pay_with("ann", &order, "tok_unavailable").await.expect_err("there is no connection");
    }
    assert!(shop.engine.processor_outage().is_some());
    assert!(secret(&shop, &order).await.expect("nobody is called").is_some());
    assert!(shop.engine.processor_outage().is_some());
}
