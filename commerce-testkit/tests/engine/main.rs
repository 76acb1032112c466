//! The use cases, through the engine on doubles: what a customer, the shop and a retry see.

#![expect(clippy::expect_used, reason = "a shop that cannot be set up is a failed test")]

mod captures;
mod inbox;
mod openings;
mod outages;
mod outside;
mod payments;
mod sagas;
mod saved_methods;
mod shopfront;

use chrono::TimeDelta;
use commerce_core::actor::{Actor, Role};
use commerce_core::cart::{CartRejection, CartStatus};
use commerce_core::commit::Refusal;
use commerce_core::document::DocumentKind;
use commerce_core::engine::{EngineError, Expected, Reply, Resource, Target, TaskOutcome};
use commerce_core::order::{
    Command, Lifecycle, LifecycleDraft, Order, OrderRejection, PaymentStatus, Phase, RefundStatus, ReturnLine,
    ReturnRequest, ShipmentStatus, ShipmentUpdate, Trigger,
};
use commerce_core::port::{OrderFilter, OrderRef, PageRequest};
use commerce_core::pricing::CodeRejection;
use commerce_core::promotion::{AmountTarget, Condition, Effect, Limits, PromotionDefinition};
use commerce_core::settings::Settings;
use commerce_core::stock::{StockAction, StockRefusal};
use commerce_core::task::TaskKey;
use commerce_testkit::commit_builder::{CURRENCY, parse, units};
use commerce_testkit::quote::percent_off;
use serde_json::json;

use shopfront::{Shopfront, admin, checkout_request, customer, idempotency, import_row, order_request};

#[tokio::test]
async fn a_cart_becomes_an_order_and_is_delivered() {
    let shop = Shopfront::stocked(&[("MUG", "9.99 USD", 10), ("TEA", "4.50 USD", 5)]).await;
    let cart = shop.filled_cart("ann", &[("MUG", 2), ("TEA", 1)]).await;
    assert_eq!(cart.quote.total, parse("24.48 USD"));

    let order = shop.checkout("ann", cart.cart.id).await.expect("the cart can be ordered");
    assert_eq!((order.phase, order.payment.amount), (Phase::AwaitingPayment, parse("24.48 USD")));
    assert_eq!(shop.available("MUG").await, 8);

    let paid = shop.pay("ann", &order).await.expect("the order can be paid");
    assert_eq!((paid.phase, paid.payment.status), (Phase::Paid, PaymentStatus::Succeeded));

    for status in ["shipped", "delivered", "completed"] {
        shop.move_to(&order, status).await.expect("the order can move on");
    }
    assert_eq!(shop.order(&order).await.phase, Phase::Completed);
    let mug = shop.engine.stock(&admin(), &parse("MUG")).await.expect("the sku is stocked");
    assert_eq!((mug.on_hand, mug.reserved), (8, 0));
    shop.verify().await;
}

#[tokio::test]
async fn a_cart_is_ordered_once() {
    let shop = Shopfront::stocked(&[("MUG", "9.99 USD", 10)]).await;
    let cart = shop.filled_cart("ann", &[("MUG", 1)]).await;
    let order = shop.checkout("ann", cart.cart.id).await.expect("the cart can be ordered");

    let again = shop.checkout("ann", cart.cart.id).await;
    let Err(EngineError::Cart(CartRejection::AlreadyOrdered(known))) = again else { panic!("{again:?}") };
    assert_eq!(known, Some(order.id));
    let added = shop.add("ann", cart.cart.id, "MUG", 1).await;
    assert!(matches!(added, Err(EngineError::Cart(CartRejection::AlreadyOrdered(_)))), "{added:?}");
    assert_eq!(shop.available("MUG").await, 9);
}

#[tokio::test]
async fn one_cart_ordered_by_many_at_once_is_one_order() {
    let shop = Shopfront::stocked(&[("MUG", "9.99 USD", 100)]).await;
    let cart = shop.filled_cart("ann", &[("MUG", 1)]).await.cart.id;
    let attempts = (0..20).map(|_| {
        let shop = shop.clone();
        tokio::spawn(async move { shop.checkout("ann", cart).await.is_ok() })
    });
    let mut placed = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        placed += u32::from(attempt.await.expect("no attempt panics"));
    }
    assert_eq!((placed, shop.available("MUG").await), (1, 99));
}

