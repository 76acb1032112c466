//! The same request sent again gets the same answer and has no further effect.

use std::time::Duration;

use commerce_core::actor::Role;
use commerce_http::auth::mint;
use serde_json::json;

use super::shop::{Client, SECRET, Shop, address, fresh_key, order_of, path_of, text};

#[tokio::test]
async fn a_key_is_needed_to_place_an_order() {
    let shop = Shop::open().await;
    shop.ann().post("/v1/orders", &order_of("MUG", 1)).send().await.problem(400, "idempotency_key_required");
    let checkout = json!({ "cart_id": fresh_key(), "shipping_address": address(), "shipping_method": "standard" });
    shop.ann().post("/v1/checkouts", &checkout).send().await.problem(400, "idempotency_key_required");
}

#[tokio::test]
async fn a_key_has_a_form() {
    let shop = Shop::open().await;
    for key in ["", "\"\"", &"k".repeat(256), "\"open", r#""a"b""#, r#""a\b""#] {
        let reply = shop.ann().post("/v1/orders", &order_of("MUG", 1)).key(key).send().await;
        reply.problem(400, "invalid_idempotency_key");
    }
    let two = shop.ann().post("/v1/orders", &order_of("MUG", 1)).key("one").key("two");
    two.send().await.problem(400, "invalid_idempotency_key");
    let longest = "k".repeat(255);
    let order = shop.ann().post("/v1/orders", &order_of("MUG", 1)).key(&longest).send().await.expect(201);
    let quoted = format!("\"{longest}\"");
    let again = shop.ann().post("/v1/orders", &order_of("MUG", 1)).key(&quoted).send().await.expect(201);
    assert_eq!(again, order);
    let escaped = shop.ann().post("/v1/orders", &order_of("MUG", 1)).key(r#""a\"b\\c""#).send().await.expect(201);
    let bare = shop.ann().post("/v1/orders", &order_of("MUG", 1)).key(r#"a"b\c"#).send().await.expect(201);
    assert_eq!(escaped, bare);
}

#[tokio::test]
async fn the_same_request_gets_the_same_answer() {
    let shop = Shop::open().await;
    let ask = shop.ann().post("/v1/orders", &order_of("MUG", 2));
    let first = ask.clone().key("abc").send().await;
    let again = ask.clone().key("abc").send().await;
    let quoted = ask.key("\"abc\"").send().await;
    first.expect(201);
    assert_eq!(first.header("idempotent-replayed"), "");
    for replayed in [again, quoted] {
        assert_eq!((replayed.status, &replayed.body), (first.status, &first.body));
        assert_eq!(replayed.header("idempotent-replayed"), "true");
        for name in ["location", "etag", "content-type"] {
            assert_eq!(replayed.header(name), first.header(name));
        }
    }
    assert_eq!(shop.available("MUG").await, 8);
}

#[tokio::test]
async fn fifty_at_once_place_one_order() {
    let shop = Shop::open().await;
    let ask = shop.ann().post("/v1/orders", &order_of("MUG", 1)).key("fifty");
    let replies: Vec<_> = (0..50).map(|_| tokio::spawn(ask.clone().send())).collect();
    let mut bodies = Vec::new();
    for reply in replies {
        let reply = reply.await.unwrap();
        reply.expect(201);
        bodies.push(reply.body);
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(shop.available("MUG").await, 9);
    assert_eq!(shop.ann().get("/v1/orders").send().await.expect(200)["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn fifty_checkouts_of_one_cart_are_one_order() {
    let shop = Shop::open().await;
    let ann = shop.ann();
    let cart = ann.post("/v1/carts", &json!({})).send().await.expect(201);
    let item = json!({ "sku": "MUG", "quantity": 1 });
    ann.post(&format!("/v1/carts/{}/items", text(&cart["id"])), &item).send().await.expect(200);
    let checkout = json!({ "cart_id": cart["id"], "shipping_address": address(), "shipping_method": "standard" });
    let ask = ann.post("/v1/checkouts", &checkout).key("fifty");
    let replies: Vec<_> = (0..50).map(|_| tokio::spawn(ask.clone().send())).collect();
    let mut ids = Vec::new();
    for reply in replies {
        ids.push(reply.await.unwrap().expect(201)["id"].clone());
    }
    assert!(ids.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn a_reused_key_is_refused() {
    let shop = Shop::open().await;
    shop.ann().post("/v1/orders", &order_of("MUG", 1)).key("abc").send().await.expect(201);
    let other = shop.ann().post("/v1/orders", &order_of("MUG", 2)).key("abc").send().await;
    other.problem(422, "idempotency_key_reused");
    assert_eq!(shop.available("MUG").await, 9);
}

#[tokio::test]
async fn a_key_is_the_callers_and_the_routes_own() {
    let shop = Shop::open().await;
    let first = shop.ann().post("/v1/orders", &order_of("MUG", 1)).key("abc").send().await.expect(201);
    let others = shop.bob().post("/v1/orders", &order_of("MUG", 1)).key("abc").send().await.expect(201);
    assert_ne!(first["id"], others["id"]);
    let cancelled = shop.ann().post(&format!("{}/cancel", path_of(&first)), &json!({})).key("abc").send().await;
    assert_eq!(cancelled.expect(200)["status"], "cancelled");
    let second = shop.ann().post("/v1/orders", &order_of("MUG", 1)).key("def").send().await.expect(201);
    let other = shop.ann().post(&format!("{}/cancel", path_of(&second)), &json!({})).key("abc").send().await;
    other.problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn a_refusal_is_not_kept() {
    let shop = Shop::open().await;
    shop.ann().post("/v1/orders", &order_of("MUG", 11)).key("abc").send().await.problem(409, "out_of_stock");
    shop.admin().put("/v1/inventory/MUG", &json!({ "on_hand": 20 })).send().await.expect(200);
    shop.ann().post("/v1/orders", &order_of("MUG", 11)).key("abc").send().await.expect(201);
}

#[tokio::test]
async fn keys_are_honoured_on_every_post_that_changes_something() {
    let shop = Shop::open().await;
    let ann = shop.ann();
    let cart = ann.post("/v1/carts", &json!({})).key("open").send().await;
    assert_eq!(ann.post("/v1/carts", &json!({})).key("open").send().await.body, cart.body);
    let items = format!("/v1/carts/{}/items", text(&cart.json()["id"]));
    let add = ann.post(&items, &json!({ "sku": "MUG", "quantity": 2 })).key("add");
    let (first, again) = (add.clone().send().await, add.send().await);
    assert_eq!((first.expect(200)["items"][0]["quantity"].as_i64(), first.body), (Some(2), again.body));

    let adjust = shop.service().post("/v1/inventory/MUG/adjustments", &json!({ "delta": 5, "reason": "delivery" }));
    for _ in 0..3 {
        assert_eq!(adjust.clone().key("five").send().await.expect(200)["on_hand"], 15);
    }

    let order = shop.order(1).await;
    let confirm = format!("/v1/payments/{}/confirm", text(&order["payment"]["id"]));
    let confirm = ann.post(&confirm, &json!({ "token": "tok_ok" })).key("pay");
    let (first, again) = (confirm.clone().send().await, confirm.send().await);
    assert_eq!((first.expect(200), again.header("idempotent-replayed")), (again.expect(200), "true"));

    let refund = format!("/v1/payments/{}/refunds", text(&order["payment"]["id"]));
    let refund = shop.support().post(&refund, &json!({ "amount": "1.00", "reason": "scratch" })).key("refund");
    let (first, again) = (refund.clone().send().await, refund.send().await);
    assert_eq!(first.expect(201), again.expect(201));
    assert_eq!(first.json()["refunds"].as_array().unwrap().len(), 1);

    let product =
        shop.admin().post("/v1/products", &json!({ "name": "Cup", "variants": [{ "sku": "CUP", "price": "1" }] }));
    let (first, again) = (product.clone().key("cup").send().await, product.key("cup").send().await);
    assert_eq!(first.expect(201), again.expect(201));

    let category = shop.admin().post("/v1/categories", &json!({ "id": "cups", "name": "Cups" }));
    let (first, again) = (category.clone().key("cups").send().await, category.key("cups").send().await);
    assert_eq!((first.expect(201), "true"), (again.expect(201), again.header("idempotent-replayed")));
}

#[tokio::test]
async fn an_answer_is_not_shown_in_another_role() {
    let shop = Shop::open().await;
    let adjust = |client: Client| {
        client.post("/v1/inventory/MUG/adjustments", &json!({ "delta": 1, "reason": "found" })).key("role-1")
    };
    adjust(shop.admin()).send().await.expect(200);
    assert_eq!(adjust(shop.admin()).send().await.header("idempotent-replayed"), "true");
    let same_user = mint(SECRET, "root", Role::Customer, Duration::from_secs(60)).unwrap();
    adjust(shop.with_token(&same_user)).send().await.problem(403, "forbidden");
}

#[tokio::test]
async fn the_condition_is_part_of_the_request() {
    let shop = Shop::open().await;
    let cart = shop.ann().post("/v1/carts", &json!({})).send().await.expect(201);
    let path = format!("/v1/carts/{}/items", text(&cart["id"]));
    let add = shop.ann().post(&path, &json!({ "sku": "MUG", "quantity": 1 })).key("condition-1");
    add.clone().header("if-match", "\"1\"").send().await.expect(200);
    add.header("if-match", "\"2\"").send().await.problem(422, "idempotency_key_reused");
}
