//! Carts: one per customer, changed by its owner only.

use chrono::TimeDelta;
use http::Method;
use serde_json::{Value, json};

use super::shop::{Client, Shop, address, fresh_key, names, order_of, text};

async fn cart(client: &Client) -> (String, Value) {
    let reply = client.post("/v1/carts", &json!({})).send().await;
    let cart = reply.json();
    (format!("/v1/carts/{}", text(&cart["id"])), cart)
}

async fn filled(client: &Client, quantity: i64) -> (String, Value) {
    let (path, _) = cart(client).await;
    let item = json!({ "sku": "MUG", "quantity": quantity });
    let cart = client.post(&format!("{path}/items"), &item).send().await.expect(200);
    (path, cart)
}

#[tokio::test]
async fn a_customer_has_one_active_cart() {
    let shop = Shop::open().await;
    let first = shop.ann().ask(Method::POST, "/v1/carts").send().await.expect(201);
    let again = shop.ann().ask(Method::POST, "/v1/carts").send().await.expect(200);
    assert_eq!(first, again);
    assert_ne!(shop.bob().post("/v1/carts", &json!({})).send().await.expect(201)["id"], first["id"]);
}

#[tokio::test]
async fn a_cart_has_the_shape_that_is_promised() {
    let shop = Shop::open().await;
    let (_, cart) = filled(&shop.ann(), 1).await;
    assert_eq!(
        names(&cart),
        [
            "codes",
            "created_at",
            "currency",
            "expires_at",
            "id",
            "items",
            "metadata",
            "quote",
            "status",
            "updated_at",
            "user_id",
            "version",
        ]
    );
    assert_eq!(names(&cart["items"][0]), ["id", "metadata", "name", "product_id", "quantity", "sku", "unit_price"]);
}

#[tokio::test]
async fn the_same_sku_adds_up() {
    let shop = Shop::open().await;
    let (path, _) = filled(&shop.ann(), 2).await;
    let item = json!({ "sku": "MUG", "quantity": 3 });
    let cart = shop.ann().post(&format!("{path}/items"), &item).send().await.expect(200);
    assert_eq!(cart["items"].as_array().unwrap().len(), 1);
    assert_eq!((&cart["items"][0]["quantity"], &cart["quote"]["subtotal"]), (&json!(5), &json!("49.95")));
}