#[tokio::test]
async fn a_retry_gets_the_first_answer_even_though_the_cart_is_gone() {
    let shop = Shopfront::stocked(&[("MUG", "9.99 USD", 10)]).await;
    let cart = shop.filled_cart("ann", &[("MUG", 1)]).await.cart.id;
    let request = checkout_request(cart);
    let first = shop.engine.checkout(&customer("ann"), &request, Some(&idempotency("k1", "same"))).await;
    let Ok(Reply::Fresh(order)) = first else { panic!("{first:?}") };

    let again = shop.engine.checkout(&customer("ann"), &request, Some(&idempotency("k1", "same"))).await;
    assert_eq!(again.expect("a retry is answered"), Reply::Again(order));
    let reused = shop.engine.checkout(&customer("ann"), &request, Some(&idempotency("k1", "other"))).await;
    assert!(matches!(reused, Err(EngineError::IdempotencyKeyReused)), "{reused:?}");
    assert_eq!(shop.available("MUG").await, 9);
}

#[tokio::test]
async fn the_same_key_at_once_has_one_effect_and_equal_answers() {
    let shop = Shopfront::stocked(&[("MUG", "9.99 USD", 100)]).await;
    let attempts = (0..50).map(|_| {
        let shop = shop.clone();
        tokio::spawn(async move {
            let request = order_request(&[("MUG", 1)]);
            match shop.engine.place_order(&customer("ann"), &request, Some(&idempotency("k", "f"))).await {
                Ok(Reply::Fresh(order) | Reply::Again(order)) => order,
                Ok(Reply::Replayed(answer)) => panic!("{answer}"),
                Err(error) => panic!("{error}"),
            }
        })
    });
    let mut answers = Vec::new();
    for attempt in attempts.collect::<Vec<_>>() {
        answers.push(attempt.await.expect("no attempt panics"));
    }
    answers.dedup();
    assert_eq!((answers.len(), shop.available("MUG").await), (1, 99));
}

#[tokio::test]
async fn the_last_unit_is_sold_once() {
    let shop = Shopfront::stocked(&[("MUG", "9.99 USD", 1)]).await;
    shop.place("ann", &[("MUG", 1)]).await.expect("the first gets it");
    let refused = shop.place("bob", &[("MUG", 1)]).await;
    let Err(EngineError::Stock(StockRefusal::OutOfStock { asked, available, .. })) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!((asked, available), (1, 0));
}

#[tokio::test]
async fn an_order_keeps_its_price_and_a_cart_takes_the_new_one() {
    let shop = Shopfront::stocked(&[("MUG", "9.99 USD", 10)]).await;
    let order = shop.place("ann", &[("MUG", 1)]).await.expect("the order can be placed");
    let cart = shop.filled_cart("ann", &[("MUG", 1)]).await.cart.id;
    shop.sell("MUG", "12.00 USD").await;

    let view = shop.engine.cart(&customer("ann"), cart).await.expect("the cart is hers");
    assert_eq!((view.quote.total, view.price_changes.len()), (parse("12.00 USD"), 1));
    assert_eq!(view.price_changes[0].old, parse("9.99 USD"));
    assert_eq!(shop.order(&order).await.quote.total, parse("9.99 USD"));
}

#[tokio::test]
async fn a_reservation_ends_by_itself_and_the_order_is_cancelled() {
    let shop = Shopfront::stocked(&[("MUG", "9.99 USD", 1)]).await;
    let order = shop.place("ann", &[("MUG", 1)]).await.expect("the order can be placed");
    shop.wait(TimeDelta::minutes(30));
    assert_eq!(shop.available("MUG").await, 1, "the reservation has ended though nobody swept it");

    shop.work().await;
    assert_eq!(shop.order(&order).await.phase, Phase::Cancelled);
    let late = shop.pay("ann", &order).await;
    assert!(matches!(late, Err(EngineError::Order(OrderRejection::NotPayable(_)))), "{late:?}");
    shop.verify().await;
}

#[tokio::test]
async fn a_payment_after_the_reservation_takes_the_stock_anew_while_it_lasts() {
    let shop = Shopfront::stocked(&[("MUG", "9.99 USD", 1)]).await;
    let order = shop.place("ann", &[("MUG", 1)]).await.expect("the order can be placed");
    shop.wait(TimeDelta::minutes(31));
    let paid = shop.pay("ann", &order).await.expect("the stock is still there");
    assert_eq!((paid.phase, shop.available("MUG").await), (Phase::Paid, 0));
    shop.verify().await;
}

