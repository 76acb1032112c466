//! Bad input gets a clear error and changes nothing.

use serde_json::{Value, json};

use super::shop::{Shop, address, fresh_key, order_of, text, with};

async fn cart_items(shop: &Shop) -> String {
    let cart = shop.ann().post("/v1/carts", &json!({})).send().await.expect(201);
    format!("/v1/carts/{}/items", text(&cart["id"]))
}

async fn is_untouched(shop: &Shop) {
    let orders = shop.admin().get("/v1/orders").send().await.expect(200);
    assert_eq!((&orders["items"], shop.available("MUG").await), (&json!([]), 10));
}

#[tokio::test]
async fn malformed_json_is_400() {
    let shop = Shop::open().await;
    let path = cart_items(&shop).await;
    for body in ["{", "", "{\"sku\": \"MUG\" \"quantity\": 1}", "{'sku': 'MUG'}", "nul", "{\"sku\": \"\u{1}\"}", "[[[["]
    {
        shop.ann().ask(http::Method::POST, &path).text(body).send().await.problem(400, "malformed_json");
    }
    let two = "{\"sku\": \"MUG\", \"quantity\": 1} {}";
    shop.ann().ask(http::Method::POST, &path).text(two).send().await.problem(400, "malformed_json");
    let deep = "[".repeat(100_000);
    shop.ann().ask(http::Method::POST, &path).text(&deep).send().await.problem(400, "malformed_json");
    let latin = shop.ann().ask(http::Method::POST, &path).bytes("application/json", b"{\"sku\": \"\xff\"}");
    latin.send().await.problem(400, "malformed_json");
}

#[tokio::test]
async fn malformed_behind_an_invalid_value_is_malformed_still() {
    let shop = Shop::open().await;
    let path = cart_items(&shop).await;
    let body = "{\"sku\": 5, \"quantity\": }";
    shop.ann().ask(http::Method::POST, &path).text(body).send().await.problem(400, "malformed_json");
}

#[tokio::test]
async fn wrong_types_are_named_by_their_place() {
    let shop = Shop::open().await;
    let path = cart_items(&shop).await;
    let wrong = [
        (json!({ "sku": 5, "quantity": 1 }), "/sku"),
        (json!({ "sku": "MUG", "quantity": "1" }), "/quantity"),
        (json!({ "sku": "MUG", "quantity": null }), "/quantity"),
        (json!({ "sku": "MUG", "quantity": 1.5 }), "/quantity"),
        (json!({ "sku": null, "quantity": 1 }), "/sku"),
        (json!([]), ""),
        (json!("MUG"), ""),
    ];
    for (body, pointer) in wrong {
        let reply = shop.ann().post(&path, &body).send().await;
        let problem = reply.problem(422, "validation_failed");
        assert_eq!(problem["errors"][0]["pointer"], *pointer, "{body}: {problem}");
    }
    shop.ann().post(&path, &json!({ "sku": 5, "quantity": 1 })).send().await.invalid("/sku", "wrong_type");
}

#[tokio::test]
async fn quantities_are_whole_and_within_limits() {
    let shop = Shop::open().await;
    let path = cart_items(&shop).await;
    for quantity in
        [json!(0), json!(-1), json!(1_000_001), json!(2.5), json!(1e30), json!(-9_223_372_036_854_775_808_i64)]
    {
        let reply = shop.ann().post(&path, &json!({ "sku": "MUG", "quantity": quantity })).send().await;
        let problem = reply.problem(422, "validation_failed");
        assert_eq!(problem["errors"][0]["pointer"], "/quantity", "{problem}");
        let order = with(order_of("MUG", 1), "/items/0/quantity", quantity);
        let reply = shop.ann().post("/v1/orders", &order).key(&fresh_key()).send().await;
        let problem = reply.problem(422, "validation_failed");
        assert_eq!(problem["errors"][0]["pointer"], "/items/0/quantity", "{problem}");
    }
    is_untouched(&shop).await;
}

#[tokio::test]
async fn a_whole_number_may_have_a_point() {
    let shop = Shop::open().await;
    let path = cart_items(&shop).await;
    for quantity in ["1.0", "1e0", "10e-1", "0.100e1"] {
        let item = format!("{{ \"sku\": \"MUG\", \"quantity\": {quantity} }}");
        shop.ann().ask(http::Method::POST, &path).text(&item).send().await.expect(200);
    }
    let cart = shop.ann().post("/v1/carts", &json!({})).send().await.expect(200);
    assert_eq!(cart["items"][0]["quantity"], 4);
}

