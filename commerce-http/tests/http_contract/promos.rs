//! Promotions: made, read, changed, ended, tried.

use serde_json::{Value, json};

use super::promotions::{cart_with, checkout, runs, tenth};
use super::shop::{Shop, fresh_key, names, path_of, text, with, without_secret};

/// The ids of a list.
fn ids(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|promotion| text(&promotion["id"])).collect()
}

#[tokio::test]
async fn a_promotion_is_made_read_changed_and_ended() {
    let shop = Shop::open().await;
    let admin = shop.admin();
    let reply = admin.post("/v1/promos", &tenth()).send().await;
    let made = reply.expect(201);
    assert_eq!((reply.header("location"), reply.header("etag")), ("/v1/promos/ten", "\"1\""));
    assert_eq!(
        names(&made),
        [
            "code",
            "created_at",
            "currency",
            "effect",
            "id",
            "max_uses",
            "metadata",
            "priority",
            "updated_at",
            "usage",
            "version"
        ]
    );
    assert_eq!((&made["currency"], &made["usage"]), (&json!("USD"), &json!({ "used": 0, "budget_used": "0.00" })));
    let read = admin.get("/v1/promos/ten").send().await;
    assert_eq!((read.expect(200), read.header("etag")), (made.clone(), "\"1\""));

    let patch = json!({ "effect": { "percent": 20 }, "max_uses": null, "priority": 3 });
    let reply = admin.patch("/v1/promos/ten", &patch).send().await;
    let changed = reply.expect(200);
    assert_eq!((reply.header("etag"), &changed["version"]), ("\"2\"", &json!(2)));
    let effect = json!({ "type": "percent_off", "target": "order", "percent": "20" });
    assert_eq!((&changed["effect"], &changed["priority"], &changed["code"]), (&effect, &json!(3), &json!("TEN")));
    assert_eq!(changed.get("max_uses"), None);

    let ended = admin.delete("/v1/promos/ten").send().await.expect(200);
    assert!(ended["ended_at"].is_string(), "{ended}");
    assert_eq!(admin.delete("/v1/promos/ten").send().await.expect(200), ended);
    assert_eq!(admin.get("/v1/promos/ten").send().await.expect(200), ended);
    let (_, check) = cart_with(&shop.ann(), "TEN").await;
    assert_eq!((&check["valid"], &check["reason"]), (&json!(false), &json!("expired")));
}

#[tokio::test]
async fn an_id_is_made_where_none_is_given_and_taken_once() {
    let shop = Shop::open().await;
    let free = json!({ "effect": { "type": "free_shipping" } });
    let (one, other) = (runs(&shop, &free).await, runs(&shop, &with(free.clone(), "/id", Value::Null)).await);
    assert_ne!(one["id"], other["id"]);
    runs(&shop, &tenth()).await;
    shop.admin().post("/v1/promos", &tenth()).send().await.problem(409, "already_exists");
    let routed = with(free, "/id", json!("validate"));
    shop.admin().post("/v1/promos", &routed).send().await.invalid("/id", "reserved");
}

#[tokio::test]
async fn odd_ids_are_names_like_others() {
    let shop = Shop::open().await;
    for id in ["10 % off/now", "naïve?", "😀"] {
        let promotion = with(tenth(), "/id", json!(id));
        let reply = shop.admin().post("/v1/promos", &promotion).send().await;
        let made = reply.expect(201);
        assert_eq!(made["id"], *id);
        assert_eq!(shop.admin().get(reply.header("location")).send().await.expect(200), made);
    }
}

