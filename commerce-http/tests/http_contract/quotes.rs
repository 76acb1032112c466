//! Quotes: what a request would cost, nothing of the shop in it.

use serde_json::{Value, json};

use super::shop::{Shop, text};

fn request() -> Value {
    json!({
        "currency": "EUR", "at": "2026-01-15T12:00:00Z", "codes": ["TEN"],
        "lines": [{ "id": "1", "sku": "MUG", "quantity": 3, "unit_price": 9.99 }],
        "promotions": [{ "id": "ten", "code": "TEN",
            "effect": { "type": "percent_off", "target": "order", "percent": "10" } }],
    })
}

#[tokio::test]
async fn a_quote_says_what_and_why() {
    let shop = Shop::open().await;
    let quote = shop.service().post("/v1/quotes", &request()).send().await.expect(200);
    assert_eq!(
        (&quote["total"], &quote["discount"], &quote["currency"]),
        (&json!("26.97"), &json!("3.00"), &json!("EUR"))
    );
    assert_eq!(quote["applied"], json!(["ten"]));
    assert_eq!(quote["explanation"][0]["outcome"], "applied");
}

#[tokio::test]
async fn quotes_are_for_the_house() {
    let shop = Shop::open().await;
    for client in [shop.ann(), shop.support()] {
        client.post("/v1/quotes", &request()).send().await.problem(403, "forbidden");
    }
}

#[tokio::test]
async fn everything_wrong_is_told_at_once() {
    let shop = Shop::open().await;
    let body = json!({
        "currency": "EUR", "at": "soon",
        "lines": [{ "id": "1", "sku": "MUG", "quantity": 0, "unit_price": "9.999" }],
    });
    let problem = shop.service().post("/v1/quotes", &body).send().await.problem(422, "validation_failed");
    let pointers: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|error| text(&error["pointer"])).collect();
    for pointer in ["/at", "/lines/0/quantity", "/lines/0/unit_price"] {
        assert!(pointers.contains(&pointer), "{pointer}: {problem}");
    }
    shop.service().ask(http::Method::POST, "/v1/quotes").text("{").send().await.problem(400, "malformed_json");
}

/// The gathered cases of the pricing rules that are requests.
fn cases() -> Vec<Value> {
    let text = include_str!("../data/pricing.json");
    let document: Value = serde_json::from_str(text).unwrap();
    let cases = document["cases"].as_array().unwrap().iter();
    cases.filter(|case| case["area"] != "allocation").cloned().collect()
}

/// Whether an answer has all that is expected. Ids and codes may stand in any order.
fn covers(answer: &Value, expected: &Value) -> bool {
    match (answer, expected) {
        (Value::Object(answer), Value::Object(expected)) => {
            expected.iter().all(|(name, value)| answer.get(name).is_some_and(|found| covers(found, value)))
        }
        (Value::Array(answer), Value::Array(expected)) => {
            answer.len() == expected.len()
                && expected.iter().all(|value| answer.iter().any(|found| covers(found, value)))
        }
        (answer, expected) => answer == expected,
    }
}

#[tokio::test]
async fn every_gathered_case_has_its_price() {
    let shop = Shop::open().await;
    let cases = cases();
    assert_eq!(cases.len(), 99, "the number of cases");
    let mut different = Vec::new();
    for case in &cases {
        let quote = shop.service().post("/v1/quotes", &case["request"]).send().await.expect(200);
        if !covers(&quote, &case["expect"]) {
            different.push(format!("{}: expected {}, got {quote}", case["id"], case["expect"]));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}
