//! Returns: asked for by the customer, decided by the shop.

use chrono::TimeDelta;
use http::Method;
use serde_json::{Value, json};

use super::shop::{Shop, path_of, text};

fn units(order: &Value, quantity: i64) -> Value {
    json!({ "items": [{ "item_id": order["items"][0]["id"], "quantity": quantity }], "reason": "wrong colour" })
}

#[tokio::test]
async fn returned_units_are_restocked_and_refunded() {
    let shop = Shop::open().await;
    let order = shop.delivered_order(3).await;
    assert_eq!(shop.available("MUG").await, 7);
    let reply = shop.ann().post(&format!("{}/returns", path_of(&order)), &units(&order, 1)).send().await;
    let request = reply.expect(201);
    let path = format!("/v1/returns/{}", text(&request["id"]));
    assert_eq!(reply.header("location"), path);
    assert_eq!((&request["status"], &request["order_id"]), (&json!("requested"), &order["id"]));
    assert_eq!(request["items"], units(&order, 1)["items"]);

    shop.support().ask(Method::POST, &format!("{path}/receive")).send().await.problem(409, "return_status");
    let approved = shop.support().ask(Method::POST, &format!("{path}/approve")).send().await.expect(200);
    assert_eq!(approved["status"], "approved");
    let received = shop.admin().post(&format!("{path}/receive"), &json!({})).send().await.expect(200);
    assert_eq!(received["status"], "received");
    assert_eq!(shop.available("MUG").await, 8);
    shop.engine.run_due_tasks(100).await.unwrap();
    let now = shop.ann().get(&path_of(&order)).send().await.expect(200);
    assert_eq!((&now["payment"]["refunded"], &now["status"]), (&json!("9.99"), &json!("delivered")));
    assert_eq!(shop.ann().get(&path).send().await.expect(200), received);
}

#[tokio::test]
async fn with_the_last_unit_the_order_is_returned() {
    let shop = Shop::open().await;
    let order = shop.delivered_order(2).await;
    let request = shop.ann().post(&format!("{}/returns", path_of(&order)), &units(&order, 2)).send().await.expect(201);
    for step in ["approve", "receive"] {
        let path = format!("/v1/returns/{}/{step}", text(&request["id"]));
        shop.support().ask(Method::POST, &path).send().await.expect(200);
    }
    assert_eq!(shop.ann().get(&path_of(&order)).send().await.expect(200)["status"], "returned");
    assert_eq!(shop.available("MUG").await, 10);
}

#[tokio::test]
async fn a_rejected_return_can_be_asked_for_again() {
    let shop = Shop::open().await;
    let order = shop.delivered_order(1).await;
    let returns = format!("{}/returns", path_of(&order));
    let request = shop.ann().post(&returns, &units(&order, 1)).send().await.expect(201);
    shop.ann().post(&returns, &units(&order, 1)).send().await.problem(422, "too_many_returned");
    let reject = format!("/v1/returns/{}/reject", text(&request["id"]));
    shop.ann().post(&reject, &json!({})).send().await.problem(403, "forbidden");
    let rejected = shop.support().post(&reject, &json!({ "reason": "used" })).send().await.expect(200);
    assert_eq!(rejected["status"], "rejected");
    shop.ann().post(&returns, &units(&order, 1)).send().await.expect(201);
}

#[tokio::test]
async fn what_cannot_be_returned_is_refused() {
    let shop = Shop::open().await;
    let order = shop.delivered_order(2).await;
    let returns = format!("{}/returns", path_of(&order));
    shop.ann().post(&returns, &units(&order, 3)).send().await.problem(422, "too_many_returned");
    shop.ann().post(&returns, &json!({ "items": [] })).send().await.invalid("/items", "invalid");
    let foreign = json!({ "items": [{ "item_id": order["id"], "quantity": 1 }] });
    shop.ann().post(&returns, &foreign).send().await.problem(422, "unknown_item");
    shop.bob().post(&returns, &units(&order, 1)).send().await.problem(404, "not_found");
    let open = shop.order(1).await;
    let early = shop.ann().post(&format!("{}/returns", path_of(&open)), &units(&open, 1)).send().await;
    early.problem(409, "not_returnable");
    let request = shop.ann().post(&returns, &units(&order, 1)).send().await.expect(201);
    shop.bob().get(&format!("/v1/returns/{}", text(&request["id"]))).send().await.problem(404, "not_found");
}

#[tokio::test]
async fn returns_are_listed_and_filtered() {
    let shop = Shop::open().await;
    let mut all = Vec::new();
    let mut orders = Vec::new();
    for _ in 0..3 {
        let order = shop.delivered_order(1).await;
        let returns = format!("{}/returns", path_of(&order));
        all.insert(0, shop.ann().post(&returns, &units(&order, 1)).send().await.expect(201));
        orders.insert(0, order);
    }
    let reject = format!("/v1/returns/{}/reject", text(&all[1]["id"]));
    all[1] = shop.support().ask(Method::POST, &reject).send().await.expect(200);
    let list = async |client: super::shop::Client, query: &str| -> Value {
        client.get(&format!("/v1/returns{query}")).send().await.expect(200)["items"].clone()
    };
    for client in [shop.ann(), shop.support(), shop.admin(), shop.service()] {
        assert_eq!(list(client, "").await, json!(all));
    }
    assert_eq!(list(shop.bob(), "").await, json!([]));
    assert_eq!(list(shop.bob(), &format!("?order_id={}", text(&orders[0]["id"]))).await, json!([]));
    assert_eq!(list(shop.ann(), "?status=rejected").await, json!([all[1]]));
    let of_one = format!("?order_id={}&status=requested", text(&orders[2]["id"]));
    assert_eq!(list(shop.support(), &of_one).await, json!([all[2]]));
    let first = shop.ann().get("/v1/returns?limit=2").send().await.expect(200);
    let rest = format!("?limit=2&cursor={}", text(&first["next_cursor"]));
    assert_eq!((&first["items"], list(shop.ann(), &rest).await), (&json!(all[..2]), json!(all[2..])));
    for query in ["?status=eaten", "?order_id=1"] {
        shop.ann().get(&format!("/v1/returns{query}")).send().await.problem(422, "invalid_parameter");
    }
    shop.guest().get("/v1/returns").send().await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_customer_has_so_long_to_return() {
    let shop = Shop::with(placed()).await;
    let order = shop.order(1).await;
    for status in ["paid", "fulfilled"] {
        shop.admin().patch(&path_of(&order), &json!({ "status": status })).send().await.expect(200);
    }
    shop.later(TimeDelta::days(365));
    let returns = format!("{}/returns", path_of(&order));
    shop.ann().post(&returns, &units(&order, 1)).send().await.problem(409, "window_closed");
    shop.support().post(&returns, &units(&order, 1)).send().await.expect(201);
}

fn placed() -> super::shop::Plan {
    let mut plan = super::shop::Plan::default();
    plan.settings.lifecycle = commerce_core::order::Lifecycle::built_in("placed").unwrap();
    plan
}
