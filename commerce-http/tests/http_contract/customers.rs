//! Customers: what the shop knows of its users.

use serde_json::{Value, json};

use super::promotions::{cart_with, checkout, runs, tenth};
use super::shop::{Plan, Shop, fresh_key, names, text, with};

fn ann() -> Value {
    json!({ "groups": ["vip", "staff", "vip"], "tax_number": "DE 123 456 789", "metadata": { "crm": "C-7" } })
}

#[tokio::test]
async fn a_customer_is_made_read_and_replaced() {
    let shop = Shop::open().await;
    let made = shop.admin().put("/v1/customers/ann", &ann()).send().await;
    let customer = made.expect(201);
    assert_eq!(made.header("etag"), "\"1\"");
    assert_eq!(names(&customer), ["created_at", "groups", "id", "metadata", "tax_number", "updated_at", "version"]);
    assert_eq!(customer["groups"], json!(["staff", "vip"]));
    assert_eq!((text(&customer["id"]), text(&customer["tax_number"])), ("ann", "DE 123 456 789"));
    assert_eq!(customer["metadata"], json!({ "crm": "C-7" }));
    assert_eq!(shop.ann().get("/v1/customers/ann").send().await.expect(200), customer);
    let again = shop.admin().put("/v1/customers/ann", &ann()).send().await.expect(200);
    assert_eq!(again["version"], 1, "the same details are no change");
    shop.later(chrono::TimeDelta::seconds(1));
    let replaced = shop.admin().put("/v1/customers/ann", &json!({ "groups": ["vip"] })).send().await;
    assert_eq!(replaced.header("etag"), "\"2\"");
    let replaced = replaced.expect(200);
    assert_eq!((&replaced["groups"], &replaced["metadata"]), (&json!(["vip"]), &json!({})));
    assert_eq!((replaced.get("tax_number"), &replaced["created_at"]), (None, &customer["created_at"]));
    assert_ne!(replaced["updated_at"], customer["updated_at"]);
}

#[tokio::test]
async fn who_may_read_and_write() {
    let shop = Shop::open().await;
    shop.admin().put("/v1/customers/ann", &ann()).send().await.expect(201);
    shop.support().get("/v1/customers/ann").send().await.expect(200);
    shop.support().get("/v1/customers").send().await.expect(200);
    for id in ["ann", "nobody"] {
        shop.bob().get(&format!("/v1/customers/{id}")).send().await.problem(403, "forbidden");
    }
    shop.guest().get("/v1/customers/ann").send().await.problem(401, "unauthenticated");
    shop.bob().get("/v1/customers/bob").send().await.problem(404, "not_found");
    for caller in [shop.ann(), shop.support(), shop.service()] {
        caller.put("/v1/customers/ann", &json!({ "groups": ["vip"] })).send().await.problem(403, "forbidden");
        caller.delete("/v1/customers/ann").send().await.problem(403, "forbidden");
    }
    shop.ann().get("/v1/customers").send().await.problem(403, "forbidden");
    shop.ann().get("/v1/customers?group=vip").send().await.problem(403, "forbidden");
    shop.ann().get("/v1/customers/ann/history").send().await.problem(403, "forbidden");
    assert_eq!(shop.admin().get("/v1/customers/ann").send().await.expect(200)["version"], 1);
}

#[tokio::test]
async fn bad_details_are_refused_all_at_once_and_change_nothing() {
    let shop = Shop::open().await;
    let admin = shop.admin();
    let bad = json!({ "groups": ["vip", "", "x".repeat(65)], "tax_number": "1".repeat(33), "metadata": { "a b": {} } });
    let reply = admin.put("/v1/customers/ann", &bad).send().await;
    for pointer in ["/groups/1", "/groups/2", "/tax_number"] {
        reply.invalid(pointer, "invalid");
    }
    assert_eq!(reply.json()["errors"].as_array().map(Vec::len), Some(4), "{}", reply.json());
    let many: Vec<_> = (0..101).map(|n| format!("g{n}")).collect();
    admin.put("/v1/customers/ann", &json!({ "groups": many })).send().await.invalid("/groups", "out_of_range");
    admin.put("/v1/customers/ann", &json!({ "groups": many[1..] })).send().await.expect(201);
    admin.put("/v1/customers/bob", &json!({ "group": "vip" })).send().await.problem(422, "validation_failed");
    for id in ["x".repeat(65), "%20".to_owned(), "a%00b".to_owned()] {
        admin.put(&format!("/v1/customers/{id}"), &ann()).send().await.invalid("/id", "invalid");
        admin.get(&format!("/v1/customers/{id}")).send().await.problem(404, "not_found");
        admin.delete(&format!("/v1/customers/{id}")).send().await.problem(404, "not_found");
    }
    admin.get("/v1/customers/bob").send().await.problem(404, "not_found");
    let group = "x".repeat(65);
    admin.get(&format!("/v1/customers?group={group}")).send().await.problem(422, "invalid_parameter");
}

#[tokio::test]
async fn a_write_on_a_stale_version_is_refused() {
    let shop = Shop::open().await;
    let admin = shop.admin();
    let put = |groups: Value| admin.put("/v1/customers/ann", &json!({ "groups": groups }));
    put(json!([])).header("if-match", "*").send().await.problem(412, "precondition_failed");
    put(json!([])).header("if-none-match", "*").send().await.expect(201);
    put(json!(["vip"])).header("if-none-match", "*").send().await.problem(412, "precondition_failed");
    put(json!(["vip"])).header("if-match", "\"1\"").send().await.expect(200);
    put(json!(["staff"])).header("if-match", "\"1\"").send().await.problem(412, "precondition_failed");
    admin.delete("/v1/customers/ann").header("if-match", "\"1\"").send().await.problem(412, "precondition_failed");
    let kept = admin.get("/v1/customers/ann").send().await.expect(200);
    assert_eq!((&kept["groups"], &kept["version"]), (&json!(["vip"]), &json!(2)));
}

