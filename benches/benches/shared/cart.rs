//! The carts that the benches price.

#![expect(clippy::expect_used, reason = "an invalid cart is a bug of the bench")]

use commerce_core::pricing::Request;
use commerce_http::dto::pricing::read_request;
use serde_json::{Value, json};

/// A cart with lines in five categories, taxes and promotions. Every third promotion is on items, the others on the order.
pub(crate) fn request(lines: u32, promotions: u32, selection: &str) -> Request {
    let line = |n: u32| {
        json!({ "id": n.to_string(), "sku": format!("SKU-{n}"), "quantity": n % 4 + 1, "unit_price": format!("{}.99", n % 90 + 5),
                "categories": [format!("c{}", n % 5)], "tax_category": "standard" })
    };
    let request = json!({
        "currency": "EUR",
        "at": "2026-01-15T12:00:00Z",
        "lines": (0..lines).map(line).collect::<Vec<_>>(),
        "shipping": { "method": "standard", "amount": "4.95", "tax_category": "standard" },
        "tax": { "prices_include_tax": false, "rates": [{ "tax_category": "standard", "rate": "0.19" }] },
        "promotions": (0..promotions).map(promotion).collect::<Vec<_>>(),
        "selection": selection,
    });
    read_request(request.to_string().as_bytes()).expect("the request is one")
}

fn promotion(n: u32) -> Value {
    let effect = match n % 3 {
        0 => {
            json!({ "type": "percent_off", "target": "items", "percent": "5", "filter": { "categories": [format!("c{}", n % 5)] } })
        }
        1 => json!({ "type": "amount_off", "target": "order", "amount": "1.00" }),
        _ => json!({ "type": "percent_off", "target": "order", "percent": "3" }),
    };
    json!({ "id": format!("p{n}"), "code": null, "priority": n % 7, "effect": effect,
            "conditions": [{ "type": "min_spend", "amount": "10.00" }] })
}

/// A cart with a best combination that is hard to prove: `buy_get` promotions that overlap and compete for units.
#[allow(dead_code, reason = "used by one of the benches")]
pub(crate) fn contested(lines: u32, promotions: u32) -> Request {
    let line = |n: u32| {
        json!({ "id": n.to_string(), "sku": format!("SKU-{n}"), "quantity": n * 7 % 40 + 1,
                "unit_price": format!("{}.{:02}", n * 37 % 90, n * 61 % 100), "categories": [format!("c{}", n % 4)] })
    };
    let promotion = |n: u32| {
        let buy = json!({ "quantity": n % 3 + 1, "filter": { "categories": [format!("c{}", n % 4)] } });
        let get = json!({ "quantity": 1, "percent": (n * 29 % 90 + 10).to_string() });
        json!({ "id": format!("p{n}"), "priority": n % 3, "effect": { "type": "buy_get", "buy": buy, "get": get } })
    };
    let request = json!({
        "currency": "EUR",
        "at": "2026-01-15T12:00:00Z",
        "lines": (0..lines).map(line).collect::<Vec<_>>(),
        "promotions": (0..promotions).map(promotion).collect::<Vec<_>>(),
        "selection": "best",
    });
    read_request(request.to_string().as_bytes()).expect("the request is one")
}