#[tokio::test]
async fn a_line_is_changed_and_removed() {
    let shop = Shop::open().await;
    let ann = shop.ann();
    let (path, cart) = filled(&ann, 2).await;
    let line = format!("{path}/items/{}", text(&cart["items"][0]["id"]));
    let changed = ann.patch(&line, &json!({ "quantity": 7 })).send().await.expect(200);
    assert_eq!(changed["items"][0]["quantity"], 7);
    let removed = ann.patch(&line, &json!({ "quantity": 0 })).send().await.expect(200);
    assert_eq!(removed["items"], json!([]));
    ann.patch(&line, &json!({ "quantity": 1 })).send().await.problem(404, "not_found");
    let (_, cart) = filled(&ann, 1).await;
    let line = format!("{path}/items/{}", text(&cart["items"][0]["id"]));
    let deleted = ann.delete(&line).send().await;
    deleted.expect(204);
    assert!(deleted.body.is_empty());
    assert_eq!(ann.get(&path).send().await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn a_new_price_shows_in_the_cart() {
    let shop = Shop::open().await;
    let (path, cart) = filled(&shop.ann(), 2).await;
    shop.sells("MUG", "12.00", 10).await;
    let now = shop.ann().get(&path).send().await.expect(200);
    assert_eq!((&now["items"][0]["unit_price"], &now["quote"]["total"]), (&json!("12.00"), &json!("24.00")));
    let change = json!([{ "item_id": cart["items"][0]["id"], "old": "9.99", "new": "12.00" }]);
    assert_eq!(now["price_changes"], change);
}

/// A checkout of a cart, with an expected total.
fn checkout(path: &str, expected: Option<&str>) -> Value {
    let id = path.rsplit('/').next().unwrap_or_default();
    let mut body = json!({ "cart_id": id, "shipping_address": address() });
    if let Some(expected) = expected {
        body["expected_total"] = expected.into();
    }
    body
}

#[tokio::test]
async fn nobody_pays_more_than_they_were_shown() {
    let shop = Shop::open().await;
    let ann = shop.ann();
    let (path, cart) = filled(&ann, 2).await;
    shop.sells("MUG", "12.00", 10).await;
    let refused = ann.post("/v1/checkouts", &checkout(&path, None)).key(&fresh_key()).send().await;
    let refused = refused.problem(409, "price_changed");
    assert_eq!(
        (&refused["accepted_quote"]["subtotal"], &refused["quote"]["subtotal"]),
        (&json!("19.98"), &json!("24.00"))
    );
    assert_eq!(refused.get("expected_total"), None);

    let line = format!("{path}/items/{}", text(&cart["items"][0]["id"]));
    ann.patch(&line, &json!({ "quantity": 3 })).send().await.expect(200);
    let refused = ann.post("/v1/checkouts", &checkout(&path, None)).key(&fresh_key()).send().await;
    refused.problem(409, "price_changed");

    let refreshed = ann.post(&format!("{path}/refresh"), &json!({})).key(&fresh_key()).send().await.expect(200);
    assert_eq!(refreshed.get("price_changes"), None);
    assert_eq!(refreshed["quote"]["total"], "36.00");
    shop.sells("MUG", "11.00", 10).await;
    let order = ann.post("/v1/checkouts", &checkout(&path, None)).key(&fresh_key()).send().await.expect(201);
    assert_eq!(order["items"][0]["unit_price"], "11.00");
    ann.post(&format!("{path}/refresh"), &json!({}))
        .key(&fresh_key())
        .send()
        .await
        .problem(409, "cart_already_ordered");
}

#[tokio::test]
async fn another_total_than_expected_is_refused() {
    let shop = Shop::open().await;
    let ann = shop.ann();
    let (path, _) = filled(&ann, 2).await;
    shop.sells("MUG", "12.00", 10).await;
    let order = |total: &str| {
        let mut body = order_of("MUG", 2);
        body["expected_total"] = total.into();
        body
    };
    let refused = ann.post("/v1/orders", &order("19.98")).key(&fresh_key()).send().await.problem(409, "price_changed");
    let total = text(&refused["quote"]["total"]).to_owned();
    assert_eq!((&refused["expected_total"], refused.get("accepted_quote")), (&json!("19.98"), None));
    let refused = ann.post("/v1/checkouts", &checkout(&path, Some("23.99"))).key(&fresh_key()).send().await;
    let refused = refused.problem(409, "price_changed");
    assert!(refused["accepted_quote"].is_object(), "{refused}");
    let malformed = ann.post("/v1/checkouts", &checkout(&path, Some("1.999"))).key(&fresh_key()).send().await;
    malformed.problem(422, "validation_failed");
    ann.post("/v1/checkouts", &checkout(&path, Some(&total))).key(&fresh_key()).send().await.expect(201);
    ann.post("/v1/orders", &order(&total)).key(&fresh_key()).send().await.expect(201);
}

#[tokio::test]
async fn a_code_that_nobody_knows_says_so() {
    let shop = Shop::open().await;
    let (path, _) = filled(&shop.ann(), 1).await;
    let codes = format!("{path}/promotions");
    let check = shop.ann().post(&codes, &json!({ "code": "Spring 10" })).send().await.expect(200);
    assert_eq!((&check["valid"], &check["reason"]), (&json!(false), &json!("unknown_code")));
    assert_eq!(check["quote"]["total"], "9.99");
    assert_eq!(shop.ann().get(&path).send().await.expect(200)["codes"], json!(["Spring 10"]));
    shop.ann().delete(&format!("{codes}/spring%2010")).send().await.expect(204);
    assert_eq!(shop.ann().get(&path).send().await.expect(200)["codes"], json!([]));
}

#[tokio::test]
async fn nobody_reaches_the_cart_of_another() {
    let shop = Shop::open().await;
    let (path, cart) = filled(&shop.ann(), 1).await;
    let line = format!("{path}/items/{}", text(&cart["items"][0]["id"]));
    let item = json!({ "sku": "MUG", "quantity": 1 });
    let bob = shop.bob();
    bob.get(&path).send().await.problem(404, "not_found");
    bob.post(&format!("{path}/items"), &item).send().await.problem(404, "not_found");
    bob.patch(&line, &json!({ "quantity": 3 })).send().await.problem(404, "not_found");
    bob.delete(&line).send().await.problem(404, "not_found");
    let checkout = json!({ "cart_id": cart["id"], "shipping_address": address(), "shipping_method": "standard" });
    bob.post("/v1/checkouts", &checkout).key(&fresh_key()).send().await.problem(404, "not_found");
    assert_eq!(shop.ann().get(&path).send().await.expect(200), cart);
    shop.support().get(&path).send().await.expect(200);
    shop.support().post(&format!("{path}/items"), &item).send().await.problem(404, "not_found");
}

#[tokio::test]
async fn a_cart_becomes_one_order() {
    let shop = Shop::open().await;
    let ann = shop.ann();
    let (path, cart) = filled(&ann, 1).await;
    let checkout = json!({ "cart_id": cart["id"], "shipping_address": address(), "shipping_method": "standard" });
    let order = ann.post("/v1/checkouts", &checkout).key(&fresh_key()).send().await.expect(201);
    let refused = ann.post("/v1/checkouts", &checkout).key(&fresh_key()).send().await;
    assert_eq!(refused.problem(409, "cart_already_ordered")["order_id"], order["id"]);
    let item = json!({ "sku": "MUG", "quantity": 1 });
    ann.post(&format!("{path}/items"), &item).send().await.problem(409, "cart_already_ordered");
    let next = ann.post("/v1/carts", &json!({})).send().await.expect(201);
    assert_ne!(next["id"], cart["id"]);
}

#[tokio::test]
async fn an_empty_cart_is_not_ordered() {
    let shop = Shop::open().await;
    let (_, cart) = cart(&shop.ann()).await;
    let checkout = json!({ "cart_id": cart["id"], "shipping_address": address(), "shipping_method": "standard" });
    shop.ann().post("/v1/checkouts", &checkout).key(&fresh_key()).send().await.problem(422, "cart_empty");
}

#[tokio::test]
async fn a_forgotten_cart_expires() {
    let shop = Shop::open().await;
    let (path, _) = filled(&shop.ann(), 1).await;
    shop.later(TimeDelta::days(31));
    assert_eq!(shop.ann().get(&path).send().await.expect(200)["status"], "expired");
    let item = json!({ "sku": "MUG", "quantity": 1 });
    shop.ann().post(&format!("{path}/items"), &item).send().await.problem(409, "cart_expired");
    shop.ann().post("/v1/carts", &json!({})).send().await.expect(201);
}

#[tokio::test]
async fn a_cart_takes_so_many_lines_and_units() {
    let shop = Shop::open().await;
    let (path, cart) = filled(&shop.ann(), 1_000_000).await;
    assert_eq!(cart["items"][0]["quantity"], 1_000_000);
    let item = json!({ "sku": "MUG", "quantity": 1 });
    shop.ann().post(&format!("{path}/items"), &item).send().await.invalid("/quantity", "out_of_range");
}

#[tokio::test]
async fn a_sku_that_is_not_for_sale_is_refused() {
    let shop = Shop::open().await;
    let (path, _) = cart(&shop.ann()).await;
    let item = json!({ "sku": "CUP", "quantity": 1 });
    let problem = shop.ann().post(&format!("{path}/items"), &item).send().await.problem(422, "not_for_sale");
    assert_eq!(problem["sku"], "CUP");
    let inactive = json!({ "name": "Mug", "active": false, "variants": [{ "sku": "MUG", "price": "9.99" }] });
    shop.admin().put("/v1/products/MUG", &inactive).send().await.expect(200);
    let item = json!({ "sku": "MUG", "quantity": 1 });
    shop.ann().post(&format!("{path}/items"), &item).send().await.problem(422, "not_for_sale");
}