#[tokio::test]
async fn numbers_that_would_be_rounded_are_refused() {
    let shop = Shop::open().await;
    let one = format!("1.{}1", "0".repeat(40));
    for amount in [&one, "1e-400", "-1E-400", "9.9900000000000001", "0.1e-320", "1e400"] {
        let item = format!("{{ \"sku\": \"X\", \"price\": {amount} }}");
        let body = format!("{{ \"name\": \"A \\\"1.{}1\", \"variants\": [{item}] }}", "0".repeat(40));
        let reply = shop.admin().ask(http::Method::POST, "/v1/products").text(&body).send().await;
        reply.invalid("/variants/0/price", "out_of_range");
        let body = format!("{{ \"metadata\": {{ \"a\": {amount} }} }}");
        let reply = shop.ann().ask(http::Method::POST, "/v1/carts").text(&body).send().await;
        reply.invalid("/metadata/a", "out_of_range");
    }
    let body = r#"{ "name": "A", "variants": [{ "sku": "X", "price": 1.5000000000000000000000 }] }"#;
    let product = shop.admin().ask(http::Method::POST, "/v1/products").text(body).send().await.expect(201);
    assert_eq!(product["variants"][0]["price"], "1.50");
}

#[tokio::test]
async fn names_are_one_visible_line() {
    let shop = Shop::open().await;
    let admin = shop.admin();
    let variants = json!([{ "sku": "X", "price": "1.00" }]);
    for name in ["a\nb", "a\tb", "a\u{2028}b", "a\u{202e}b", "a\u{2066}b", "\u{200b}", "\u{200b} \u{feff}", "\u{3164}"]
    {
        let product = json!({ "name": name, "variants": variants });
        admin.post("/v1/products", &product).send().await.invalid("/name", "invalid");
        admin.put("/v1/categories/c", &json!({ "name": name })).send().await.invalid("/name", "invalid");
        let order = with(order_of("MUG", 1), "/shipping_address/city", json!(name));
        let reply = shop.ann().post("/v1/orders", &order).key(&fresh_key()).send().await;
        reply.invalid("/shipping_address/city", "invalid");
        admin.put("/v1/customers/ann", &json!({ "groups": [name] })).send().await.invalid("/groups/0", "invalid");
        let promotion = json!({ "id": "p", "code": name, "effect": { "type": "free_shipping" } });
        admin.post("/v1/promos", &promotion).send().await.problem(422, "validation_failed");
    }
    let described = json!({ "name": "Tasse \u{200e}é 👨\u{200d}👩", "description": "One\ntwo", "variants": variants });
    let product = admin.post("/v1/products", &described).send().await.expect(201);
    assert_eq!((&product["name"], &product["description"]), (&described["name"], &described["description"]));
}

#[tokio::test]
async fn ids_that_no_url_can_name_are_refused() {
    let shop = Shop::open().await;
    for id in [".", "..", "a\u{202e}b", "\u{200b}"] {
        let product = json!({ "id": id, "name": "A", "variants": [{ "sku": "X", "price": "1.00" }] });
        shop.admin().post("/v1/products", &product).send().await.invalid("/id", "invalid");
        let product = json!({ "name": "A", "variants": [{ "sku": id, "price": "1.00" }] });
        shop.admin().post("/v1/products", &product).send().await.invalid("/variants/0/sku", "invalid");
    }
}

#[tokio::test]
async fn unknown_fields_are_refused_on_writes() {
    let shop = Shop::open().await;
    let path = cart_items(&shop).await;
    let item = json!({ "sku": "MUG", "quantity": 1, "price": "0.01" });
    shop.ann().post(&path, &item).send().await.invalid("/price", "unknown_field");
    let order = with(order_of("MUG", 1), "/items/0/qty", json!(2));
    shop.ann().post("/v1/orders", &order).key(&fresh_key()).send().await.invalid("/items/0/qty", "unknown_field");
    let order = with(order_of("MUG", 1), "/shipping_address/planet", json!("Earth"));
    let reply = shop.ann().post("/v1/orders", &order).key(&fresh_key()).send().await;
    reply.invalid("/shipping_address/planet", "unknown_field");
    let order = with(order_of("MUG", 1), "/status", json!("paid"));
    shop.ann().post("/v1/orders", &order).key(&fresh_key()).send().await.invalid("/status", "unknown_field");
    shop.ann().post("/v1/carts", &json!({ "user_id": "bob" })).send().await.invalid("/user_id", "unknown_field");
    is_untouched(&shop).await;
}

