//! Means of payment that customers save, and charge later.

use std::sync::Arc;

use commerce_testkit::FakeProcessor;
use serde_json::{Value, json};

use super::shop::{Plan, Shop, fresh_key, text};

const METHODS: &str = "/v1/payment-methods";

async fn saved(shop: &Shop, token: &str) -> Value {
    shop.ann().post(METHODS, &json!({ "consent": true, "token": token })).send().await.expect(201)
}

fn path(method: &Value) -> String {
    format!("{METHODS}/{}", text(&method["id"]))
}

fn confirm(order: &Value) -> String {
    format!("/v1/payments/{}/confirm", text(&order["payment"]["id"]))
}

#[tokio::test]
async fn a_saved_card_pays_until_it_is_deleted() {
    let shop = Shop::open().await;
    let card = saved(&shop, "tok_ok").await;
    assert_eq!(
        (&card["status"], &card["brand"], &card["last_four"]),
        (&json!("active"), &json!("visa"), &json!("4242"))
    );
    assert_eq!(card["consented_at"], "2026-03-01T12:00:00Z");
    assert_eq!(shop.ann().get(METHODS).send().await.expect(200)["items"], json!([card]));
    let with = json!({ "payment_method_id": card["id"] });
    let first = shop.order(1).await;
    assert_eq!(shop.ann().post(&confirm(&first), &with).send().await.expect(200)["status"], "succeeded");
    shop.ann().delete(&path(&card)).send().await.expect(204);
    assert_eq!(shop.ann().get(METHODS).send().await.expect(200)["items"], json!([]));
    let second = shop.order(1).await;
    shop.ann().post(&confirm(&second), &with).send().await.problem(404, "not_found");
    shop.ann().get(&path(&card)).send().await.problem(404, "not_found");
    shop.ann().delete(&path(&card)).send().await.problem(404, "not_found");
}

#[tokio::test]
async fn a_saved_card_can_be_declined() {
    let shop = Shop::open().await;
    let card = saved(&shop, "tok_insufficient_funds").await;
    let order = shop.order(1).await;
    let paid = shop.ann().post(&confirm(&order), &json!({ "payment_method_id": card["id"] })).send().await.expect(200);
    assert_eq!((&paid["status"], &paid["captured"]), (&json!("failed"), &json!("0.00")));
}

#[tokio::test]
async fn without_a_token_the_customer_enters_the_card_at_the_processor() {
    let shop = Shop::open().await;
    let key = fresh_key();
    let ask = || shop.ann().post(METHODS, &json!({ "consent": true })).key(&key).send();
    let reply = ask().await;
    let pending = reply.expect(201);
    assert_eq!(pending["status"], "pending");
    assert!(text(&pending["client_secret"]).ends_with("-secret"), "{pending}");
    assert_eq!(reply.header("location"), path(&pending));
    let again = ask().await;
    assert_eq!((again.header("idempotent-replayed"), &again.expect(201)["id"]), ("true", &pending["id"]));
    let entered = shop.ann().get(&path(&pending)).send().await.expect(200);
    assert_eq!((&entered["status"], &entered["last_four"]), (&json!("active"), &json!("4242")));
}

#[tokio::test]
async fn customers_see_and_charge_their_own_alone() {
    let shop = Shop::open().await;
    let card = saved(&shop, "tok_ok").await;
    let bob = shop.bob();
    bob.get(&path(&card)).send().await.problem(404, "not_found");
    bob.delete(&path(&card)).send().await.problem(404, "not_found");
    bob.get(&format!("{METHODS}?user_id=ann")).send().await.problem(404, "not_found");
    assert_eq!(bob.get(METHODS).send().await.expect(200)["items"], json!([]));
    let order = json!({ "items": [{ "sku": "MUG", "quantity": 1 }], "shipping_address": super::shop::address() });
    let order = bob.post("/v1/orders", &order).key(&fresh_key()).send().await.expect(201);
    let with = json!({ "payment_method_id": card["id"] });
    bob.post(&confirm(&order), &with).send().await.problem(404, "not_found");
    let seen = shop.support().get(&format!("{METHODS}?user_id=ann")).send().await.expect(200);
    assert_eq!(seen["items"], json!([card]));
    shop.support().delete(&path(&card)).send().await.problem(404, "not_found");
    shop.guest().get(METHODS).send().await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_card_is_saved_with_consent_if_it_is_not_declined() {
    let shop = Shop::open().await;
    let save = |body: Value| shop.ann().post(METHODS, &body).send();
    save(json!({ "consent": false })).await.invalid("/consent", "invalid");
    save(json!({ "consent": true, "token": "" })).await.invalid("/token", "out_of_range");
    let declined = save(json!({ "consent": true, "token": "tok_what" })).await;
    assert_eq!(declined.problem(422, "payment_method_declined")["decline_code"], "incorrect_details");
    assert_eq!(shop.ann().get(METHODS).send().await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn a_customer_saves_twenty_at_most() {
    let shop = Shop::open().await;
    for _ in 0..20 {
        saved(&shop, "tok_ok").await;
    }
    let one_more = json!({ "consent": true, "token": "tok_ok" });
    shop.ann().post(METHODS, &one_more).send().await.problem(409, "too_many_payment_methods");
    shop.bob().post(METHODS, &one_more).send().await.expect(201);
}

#[tokio::test]
async fn a_processor_that_saves_nothing_says_so() {
    let payments = Arc::new(FakeProcessor::new());
    let shop = Shop::with(Plan { payments, ..Plan::default() }).await;
    let refused = shop.ann().post(METHODS, &json!({ "consent": true })).send().await;
    refused.problem(501, "payment_methods_not_supported");
    assert_eq!(shop.ann().get(METHODS).send().await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn a_payment_is_confirmed_with_one_means_of_payment() {
    let shop = Shop::open().await;
    let order = shop.order(1).await;
    let card = saved(&shop, "tok_ok").await;
    for body in [json!({}), json!({ "token": "tok_ok", "payment_method_id": card["id"] })] {
        shop.ann().post(&confirm(&order), &body).send().await.invalid("", "invalid");
    }
}
