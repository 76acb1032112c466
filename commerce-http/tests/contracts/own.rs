//! What every contract does.

use std::collections::BTreeSet;

use commerce_core::order::Lifecycle;
use commerce_http::contract::{Amounts, Contract, ContractSettings, KeyRule, Lists, Names};
use serde_json::{Value, json};

use crate::walk::{ANY, Walk, text};

fn everything() -> ContractSettings {
    let mut settings = ContractSettings {
        prefixes: Some(vec!["/shop".to_owned(), String::new()]),
        names: Some(Names::Camel),
        amounts: Some(Amounts::MinorUnits),
        lists: Some(Lists::Array),
        idempotency_key: Some(KeyRule::Generated),
        ..ContractSettings::default()
    };
    settings.aliases.entry("NewOrderItem".to_owned()).or_default().insert("variantId".to_owned(), "sku".to_owned());
    settings.values.entry("PaymentStatus".to_owned()).or_default().insert("pending".to_owned(), "open".to_owned());
    settings
}

async fn open(settings: ContractSettings) -> Walk {
    Walk::with(settings, Lifecycle::built_in("standard").unwrap()).await
}

fn address() -> Value {
    json!({ "line1": "1 High Street", "city": "London", "postalCode": "N1 1AA", "country": "GB" })
}

fn order() -> Value {
    json!({ "items": [{ "sku": "MUG", "quantity": 1 }], "shippingAddress": address() })
}

#[tokio::test]
async fn routes_answer_under_the_prefixes_alone() {
    let shop = open(everything()).await;
    for (path, status) in [
        ("/shop/products", 200),
        ("/products", 200),
        ("/v1/products", 404),
        ("/api/v1/products", 404),
        ("/healthz", 200),
    ] {
        assert_eq!(shop.ask("ann", &format!("GET {path}"), &ANY).await.status, status, "{path}");
    }
    let deleted = shop.ask("root", "DELETE /shop/products", &ANY).await;
    assert_eq!((deleted.status.as_u16(), deleted.header("allow")), (405, "GET, HEAD, POST"));
}

#[tokio::test]
async fn a_member_has_one_name() {
    let shop = open(everything()).await;
    let place = |change: fn(&mut Value)| {
        let mut order = order();
        change(&mut order);
        order
    };
    let orders = "POST /shop/orders";
    let both = place(|order| order["items"][0]["variantId"] = "MUG".into());
    shop.ask("ann", orders, &both).await.invalid("/items/0/variantId", "duplicate");
    let within = place(|order| order["shipping_address"] = ANY);
    shop.ask("ann", orders, &within).await.invalid("/shipping_address", "unknown_field");
    let unknown = place(|order| order["items"][0]["colour"] = "red".into());
    shop.ask("ann", orders, &unknown).await.invalid("/items/0/colour", "unknown_field");
    let twice = r#"{"items":[],"items":[]}"#;
    shop.send("ann", orders, &[], twice).await.invalid("/items", "duplicate");
}

#[tokio::test]
async fn faults_are_named_as_the_caller_named_the_members() {
    let shop = open(everything()).await;
    let orders = "POST /shop/orders";
    let mut order = order();
    order["items"][0] = json!({ "variantId": 7, "quantity": 1 });
    shop.ask("ann", orders, &order).await.invalid("/items/0/variantId", "wrong_type");
    order["items"][0] = json!({ "sku": "NONE", "quantity": 1 });
    let unknown = shop.ask("ann", orders, &order).await;
    assert_eq!(unknown.json()["errors"][0]["pointer"], "/items/0", "{}", unknown.text);
    order["items"][0] = json!({ "sku": "MUG", "quantity": 1 });
    order["shippingAddress"]["postalCode"] = "".into();
    let empty = shop.ask("ann", orders, &order).await;
    assert_eq!(empty.json()["errors"][0]["pointer"], "/shippingAddress/postalCode", "{}", empty.text);
    assert!(text(&empty.json()["detail"]).starts_with("/shippingAddress/postalCode"), "{}", empty.text);
    assert!(empty.json()["requestId"].is_string());
    let neither = shop.ask("ann", orders, &json!({ "shippingAddress": address() })).await;
    assert!(text(&neither.json()["detail"]).contains("either a cartId or items"), "{}", neither.text);
    let within = shop.ask("root", "GET /shop/orders?user_id=ann", &ANY).await;
    assert_eq!(within.json()["errors"][0]["parameter"], "user_id", "no filter is lost: {}", within.text);
    assert_eq!(shop.ask("root", "GET /shop/orders?userId=ann", &ANY).await.status, 200);
    let user = shop.ask("root", "GET /shop/orders?from=yesterday", &ANY).await;
    assert_eq!(user.json()["errors"][0]["parameter"], "from", "{}", user.text);
}

