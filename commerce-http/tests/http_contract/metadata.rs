//! Metadata: kept and shown wherever it may be given, found by equality, refused precisely.

use commerce_testkit::strategy::text;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::shop::{Shop, encoded, fresh_key, order_of, path_of, text, with};

/// A body with metadata, for each route that takes some: method, path, body, and where it stands in body and answer.
async fn bodies(shop: &Shop) -> Vec<(&'static str, String, Value, &'static str)> {
    let cart = shop.ann().post("/v1/carts", &json!({})).send().await.expect(201);
    let cart = format!("/v1/carts/{}", text(&cart["id"]));
    let product = json!({ "id": "cup", "name": "Cup", "variants": [{ "sku": "CUP", "price": "1.00" }] });
    let promotion = json!({ "id": "free", "effect": { "type": "free_shipping" } });
    vec![
        ("POST", "/v1/orders".to_owned(), order_of("MUG", 1), ""),
        ("POST", "/v1/orders".to_owned(), order_of("MUG", 1), "/items/0"),
        ("PATCH", cart.clone(), json!({}), ""),
        ("POST", format!("{cart}/items"), json!({ "sku": "MUG", "quantity": 1 }), "/items/0"),
        ("PUT", "/v1/products/cup".to_owned(), product.clone(), ""),
        ("PUT", "/v1/products/cup".to_owned(), product, "/variants/0"),
        ("POST", "/v1/promos".to_owned(), promotion, ""),
    ]
}

async fn send(shop: &Shop, (method, path, body): (&str, &str, &Value)) -> super::shop::Reply {
    let client = if path.starts_with("/v1/carts") || path == "/v1/orders" { shop.ann() } else { shop.admin() };
    client.ask(method.parse().unwrap(), path).key(&fresh_key()).json(body).send().await
}

/// Where metadata is given: an item to add to a cart is the body itself.
fn given(path: &str, body: &Value, place: &str, metadata: &Value) -> (Value, String) {
    let place = if path.ends_with("/items") { "" } else { place };
    let pointer = format!("{place}/metadata");
    (with(body.clone(), &pointer, metadata.clone()), pointer)
}

#[tokio::test]
async fn metadata_is_shown_as_it_was_given() {
    let shop = Shop::open().await;
    let mut runner = TestRunner::deterministic();
    let strategy = text::metadata();
    for turn in 0..4 {
        for (method, path, body, place) in bodies_of(&shop, turn).await {
            let metadata = strategy.new_tree(&mut runner).unwrap().current();
            let metadata = serde_json::to_value(metadata).unwrap();
            let (body, _) = given(&path, &body, place, &metadata);
            let shown = send(&shop, (method, &path, &body)).await.json();
            assert_eq!(shown.pointer(&format!("{place}/metadata")), Some(&metadata), "{method} {path}: {shown}");
        }
    }
}

/// Each turn makes other promotions and opens the cart once.
async fn bodies_of(shop: &Shop, turn: usize) -> Vec<(&'static str, String, Value, &'static str)> {
    if turn == 0 {
        return bodies(shop).await;
    }
    let promotion = json!({ "id": format!("free-{turn}"), "effect": { "type": "free_shipping" } });
    vec![
        ("POST", "/v1/orders".to_owned(), order_of("MUG", 1), ""),
        ("POST", "/v1/orders".to_owned(), order_of("MUG", 1), "/items/0"),
        ("POST", "/v1/promos".to_owned(), promotion, ""),
    ]
}

#[tokio::test]
async fn metadata_that_cannot_be_kept_is_refused_with_its_place() {
    let shop = Shop::open().await;
    let many: serde_json::Map<String, Value> = (0..51).map(|n| (format!("k{n}"), json!(n))).collect();
    let refused = [
        (json!({ "size": null }), "/size", "wrong_type"),
        (json!({ "size": { "cm": 9 } }), "/size", "wrong_type"),
        (json!({ "size": [9] }), "/size", "wrong_type"),
        (json!({ "a/b": 1 }), "/a~1b", "invalid"),
        (json!({ "": 1 }), "/", "invalid"),
        (json!({ "k".repeat(41): 1 }), &*format!("/{}", "k".repeat(41)), "invalid"),
        (json!({ "size": "é".repeat(251) }), "/size", "too_long"),
        (json!({ "size": "a\u{0}b" }), "/size", "invalid"),
        (json!({ "size": u64::MAX }), "/size", "out_of_range"),
        (json!({ "size": 0.123_456_789_012_345_6 }), "/size", "out_of_range"),
        (Value::Object(many), "", "too_many"),
        (json!([]), "", "wrong_type"),
    ];
    let before = shop.admin().get("/v1/orders").send().await.expect(200);
    for (method, path, body, place) in bodies(&shop).await {
        for (metadata, key, code) in &refused {
            if method == "PATCH" && metadata == &refused[0].0 {
                continue; // there, null removes an entry
            }
            let (body, pointer) = given(&path, &body, place, metadata);
            send(&shop, (method, &path, &body)).await.invalid(&format!("{pointer}{key}"), code);
        }
    }
    assert_eq!(shop.admin().get("/v1/orders").send().await.expect(200), before);
    shop.admin().get("/v1/products/cup").send().await.problem(404, "not_found");
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let shop = Shop::open().await;
    let body = r#"{ "name": "", "metadata": { "a": {}, "b c": 1, "d": 1, "d": 2 }, "variants": [{ "sku": "X", "price": "1.00", "metadata": { "e": [] } }] }"#;
    let reply = shop.admin().ask("POST".parse().unwrap(), "/v1/products").text(body).send().await;
    let problem = reply.problem(422, "validation_failed");
    let pointers: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|error| text(&error["pointer"])).collect();
    assert_eq!(pointers, ["/name", "/variants/0/metadata/e", "/metadata/a", "/metadata/b c", "/metadata/d"]);
}

