//! Terms that make no sense are refused, each with its place.

use http::Method;
use serde_json::{Value, json};

use super::promotions::tenth;
use super::shop::{Shop, text, with};

/// A list of conditions nested so deep.
fn nested(levels: usize) -> Value {
    let innermost = json!({ "type": "first_order" });
    json!([(0..levels).fold(innermost, |inner, _| json!({ "type": "not", "condition": inner }))])
}

/// Refused in a promotion to make, and as a part of a request to price, at the same place.
async fn check(shop: &Shop, promotion: &Value, pointer: &str, code: &str) {
    shop.admin().post("/v1/promos", promotion).send().await.invalid(pointer, code);
    let pointer = format!("/promotions/0{pointer}");
    shop.service().post("/v1/quotes", &request(&json!([promotion]))).send().await.invalid(&pointer, code);
}

/// A request to price one mug.
fn request(promotions: &Value) -> Value {
    json!({
        "currency": "USD", "at": "2026-01-15T12:00:00Z", "promotions": promotions,
        "lines": [{ "id": "1", "sku": "MUG", "quantity": 1, "unit_price": "9.99" }],
    })
}

#[tokio::test]
async fn effects_that_make_no_sense_are_refused() {
    let shop = Shop::open().await;
    let percent = |percent: Value| json!({ "type": "percent_off", "target": "order", "percent": percent });
    let amount = |amount: &str| json!({ "type": "amount_off", "target": "order", "amount": amount });
    let tiers = |first: &str, second: &str| {
        let tier = |spend: &str| json!({ "min_spend": spend, "percent": 5 });
        json!({ "type": "tiered_percent", "tiers": [tier(first), tier(second)] })
    };
    let filtered = json!({ "type": "percent_off", "target": "items", "percent": 5, "filter": {} });
    let refused = [
        (percent(json!(-1)), "/effect/percent", "out_of_range"),
        (percent(json!("-0.01")), "/effect/percent", "out_of_range"),
        (percent(json!("100.00000001")), "/effect/percent", "out_of_range"),
        (percent(json!(101)), "/effect/percent", "out_of_range"),
        (percent(json!("ten")), "/effect/percent", "wrong_type"),
        (amount("-5"), "/effect/amount", "out_of_range"),
        (amount("5.001"), "/effect/amount", "too_many_decimals"),
        (amount("92233720368547758.08"), "/effect/amount", "too_large"),
        (json!({ "type": "half_off" }), "/effect/type", "invalid"),
        (json!({ "target": "order" }), "/effect/type", "required"),
        (with(percent(json!(5)), "/percentage", json!(5)), "/effect/percentage", "unknown_field"),
        (with(percent(json!(5)), "/target", json!("moon")), "/effect/target", "invalid"),
        (filtered.clone(), "/effect/filter", "empty"),
        (with(filtered, "/filter", json!({ "skus": [], "categories": [] })), "/effect/filter", "empty"),
        (tiers("20", "10"), "/effect/tiers/1/min_spend", "out_of_order"),
        (tiers("20", "20"), "/effect/tiers/1/min_spend", "out_of_order"),
        (json!({ "type": "tiered_percent", "tiers": [] }), "/effect/tiers", "empty"),
        (
            json!({ "type": "buy_get", "buy": { "quantity": 0 }, "get": { "quantity": 1, "percent": 100 } }),
            "/effect/buy/quantity",
            "out_of_range",
        ),
    ];
    for (effect, pointer, code) in refused {
        check(&shop, &with(tenth(), "/effect", effect), pointer, code).await;
    }
}

#[tokio::test]
async fn conditions_that_make_no_sense_are_refused() {
    let shop = Shop::open().await;
    let refused = [
        (json!([{ "type": "min_spend", "amount": "-1" }]), "/conditions/0/amount", "out_of_range"),
        (json!([{ "type": "min_spend", "amount": "1", "filter": {} }]), "/conditions/0/filter", "empty"),
        (json!([{ "type": "contains" }]), "/conditions/0/filter", "required"),
        (json!([{ "type": "contains", "filter": { "sku": "A" } }]), "/conditions/0/filter/sku", "unknown_field"),
        (json!([{ "type": "segment", "any": [] }]), "/conditions/0/any", "empty"),
        (json!([{ "type": "moon_phase" }]), "/conditions/0/type", "invalid"),
        (json!([{ "type": "nth_order", "n": 0 }]), "/conditions/0/n", "out_of_range"),
        (json!([{ "type": "first_order" }, { "type": "nth_order", "n": 2 }]), "/conditions/1", "contradiction"),
        (
            json!([{ "type": "all", "conditions": [{ "type": "shipping_method", "any": ["a"] },
                 { "type": "shipping_method", "any": ["b"] }] }]),
            "/conditions/0/conditions/1",
            "contradiction",
        ),
        (
            json!([{ "type": "first_order" }, { "type": "not", "condition": { "type": "first_order" } }]),
            "/conditions/1",
            "contradiction",
        ),
        (json!([{ "type": "any", "conditions": [] }]), "/conditions/0/conditions", "empty"),
        (json!({ "type": "first_order" }), "/conditions", "wrong_type"),
        (json!(vec![json!({ "type": "first_order" }); 51]), "/conditions", "too_many"),
        (nested(9), &*format!("/conditions/0{}", "/condition".repeat(8)), "too_deep"),
    ];
    for (conditions, pointer, code) in refused {
        check(&shop, &with(tenth(), "/conditions", conditions), pointer, code).await;
    }
    let deepest = with(tenth(), "/conditions", nested(8));
    shop.admin().post("/v1/promos", &deepest).send().await.expect(201);
}