#[tokio::test]
async fn every_effect_and_condition_comes_back_as_it_was_given() {
    let shop = Shop::open().await;
    let filter = json!({ "skus": ["MUG"], "categories": ["cups"] });
    let effects = json!([
        { "type": "percent_off", "target": "items", "percent": "12.5", "filter": filter, "max_quantity": 2,
          "max_amount": "5.00" },
        { "type": "amount_off", "target": "items", "allocation": "each", "amount": "1.00", "filter": filter },
        { "type": "amount_off", "target": "shipping", "amount": "2.00" },
        { "type": "fixed_price", "target": "items", "amount": "20.00", "bundle_quantity": 3 },
        { "type": "free_shipping" },
        { "type": "buy_get", "buy": { "filter": filter, "quantity": 2 }, "get": { "quantity": 1, "percent": "100" },
          "max_applications": 4 },
        { "type": "tiered_percent", "tiers": [{ "min_spend": "10.00", "percent": "5" },
          { "min_spend": "20.00", "percent": "10" }] },
    ]);
    let conditions = json!([
        { "type": "min_spend", "amount": "10.00", "filter": filter },
        { "type": "any", "conditions": [{ "type": "first_order" }, { "type": "segment", "any": ["vip"] },
          { "type": "not", "condition": { "type": "shipping_method", "any": ["express"] } }] },
    ]);
    for effect in effects.as_array().unwrap() {
        let terms = json!({
            "code": "X", "priority": -1, "exclusive": true, "group": "g", "starts_at": "2026-01-01T00:00:00Z",
            "ends_at": "2027-01-01T00:00:00Z", "max_uses": 5, "max_uses_per_customer": 1, "budget": "100.00",
            "conditions": conditions, "effect": effect,
        });
        let made = runs(&shop, &terms).await;
        for (name, value) in terms.as_object().unwrap() {
            assert_eq!(made[name], *value, "{name} of {made}");
        }
    }
}

#[tokio::test]
async fn promotions_are_listed_newest_first() {
    let shop = Shop::open().await;
    for id in ["a", "b", "c", "d", "e"] {
        runs(&shop, &with(tenth(), "/id", json!(id))).await;
        shop.later(chrono::TimeDelta::seconds(1));
    }
    shop.admin().delete("/v1/promos/b").send().await.expect(200);
    let first = shop.admin().get("/v1/promos?limit=2").send().await.expect(200);
    assert_eq!(ids(&first), ["e", "d"]);
    runs(&shop, &with(tenth(), "/id", json!("f"))).await;
    let next = format!("/v1/promos?limit=2&cursor={}", text(&first["next_cursor"]));
    let second = shop.admin().get(&next).send().await.expect(200);
    assert_eq!(ids(&second), ["c", "b"]);
    let next = format!("/v1/promos?limit=2&cursor={}", text(&second["next_cursor"]));
    let last = shop.admin().get(&next).send().await.expect(200);
    assert_eq!((ids(&last), &last["next_cursor"]), (vec!["a"], &Value::Null));
    shop.admin().get("/v1/promos?cursor=x").send().await.problem(422, "invalid_cursor");
    let foreign = format!("/v1/promos/a/redemptions?cursor={}", text(&first["next_cursor"]));
    shop.admin().get(&foreign).send().await.problem(422, "invalid_cursor");
}

#[tokio::test]
async fn promotions_are_the_admins() {
    let shop = Shop::open().await;
    runs(&shop, &tenth()).await;
    for client in [shop.ann(), shop.support(), shop.service()] {
        for path in ["/v1/promos", "/v1/promos/ten", "/v1/promos/ten/redemptions"] {
            client.get(path).send().await.problem(403, "forbidden");
        }
        client.post("/v1/promos", &with(tenth(), "/id", json!("x"))).send().await.problem(403, "forbidden");
        client.patch("/v1/promos/ten", &json!({ "priority": 1 })).send().await.problem(403, "forbidden");
        client.delete("/v1/promos/ten").send().await.problem(403, "forbidden");
    }
    shop.guest().get("/v1/promos").send().await.problem(401, "unauthenticated");
    shop.guest().post("/v1/promos/validate", &json!({})).send().await.problem(401, "unauthenticated");
    let admin = shop.admin();
    for path in ["/v1/promos/none", "/v1/promos/none/redemptions"] {
        admin.get(path).send().await.problem(404, "not_found");
    }
    admin.patch("/v1/promos/none", &json!({})).send().await.problem(404, "not_found");
    admin.delete("/v1/promos/none").send().await.problem(404, "not_found");
}

#[tokio::test]
async fn a_key_makes_one_promotion() {
    let shop = Shop::open().await;
    for (key, body) in [("named", tenth()), ("nameless", json!({ "effect": { "type": "free_shipping" } }))] {
        let ask = shop.admin().post("/v1/promos", &body).key(key);
        let (first, again) = (ask.clone().send().await, ask.send().await);
        first.expect(201);
        assert_eq!((&again.body, again.header("idempotent-replayed")), (&first.body, "true"));
        assert_eq!(again.header("etag"), first.header("etag"));
        let other = shop.admin().post("/v1/promos", &with(body, "/priority", json!(9))).key(key);
        other.send().await.problem(422, "idempotency_key_reused");
    }
    assert_eq!(ids(&shop.admin().get("/v1/promos").send().await.expect(200)).len(), 2);
}