#[tokio::test]
async fn amounts_are_exact() {
    let shop = open(everything()).await;
    let products = "PUT /shop/products/gem";
    let body = |price: &str| format!(r#"{{"name":"Gem","variants":[{{"sku":"GEM","priceCents":{price}}}]}}"#);
    for (given, answered) in [("123456789012345678", "123456789012345678"), ("1e3", "1000"), ("7.0", "7")] {
        let reply = shop.send("root", products, &[], &body(given)).await;
        assert_eq!(reply.status, 200, "{given}: {}", reply.text);
        assert!(reply.text.contains(&format!("\"priceCents\":{answered}")), "{}", reply.text);
    }
    let long = "1234567890123456789012345678901234567890";
    for (given, code) in [(long, "out_of_range"), ("0.5", "too_many_decimals"), ("\"7\"", "wrong_type")] {
        shop.send("root", products, &[], &body(given)).await.invalid("/variants/0/priceCents", code);
    }
    let yen = json!({
        "lines": [{ "id": "1", "sku": "MUG", "quantity": 2, "unitPriceCents": 1050 }], "at": "2026-03-01T12:00:00Z", "currency": "JPY",
    });
    let quote = shop.ask("root", "POST /shop/quotes", &yen).await;
    assert_eq!(quote.json()["totalCents"], 2100, "the units are those of the currency: {}", quote.text);
}

#[tokio::test]
async fn numbers_keep_all_their_digits() {
    let settings = ContractSettings { amounts: Some(Amounts::Number), ..ContractSettings::default() };
    let shop = open(settings).await;
    let body = |price: &str| format!(r#"{{"name":"Gem","variants":[{{"sku":"GEM","price":{price}}}]}}"#);
    let products = "PUT /v1/products/gem";
    let reply = shop.send("root", products, &[], &body("12345678901234567.89")).await;
    assert!(reply.text.contains("\"price\":12345678901234567.89"), "{}", reply.text);
    let long = "1234567890123456789012345678901234567890";
    let refused = shop.send("root", products, &[], &body(long)).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert_eq!(refused.json()["errors"][0]["pointer"], "/variants/0/price", "{}", refused.text);
}

#[tokio::test]
async fn metadata_keep_their_names() {
    let shop = open(everything()).await;
    let mut order = order();
    order["metadata"] = json!({ "unit_price": "9.99", "sales_channel": "app" });
    let placed = shop.ask("ann", "POST /shop/orders", &order).await;
    assert_eq!(placed.json()["metadata"], order["metadata"], "{}", placed.text);
    let found = shop.ask("root", "GET /shop/orders?metadata.sales_channel=app", &ANY).await;
    assert_eq!(found.json().as_array().map(Vec::len), Some(1), "{}", found.text);
}

#[tokio::test]
async fn a_key_is_that_of_the_caller_and_a_repetition_gets_the_first_answer() {
    let shop = open(everything()).await;
    let (orders, key) = ("POST /shop/orders", [("idempotency-key", "k")]);
    let first = shop.send("ann", orders, &key, &order().to_string()).await;
    let mut other = order();
    other["items"][0] = json!({ "variantId": "MUG", "quantity": 1 });
    let again = shop.send("ann", orders, &key, &other.to_string()).await;
    assert_eq!(
        again.json()["id"],
        first.json()["id"],
        "the fingerprint is that of the document within: {}",
        again.text
    );
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.header("location"), first.header("location"));
    other["items"][0]["quantity"] = 2.into();
    let reused = shop.send("ann", orders, &key, &other.to_string()).await;
    assert_eq!(reused.json()["code"], "idempotency_key_reused", "{}", reused.text);
}

#[tokio::test]
async fn pages_are_arrays_with_the_next_one_in_a_header() {
    let shop = open(everything()).await;
    for _ in 0..3 {
        assert_eq!(shop.ask("ann", "POST /shop/orders", &order()).await.status, 201);
    }
    let (mut path, mut seen) = ("/shop/orders?limit=2&status=pending".to_owned(), BTreeSet::new());
    loop {
        let page = shop.ask("ann", &format!("GET {path}"), &ANY).await;
        seen.extend(page.json().as_array().unwrap().iter().map(|order| text(&order["id"]).to_owned()));
        let link = page.header("link");
        let Some(next) = link.strip_prefix('<').and_then(|rest| rest.strip_suffix(">; rel=\"next\"")) else { break };
        path = next.to_owned();
    }
    assert_eq!(seen.len(), 3);
}

#[tokio::test]
async fn versions_and_known_documents_stay() {
    let shop = open(everything()).await;
    let placed = shop.ask("ann", "POST /shop/orders", &order()).await;
    let path = format!("GET {}", placed.header("location"));
    let shown = shop.ask("ann", &path, &ANY).await;
    assert_eq!(shown.json()["payment"]["status"], "open", "{}", shown.text);
    let tag = shown.header("etag").to_owned();
    let known = shop.send("ann", &path, &[("if-none-match", &tag)], "").await;
    assert_eq!((known.status.as_u16(), known.text.as_str()), (304, ""));
}

#[tokio::test]
async fn the_feed_has_the_form_of_its_document() {
    let shop = open(everything()).await;
    shop.ask("ann", "POST /shop/orders", &order()).await;
    let feed = shop.ask("robot", "GET /shop/events?types=order.created", &ANY).await.json();
    let known = shop.ask("robot", "GET /v1/events?types=order.created", &ANY).await.json();
    assert_eq!(known, feed, "the feed is where its readers know it");
    let webhook = shop.ask("robot", "POST /v1/webhooks/payments/stripe", &json!({})).await;
    assert_ne!(webhook.json()["code"], "route_not_found", "{}", webhook.text);
    assert_eq!(feed["items"][0]["data"]["total"], "29.99", "{feed}");
    let order = text(&feed["items"][0]["data"]["order_id"]).to_owned();
    let history = shop.ask("ann", &format!("GET /shop/orders/{order}/events"), &ANY).await.json();
    assert_eq!(history[0]["data"]["totalCents"], 2999, "{history}");
}

#[test]
fn every_built_in_contract_has_a_document_without_loose_ends() {
    for (number, name) in ContractSettings::built_in() {
        for contract in [number, name] {
            let settings = ContractSettings { contract: Some(contract.to_owned()), ..ContractSettings::default() };
            let contract = Contract::new(settings).unwrap_or_else(|error| panic!("{contract}: {error}"));
            let document: Value = serde_json::from_slice(contract.document()).unwrap();
            check_document(number, &document);
        }
    }
}

/// A number of units that is missing is none of cents, although an amount has the same name in another choice.
#[tokio::test]
async fn units_are_no_cents() {
    let shop = open(everything()).await;
    let quote = json!({
        "lines": [{ "id": "1", "sku": "MUG", "quantity": 1, "unitPriceCents": 1050 }], "at": "2026-03-01T12:00:00Z", "currency": "USD",
        "promotions": [
            {
                "id": "three", "conditions": [{ "type": "min_quantity", "quantity": 3 }],
                "effect": { "type": "percent_off", "target": "order", "percent": "10" },
            },
            {
                "id": "much", "conditions": [{ "type": "min_spend", "amountCents": 2000 }],
                "effect": { "type": "percent_off", "target": "order", "percent": "10" },
            },
        ],
    });
    let quote = shop.ask("root", "POST /shop/quotes", &quote).await;
    assert_eq!(quote.status, 200, "{}", quote.text);
    assert!(quote.text.contains(r#""required":3,"missing":2"#), "{}", quote.text);
    assert!(quote.text.contains(r#""requiredCents":2000,"missingCents":950"#), "{}", quote.text);
}

/// References lead somewhere, required members are there, and examples fit their schemas.
fn check_document(contract: &str, document: &Value) {
    let written = document.to_string();
    for reference in written.split("\"$ref\":\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{contract}: {reference}");
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for (name, schema) in schemas {
        for required in schema["required"].as_array().into_iter().flatten() {
            let known = schema["properties"].get(text(required)).is_some();
            assert!(known, "{contract}: {name} has no {required}");
        }
    }
    for (name, example) in document["components"]["examples"].as_object().unwrap() {
        let whole = json!({ "allOf": [schemas[name]], "components": { "schemas": schemas } });
        let validator = jsonschema::options().with_draft(jsonschema::Draft::Draft202012).build(&whole).unwrap();
        let faults: Vec<_> = validator.iter_errors(&example["value"]).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{contract}: {name}: {faults:?}\n{}", example["value"]);
    }
}