#[tokio::test]
async fn missing_fields_are_named() {
    let shop = Shop::open().await;
    let path = cart_items(&shop).await;
    shop.ann().post(&path, &json!({ "sku": "MUG" })).send().await.invalid("/quantity", "required");
    let order = json!({ "items": [{ "sku": "MUG" }], "shipping_address": address(), "shipping_method": "standard" });
    shop.ann().post("/v1/orders", &order).key(&fresh_key()).send().await.invalid("/items/0/quantity", "required");
}

#[tokio::test]
async fn all_invalid_values_are_told_at_once() {
    let shop = Shop::open().await;
    let places = |problem: &Value| -> Vec<String> {
        problem["errors"].as_array().unwrap().iter().map(|error| text(&error["pointer"]).to_owned()).collect()
    };
    let mut order = order_of("MUG", 0);
    for (pointer, value) in [
        ("/items/0/unit_price", json!("cheap")),
        ("/items/1", json!({ "sku": "", "quantity": -1 })),
        ("/shipping_address/name", json!("x".repeat(256))),
        ("/shipping_address/country", json!("XX")),
        ("/notes", json!(" ")),
    ] {
        if pointer == "/items/1" {
            order["items"].as_array_mut().unwrap().push(value);
        } else {
            order = with(order, pointer, value);
        }
    }
    let problem = shop.admin().post("/v1/orders", &order).key(&fresh_key()).send().await.expect(422);
    assert_eq!(
        places(&problem),
        [
            "/items/0/quantity",
            "/items/0/unit_price",
            "/items/1/sku",
            "/items/1/quantity",
            "/shipping_address/name",
            "/shipping_address/country",
            "/notes"
        ]
    );
    let variants = json!([{ "sku": "A\n", "price": "1.999" }, { "sku": "B", "price": "free" }]);
    let product = json!({ "name": "", "categories": [" x"], "variants": variants });
    let problem = shop.admin().post("/v1/products", &product).send().await.expect(422);
    assert_eq!(
        places(&problem),
        ["/name", "/categories/0", "/variants/0/sku", "/variants/0/price", "/variants/1/price"]
    );
    let codes: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|error| text(&error["code"])).collect();
    assert_eq!(codes, ["invalid", "invalid", "invalid", "invalid_amount", "invalid"]);
    is_untouched(&shop).await;
}