#[tokio::test]
async fn a_payment_for_stock_that_is_gone_is_not_taken() {
    let shop = Shopfront::stocked(&[("MUG", "9.99 USD", 1)]).await;
    let order = shop.place("ann", &[("MUG", 1)]).await.expect("the order can be placed");
    shop.wait(TimeDelta::minutes(31));
    shop.place("bob", &[("MUG", 1)]).await.expect("the unit is free again");

    let late = shop.pay("ann", &order).await;
    assert!(matches!(late, Err(EngineError::OrderCancelled { refunding: false, .. })), "{late:?}");
    let over = shop.order(&order).await;
    assert_eq!((over.phase, over.payment.captured), (Phase::Cancelled, parse("0.00 USD")));
    shop.verify().await;
}

/// A shop that sends an invoice: the stock is confirmed before the payment, so it does not matter when the reservation ended.
#[tokio::test]
async fn an_invoice_can_be_paid_long_after_the_goods_left() {
    let roles = json!(["admin", "service", "system"]);
    let lifecycle = json!({
        "name": "invoice",
        "states": [
            { "name": "pending", "phase": "awaiting_payment" }, { "name": "accepted", "phase": "in_fulfilment" },
            { "name": "shipped", "phase": "shipped" }, { "name": "settled", "phase": "completed" },
            { "name": "cancelled", "phase": "cancelled" },
        ],
        "transitions": [
            { "from": "pending", "to": "accepted", "trigger": "advance", "roles": roles, "stock": "confirm" },
            { "from": "accepted", "to": "shipped", "trigger": "advance", "roles": roles, "stock": "fulfil" },
            { "from": "shipped", "to": "settled", "trigger": "pay", "roles": roles },
            { "from": "pending", "to": "cancelled", "trigger": "expiry", "roles": roles, "stock": "release", "promotions": "give_back" },
            { "from": "accepted", "to": "cancelled", "trigger": "cancel", "roles": roles, "stock": "release", "promotions": "give_back" },
        ],
    });
    let mut settings = Settings::new(CURRENCY);
    settings.lifecycle = serde_json::from_value(lifecycle).expect("the lifecycle is sound");
    let shop = Shopfront::open(settings, &[("MUG", "9.99 USD", 1)]).await;
    let order = shop.place("ann", &[("MUG", 1)]).await.expect("the order can be placed");
    for status in ["accepted", "shipped"] {
        shop.move_to(&order, status).await.expect("the order advances");
    }
    shop.wait(TimeDelta::days(20));
    let paid = shop.pay("ann", &order).await.expect("nothing is left of the stock, and nothing is needed");
    assert_eq!((paid.phase, paid.payment.captured), (Phase::Completed, parse("9.99 USD")));
}

#[tokio::test]
async fn a_payment_for_stock_that_is_sold_meanwhile_is_sent_back() {
    let shop = Shopfront::stocked(&[("MUG", "9.99 USD", 1)]).await;
    let order = shop.place("ann", &[("MUG", 1)]).await.expect("the order can be placed");
    shop.wait(TimeDelta::minutes(31));

    let race = shop.selling_during_payments("MUG");
    let late = race.pay("ann", &order).await;
    assert!(matches!(late, Err(EngineError::OrderCancelled { refunding: true, .. })), "{late:?}");
    let again = shop.pay("ann", &order).await;
    assert!(matches!(again, Err(EngineError::OrderCancelled { refunding: true, .. })), "{again:?}");
    shop.work().await;
    let settled = shop.order(&order).await;
    assert_eq!((settled.payment.status, settled.payment.refunded), (PaymentStatus::Refunded, parse("9.99 USD")));
    shop.verify().await;
}

#[tokio::test]
async fn a_declined_payment_can_be_tried_again() {
    let shop = Shopfront::stocked(&[("MUG", "9.99 USD", 1)]).await;
    let order = shop.place("ann", &[("MUG", 1)]).await.expect("the order can be placed");
    let declined = shop.pay_with("ann", &order, "tok_declined").await.expect("the answer is recorded");
    assert_eq!((declined.phase, declined.payment.status), (Phase::AwaitingPayment, PaymentStatus::Failed));
    let unknown = shop.pay_with("ann", &order, "tok_timeout").await;
    assert!(matches!(unknown, Err(EngineError::Payments(_))), "{unknown:?}");
    let paid = shop.pay("ann", &order).await.expect("the order can be paid");
    assert_eq!(paid.payment.status, PaymentStatus::Succeeded);
}

