//! Orders while the payment processor cannot be reached.

use chrono::TimeDelta;
use commerce_core::engine::EngineError;
use commerce_core::order::{Order, Phase};
use commerce_testkit::ProcessorBehavior;

use crate::shopfront::Shopfront;

/// The one unit is reserved by Ann.
async fn shop() -> (Shopfront, Order) {
    let shop = Shopfront::stocked(&[("MUG", "100.00 USD", 1)]).await;
    let order = shop.place("ann", &[("MUG", 1)]).await.expect("the order can be placed");
    (shop, order)
}

/// Time goes by while the worker works.
async fn pass(shop: &Shopfront, minutes: i64) {
    for _ in 0..minutes * 15 {
        shop.wait(TimeDelta::seconds(4));
        shop.work().await;
    }
}

async fn fail_to_pay(shop: &Shopfront, order: &Order, times: usize) {
    for _ in 0..times {
        let failed = shop.pay_with("ann", order, "tok_unavailable").await;
        assert!(matches!(failed, Err(EngineError::Payments(_))), "{failed:?}");
    }
}

#[tokio::test]
async fn an_outage_shorter_than_the_grace_costs_nobody_an_order() {
    let (shop, order) = shop().await;
    pass(&shop, 25).await;
    assert_eq!(shop.engine.processor_outage(), None);
    let since = shop.engine.now();
    fail_to_pay(&shop, &order, 3).await;
    assert_eq!(shop.engine.processor_outage().map(|outage| (outage.since, outage.failures)), Some((since, 3)));
    for _ in 0..50 {
        pass(&shop, 1).await;
        assert_eq!(shop.order(&order).await.phase, Phase::AwaitingPayment);
        shop.place("bob", &[("MUG", 1)]).await.expect_err("Ann has it");
    }
    let paid = shop.pay("ann", &order).await.expect("the processor is back");
    assert_eq!((paid.phase, shop.engine.processor_outage()), (Phase::Paid, None));
    shop.verify().await;
}

#[tokio::test]
async fn an_outage_longer_than_the_grace_ends_the_reservation() {
    let (shop, order) = shop().await;
    fail_to_pay(&shop, &order, 3).await;
    pass(&shop, 89).await;
    assert_eq!(shop.order(&order).await.phase, Phase::AwaitingPayment);
    pass(&shop, 2).await;
    let over = shop.order(&order).await;
    assert_eq!((over.phase, over.extended_until), (Phase::Cancelled, Some(order.reserved_until + TimeDelta::hours(1))));
    shop.place("bob", &[("MUG", 1)]).await.expect("the unit is free");
    shop.verify().await;
}

/// The reservation does not outlive the outage by more than a step.
#[tokio::test]
async fn after_an_outage_reservations_end_as_usual() {
    let (shop, order) = shop().await;
    shop.processor.be(ProcessorBehavior::Unavailable);
    fail_to_pay(&shop, &order, 3).await;
    pass(&shop, 35).await;
    assert_eq!(shop.order(&order).await.phase, Phase::AwaitingPayment);
    let other = shop.place("bob", &[("MUG", 1)]).await;
    assert!(other.is_err(), "{other:?}");
    shop.processor.be(ProcessorBehavior::Answers);
    let declined = shop.pay_with("ann", &order, "tok_declined").await;
    assert!(declined.is_ok(), "{declined:?}");
    pass(&shop, 10).await;
    assert_eq!(shop.order(&order).await.phase, Phase::Cancelled);
    shop.verify().await;
}

/// A worker of another process has made no calls. That the payment got no answer is recorded.
#[tokio::test]
async fn another_process_knows_of_the_outage_from_the_payment() {
    let (shop, order) = shop().await;
    fail_to_pay(&shop, &order, 1).await;
    let other = shop.without_processor();
    pass(&other, 45).await;
    assert_eq!(other.engine.processor_outage(), None);
    assert_eq!(other.order(&order).await.phase, Phase::AwaitingPayment);
    other.verify().await;
}

/// Units that went to others while no worker ran do not come back.
#[tokio::test]
async fn a_reservation_that_ended_unseen_is_made_again_if_units_are_left() {
    for bought in [false, true] {
        let (shop, order) = shop().await;
        fail_to_pay(&shop, &order, 3).await;
        shop.wait(TimeDelta::minutes(40));
        if bought {
            shop.place("bob", &[("MUG", 1)]).await.expect("the unit is free");
        }
        shop.work().await;
        let expected = if bought { Phase::Cancelled } else { Phase::AwaitingPayment };
        assert_eq!(shop.order(&order).await.phase, expected);
        shop.verify().await;
    }
}
