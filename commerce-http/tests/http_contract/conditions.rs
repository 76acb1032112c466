//! Versions: `ETag` on what is shown, `If-Match` on what is written.

use serde_json::{Value, json};

use super::shop::{Ask, Shop, path_of, text};

/// A write goes through with the present version or `*`, and not with another.
async fn check(write: Ask, path: &str, shop: &Shop) {
    let etag = shop.admin().get(path).send().await.header("etag").to_owned();
    assert!(etag.starts_with('"'), "{path} has the ETag {etag}");
    for stale in ["\"999\"", "W/\"1\"", "\"x\"", "0", &etag.replacen('"', "\"0", 1), &etag.replacen('"', "\"+", 1)] {
        write.clone().header("if-match", stale).send().await.problem(412, "precondition_failed");
    }
    write.clone().header("if-match", "").send().await.problem(400, "malformed_precondition");
    assert_eq!(shop.admin().get(path).send().await.header("etag"), etag);
    let written = write.clone().header("if-match", &etag).send().await;
    assert!(written.status.is_success(), "{written:?}");
    write.header("if-match", &etag).send().await.problem(412, "precondition_failed");
}

#[tokio::test]
async fn a_cart_is_changed_at_the_version_that_was_seen() {
    let shop = Shop::open().await;
    let cart = shop.ann().post("/v1/carts", &json!({})).send().await.expect(201);
    let path = format!("/v1/carts/{}", text(&cart["id"]));
    let add = shop.ann().post(&format!("{path}/items"), &json!({ "sku": "MUG", "quantity": 1 }));
    check(add.clone(), &path, &shop).await;
    add.clone().header("if-match", "*").send().await.expect(200);
    let now = shop.ann().get(&path).send().await;
    let listed = format!("\"1\", {}", now.header("etag"));
    add.clone().header("if-match", &listed).send().await.expect(200);
    let now = shop.ann().get(&path).send().await;
    let listed = format!("W/{0}, {0}, \"99\"", now.header("etag"));
    add.clone().header("if-match", &listed).send().await.expect(200);
    add.clone()
        .header("if-match", "\"7\"")
        .header("if-match", "\"8\"")
        .send()
        .await
        .problem(412, "precondition_failed");
    let stale = add.clone().header("if-match", "W/\"1\", \"x\"").send().await.problem(412, "precondition_failed");
    assert_eq!(stale["detail"], "Expected a strong tag of this server, such as \"3\", found version 5");
    let many: Vec<_> = (1..=9).map(|version| format!("\"{version}\"")).collect();
    add.header("if-match", &many.join(",")).send().await.problem(400, "malformed_precondition");
    let code = shop.ann().post(&format!("{path}/promotions"), &json!({ "code": "A" }));
    check(code, &path, &shop).await;
}

#[tokio::test]
async fn lines_are_changed_at_the_version_that_was_seen() {
    let shop = Shop::open().await;
    let cart = shop.ann().post("/v1/carts", &json!({})).send().await.expect(201);
    let path = format!("/v1/carts/{}", text(&cart["id"]));
    let item = json!({ "sku": "MUG", "quantity": 1 });
    let cart = shop.ann().post(&format!("{path}/items"), &item).send().await.expect(200);
    let line = format!("{path}/items/{}", text(&cart["items"][0]["id"]));
    check(shop.ann().patch(&line, &json!({ "quantity": 3 })), &path, &shop).await;
    check(shop.ann().delete(&line), &path, &shop).await;
}

#[tokio::test]
async fn an_order_is_moved_at_the_version_that_was_seen() {
    let shop = Shop::open().await;
    let path = path_of(&shop.order(1).await);
    let shipment = json!({ "provider": "Post", "method": "parcel" });
    check(shop.admin().put(&format!("{path}/shipping"), &shipment), &path, &shop).await;
    check(shop.admin().patch(&path, &json!({ "status": "paid" })), &path, &shop).await;
    check(shop.ann().post(&format!("{path}/cancel"), &json!({})), &path, &shop).await;
}

#[tokio::test]
async fn stock_is_set_at_the_version_that_was_seen() {
    let shop = Shop::open().await;
    check(shop.admin().put("/v1/inventory/MUG", &json!({ "on_hand": 5 })), "/v1/inventory/MUG", &shop).await;
    let adjust = shop.admin().post("/v1/inventory/MUG/adjustments", &json!({ "delta": 1, "reason": "count" }));
    check(adjust, "/v1/inventory/MUG", &shop).await;
}

fn mug(name: &str) -> Value {
    json!({ "name": name, "variants": [{ "sku": "MUG", "price": "9.99" }] })
}

#[tokio::test]
async fn a_product_is_changed_at_the_version_that_was_seen() {
    let shop = Shop::open().await;
    check(shop.admin().put("/v1/products/MUG", &mug("Mug")), "/v1/products/MUG", &shop).await;
}