#[tokio::test]
async fn cancelling_a_paid_order_gives_money_and_stock_back() {
    let shop = Shopfront::stocked(&[("MUG", "9.99 USD", 5)]).await;
    let order = shop.paid("ann", &[("MUG", 2)]).await;
    let cancelled = shop.command(&customer("ann"), &order, Command::Cancel { reason: None }).await.expect("in time");
    assert_eq!((cancelled.phase, shop.available("MUG").await), (Phase::Cancelled, 5));
    assert_eq!(cancelled.refunds[0].status, RefundStatus::Requested);
    shop.work().await;
    assert_eq!(shop.order(&order).await.payment.refunded, parse("19.98 USD"));
    shop.verify().await;
}

#[tokio::test]
async fn what_happens_to_a_task_is_in_the_history() {
    let shop = Shopfront::stocked(&[("MUG", "9.99 USD", 5)]).await;
    let order = shop.paid("ann", &[("MUG", 2)]).await;
    let cancelled = shop.command(&customer("ann"), &order, Command::Cancel { reason: None }).await.expect("in time");
    let key = TaskKey::settle_payment(cancelled.payment.id.to_string());
    for attempt in 0.. {
        shop.verify().await;
        shop.wait(TimeDelta::hours(1));
        let runs = shop.without_processor().engine.run_due_tasks(1).await.expect("tasks can be read");
        assert_eq!(runs[0].outcome, if attempt < 20 { TaskOutcome::Failed } else { TaskOutcome::GivenUp });
        if runs[0].outcome == TaskOutcome::GivenUp {
            break;
        }
    }
    shop.verify().await;
    let retried = shop.engine.retry_task(&admin(), &key).await.expect("it is dead");
    assert_eq!((retried.due, retried.failures), (shop.engine.now(), 0));
    shop.verify().await;
    shop.engine.drop_task(&admin(), &key).await.expect("it is not running");
    shop.work().await;
    assert_eq!(shop.order(&order).await.refunds[0].status, RefundStatus::Requested);
    shop.verify().await;
}

#[tokio::test]
async fn a_task_without_anything_to_do_is_dropped() {
    let mut settings = Settings::new(CURRENCY);
    let standard = settings.lifecycle;
    let transitions = standard.transitions().iter().filter(|way| way.trigger != Trigger::Expiry);
    let patient = LifecycleDraft {
        name: parse("patient"),
        states: standard.states().to_vec(),
        transitions: transitions.cloned().collect(),
    };
    settings.lifecycle = Lifecycle::try_from(patient).expect("an order may wait");
    let shop = Shopfront::open(settings, &[("MUG", "9.99 USD", 5)]).await;
    let order = shop.place("ann", &[("MUG", 1)]).await.expect("the order can be placed");
    shop.wait(TimeDelta::hours(1));
    shop.work().await;
    assert_eq!(shop.order(&order).await.phase, Phase::AwaitingPayment);
    let task = shop.engine.task(&admin(), &TaskKey::expire_order(order.id)).await;
    assert!(matches!(task, Err(EngineError::NotFound(Resource::Task))), "{task:?}");
    shop.verify().await;
}

async fn ship(shop: &Shopfront, order: &Order, status: ShipmentStatus) -> Result<Order, EngineError> {
    let (provider, method, status) = (parse("Post"), parse("parcel"), Some(status));
    let update = ShipmentUpdate { provider, method, tracking_number: None, status };
    shop.command(&admin(), order, Command::UpdateShipment(update)).await
}

#[tokio::test]
async fn a_cancelled_or_returned_order_is_not_shipped() {
    let shop = Shopfront::stocked(&[("MUG", "9.99 USD", 5)]).await;
    let cancelled = shop.paid("ann", &[("MUG", 1)]).await;
    shop.command(&admin(), &cancelled, Command::Cancel { reason: None }).await.expect("it can be cancelled");
    let returned = shop.paid("ann", &[("MUG", 1)]).await;
    for status in ["shipped", "delivered"] {
        shop.move_to(&returned, status).await.expect("the order can move on");
    }
    shop.send_back("ann", &returned, 1).await;
    for order in [cancelled, returned] {
        let before = shop.order(&order).await;
        for status in [ShipmentStatus::Pending, ShipmentStatus::Shipped, ShipmentStatus::Delivered] {
            let refused = ship(&shop, &order, status).await;
            assert!(matches!(refused, Err(EngineError::Order(OrderRejection::NotShippable(_)))), "{refused:?}");
        }
        assert_eq!(shop.order(&order).await, before);
    }
}