/// A document is read as a whole, so all of it has a limit, and not only each part.
#[tokio::test]
async fn the_metadata_of_all_lines_together_has_a_limit() {
    let shop = Shop::open().await;
    let ann = shop.ann();
    let full: serde_json::Map<String, Value> = (0..50).map(|n| (format!("k{n:02}"), json!("x".repeat(500)))).collect();
    let cart = ann.post("/v1/carts", &json!({ "metadata": full })).send().await.expect(201);
    let path = format!("/v1/carts/{}", text(&cart["id"]));
    let add = |sku: &str| ann.post(&format!("{path}/items"), &json!({ "sku": sku, "quantity": 1, "metadata": full }));
    let skus: Vec<_> = (0..10).map(|n| format!("SKU-{n}")).collect();
    for sku in &skus {
        shop.sells(sku, "1.00", 9).await;
    }
    for sku in &skus[..9] {
        add(sku).send().await.expect(200); // 25,150 bytes each
    }
    let before = ann.get(&path).send().await.expect(200);
    let refused = add(&skus[9]).send().await;
    refused.invalid("/metadata", "too_large");
    assert!(text(&refused.json()["detail"]).contains("256 KiB"), "{refused:?}");
    assert_eq!(ann.get(&path).send().await.expect(200), before);
    add(&skus[0]).send().await.expect(200); // replaces its metadata
    ann.post(&format!("{path}/items"), &json!({ "sku": skus[9], "quantity": 1 })).send().await.expect(200);
    let none: serde_json::Map<String, Value> = full.keys().map(|key| (key.clone(), Value::Null)).collect();
    let small = ann.patch(&path, &json!({ "metadata": none })).send().await.expect(200);
    let line = format!("{path}/items/{}", text(&small["items"][9]["id"]));
    ann.patch(&line, &json!({ "metadata": full })).send().await.expect(200);
    ann.patch(&path, &json!({ "metadata": full })).send().await.invalid("/metadata", "too_large");
    let checkout = json!({ "cart_id": cart["id"], "shipping_address": super::shop::address(), "metadata": full });
    let reply = ann.post("/v1/checkouts", &checkout).key(&fresh_key()).send().await;
    reply.invalid("/metadata", "too_large");
    let checkout = json!({ "cart_id": cart["id"], "shipping_address": super::shop::address() });
    ann.post("/v1/checkouts", &checkout).key(&fresh_key()).send().await.expect(201);
}