#[tokio::test]
async fn a_deleted_customer_is_gone_and_may_come_back() {
    let shop = Shop::open().await;
    let admin = shop.admin();
    admin.put("/v1/customers/ann", &ann()).send().await.expect(201);
    shop.later(chrono::TimeDelta::seconds(1));
    assert_eq!(admin.delete("/v1/customers/ann").header("if-match", "\"1\"").send().await.status, 204);
    shop.ann().get("/v1/customers/ann").send().await.problem(404, "not_found");
    admin.delete("/v1/customers/ann").send().await.problem(404, "not_found");
    for list in ["/v1/customers", "/v1/customers?group=vip"] {
        assert_eq!(admin.get(list).send().await.expect(200)["items"], json!([]), "{list}");
    }
    let anew = admin.put("/v1/customers/ann", &json!({})).header("if-none-match", "*").send().await.expect(201);
    assert_eq!((&anew["version"], &anew["groups"]), (&json!(3), &json!([])));
    assert_eq!(anew["created_at"], anew["updated_at"], "the time before is over");
    let history = shop.support().get("/v1/customers/ann/history").send().await.expect(200);
    let types: Vec<_> = history["items"].as_array().unwrap().iter().map(|item| text(&item["event_type"])).collect();
    assert_eq!(types, ["customer.created", "customer.deleted", "customer.created"]);
    assert_eq!(history["items"][0]["created"]["tax_number"], "DE 123 456 789", "a history forgets nothing");
}

#[tokio::test]
async fn customers_are_listed_by_id_and_by_group() {
    let shop = Shop::open().await;
    for (id, groups) in [("cyd", json!(["vip"])), ("ann", json!(["vip", "staff"])), ("bob", json!([]))] {
        shop.admin().put(&format!("/v1/customers/{id}"), &json!({ "groups": groups })).send().await.expect(201);
    }
    let found = async |query: &str| {
        let list = shop.support().get(&format!("/v1/customers?{query}")).send().await.expect(200);
        let ids: Vec<_> = list["items"].as_array().unwrap().iter().map(|item| text(&item["id"]).to_owned()).collect();
        (ids, list["next_cursor"].as_str().map(str::to_owned))
    };
    assert_eq!(found("").await.0, ["ann", "bob", "cyd"]);
    assert_eq!(found("group=staff").await.0, ["ann"]);
    assert_eq!(found("group=none").await, (vec![], None));
    let (first, next) = found("group=vip&limit=1").await;
    let (second, end) = found(&format!("group=vip&limit=1&cursor={}", next.unwrap())).await;
    assert_eq!((first, second, end), (vec!["ann".to_owned()], vec!["cyd".to_owned()], None));
    shop.support().get("/v1/customers?limit=0").send().await.problem(422, "invalid_parameter");
}

#[tokio::test]
async fn groups_are_the_segments_of_promotions_where_no_users_service_is_set() {
    let promotion = with(tenth(), "/conditions", json!([{ "type": "segment", "any": ["vip"] }]));
    let try_code = json!({ "code": "TEN", "items": [{ "sku": "MUG", "quantity": 2 }] });
    for trusts_users in [true, false] {
        let shop = Shop::with(Plan { trusts_users, ..Plan::default() }).await;
        runs(&shop, &promotion).await;
        let tried = shop.ann().post("/v1/promos/validate", &try_code).send().await.expect(200);
        assert_eq!((&tried["valid"], &tried["reason"]), (&json!(false), &json!("not_eligible")), "{tried}");
        shop.admin().put("/v1/customers/ann", &json!({ "groups": ["vip"] })).send().await.expect(201);
        let (cart, check) = cart_with(&shop.ann(), "TEN").await;
        assert_eq!(check["valid"], trusts_users, "{check}");
        let total = if trusts_users { "17.98" } else { "19.98" };
        let tried = shop.ann().post("/v1/promos/validate", &try_code).send().await.expect(200);
        assert_eq!((&tried["valid"], &tried["quote"]["total"]), (&json!(trusts_users), &json!(total)), "{tried}");
        if trusts_users {
            shop.admin().delete("/v1/customers/ann").send().await;
            let tried = shop.ann().post("/v1/promos/validate", &try_code).send().await.expect(200);
            assert_eq!(tried["reason"], "not_eligible", "a deleted customer is in no group");
            shop.admin().put("/v1/customers/ann", &json!({ "groups": ["vip"] })).send().await.expect(201);
            let order = shop.ann().post("/v1/checkouts", &checkout(&cart)).key(&fresh_key()).send().await.expect(201);
            assert_eq!(order["explanation"][0]["promotion_id"], "ten", "{order}");
        }
    }
}

#[tokio::test]
async fn customers_are_found_by_their_metadata() {
    let shop = Shop::open().await;
    for (id, crm) in [("ann", json!("C-7")), ("bob", json!(7)), ("cyd", json!("C-7"))] {
        let body = json!({ "groups": ["vip"], "metadata": { "crm": crm } });
        shop.admin().put(&format!("/v1/customers/{id}"), &body).send().await.expect(201);
    }
    let found = async |query: &str| {
        let list = shop.support().get(&format!("/v1/customers?{query}")).send().await.expect(200);
        list["items"].as_array().unwrap().iter().map(|item| text(&item["id"]).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found("metadata.crm=C-7").await, ["ann", "cyd"]);
    assert_eq!(found("metadata.crm=7&group=vip").await, ["bob"]);
    assert_eq!(found("metadata.crm=7&group=staff").await, [""; 0]);
}
