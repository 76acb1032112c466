//! Promotions, as the cart and the order show them.

use serde_json::{Value, json};

use super::shop::{Client, Shop, address, fresh_key, path_of, text};

/// Makes a promotion.
pub(crate) async fn runs(shop: &Shop, promotion: &Value) -> Value {
    shop.admin().post("/v1/promos", promotion).send().await.expect(201)
}

/// Ten percent off, once, for the code `TEN`.
pub(crate) fn tenth() -> Value {
    json!({
        "id": "ten", "code": "TEN", "max_uses": 1,
        "effect": { "type": "percent_off", "target": "order", "percent": "10" },
    })
}

/// A cart with two mugs and a code, and what was said of the code.
pub(crate) async fn cart_with(client: &Client, code: &str) -> (Value, Value) {
    let cart = client.post("/v1/carts", &json!({})).send().await.expect(201);
    let path = format!("/v1/carts/{}", text(&cart["id"]));
    client.post(&format!("{path}/items"), &json!({ "sku": "MUG", "quantity": 2 })).send().await.expect(200);
    let check = client.post(&format!("{path}/promotions"), &json!({ "code": code })).send().await.expect(200);
    (cart["id"].clone(), check)
}

/// A request to order a cart.
pub(crate) fn checkout(cart: &Value) -> Value {
    json!({ "cart_id": cart, "shipping_address": address(), "shipping_method": "standard" })
}

#[tokio::test]
async fn a_code_that_holds_shows_in_the_cart_and_the_order() {
    let shop = Shop::open().await;
    runs(&shop, &tenth()).await;
    let (cart, check) = cart_with(&shop.ann(), " ten").await;
    assert_eq!(
        (&check["valid"], &check["reason"], &check["quote"]["total"]),
        (&json!(true), &Value::Null, &json!("17.98"))
    );
    let order = shop.ann().post("/v1/checkouts", &checkout(&cart)).key(&fresh_key()).send().await.expect(201);
    assert_eq!(
        (&order["subtotal"], &order["discount"], &order["total"]),
        (&json!("19.98"), &json!("2.00"), &json!("17.98"))
    );
    assert_eq!(order["promotions"], json!([{ "id": "ten", "code": "TEN", "amount": "2.00" }]));
    assert_eq!(order["items"][0]["adjustments"], json!([{ "promotion_id": "ten", "amount": "2.00" }]));
    assert_eq!((&order["items"][0]["discount"], &order["items"][0]["total"]), (&json!("2.00"), &json!("17.98")));
    let line = json!([{ "id": order["items"][0]["id"], "amount": "2.00" }]);
    let explained = json!([{
        "promotion_id": "ten", "code": "TEN", "outcome": "applied", "amount": "2.00", "target": "lines", "turn": 0,
        "lines": line, "message": "Takes 2.00 USD off.",
    }]);
    assert_eq!((&order["explanation"], &check["quote"]["explanation"][0]["outcome"]), (&explained, &json!("applied")));
    for reader in [shop.ann(), shop.support(), shop.admin()] {
        assert_eq!(reader.get(&path_of(&order)).send().await.expect(200)["explanation"], explained);
    }
    shop.bob().get(&path_of(&order)).send().await.problem(404, "not_found");
}

#[tokio::test]
async fn a_code_that_is_used_up_meanwhile_stops_the_checkout() {
    let shop = Shop::open().await;
    runs(&shop, &tenth()).await;
    let (anns, _) = cart_with(&shop.ann(), "TEN").await;
    let (bobs, _) = cart_with(&shop.bob(), "TEN").await;
    shop.ann().post("/v1/checkouts", &checkout(&anns)).key(&fresh_key()).send().await.expect(201);
    let refused = shop.bob().post("/v1/checkouts", &checkout(&bobs)).key(&fresh_key()).send().await;
    let problem = refused.problem(422, "promotion_rejected");
    assert_eq!((&problem["promotion_code"], &problem["reason"]), (&json!("TEN"), &json!("usage_limit")));
    assert_eq!(shop.available("MUG").await, 8);
}

#[tokio::test]
async fn a_code_that_takes_nothing_off_says_why() {
    let shop = Shop::open().await;
    runs(&shop, &tenth()).await;
    let large = json!({
        "id": "half", "exclusive": true,
        "effect": { "type": "percent_off", "target": "order", "percent": "50" },
    });
    runs(&shop, &large).await;
    let (_, check) = cart_with(&shop.ann(), "TEN").await;
    assert_eq!((&check["valid"], &check["reason"]), (&json!(true), &json!("beaten")));
    assert!(check["message"].is_string(), "{check}");
}

#[tokio::test]
async fn an_order_tells_why_a_code_did_not_apply_and_nothing_of_other_promotions() {
    let shop = Shop::open().await;
    let large = |id: &str, code: Value| {
        json!({
            "id": id, "code": code, "conditions": [{ "type": "min_spend", "amount": "50" }],
            "effect": { "type": "amount_off", "target": "order", "amount": "5" },
        })
    };
    runs(&shop, &large("automatic", Value::Null)).await;
    runs(&shop, &large("large", json!("LARGE"))).await;
    let (cart, _) = cart_with(&shop.ann(), "large").await;
    let quote = shop.ann().get(&format!("/v1/carts/{}", text(&cart))).send().await.expect(200)["quote"].clone();
    assert_eq!(quote["explanation"].as_array().map(Vec::len), Some(2), "the cart tells of all: {quote}");
    let order = shop.ann().post("/v1/checkouts", &checkout(&cart)).key(&fresh_key()).send().await.expect(201);
    let explained = order["explanation"].as_array().unwrap();
    assert_eq!(explained.iter().map(|one| &one["promotion_id"]).collect::<Vec<_>>(), ["large"]);
    let gap = &explained[0]["unmet"][0];
    assert_eq!((&gap["required"], &gap["missing"]), (&json!("50.00"), &json!("30.02")));
    assert_eq!((&order["discount"], &order["promotions"]), (&json!("0.00"), &json!([])));
}

#[tokio::test]
async fn a_cart_tells_what_would_make_a_failed_code_work() {
    let shop = Shop::open().await;
    let large = json!({
        "id": "large", "code": "LARGE",
        "conditions": [{ "type": "min_spend", "amount": "25" }, { "type": "min_quantity", "quantity": 3 }],
        "effect": { "type": "amount_off", "target": "order", "amount": "5" },
    });
    runs(&shop, &large).await;
    let (cart, check) = cart_with(&shop.ann(), "large").await;
    assert_eq!((&check["valid"], &check["reason"]), (&json!(false), &json!("not_eligible")));
    let path = format!("/v1/carts/{}", text(&cart));
    let quote = shop.ann().get(&path).send().await.expect(200)["quote"].clone();
    assert_eq!(quote["rejected"][0]["code"], "large");
    let unmet = &quote["explanation"][0]["unmet"];
    assert_eq!((&unmet[0]["type"], &unmet[0]["missing"]), (&json!("min_spend"), &json!("5.02")));
    assert_eq!((&unmet[1]["type"], &unmet[1]["missing"]), (&json!("min_quantity"), &json!(1)));
    assert!(text(&unmet[0]["message"]).contains("5.02"), "{unmet}");
    let more = json!({ "sku": "MUG", "quantity": 1 });
    let cart = shop.ann().post(&format!("{path}/items"), &more).send().await.expect(200);
    assert_eq!((&cart["quote"]["rejected"], &cart["quote"]["discount"]), (&json!([]), &json!("5.00")));
}
