//! Promotions, as the cart and the order show them.

use commerce_core::actor::{Actor, Role};
use commerce_core::promotion::Promotion;
use serde_json::{Value, json};

use super::shop::{Client, Shop, address, fresh_key, text};

async fn runs(shop: &Shop, promotion: Value) {
    let promotion: Promotion = serde_json::from_value(promotion).unwrap();
    let admin = Actor::user(Role::Admin, "root".parse().unwrap());
    shop.engine.add_promotion(&admin, &promotion, None).await.unwrap();
}

fn tenth() -> Value {
    json!({
        "id": "ten", "code": "TEN", "currency": "USD", "max_uses": 1,
        "effect": { "type": "percent_off", "target": "order", "percent": "10" },
    })
}

/// A cart with two mugs and a code.
async fn cart_with(client: &Client, code: &str) -> (Value, Value) {
    let cart = client.post("/v1/carts", &json!({})).send().await.expect(201);
    let path = format!("/v1/carts/{}", text(&cart["id"]));
    client.post(&format!("{path}/items"), &json!({ "sku": "MUG", "quantity": 2 })).send().await.expect(200);
    let check = client.post(&format!("{path}/promotions"), &json!({ "code": code })).send().await.expect(200);
    (cart["id"].clone(), check)
}

fn checkout(cart: &Value) -> Value {
    json!({ "cart_id": cart, "shipping_address": address(), "shipping_method": "standard" })
}

#[tokio::test]
async fn a_code_that_holds_shows_in_the_cart_and_the_order() {
    let shop = Shop::open().await;
    runs(&shop, tenth()).await;
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
}

#[tokio::test]
async fn a_code_that_is_used_up_meanwhile_stops_the_checkout() {
    let shop = Shop::open().await;
    runs(&shop, tenth()).await;
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
    runs(&shop, tenth()).await;
    let large = json!({
        "id": "half", "currency": "USD", "exclusive": true,
        "effect": { "type": "percent_off", "target": "order", "percent": "50" },
    });
    runs(&shop, large).await;
    let (_, check) = cart_with(&shop.ann(), "TEN").await;
    assert_eq!((&check["valid"], &check["reason"]), (&json!(true), &json!("beaten")));
    assert!(check["message"].is_string(), "{check}");
}
