//! Stored forms: fields of newer versions are passed over, limits of the day do not matter, newer versions are refused.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use std::fmt::Debug;

use commerce_core::commit::Commit;
use commerce_core::customer::{Customer, CustomerDetails};
use commerce_core::document::{Document, StoredError};
use commerce_core::inbox::{DeadLetterReason, ExternalStock, IdOf, InboxEvent, InboxState, Reason};
use commerce_core::metadata::Metadata;
use commerce_core::order::{Order, OrderEvent, OrderState, ShipmentStatus};
use commerce_core::promotion::{Condition, Promotion, PromotionDefinition, PromotionRecord};
use commerce_core::stored::Stored;
use commerce_core::webhook::{DisabledReason, WebhookEndpoint, WebhookEndpointDetails};
use commerce_testkit::commit_builder::{CURRENCY, CommitBuilder, order_of, parse, units};
use commerce_testkit::quote::{percent_off, rich};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// An order with everything in it, as its first event keeps it.
fn placed() -> OrderEvent {
    let shop = CommitBuilder::new(1);
    let mut new_order = shop.new_order(&[("MUG", 3), ("CUP", 2)], shop.at(0));
    new_order.quote = rich(new_order.quote.items());
    new_order.details.notes = Some(parse("Ring twice."));
    new_order.details.purchase_order_number = Some(parse("PO-4711"));
    let order = shop.place(new_order, shop.at(0)).orders[0].order().clone();
    OrderEvent::Created { order: Box::new(order) }
}

fn promised() -> Promotion {
    let condition = Condition::MinSpend { amount: parse("50.00 USD"), filter: None };
    let definition =
        PromotionDefinition { code: Some("TEN".into()), conditions: vec![condition], ..percent_off("ten", 1000) };
    Promotion::new(CURRENCY, definition).unwrap()
}

/// What events have changed of an order that was paid, shipped and is coming back.
fn state() -> OrderState {
    let shop = CommitBuilder::new(1);
    let mut order = order_of(&shop.order(&[("MUG", 2)])).clone();
    let steps: [&dyn Fn(&Order) -> Commit; 4] = [
        &|order| shop.pay(order, shop.at(1)),
        &|order| shop.ship(order, ShipmentStatus::Shipped, shop.at(2)),
        &|order| shop.ship(order, ShipmentStatus::Delivered, shop.at(3)),
        &|order| shop.request_return(order, 1, shop.at(4)),
    ];
    for step in steps {
        order = order_of(&step(&order)).clone();
    }
    assert!(order.shipment.is_some() && order.returns.len() == 1);
    order.state().unwrap()
}

fn documents() -> Vec<Document> {
    let shop = CommitBuilder::new(1);
    let mut cart = shop.cart(parse("ann"), shop.at(0));
    cart.items.push(shop.cart_item("MUG", units(2)));
    cart.codes.push(parse("TEN"));
    let promotion = PromotionRecord::new(promised(), shop.at(0));
    let (product, category) = (shop.product("mugs", &["MUG", "CUP"]), shop.category("tea", "Tea", Some("drinks")));
    let mut details = CustomerDetails::default();
    details.tax_number = Some(parse("DE123456789"));
    details.metadata = Metadata::new([("channel".into(), json!("app"))]).unwrap();
    let customer = Customer::new(&parse("ann"), None, details, shop.at(0));
    let details = WebhookEndpointDetails {
        url: parse("https://erp.example.com/events"),
        description: Some(parse("The ERP")),
        types: [parse("order.paid")].into(),
    };
    let place = (parse("01890000-0000-7000-8000-000000000001"), 3);
    let endpoint = WebhookEndpoint::new(place, details, "key".to_owned(), 7, shop.at(0));
    let endpoint = endpoint.rotated("key".to_owned(), chrono::TimeDelta::days(1), shop.at(1));
    let endpoint = endpoint.disabled(DisabledReason::Gone, shop.at(2));
    let letter = InboxEvent {
        id: parse("01890000-0000-7000-8000-000000000002"),
        source: parse("erp"),
        event_id: parse("e"),
        id_of: IdOf::Message,
        kind: Some("stock.level".to_owned()),
        state: InboxState::Dead,
        reason: Some(Reason::new(DeadLetterReason::Malformed, &"no")),
        body: Some("{".to_owned()),
        slot: Some(3),
        delta_key: Some(parse("k")),
        tried: 1,
        ask_at: Some(shop.at(1)),
        version: 1,
        created_at: shop.at(0),
        updated_at: shop.at(0),
    };
    let external = ExternalStock {
        id: parse("01890000-0000-7000-8000-000000000003"),
        source: parse("erp"),
        sku: parse("MUG"),
        level_version: u64::MAX,
        version: 1,
        created_at: shop.at(0),
        updated_at: shop.at(0),
    };
    let own = [cart.into(), product.into(), category.into(), promotion.into(), customer.into(), endpoint.into()];
    own.into_iter().chain([letter.into(), external.into()]).collect()
}