#[tokio::test]
async fn a_shipment_never_goes_back() {
    use ShipmentStatus::{Delivered, Pending, Shipped};
    let shop = Shopfront::stocked(&[("MUG", "9.99 USD", 5)]).await;
    let order = shop.paid("ann", &[("MUG", 1)]).await;
    for (reached, earlier) in [(Shipped, &[Pending][..]), (Delivered, &[Pending, Shipped])] {
        ship(&shop, &order, reached).await.expect("the shipment moves on");
        for step in earlier {
            let refused = ship(&shop, &order, *step).await;
            let Err(EngineError::Order(OrderRejection::ShipmentGoesBack { from, to })) = refused else {
                panic!("{reached:?} to {step:?}: {refused:?}")
            };
            assert_eq!((from, to), (reached, *step));
        }
        let corrected = ship(&shop, &order, reached).await.expect("its details can be corrected");
        assert_eq!(corrected.shipment.map(|shipment| shipment.status), Some(reached));
    }
}

#[tokio::test]
async fn a_shipment_is_not_behind_its_order() {
    let shop = Shopfront::stocked(&[("MUG", "9.99 USD", 5)]).await;
    let order = shop.paid("ann", &[("MUG", 1)]).await;
    for status in ["shipped", "delivered", "completed"] {
        shop.move_to(&order, status).await.expect("the order can move on");
    }
    let refused = ship(&shop, &order, ShipmentStatus::Shipped).await;
    assert!(matches!(refused, Err(EngineError::Order(OrderRejection::ShipmentGoesBack { .. }))), "{refused:?}");
    ship(&shop, &order, ShipmentStatus::Delivered).await.expect("the carrier can be recorded later");
}

#[tokio::test]
async fn returned_units_are_paid_back_to_the_cent_and_the_last_brings_the_fee() {
    let shop = Shopfront::with_shipping(&[("MUG", "10.00 USD", 10)], "4.95 USD", "0.07").await;
    let order = shop.paid("ann", &[("MUG", 3)]).await;
    let total = order.quote.total;
    for status in ["shipped", "delivered"] {
        shop.move_to(&order, status).await.expect("the order can move on");
    }
    for left in [2, 1, 0] {
        shop.send_back("ann", &order, 1).await;
        shop.work().await;
        let now = shop.order(&order).await;
        assert_eq!(now.phase == Phase::Returned, left == 0, "{left} left");
    }
    let settled = shop.order(&order).await;
    assert_eq!((settled.payment.refunded, settled.payment.status), (total, PaymentStatus::Refunded));
    assert_eq!(shop.available("MUG").await, 10);
    shop.verify().await;
}

#[tokio::test]
async fn nobody_returns_more_than_they_bought() {
    let shop = Shopfront::stocked(&[("MUG", "9.99 USD", 5)]).await;
    let order = shop.paid("ann", &[("MUG", 2)]).await;
    let request = |quantity| {
        let lines = vec![ReturnLine { item: order.lines()[0].item.id, quantity: units(quantity) }];
        Command::RequestReturn(ReturnRequest { id: shop.return_id(), lines, reason: None })
    };
    let early = shop.command(&customer("ann"), &order, request(1)).await;
    assert!(matches!(early, Err(EngineError::Order(OrderRejection::NotReturnable(_)))), "{early:?}");
    for status in ["shipped", "delivered"] {
        shop.move_to(&order, status).await.expect("the order can move on");
    }
    shop.command(&customer("ann"), &order, request(1)).await.expect("one of two");
    let greedy = shop.command(&customer("ann"), &order, request(2)).await;
    let Err(EngineError::Order(OrderRejection::TooManyReturned { asked, left, .. })) = greedy else {
        panic!("{greedy:?}")
    };
    assert_eq!((asked, left), (2, 1));
    shop.wait(TimeDelta::days(31));
    let late = shop.command(&customer("ann"), &order, request(1)).await;
    assert!(matches!(late, Err(EngineError::Order(OrderRejection::WindowClosed { .. }))), "{late:?}");
}