#[tokio::test]
async fn a_star_asks_for_existence_and_its_absence() {
    let shop = Shop::open().await;
    let cup = json!({ "name": "Cup", "variants": [{ "sku": "CUP", "price": "1.00" }] });
    let make = shop.admin().put("/v1/products/CUP", &cup);
    make.clone().header("if-match", "*").send().await.problem(412, "precondition_failed");
    make.clone().header("if-none-match", "*").send().await.expect(200);
    make.clone().header("if-none-match", "*").send().await.problem(412, "precondition_failed");
    make.header("if-match", "*").send().await.expect(200);
    let stock = shop.admin().put("/v1/inventory/CUP", &json!({ "on_hand": 1 }));
    stock.clone().header("if-match", "*").send().await.problem(412, "precondition_failed");
    let received = shop.admin().post("/v1/inventory/CUP/adjustments", &json!({ "delta": 1, "reason": "found" }));
    received.clone().header("if-match", "*").send().await.problem(412, "precondition_failed");
    stock.clone().header("if-none-match", "*").send().await.expect(200);
    stock.header("if-none-match", "*").send().await.problem(412, "precondition_failed");
    received.header("if-match", "*").send().await.expect(200);
}

#[tokio::test]
async fn of_two_writers_at_one_version_one_is_told() {
    let shop = Shop::open().await;
    let etag = shop.admin().get("/v1/products/MUG").send().await.header("etag").to_owned();
    let writes: Vec<_> = (0..10)
        .map(|writer| shop.admin().put("/v1/products/MUG", &mug(&format!("Mug {writer}"))).header("if-match", &etag))
        .map(|ask| tokio::spawn(ask.send()))
        .collect();
    let mut won = 0;
    for write in writes {
        let reply = write.await.unwrap();
        match reply.status.as_u16() {
            200 => won += 1,
            409 => drop(reply.problem(409, "version_conflict")),
            _ => drop(reply.problem(412, "precondition_failed")),
        }
    }
    assert_eq!(won, 1);
}

/// A reader who has the version gets no body; with every other tag, the whole document.
async fn check_read(path: &str, write: Ask, shop: &Shop) {
    let read = || shop.admin().get(path);
    let shown = read().send().await;
    let etag = shown.header("etag").to_owned();
    for known in [&*etag, "*", &format!("W/{etag}"), &format!("\"x\", {etag}")] {
        let answer = read().header("if-none-match", known).send().await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (304, &b""[..]), "{path} {known}");
        assert_eq!((answer.header("etag"), answer.header("vary")), (&*etag, "accept-encoding"));
    }
    let head = shop.admin().ask(http::Method::HEAD, path).header("if-none-match", &etag).send().await;
    assert_eq!(head.status, 304);
    for other in ["\"999\"", "", "x", "\"x", &etag.replacen('"', "\"0", 1), &etag.replace('"', "")] {
        let answer = read().header("if-none-match", other).send().await;
        assert_eq!((answer.status.as_u16(), &answer.body), (200, &shown.body), "{path} {other}");
    }
    assert!(write.send().await.status.is_success());
    let answer = read().header("if-none-match", &etag).send().await;
    assert_eq!(answer.status, 200, "{path} was written");
    assert_ne!(answer.body, shown.body);
}

#[tokio::test]
async fn who_has_the_version_gets_no_body() {
    let shop = Shop::open().await;
    let (order, admin) = (path_of(&shop.order(1).await), shop.admin());
    check_read("/v1/products/MUG", admin.put("/v1/products/MUG", &mug("New")), &shop).await;
    let other = json!({ "name": "New", "variants": [{ "sku": "MUG", "price": "8.99" }] });
    check_read("/v1/products/MUG/variants", admin.put("/v1/products/MUG", &other), &shop).await;
    check_read(&order, admin.patch(&order, &json!({ "status": "paid" })), &shop).await;
    admin.put("/v1/customers/ann", &json!({ "groups": ["a"] })).send().await.expect(201);
    check_read("/v1/customers/ann", admin.put("/v1/customers/ann", &json!({ "groups": ["b"] })), &shop).await;
}

#[tokio::test]
async fn a_customer_who_was_deleted_and_is_new_has_another_version() {
    let shop = Shop::open().await;
    let put = |group| shop.admin().put("/v1/customers/ann", &json!({ "groups": [group] }));
    let first = put("a").send().await.header("etag").to_owned();
    assert_eq!(shop.admin().delete("/v1/customers/ann").send().await.status, 204);
    put("b").send().await.expect(201);
    let read = shop.admin().get("/v1/customers/ann").header("if-none-match", &first).send().await;
    assert_eq!(read.expect(200)["groups"], json!(["b"]));
}

/// What they show changes without a change of the version.
#[tokio::test]
async fn carts_and_promotions_are_always_shown() {
    let shop = Shop::open().await;
    let cart = shop.ann().post("/v1/carts", &json!({})).send().await.expect(201);
    let promo = json!({ "id": "p", "code": "P", "effect": { "type": "free_shipping" } });
    shop.admin().post("/v1/promos", &promo).send().await.expect(201);
    for path in [&format!("/v1/carts/{}", text(&cart["id"])), "/v1/promos/p", "/v1/inventory/MUG"] {
        let etag = shop.admin().get(path).send().await.header("etag").to_owned();
        shop.admin().get(path).header("if-none-match", &etag).send().await.expect(200);
    }
}