fn stored<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(Stored(value)).unwrap()
}

fn read<T: DeserializeOwned>(document: Value) -> Result<T, String> {
    serde_json::from_value::<Stored<T>>(document).map(|stored| stored.0).map_err(|error| error.to_string())
}

/// Adds a field to every object but metadata, whose fields are entries.
fn grow(document: &mut Value) {
    match document {
        Value::Object(fields) => {
            fields.iter_mut().filter(|(name, _)| *name != "metadata").for_each(|(_, value)| grow(value));
            fields.insert("of_a_newer_version".to_owned(), json!({ "colour": "red" }));
        }
        Value::Array(entries) => entries.iter_mut().for_each(grow),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[track_caller]
fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let document = stored(value);
    assert_eq!(document["v"], 1);
    assert_eq!(read::<T>(document.clone()).as_ref(), Ok(value));
    let mut grown = document.clone();
    grow(&mut grown);
    assert_eq!(read::<T>(grown).as_ref(), Ok(value), "fields that are not known are passed over");
    let mut unversioned = document.clone();
    unversioned.as_object_mut().unwrap().remove("v");
    assert_eq!(read::<T>(unversioned).as_ref(), Ok(value), "without a version it is the first");
    let mut newer = document;
    newer["v"] = json!(2);
    let error = read::<T>(newer).unwrap_err();
    assert!(error.contains("written by a newer version"), "{error}");
}

#[test]
fn events_and_promotions_are_read_across_versions() {
    check(&placed());
    check(&promised());
    check(&state());
}

#[test]
fn documents_are_read_across_versions() {
    for document in documents() {
        let (kind, mut stored) = (document.kind(), document.stored());
        assert_eq!(Document::from_stored(kind, stored.clone()).as_ref(), Ok(&document));
        grow(&mut stored);
        assert_eq!(Document::from_stored(kind, stored.clone()).as_ref(), Ok(&document), "fields that are not known");
        assert_eq!(Document::from_text(kind, &stored.to_string()).as_ref(), Ok(&document), "the text");
        stored["v"] = json!(2);
        assert_eq!(Document::from_text(kind, &stored.to_string()), Err(StoredError::Newer { found: 2 }));
        assert_eq!(Document::from_text(kind, "{"), Err(StoredError::Malformed(kind)));
        assert_eq!(Document::from_stored(kind, stored), Err(StoredError::Newer { found: 2 }));
    }
}

#[test]
fn no_sentence_is_stored() {
    let document = stored(&placed());
    assert!(document["order"]["quote"]["explanation"].as_array().is_some_and(|entries| !entries.is_empty()));
    let text = document.to_string();
    for sentence in ["message", "Takes ", "Spend "] {
        assert!(!text.contains(sentence), "{sentence} is in {text}");
    }
}

#[test]
fn what_is_longer_than_the_limits_of_the_day_is_read() {
    let long = "x".repeat(5_000);
    let mut document = stored(&placed());
    let order = &mut document["order"];
    order["notes"] = json!(long);
    order["user_id"] = json!(long);
    order["shipping_address"]["city"] = json!(long);
    order["quote"]["lines"][0]["item"]["sku"] = json!(long);
    order["quote"]["lines"][0]["item"]["quantity"] = json!(2_000_000);
    let OrderEvent::Created { order } = read(document).unwrap() else { panic!("an order is created") };
    let item = &order.lines()[0].item;
    let texts = [order.notes.as_ref().unwrap().as_str(), order.user_id.as_str(), order.shipping_address.city.as_str()];
    assert_eq!((texts, item.sku.as_str(), item.quantity.get()), ([&*long; 3], &*long, 2_000_000));

    let mut document = stored(&promised());
    document["definition"]["code"] = json!(long);
    document["definition"]["conditions"] = json!(vec![json!({ "type": "first_order" }); 500]);
    let promotion: Promotion = read(document).unwrap();
    assert_eq!(promotion.definition().code.as_deref(), Some(&*long));
    assert_eq!(promotion.definition().conditions.len(), 500);
}
