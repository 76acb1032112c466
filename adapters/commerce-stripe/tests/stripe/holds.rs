//! Money that is held: until when, and what follows when it is given back.

use std::sync::Arc;

use chrono::DateTime;
use commerce_core::actor::{Actor, Role};
use commerce_core::catalog::Variant;
use commerce_core::engine::{Engine, ImportRow, ItemRequest, PlaceOrderRequest, ProductInput};
use commerce_core::order::{OrderDetails, PaymentStatus};
use commerce_core::payment::{CaptureMode, OperationOutcome, PaymentMethod};
use commerce_core::port::{OperationAction, OrderRef, Processor};
use commerce_core::settings::Settings;
use commerce_testkit::commit_builder::{CURRENCY, address, parse, units};
use commerce_testkit::{ManualClock, MemoryStore, SequentialIds};

use crate::double::Double;
use crate::{at, declined, open, pay, request, stripe};

#[tokio::test]
async fn a_hold_ends_when_its_method_of_payment_says() {
    let stripe = stripe(&Double::start().await);
    for (token, end) in [("pm_ok", Some(1_700_604_800)), ("pm_terminal", Some(1_700_172_800)), ("pm_wallet", None)] {
        let terms = open(&stripe, CaptureMode::Manual).await;
        let request = pay(&terms, token);
        let held = stripe.perform(&request).await.expect("it answers");
        assert_eq!(held.expires_at, end.map(at), "{token}");
        assert_eq!(stripe.find(&request.lookup()).await.expect("it answers"), Some(held));
    }
}

#[tokio::test]
async fn a_canceled_intent_is_followed_by_one_that_can_be_paid() {
    let double = Double::start().await;
    let stripe = stripe(&double);
    let mut terms = open(&stripe, CaptureMode::Manual).await;
    let first = pay(&terms, "pm_ok");
    stripe.perform(&first).await.expect("it answers");
    let void = request(&terms, 10_000, OperationAction::Void);
    stripe.perform(&void).await.expect("it answers");
    assert!(declined(&stripe.perform(&pay(&terms, "pm_ok")).await.expect("it answers")).is_some());
    let again = stripe.open(&terms).await.expect("it answers");
    assert_eq!(stripe.open(&terms).await.expect("it answers").reference, again.reference, "it is opened once");
    assert_ne!(Some(&again.reference), terms.reference.as_ref());
    assert!(again.client_secret.is_some());
    for before in [first.lookup(), void.lookup()] {
        let found = stripe.find(&before).await.expect("it answers").expect("it was performed");
        assert_eq!(found.outcome, OperationOutcome::Succeeded { amount: terms.amount });
    }
    terms.reference = Some(again.reference.clone());
    let held = stripe.perform(&pay(&terms, "pm_ok")).await.expect("it answers");
    assert_eq!(held.outcome, OperationOutcome::Succeeded { amount: terms.amount });
    assert_eq!(held.payment_reference, Some(again.reference));
}

/// A shop at the double, with an order of 100 USD whose hold was given back.
#[tokio::test]
async fn a_voided_payment_is_paid_again() {
    for starts in [false, true] {
        let double = Double::start().await;
        let mut settings = Settings::new(CURRENCY);
        settings.capture = CaptureMode::Manual;
        let clock = DateTime::from_timestamp(1_700_000_000, 0).expect("an instant");
        let engine = Engine::builder(settings, Arc::new(MemoryStore::new()), Arc::new(stripe(&double)))
            .clock(Arc::new(ManualClock::new(clock)))
            .ids(Arc::new(SequentialIds::new(1)))
            .build();
        let (ann, admin) = (Actor::user(Role::Customer, parse("ann")), Actor::user(Role::Admin, parse("root")));
        let mug = ProductInput::new(parse("Mug"), vec![Variant::new(parse("MUG"), parse("100.00 USD"))]);
        engine
            .import(&admin, &[ImportRow { id: parse("mug"), product: mug, on_hand: vec![1] }])
            .await
            .expect("a product");
        let items = vec![ItemRequest::sku(parse("MUG"), units(1))];
        let new = PlaceOrderRequest::new(items, OrderDetails::new(address()));
        let order = engine.place_order(&ann, &new, None).await.expect("an order").into_fresh().expect("it is new");
        let (id, payment) = (OrderRef::Id(order.id), order.payment.id);
        engine.client_secret(&ann, &order).await.expect("it opens");
        engine.confirm_payment(&ann, payment, "pm_ok".into(), None).await.expect("it is held");
        engine.void_payment(&admin, payment, None).await.expect("it is given back");
        engine.run_due_tasks(10).await.expect("the store answers");
        let order = engine.order(&ann, &id).await.expect("the order");
        assert_eq!(order.payment.status, PaymentStatus::Voided);
        if starts {
            engine.start_payment(&ann, order.id, PaymentMethod::CreditCard, None).await.expect("it can be paid again");
            assert!(engine.client_secret(&ann, &order).await.expect("it opens").is_some());
        }
        engine.confirm_payment(&ann, payment, "pm_ok".into(), None).await.expect("it is held again");
        engine.capture_payment(&admin, payment, (None, None), None).await.expect("it is held");
        engine.run_due_tasks(10).await.expect("the store answers");
        let paid = engine.order(&ann, &id).await.expect("the order").payment;
        assert_eq!((paid.status, paid.captured), (PaymentStatus::Succeeded, order.payment.amount));
        assert_eq!(double.balance(), 10_000);
    }
}