#[tokio::test]
async fn nesting_without_end_is_refused() {
    let shop = Shop::open().await;
    for levels in [100, 1_000, 2_000] {
        let (open, close) = (r#"{"type":"not","condition":"#.repeat(levels), "}".repeat(levels));
        let body =
            format!(r#"{{"effect":{{"type":"free_shipping"}},"conditions":[{open}{{"type":"first_order"}}{close}]}}"#);
        let reply = shop.admin().ask(Method::POST, "/v1/promos").text(&body).send().await;
        let problem = reply.problem(422, "validation_failed");
        let error = &problem["errors"][0];
        assert_eq!(error["code"], "too_deep");
        assert!(text(&error["pointer"]).starts_with("/conditions/0/condition/condition"), "{problem}");
    }
    shop.admin().get("/v1/promos").send().await.expect(200);
}

#[tokio::test]
async fn definitions_that_make_no_sense_are_refused() {
    let shop = Shop::open().await;
    let refused = [
        ("/code", json!("x".repeat(10_000)), "/code", "too_long"),
        ("/code", json!(" "), "/code", "empty"),
        ("/id", json!("x".repeat(65)), "/id", "too_long"),
        ("/group", json!("x".repeat(65)), "/group", "too_long"),
        ("/currency", json!("EUR"), "/currency", "currency_mismatch"),
        ("/currency", json!("XYZ"), "/currency", "invalid"),
        ("/budget", json!("-1"), "/budget", "out_of_range"),
        ("/max_uses", json!(-1), "/max_uses", "out_of_range"),
        ("/max_uses", json!(1.5), "/max_uses", "out_of_range"),
        ("/max_uses_per_customer", json!("1"), "/max_uses_per_customer", "wrong_type"),
        ("/priority", json!(2_147_483_648_i64), "/priority", "out_of_range"),
        ("/exclusive", json!("yes"), "/exclusive", "wrong_type"),
        ("/starts_at", json!("soon"), "/starts_at", "invalid"),
        ("/colour", json!("red"), "/colour", "unknown_field"),
        ("/effect", Value::Null, "/effect", "required"),
    ];
    for (place, value, pointer, code) in refused {
        check(&shop, &with(tenth(), place, value), pointer, code).await;
    }
    let (early, late) = (json!("2026-01-01T00:00:00Z"), json!("2026-02-01T00:00:00Z"));
    for (start, end) in [(&late, &early), (&early, &early)] {
        let backwards = with(with(tenth(), "/starts_at", start.clone()), "/ends_at", end.clone());
        check(&shop, &backwards, "/ends_at", "ends_before_start").await;
    }
    for counted in ["used", "used_by_customer"] {
        let used = with(tenth(), &format!("/{counted}"), json!(1));
        shop.admin().post("/v1/promos", &used).send().await.invalid(&format!("/{counted}"), "read_only");
    }
    assert_eq!(shop.admin().get("/v1/promos").send().await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn everything_wrong_with_a_promotion_is_told_at_once() {
    let shop = Shop::open().await;
    let body = json!({
        "code": "x".repeat(65), "budget": "0.001", "conditions": [{ "type": "segment", "any": [" "] }],
        "effect": { "type": "percent_off", "target": "order", "percent": 200 },
    });
    let problem = shop.admin().post("/v1/promos", &body).send().await.problem(422, "validation_failed");
    let places: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|error| text(&error["pointer"])).collect();
    for place in ["/code", "/budget", "/conditions/0/any/0", "/effect/percent"] {
        assert!(places.contains(&place), "{place}: {problem}");
    }
}

#[tokio::test]
async fn names_stand_once_in_a_request() {
    let shop = Shop::open().await;
    let twice = request(&json!([tenth(), tenth()]));
    shop.service().post("/v1/quotes", &twice).send().await.invalid("/promotions/1/id", "duplicate");
    let line = json!({ "id": "1", "sku": "CUP", "quantity": 1, "unit_price": "1.00" });
    let twice = with(request(&json!([])), "/lines", json!([line, line]));
    shop.service().post("/v1/quotes", &twice).send().await.invalid("/lines/1/id", "duplicate");
}

#[tokio::test]
async fn a_request_has_a_size() {
    let shop = Shop::open().await;
    let many = request(&json!(vec![json!({}); 10_000]));
    shop.service().post("/v1/quotes", &many).send().await.invalid("/promotions", "too_many");
    let whole: Vec<_> = (0..10_000).map(|id| with(tenth(), "/id", json!(id.to_string()))).collect();
    shop.service().post("/v1/quotes", &request(&json!(whole))).send().await.problem(413, "body_too_large");
    let code = with(request(&json!([])), "/codes", json!(["x".repeat(10_000)]));
    shop.service().post("/v1/quotes", &code).send().await.invalid("/codes/0", "too_long");
    let cart = shop.ann().post("/v1/carts", &json!({})).send().await.expect(201);
    let given = json!({ "code": "x".repeat(10_000) });
    let path = format!("/v1/carts/{}/promotions", text(&cart["id"]));
    shop.ann().post(&path, &given).send().await.invalid("/code", "invalid");
}