#[tokio::test]
async fn a_merge_patch_sets_and_removes_entries() {
    let shop = Shop::open().await;
    let ann = shop.ann();
    let cart = ann.post("/v1/carts", &json!({ "metadata": { "a": 1, "b": "x" } })).send().await.expect(201);
    let path = format!("/v1/carts/{}", text(&cart["id"]));
    let again = ann.post("/v1/carts", &json!({ "metadata": { "c": 1 } })).send().await.expect(200);
    assert_eq!(again["metadata"], cart["metadata"], "a cart that is there keeps its own");
    let changed = ann.patch(&path, &json!({ "metadata": { "a": null, "c": true } })).send().await.expect(200);
    assert_eq!((&changed["metadata"], &changed["version"]), (&json!({ "b": "x", "c": true }), &json!(2)));
    let many: serde_json::Map<String, Value> = (0..49).map(|n| (format!("k{n}"), json!(n))).collect();
    ann.patch(&path, &json!({ "metadata": many })).send().await.invalid("/metadata", "too_many");
    ann.patch(&path, &json!({})).send().await.invalid("/metadata", "required");
    shop.bob().patch(&path, &json!({ "metadata": { "a": 1 } })).send().await.problem(404, "not_found");
    assert_eq!(ann.get(&path).send().await.expect(200), changed);

    let item = json!({ "sku": "MUG", "quantity": 2, "metadata": { "engraving": "Ann", "gift": true } });
    let cart = ann.post(&format!("{path}/items"), &item).send().await.expect(200);
    let line = format!("{path}/items/{}", text(&cart["items"][0]["id"]));
    let cart = ann.patch(&line, &json!({ "metadata": { "gift": null } })).send().await.expect(200);
    assert_eq!(
        (&cart["items"][0]["quantity"], &cart["items"][0]["metadata"]),
        (&json!(2), &json!({ "engraving": "Ann" }))
    );
    ann.patch(&line, &json!({})).send().await.invalid("/quantity", "required");
    let checkout = with(json!({ "metadata": { "till": 7 } }), "/cart_id", cart["id"].clone());
    let checkout = with(checkout, "/shipping_address", super::shop::address());
    let order = ann.post("/v1/checkouts", &checkout).key(&fresh_key()).send().await.expect(201);
    assert_eq!(
        (&order["metadata"], &order["items"][0]["metadata"]),
        (&json!({ "till": 7 }), &json!({ "engraving": "Ann" }))
    );
    let events = ann.get(&format!("{}/events", path_of(&order))).send().await.expect(200);
    assert_eq!(events["items"][0]["data"]["metadata"], order["metadata"]);

    let promotion = json!({ "id": "free", "effect": { "type": "free_shipping" }, "metadata": { "a": 1, "b": 2 } });
    shop.admin().post("/v1/promos", &promotion).send().await.expect(201);
    let patch = json!({ "metadata": { "a": null, "c": 3 } });
    let patched = shop.admin().patch("/v1/promos/free", &patch).send().await.expect(200);
    assert_eq!(patched["metadata"], json!({ "b": 2, "c": 3 }));
    let patched = shop.admin().patch("/v1/promos/free", &json!({ "metadata": null })).send().await.expect(200);
    assert_eq!(patched["metadata"], json!({}));
    let history = shop.admin().get("/v1/promos/free/history").send().await.expect(200);
    assert_eq!(history["items"][0]["created"]["promotion"]["definition"]["metadata"], promotion["metadata"]);
}

#[tokio::test]
async fn staff_filter_lists_by_metadata() {
    let shop = Shop::open().await;
    let (app, till) = (json!({ "channel": "app", "beta": true }), json!({ "channel": "till & more", "beta": true }));
    for (n, metadata) in [&app, &till].into_iter().enumerate() {
        let order = with(order_of("MUG", 1), "/metadata", metadata.clone());
        shop.ann().post("/v1/orders", &order).key(&fresh_key()).send().await.expect(201);
        let product = json!({ "name": "Cup", "variants": [{ "sku": format!("CUP-{n}"), "price": "1.00" }], "metadata": metadata });
        shop.admin().post("/v1/products", &product).send().await.expect(201);
        let promotion = json!({ "effect": { "type": "free_shipping" }, "metadata": metadata });
        shop.admin().post("/v1/promos", &promotion).send().await.expect(201);
        let owner = if n == 0 { shop.ann() } else { shop.bob() };
        owner.post("/v1/carts", &json!({ "metadata": metadata })).send().await.expect(201);
    }
    for noun in ["orders", "users/ann/orders", "products", "promos", "carts"] {
        let list = async |query: &str| {
            let list = shop.admin().get(&format!("/v1/{noun}?{query}")).send().await.expect(200);
            list["items"].as_array().unwrap().iter().map(|item| item["metadata"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(list("metadata.beta=true").await.len(), 2, "{noun}");
        assert_eq!(list("metadata.beta=true&metadata.channel=app").await, vec![app.clone()], "{noun}");
        let other = format!("metadata.channel={}", encoded("till & more"));
        assert_eq!(list(&other).await, vec![till.clone()], "{noun}");
        assert_eq!(list("metadata.channel=").await.len(), 0, "{noun}");
        let path = |query: &str| format!("/v1/{noun}?{query}");
        shop.ann().get(&path("metadata.beta=true")).send().await.problem(403, "forbidden");
        shop.guest().get(&path("metadata.beta=true")).send().await.problem(401, "unauthenticated");
        for query in ["metadata.a%20b=1", "metadata.=1", "metadata.a=1&metadata.a=2"] {
            shop.admin().get(&path(query)).send().await.problem(422, "invalid_parameter");
        }
    }
}

#[tokio::test]
async fn staff_list_carts_without_their_quotes() {
    let shop = Shop::open().await;
    for client in [shop.ann(), shop.bob()] {
        client.post("/v1/carts", &json!({})).send().await.expect(201);
    }
    let first = shop.support().get("/v1/carts?limit=1").send().await.expect(200);
    assert_eq!((&first["items"][0]["user_id"], first["items"][0].get("quote")), (&json!("ann"), None));
    let next = format!("/v1/carts?cursor={}", text(&first["next_cursor"]));
    assert_eq!(shop.support().get(&next).send().await.expect(200)["items"][0]["user_id"], "bob");
    shop.ann().get("/v1/carts").send().await.problem(403, "forbidden");
}