#[tokio::test]
async fn a_list_of_faults_ends() {
    let shop = Shop::open().await;
    let order = with(order_of("MUG", 1), "/items", json!(vec![json!({ "sku": "", "quantity": 0 }); 400]));
    let problem = shop.ann().post("/v1/orders", &order).key(&fresh_key()).send().await.expect(422);
    assert_eq!(problem["errors"].as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn a_field_that_stands_twice_is_refused() {
    let shop = Shop::open().await;
    let path = cart_items(&shop).await;
    let body = "{\"sku\": \"MUG\", \"quantity\": 1, \"quantity\": 5}";
    shop.ann().ask(http::Method::POST, &path).text(body).send().await.invalid("/quantity", "duplicate");
}

#[tokio::test]
async fn orders_of_what_cannot_be_ordered_are_refused() {
    let shop = Shop::open().await;
    let refused: [(Value, &str); 8] = [
        (order_of("CUP", 1), "/items/0"),
        (with(order_of("MUG", 1), "/items", json!([])), "/items"),
        (with(order_of("MUG", 1), "/items/0", json!({ "quantity": 1 })), "/items/0"),
        (with(order_of("MUG", 1), "/items/0/product_id", json!("MUG")), "/items/0"),
        (with(order_of("MUG", 1), "/items/0", json!({ "product_id": "CUP", "quantity": 1 })), "/items/0/product_id"),
        (with(order_of("MUG", 1), "/shipping_method", json!("teleport")), "/shipping_method"),
        (with(order_of("MUG", 1), "/shipping_address/country", json!("XX")), "/shipping_address/country"),
        (with(order_of("MUG", 1), "/shipping_address/name", json!("  ")), "/shipping_address/name"),
    ];
    for (order, pointer) in refused {
        shop.ann().post("/v1/orders", &order).key(&fresh_key()).send().await.invalid(pointer, "invalid");
    }
    let both = with(order_of("MUG", 1), "/cart_id", json!(fresh_key()));
    shop.ann().post("/v1/orders", &both).key(&fresh_key()).send().await.invalid("", "invalid");
    is_untouched(&shop).await;
}

#[tokio::test]
async fn amounts_are_exact() {
    let shop = Shop::open().await;
    let admin = shop.admin();
    let product = |price: Value| json!({ "name": "Cup", "variants": [{ "sku": "CUP", "price": price }] });
    for price in [
        json!("1.999"),
        json!("92233720368547758.08"),
        json!("1e400"),
        json!("1,00"),
        json!("-1.00"),
        json!(""),
        json!(true),
    ] {
        let reply = admin.put("/v1/products/CUP", &product(price.clone())).send().await;
        let problem = reply.problem(422, "validation_failed");
        assert!(text(&problem["errors"][0]["pointer"]).starts_with("/variants"), "{price}: {problem}");
    }
    shop.guest().get("/v1/products/CUP").send().await.problem(404, "not_found");
    let number = admin.put("/v1/products/CUP", &product(json!(4.5))).send().await.expect(200);
    assert_eq!(number["variants"][0]["price"], "4.50");
}

#[tokio::test]
async fn another_currency_is_refused() {
    let shop = Shop::open().await;
    let product = json!({ "name": "Cup", "currency": "EUR", "variants": [{ "sku": "CUP", "price": "1.00" }] });
    shop.admin().put("/v1/products/CUP", &product).send().await.problem(422, "currency_mismatch");
    let unknown = with(product, "/currency", json!("XYZ"));
    shop.admin().put("/v1/products/CUP", &unknown).send().await.invalid("/currency", "invalid");
}

#[tokio::test]
async fn totals_that_do_not_fit_are_refused() {
    let shop = Shop::open().await;
    shop.sells("MOON", "92233720368547758.07", 10).await;
    let order = order_of("MOON", 2);
    shop.ann().post("/v1/orders", &order).key(&fresh_key()).send().await.problem(422, "amount_too_large");
    let path = cart_items(&shop).await;
    let item = json!({ "sku": "MOON", "quantity": 2 });
    shop.ann().post(&path, &item).send().await.problem(422, "amount_too_large");
}

#[tokio::test]
async fn names_that_are_none_are_not_found() {
    let shop = Shop::open().await;
    let ann = shop.ann();
    for path in
        ["/v1/carts/1", "/v1/orders/1", "/v1/orders/ORD-2026-1", "/v1/payments/x", "/v1/returns/x", "/v1/carts/%00"]
    {
        ann.get(path).send().await.problem(404, "not_found");
    }
    ann.get("/v1/carts/%FF").send().await.problem(404, "route_not_found");
    let unknown = fresh_key();
    for noun in ["carts", "orders", "payments", "returns"] {
        ann.get(&format!("/v1/{noun}/{unknown}")).send().await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn odd_skus_are_names_like_others() {
    let shop = Shop::open().await;
    for sku in ["TEA 2/3", "50%", "naïve?", "a+b", "#1", "😀", "ORD-1", &"x".repeat(64)] {
        shop.sells(sku, "1.00", 3).await;
        let order = shop.ann().post("/v1/orders", &order_of(sku, 1)).key(&fresh_key()).send().await.expect(201);
        assert_eq!(order["items"][0]["sku"], sku);
        assert_eq!(shop.available(sku).await, 2, "{sku}");
    }
    let long = "x".repeat(65);
    let level = json!({ "on_hand": 1 });
    shop.admin().put(&format!("/v1/inventory/{long}"), &level).send().await.invalid("/sku", "invalid");
}

#[tokio::test]
async fn answers_tell_nothing_of_the_inside() {
    let shop = Shop::open().await;
    let bodies = [
        shop.ann().post("/v1/orders", &order_of("'; DROP TABLE orders; --", 1)).key("k").send().await,
        shop.ann().get("/v1/orders?status=%27%20OR%201%3D1").send().await,
        shop.ann().ask(http::Method::POST, "/v1/orders").key("k").text("{").send().await,
    ];
    for reply in bodies {
        let text = String::from_utf8_lossy(&reply.body).to_lowercase();
        assert!(!reply.status.is_server_error(), "{text}");
        for word in ["sqlite", "select ", "panicked", "src/", ".rs:", "bearer ey"] {
            assert!(!text.contains(word), "{text}");
        }
    }
}