#[tokio::test]
async fn what_is_somebody_elses_does_not_exist() {
    let shop = Shopfront::stocked(&[("MUG", "9.99 USD", 5)]).await;
    let cart = shop.filled_cart("ann", &[("MUG", 1)]).await.cart.id;
    let order = shop.place("ann", &[("MUG", 1)]).await.expect("the order can be placed");
    let bob = customer("bob");
    let order_ref = OrderRef::Id(order.id);

    assert!(matches!(
        shop.engine.cart(&bob, cart).await,
        Err(EngineError::NotFound(Resource::Document(DocumentKind::Cart)))
    ));
    assert!(matches!(
        shop.checkout("bob", cart).await,
        Err(EngineError::NotFound(Resource::Document(DocumentKind::Cart)))
    ));
    assert!(matches!(shop.engine.order(&bob, &order_ref).await, Err(EngineError::NotFound(Resource::Order))));
    let history = shop.engine.order_history(&bob, &order_ref, &PageRequest::first(20)).await;
    assert!(matches!(history, Err(EngineError::NotFound(Resource::Order))));
    assert!(matches!(shop.pay("bob", &order).await, Err(EngineError::NotFound(Resource::Payment))));
    let cancel = shop.command(&bob, &order, Command::Cancel { reason: None }).await;
    assert!(matches!(cancel, Err(EngineError::NotFound(Resource::Order))));
    let hers = OrderFilter { user: Some(parse("ann")), ..OrderFilter::default() };
    assert!(shop.engine.orders(&bob, hers, &PageRequest { limit: 20, after: None }).await.is_err());
    assert!(shop.engine.order(&admin(), &order_ref).await.is_ok());
}

#[tokio::test]
async fn only_the_shops_own_people_order_for_others_and_at_other_prices() {
    let shop = Shopfront::stocked(&[("MUG", "9.99 USD", 5)]).await;
    let mut request = order_request(&[("MUG", 1)]);
    request.items[0].unit_price = Some("1.50 USD".parse::<commerce_core::money::Money>().expect("money").into());
    let cheap = shop.engine.place_order(&customer("ann"), &request, None).await;
    assert!(matches!(cheap, Err(EngineError::Forbidden { .. })), "{cheap:?}");

    request.user_id = Some(parse("ann"));
    let Ok(Reply::Fresh(order)) = shop.engine.place_order(&admin(), &request, None).await else { panic!("refused") };
    assert_eq!((order.user_id.as_str(), order.quote.total), ("ann", parse("1.50 USD")));
    let stocking = StockAction::Set { on_hand: 9, reorder_threshold: None, expected: None };
    let set = shop.engine.move_stock(&customer("ann"), Target::any(&parse("MUG")), stocking, None).await;
    assert!(matches!(set, Err(EngineError::Forbidden { .. })), "{set:?}");
}

#[tokio::test]
async fn an_unknown_user_cannot_order() {
    let shop = Shopfront::stocked(&[("MUG", "9.99 USD", 5)]).await;
    let refused = shop.place("nobody", &[("MUG", 1)]).await;
    assert!(matches!(refused, Err(EngineError::UserNotFound(_))), "{refused:?}");
    shop.users_down();
    let refused = shop.place("ann", &[("MUG", 1)]).await;
    assert!(matches!(refused, Err(EngineError::Users(_))), "{refused:?}");
    assert_eq!(shop.available("MUG").await, 5);
}

#[tokio::test]
async fn an_order_that_costs_nothing_is_paid_at_once() {
    let shop = Shopfront::stocked(&[("GIFT", "0.00 USD", 5)]).await;
    let order = shop.place("ann", &[("GIFT", 1)]).await.expect("a gift can be ordered");
    assert_eq!((order.phase, order.version), (Phase::Paid, 2));
    shop.wait(TimeDelta::days(1));
    shop.work().await;
    assert_eq!((shop.order(&order).await.phase, shop.available("GIFT").await), (Phase::Paid, 4));
    shop.verify().await;
}

#[tokio::test]
async fn a_named_version_that_is_not_present_stops_a_change() {
    let shop = Shopfront::stocked(&[("MUG", "9.99 USD", 5)]).await;
    let order = shop.place("ann", &[("MUG", 1)]).await.expect("the order can be placed");
    let order_ref = OrderRef::Id(order.id);
    let cancel = Command::Cancel { reason: None };
    let stale = shop.engine.command(&admin(), Target::at(&order_ref, 7), cancel, None).await;
    assert!(
        matches!(stale, Err(EngineError::VersionMismatch { expected: Expected::Version(7), actual: 1 })),
        "{stale:?}"
    );
}