#[tokio::test]
async fn a_patch_cannot_change_what_is_not_in_it() {
    let shop = Shop::open().await;
    runs(&shop, &tenth()).await;
    let refused = [
        (json!({ "id": "eleven" }), "/id", "read_only"),
        (json!({ "id": null }), "/id", "required"),
        (json!({ "used": 5 }), "/used", "read_only"),
        (json!({ "budget_used": "5" }), "/budget_used", "read_only"),
        (json!({ "usage": { "used": 0 } }), "/usage", "unknown_field"),
        (json!({ "version": 7 }), "/version", "unknown_field"),
        (json!({ "ended_at": null }), "/ended_at", "unknown_field"),
        (json!({ "colour": "red" }), "/colour", "unknown_field"),
        (json!({ "currency": "EUR" }), "/currency", "currency_mismatch"),
        (json!({ "effect": null }), "/effect", "required"),
        (json!({ "effect": { "percent": 101 } }), "/effect/percent", "out_of_range"),
        (json!({ "effect": { "type": "free_shipping" } }), "/effect/percent", "unknown_field"),
        (
            json!({ "ends_at": "2020-01-01T00:00:00Z", "starts_at": "2021-01-01T00:00:00Z" }),
            "/ends_at",
            "ends_before_start",
        ),
        (json!([]), "", "wrong_type"),
        (json!("ten"), "", "wrong_type"),
    ];
    for (patch, pointer, code) in refused {
        shop.admin().patch("/v1/promos/ten", &patch).send().await.invalid(pointer, code);
    }
    assert_eq!(shop.admin().get("/v1/promos/ten").send().await.expect(200)["version"], 1);
    let twice = shop.admin().ask(http::Method::PATCH, "/v1/promos/ten").text(r#"{ "code": "A", "code": "B" }"#);
    twice.send().await.invalid("/code", "duplicate");
    let other =
        json!({ "id": "ten", "effect": { "type": "free_shipping", "percent": null, "target": null, "filter": null } });
    let changed = shop.admin().patch("/v1/promos/ten", &other).send().await.expect(200);
    assert_eq!(changed["effect"], json!({ "type": "free_shipping" }));
    let merge = shop.admin().ask(http::Method::PATCH, "/v1/promos/ten");
    merge.bytes("application/merge-patch+json", b"{\"code\": null}").send().await.expect(200);
}

#[tokio::test]
async fn patches_at_once_all_count() {
    let shop = Shop::open().await;
    runs(&shop, &tenth()).await;
    let patches = [
        json!({ "priority": 5 }),
        json!({ "group": "g" }),
        json!({ "max_uses": 7 }),
        json!({ "exclusive": true }),
        json!({ "budget": "9" }),
        json!({ "effect": { "percent": 30 } }),
    ];
    let writes: Vec<_> =
        patches.iter().map(|patch| tokio::spawn(shop.admin().patch("/v1/promos/ten", patch).send())).collect();
    for write in writes {
        write.await.unwrap().expect(200);
    }
    let now = shop.admin().get("/v1/promos/ten").send().await.expect(200);
    assert_eq!((&now["version"], &now["priority"], &now["group"]), (&json!(7), &json!(5), &json!("g")));
    assert_eq!((&now["max_uses"], &now["exclusive"], &now["budget"]), (&json!(7), &json!(true), &json!("9.00")));
    assert_eq!(now["effect"]["percent"], "30");
}

#[tokio::test]
async fn a_changed_or_ended_promotion_changes_no_placed_order() {
    let shop = Shop::open().await;
    runs(&shop, &tenth()).await;
    let (cart, _) = cart_with(&shop.ann(), "TEN").await;
    let placed = shop.ann().post("/v1/checkouts", &checkout(&cart)).key(&fresh_key()).send().await;
    let order = without_secret(placed.expect(201));
    shop.admin().patch("/v1/promos/ten", &json!({ "effect": { "percent": 50 } })).send().await.expect(200);
    assert_eq!(shop.ann().get(&path_of(&order)).send().await.expect(200), order);
    shop.admin().delete("/v1/promos/ten").send().await.expect(200);
    assert_eq!(shop.ann().get(&path_of(&order)).send().await.expect(200), order);
    let confirm = format!("/v1/payments/{}/confirm", text(&order["payment"]["id"]));
    let paid = shop.ann().post(&confirm, &json!({ "token": "tok_ok" })).send().await.expect(200);
    assert_eq!(paid["captured"], "17.98");
}

#[tokio::test]
async fn a_code_is_tried_before_it_is_given() {
    let shop = Shop::open().await;
    let large = json!({
        "id": "large", "code": "LARGE", "conditions": [{ "type": "min_spend", "amount": "25" }],
        "effect": { "type": "percent_off", "target": "order", "percent": 10 },
    });
    runs(&shop, &large).await;
    let items = |quantity: i64| json!({ "code": "large", "items": [{ "sku": "MUG", "quantity": quantity }] });
    let valid = shop.ann().post("/v1/promos/validate", &items(3)).send().await.expect(200);
    assert_eq!(names(&valid), ["currency", "outcomes", "quote", "saving", "valid"]);
    assert_eq!((&valid["valid"], &valid["saving"], &valid["currency"]), (&json!(true), &json!("3.00"), &json!("USD")));
    assert_eq!((&valid["quote"]["total"], &valid["outcomes"]), (&json!("26.97"), &valid["quote"]["explanation"]));

    let missing = shop.ann().post("/v1/promos/validate", &items(2)).send().await.expect(200);
    assert_eq!(
        (&missing["valid"], &missing["reason"], &missing["saving"]),
        (&json!(false), &json!("min_spend"), &json!("0.00"))
    );
    assert_eq!(missing["message"], "The cart's value is below what the code requires.");
    let gap = &missing["outcomes"][0]["unmet"][0];
    assert_eq!((&gap["required"], &gap["missing"]), (&json!("25.00"), &json!("5.02")));

    let unknown =
        shop.ann().post("/v1/promos/validate", &with(items(1), "/code", json!("NOPE"))).send().await.expect(200);
    assert_eq!(
        (&unknown["valid"], &unknown["reason"], &unknown["outcomes"]),
        (&json!(false), &json!("unknown_code"), &json!([]))
    );

    let (cart, _) = cart_with(&shop.ann(), "LARGE").await;
    let body = json!({ "code": "LARGE", "cart_id": cart });
    let check = shop.ann().post("/v1/promos/validate", &body).send().await.expect(200);
    assert_eq!((&check["reason"], &check["quote"]["subtotal"]), (&json!("min_spend"), &json!("19.98")));
    shop.bob().post("/v1/promos/validate", &body).send().await.problem(404, "not_found");
    assert_eq!(shop.admin().get("/v1/promos/large/redemptions").send().await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn what_cannot_be_tried_is_refused() {
    let shop = Shop::open().await;
    let one = json!({ "sku": "MUG", "quantity": 1 });
    let refused = [
        (json!({ "code": "A" }), "", "invalid"),
        (json!({ "code": "A", "cart_id": fresh_key(), "items": [one] }), "", "invalid"),
        (json!({ "items": [one] }), "/code", "required"),
        (json!({ "code": " ", "items": [one] }), "/code", "invalid"),
        (json!({ "code": "x".repeat(10_000), "items": [one] }), "/code", "invalid"),
        (json!({ "code": "A", "items": [] }), "/items", "out_of_range"),
        (json!({ "code": "A", "items": vec![one.clone(); 501] }), "/items", "out_of_range"),
        (json!({ "code": "A", "items": [one, { "sku": "CUP", "quantity": 1 }] }), "/items/1/sku", "invalid"),
        (json!({ "code": "A", "items": [{ "sku": "MUG", "quantity": 0 }] }), "/items/0/quantity", "invalid"),
        (json!({ "code": "A", "items": [one], "user_id": "bob" }), "/user_id", "unknown_field"),
    ];
    for (body, pointer, code) in refused {
        shop.ann().post("/v1/promos/validate", &body).send().await.invalid(pointer, code);
    }
}