#[tokio::test]
async fn the_history_shows_the_order_at_every_moment() {
    let shop = Shopfront::stocked(&[("MUG", "9.99 USD", 5)]).await;
    let order = shop.place("ann", &[("MUG", 1)]).await.expect("the order can be placed");
    let order_ref = OrderRef::Id(order.id);
    shop.wait(TimeDelta::minutes(5));
    shop.pay("ann", &order).await.expect("the order can be paid");

    let (ann, page) = (customer("ann"), PageRequest { limit: 2, after: Some(1) });
    let part = shop.engine.order_history(&ann, &order_ref, &page).await.expect("it is hers");
    assert_eq!((part.items.len(), part.next), (2, None));
    let history = shop.engine.order_history(&ann, &order_ref, &PageRequest::first(20)).await.expect("it is hers");
    let numbers: Vec<_> = history.items.iter().map(|item| item.entry.sequence).collect();
    let types: Vec<_> = history.items.iter().map(|item| item.entry.event.event_type()).collect();
    assert_eq!((numbers, types), (vec![1, 2, 3], vec!["order.created", "payment.captured", "order.paid"]));
    let before = shop.engine.order_at(&customer("ann"), &order_ref, order.created_at).await.expect("it was there");
    assert_eq!(before, order);
    let never = shop.engine.order_at(&customer("ann"), &order_ref, order.created_at - TimeDelta::seconds(1)).await;
    assert!(matches!(never, Err(EngineError::NotFound(_))));
}

#[tokio::test]
async fn an_expired_cart_is_replaced() {
    let shop = Shopfront::stocked(&[("MUG", "9.99 USD", 5)]).await;
    let cart = shop.filled_cart("ann", &[("MUG", 1)]).await.cart.id;
    shop.wait(TimeDelta::days(31));
    let old = shop.engine.cart(&customer("ann"), cart).await.expect("it is still hers");
    assert_eq!(old.cart.status, CartStatus::Expired);
    let added = shop.add("ann", cart, "MUG", 1).await;
    assert!(matches!(added, Err(EngineError::Cart(CartRejection::Expired))), "{added:?}");
    assert_ne!(shop.open_cart("ann").await.cart.id, cart);
}

#[tokio::test]
async fn an_import_brought_in_twice_changes_nothing_more() {
    let shop = Shopfront::stocked(&[]).await;
    let rows = [import_row("MUG", "9.99 USD", 5), import_row("TEA", "4.50 USD", 7)];
    let first = shop.engine.import(&admin(), &rows).await.expect("the rows are good");
    let again = shop.engine.import(&admin(), &rows).await.expect("the rows are good");
    assert_eq!((first.added, first.unchanged), (2, 0));
    assert_eq!((again.added, again.changed, again.unchanged), (0, 0, 2));
    assert_eq!(shop.available("TEA").await, 7);
    let refused = shop.engine.import(&Actor::user(Role::Support, parse("eve")), &rows).await;
    assert!(matches!(refused, Err(EngineError::Forbidden { .. })), "{refused:?}");
}

#[tokio::test]
async fn the_last_use_of_a_code_is_given_once_however_many_check_out() {
    let shop = Shopfront::stocked(&[("MUG", "10.00 USD", 1000)]).await;
    shop.promise(PromotionDefinition {
        code: Some("FIRST".into()),
        limits: Limits { max_uses: Some(1), ..Limits::default() },
        ..percent_off("first", 5000)
    })
    .await;
    let mut carts = Vec::new();
    for n in 0..40 {
        let user = format!("user-{n}");
        let cart = shop.filled_cart(&user, &[("MUG", 1)]).await.cart.id;
        let view = shop.add_code(&user, cart, " first ").await;
        assert_eq!(view.quote.total, parse("5.00 USD"), "the code works while nobody has ordered");
        carts.push((user, cart));
    }
    let attempts = carts.into_iter().map(|(user, cart)| {
        let shop = shop.clone();
        tokio::spawn(async move { shop.checkout(&user, cart).await })
    });
    let mut placed = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        match attempt.await.expect("no attempt panics") {
            Ok(order) => {
                assert_eq!(order.quote.total, parse("5.00 USD"));
                placed += 1;
            }
            Err(EngineError::CodeRejected { .. } | EngineError::Refused(Refusal::PromotionExhausted(_))) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!((placed, shop.uses("first").await), (1, 1));
    shop.verify().await;
}

#[tokio::test]
async fn a_use_is_released_when_the_order_is_not_paid_and_kept_when_it_was() {
    let shop = Shopfront::stocked(&[("MUG", "10.00 USD", 10)]).await;
    let effect = Effect::AmountOff { amount: parse("3.00 USD"), target: AmountTarget::Order };
    shop.promise(PromotionDefinition {
        code: Some("ONCE".into()),
        limits: Limits { max_uses_per_customer: Some(1), budget: Some(parse("100.00 USD")), ..Limits::default() },
        ..PromotionDefinition::new(parse("once"), effect)
    })
    .await;
    let unpaid = shop.order_with_code("ann", "MUG", "once").await.expect("the code works");
    assert_eq!((unpaid.quote.total, shop.uses("once").await), (parse("7.00 USD"), 1));
    shop.wait(TimeDelta::minutes(31));
    shop.work().await;
    assert_eq!(shop.uses("once").await, 0, "the unpaid order was cancelled");

    let paid = shop.order_with_code("ann", "MUG", "once").await.expect("the code works again");
    shop.pay("ann", &paid).await.expect("the order can be paid");
    shop.command(&customer("ann"), &paid, Command::Cancel { reason: None }).await.expect("in time");
    assert_eq!(shop.uses("once").await, 1, "a paid order keeps its use");
    let again = shop.order_with_code("ann", "MUG", "once").await;
    let Err(EngineError::CodeRejected { code, reason }) = again else { panic!("{again:?}") };
    assert_eq!((code.as_str(), reason), ("once", CodeRejection::UsageLimit));
    shop.order_with_code("bob", "MUG", "once").await.expect("another customer has a use of their own");
    shop.verify().await;
}

#[tokio::test]
async fn an_ended_code_says_that_it_is_over_and_placed_orders_keep_it() {
    let shop = Shopfront::stocked(&[("MUG", "10.00 USD", 10)]).await;
    shop.promise(PromotionDefinition { code: Some("GONE".into()), ..percent_off("gone", 1000) }).await;
    let order = shop.order_with_code("ann", "MUG", "gone").await.expect("the code works");
    shop.engine.end_promotion(&admin(), Target::any(&parse("gone")), None).await.expect("it can be ended");

    let check = shop.check_code("bob", "MUG", "gone").await;
    assert_eq!((check.rejected, check.saving), (Some(CodeRejection::Expired), parse("0.00 USD")));
    assert_eq!(shop.order(&order).await.quote, order.quote);
}

#[tokio::test]
async fn a_code_that_does_not_apply_says_what_is_missing() {
    let shop = Shopfront::stocked(&[("MUG", "10.00 USD", 10)]).await;
    shop.promise(PromotionDefinition {
        code: Some("BIG".into()),
        conditions: vec![Condition::MinSpend { amount: parse("50.00 USD"), filter: None }],
        ..percent_off("big", 1000)
    })
    .await;
    let check = shop.check_code("ann", "MUG", "big").await;
    assert_eq!(check.rejected, Some(CodeRejection::MinSpend));
    let said = check.outcomes[0].outcome.to_string();
    assert!(said.contains("40.00"), "{said}");
    let unknown = shop.check_code("ann", "MUG", "nonsense").await;
    assert_eq!((unknown.rejected, unknown.outcomes.len()), (Some(CodeRejection::UnknownCode), 0));
}

#[tokio::test]
async fn a_first_order_promotion_is_for_the_first_order() {
    let shop = Shopfront::stocked(&[("MUG", "10.00 USD", 10)]).await;
    shop.promise(PromotionDefinition { conditions: vec![Condition::FirstOrder], ..percent_off("welcome", 2000) }).await;
    let first = shop.place("ann", &[("MUG", 1)]).await.expect("the order can be placed");
    let second = shop.place("ann", &[("MUG", 1)]).await.expect("the order can be placed");
    assert_eq!((first.quote.total, second.quote.total), (parse("8.00 USD"), parse("10.00 USD")));
}

#[tokio::test]
async fn a_return_asked_for_again_under_its_id_is_one_return() {
    let shop = Shopfront::stocked(&[("MUG", "9.99 USD", 5)]).await;
    let order = shop.paid("ann", &[("MUG", 3)]).await;
    for status in ["shipped", "delivered"] {
        shop.move_to(&order, status).await.expect("the order can move on");
    }
    let lines = vec![ReturnLine { item: order.lines()[0].item.id, quantity: units(1) }];
    let request = ReturnRequest { id: shop.return_id(), lines, reason: None };
    for _ in 0..2 {
        let asked = Command::RequestReturn(request.clone());
        shop.command(&customer("ann"), &order, asked).await.expect("the return is possible");
    }
    assert_eq!(shop.order(&order).await.returns.len(), 1);
}
