//! Orders: whose they are, where they may go, how they were.

use chrono::TimeDelta;
use commerce_core::settings::ShippingMethod;
use http::Method;
use serde_json::{Value, json};

use super::shop::{Plan, Shop, address, fresh_key, order_of, path_of, text, with, without_secret};

fn statuses(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(text).collect()
}

#[tokio::test]
async fn nobody_reaches_the_order_of_another() {
    let shop = Shop::open().await;
    let order = shop.order(1).await;
    let (path, bob) = (path_of(&order), shop.bob());
    let payment = format!("/v1/payments/{}", text(&order["payment"]["id"]));
    bob.get(&path).send().await.problem(404, "not_found");
    bob.get(&format!("/v1/orders/{}", text(&order["number"]))).send().await.problem(404, "not_found");
    bob.get(&format!("{path}/events")).send().await.problem(404, "not_found");
    bob.get(&format!("{path}?at=2026-03-01T12:00:00Z")).send().await.problem(404, "not_found");
    bob.get(&payment).send().await.problem(404, "not_found");
    bob.post(&format!("{path}/cancel"), &json!({})).send().await.problem(404, "not_found");
    bob.delete(&path).send().await.problem(404, "not_found");
    bob.post(&format!("{payment}/confirm"), &json!({ "token": "tok_ok" })).send().await.problem(404, "not_found");
    bob.get("/v1/users/ann/orders").send().await.problem(404, "not_found");
    bob.get("/v1/orders?user_id=ann").send().await.problem(404, "not_found");
    assert_eq!(bob.get("/v1/orders").send().await.expect(200)["items"], json!([]));
    assert_eq!(shop.ann().get(&path).send().await.expect(200), order);
    for helper in [shop.support(), shop.admin(), shop.service()] {
        assert_eq!(helper.get(&path).send().await.expect(200), order);
        assert_eq!(helper.get("/v1/users/ann/orders").send().await.expect(200)["items"], json!([order]));
    }
}

#[tokio::test]
async fn a_transition_is_for_those_whose_work_it_is() {
    let shop = Shop::open().await;
    let order = shop.order(1).await;
    let path = path_of(&order);
    for client in [shop.ann(), shop.support()] {
        client.patch(&path, &json!({ "status": "paid" })).send().await.problem(403, "forbidden");
        client.put(&format!("{path}/status"), &json!({ "status": "cancelled" })).send().await.problem(403, "forbidden");
        let shipment = json!({ "provider": "Post", "method": "parcel" });
        client.put(&format!("{path}/shipping"), &shipment).send().await.problem(403, "forbidden");
    }
    assert_eq!(shop.ann().get(&path).send().await.expect(200), order);
}

#[tokio::test]
async fn an_admin_records_a_payment_received_elsewhere() {
    let shop = Shop::open().await;
    let order = shop.order(1).await;
    let paid = shop.admin().patch(&path_of(&order), &json!({ "status": "paid" })).send().await.expect(200);
    assert_eq!((&paid["status"], &paid["payment"]["captured"]), (&json!("paid"), &json!("9.99")));
}

#[tokio::test]
async fn an_invalid_transition_says_what_is_allowed() {
    let shop = Shop::open().await;
    let path = path_of(&shop.order(1).await);
    for status in ["shipped", "delivered", "pending", "eaten", "PAID"] {
        let reply = shop.admin().put(&format!("{path}/status"), &json!({ "status": status })).send().await;
        let problem = reply.problem(400, "invalid_transition");
        assert_eq!(statuses(&problem["allowed"]), ["cancelled", "paid"]);
        assert_eq!((&problem["from"], &problem["to"]), (&json!("pending"), &json!(status)));
    }
    shop.admin().patch(&path, &json!({ "status": "" })).send().await.invalid("/status", "invalid");
    shop.admin().patch(&path, &json!({})).send().await.invalid("/status", "required");
}

#[tokio::test]
async fn a_customer_calls_an_order_off() {
    let shop = Shop::open().await;
    for how in 0..2 {
        let path = path_of(&shop.order(3).await);
        assert_eq!(shop.available("MUG").await, 7);
        let cancelled = match how {
            0 => shop.ann().post(&format!("{path}/cancel"), &json!({ "reason": "too slow" })),
            _ => shop.ann().ask(Method::DELETE, &path),
        };
        assert_eq!(cancelled.send().await.expect(200)["status"], "cancelled");
        assert_eq!(shop.available("MUG").await, 10);
        let again = shop.ann().ask(Method::POST, &format!("{path}/cancel")).send().await;
        assert_eq!(again.problem(400, "invalid_transition")["allowed"], json!([]));
    }
}

#[tokio::test]
async fn a_paid_order_that_is_called_off_is_refunded() {
    let shop = Shop::open().await;
    let order = shop.paid_order(2).await;
    let path = path_of(&order);
    assert_eq!(shop.support().delete(&path).send().await.expect(200)["status"], "cancelled");
    shop.engine.run_due_tasks(100).await.unwrap();
    let payment = format!("/v1/payments/{}", text(&order["payment"]["id"]));
    let payment = shop.ann().get(&payment).send().await.expect(200);
    assert_eq!((&payment["status"], &payment["refunded"]), (&json!("refunded"), &json!("19.98")));
    assert_eq!(payment["refunds"][0]["status"], "processed");
    assert_eq!(shop.available("MUG").await, 10);
}

#[tokio::test]
async fn what_is_shipped_a_customer_cannot_call_off() {
    let shop = Shop::open().await;
    let path = path_of(&shop.delivered_order(1).await);
    shop.ann().delete(&path).send().await.problem(400, "invalid_transition");
}

#[tokio::test]
async fn an_order_that_is_not_paid_in_time_gives_its_stock_back() {
    let shop = Shop::open().await;
    let order = shop.order(4).await;
    assert_eq!(shop.available("MUG").await, 6);
    shop.later(TimeDelta::minutes(31));
    assert_eq!(shop.available("MUG").await, 10);
    shop.engine.run_due_tasks(100).await.unwrap();
    assert_eq!(shop.ann().get(&path_of(&order)).send().await.expect(200)["status"], "cancelled");
}

#[tokio::test]
async fn an_order_is_seen_as_it_was() {
    let shop = Shop::open().await;
    let order = shop.order(1).await;
    let path = path_of(&order);
    shop.later(TimeDelta::minutes(5));
    shop.admin().patch(&path, &json!({ "status": "paid" })).send().await.expect(200);
    let at = |instant: &str| shop.ann().get(&format!("{path}?at={instant}")).send();
    assert_eq!(at("2026-03-01T12:04:59.999Z").await.expect(200), order);
    assert_eq!(at("2026-03-01T12:05:00Z").await.expect(200)["status"], "paid");
    assert_eq!(at("2026-03-01T13:05:00+01:00").await.expect(200)["status"], "paid");
    at("2026-03-01T11:59:59Z").await.problem(404, "not_found");
    at("yesterday").await.problem(422, "invalid_parameter");
}

#[tokio::test]
async fn only_staff_order_for_others_and_at_prices_of_their_own() {
    let shop = Shop::open().await;
    let for_bob = with(order_of("MUG", 1), "/user_id", json!("bob"));
    let cheap = with(order_of("MUG", 2), "/items/0/unit_price", json!("0.55"));
    for request in [&for_bob, &cheap] {
        for client in [shop.ann(), shop.support()] {
            client.post("/v1/orders", request).key(&fresh_key()).send().await.problem(403, "forbidden");
        }
    }
    let order = shop.service().post("/v1/orders", &for_bob).key(&fresh_key()).send().await.expect(201);
    assert_eq!(order["user_id"], "bob");
    shop.bob().get(&path_of(&order)).send().await.expect(200);
    let order = shop.admin().post("/v1/orders", &cheap).key(&fresh_key()).send().await.expect(201);
    assert_eq!((&order["items"][0]["unit_price"], &order["total"]), (&json!("0.55"), &json!("1.10")));
    let free = with(order_of("MUG", 1), "/items/0/unit_price", json!(0));
    let order = shop.admin().post("/v1/orders", &free).key(&fresh_key()).send().await.expect(201);
    assert_eq!((&order["status"], &order["total"]), (&json!("paid"), &json!("0.00")));
    let fine = with(order_of("MUG", 1), "/items/0/unit_price", json!("0.555"));
    shop.admin().post("/v1/orders", &fine).key(&fresh_key()).send().await.invalid("/items/0/unit_price", "invalid");
}

#[tokio::test]
async fn a_user_who_does_not_exist_buys_nothing() {
    let shop = Shop::open().await;
    let for_eve = with(order_of("MUG", 1), "/user_id", json!("eve"));
    shop.admin().post("/v1/orders", &for_eve).key(&fresh_key()).send().await.problem(400, "user_not_found");
    shop.users.go_down();
    let reply = shop.ann().post("/v1/orders", &order_of("MUG", 1)).key("k").send().await;
    let problem = reply.problem(503, "user_service_unavailable");
    assert_eq!((&problem["detail"], &problem["error"]), (&json!("Unable to validate user"), &problem["detail"]));
    assert!(reply.header("retry-after").parse::<u32>().unwrap() > 0);
    shop.users.come_up();
    shop.ann().post("/v1/orders", &order_of("MUG", 1)).key("k").send().await.expect(201);
}

#[tokio::test]
async fn an_order_needs_no_method_of_shipping_and_no_name() {
    let mut plan = Plan::default();
    let method = |name: &str| ShippingMethod {
        name: name.parse().unwrap(),
        fee: "2.00 USD".parse().unwrap(),
        tax_category: None,
    };
    plan.settings.shipping_methods = vec![method("parcel"), method("express")];
    let shop = Shop::with(plan).await;
    let mut address = address();
    address.as_object_mut().unwrap().remove("name");
    let request = json!({ "items": [{ "sku": "MUG", "quantity": 1 }], "shipping_address": address });
    let order = without_secret(shop.ann().post("/v1/orders", &request).key(&fresh_key()).send().await.expect(201));
    assert_eq!((&order["shipping_method"], &order["shipping"]), (&json!("parcel"), &json!("2.00")));
    assert_eq!(order["shipping_address"], address);
    assert_eq!(shop.ann().get(&path_of(&order)).send().await.expect(200), order);

    let cart = shop.ann().post("/v1/carts", &json!({})).send().await.expect(201);
    let items = format!("/v1/carts/{}/items", text(&cart["id"]));
    shop.ann().post(&items, &json!({ "sku": "MUG", "quantity": 1 })).send().await.expect(200);
    let checkout = json!({ "cart_id": cart["id"], "shipping_address": address });
    let order = shop.ann().post("/v1/checkouts", &checkout).key(&fresh_key()).send().await.expect(201);
    assert_eq!((&order["shipping_method"], &order["shipping_address"]), (&json!("parcel"), &address));
}

#[tokio::test]
async fn the_history_names_who_did_it() {
    let shop = Shop::open().await;
    let order = shop.order(1).await;
    shop.support().delete(&path_of(&order)).send().await.expect(200);
    let unpaid = shop.order(1).await;
    shop.later(TimeDelta::minutes(31));
    shop.engine.run_due_tasks(100).await.unwrap();
    let actors = async |order: &Value| -> Vec<Value> {
        let events = shop.ann().get(&format!("{}/events", path_of(order))).send().await.expect(200);
        events["items"].as_array().unwrap().iter().map(|event| event["actor"].clone()).collect()
    };
    let (ann, system) = (json!({ "role": "customer", "user_id": "ann" }), json!({ "role": "system" }));
    let cancelled = actors(&order).await;
    assert_eq!(cancelled.first(), Some(&ann));
    assert_eq!(cancelled.last().map(|actor| &actor["role"]), Some(&json!("support")));
    assert!(cancelled.last().is_some_and(|actor| actor["user_id"].is_string()), "{cancelled:?}");
    let expired = actors(&unpaid).await;
    assert_eq!((expired.first(), expired.last()), (Some(&ann), Some(&system)));
}

#[tokio::test]
async fn an_order_shows_its_returns_its_refunds_and_the_reference_of_its_payment() {
    let shop = Shop::open().await;
    let order = shop.order(1).await;
    assert_eq!((&order["returns"], &order["refunds"]), (&json!([]), &json!([])));
    assert_eq!(order["payment"].get("reference"), None);
    let order = shop.delivered_order(2).await;
    let line = json!({ "item_id": order["items"][0]["id"], "quantity": 1 });
    let returns = format!("{}/returns", path_of(&order));
    let asked = shop.ann().post(&returns, &json!({ "items": [line] })).send().await.expect(201);
    for step in ["approve", "receive"] {
        let path = format!("/v1/returns/{}/{step}", text(&asked["id"]));
        shop.support().ask(Method::POST, &path).send().await.expect(200);
    }
    shop.engine.run_due_tasks(100).await.unwrap();
    let order = shop.ann().get(&path_of(&order)).send().await.expect(200);
    let payment = format!("/v1/payments/{}", text(&order["payment"]["id"]));
    let payment = shop.ann().get(&payment).send().await.expect(200);
    assert_eq!(order["returns"], json!([with(asked, "/status", json!("received"))]));
    assert_eq!((&order["refunds"][0]["amount"], &order["refunds"]), (&json!("9.99"), &payment["refunds"]));
    assert!(text(&payment["reference"]).len() > 1, "{payment}");
    assert_eq!(order["payment"]["reference"], payment["reference"]);
}

#[tokio::test]
async fn out_of_stock_names_the_sku() {
    let shop = Shop::open().await;
    let reply = shop.ann().post("/v1/orders", &order_of("MUG", 11)).key(&fresh_key()).send().await;
    let problem = reply.problem(409, "out_of_stock");
    assert_eq!((&problem["sku"], &problem["asked"], &problem["available"]), (&json!("MUG"), &json!(11), &json!(10)));
    assert_eq!(shop.available("MUG").await, 10);
}

#[tokio::test]
async fn shipping_moves_the_order_along() {
    let shop = Shop::open().await;
    let path = format!("{}/shipping", path_of(&shop.paid_order(1).await));
    let shipment = |status: &str| json!({ "provider": "Post", "method": "parcel", "status": status });
    let planned = json!({ "provider": "Post", "method": "parcel" });
    let order = shop.service().put(&path, &planned).send().await.expect(200);
    assert_eq!((&order["status"], &order["shipments"][0]["status"]), (&json!("paid"), &json!("pending")));
    shop.service().put(&path, &shipment("delivered")).send().await.problem(400, "invalid_transition");
    assert_eq!(shop.service().put(&path, &shipment("shipped")).send().await.expect(200)["status"], "shipped");
    assert_eq!(shop.service().put(&path, &shipment("delivered")).send().await.expect(200)["status"], "delivered");
    shop.service().put(&path, &shipment("shipped")).send().await.problem(400, "invalid_transition");
    shop.service().put(&path, &shipment("eaten")).send().await.invalid("/status", "invalid");
}

#[tokio::test]
async fn a_shipment_is_corrected_without_its_status() {
    let shop = Shop::open().await;
    let path = format!("{}/shipping", path_of(&shop.paid_order(1).await));
    let shipped = json!({ "provider": "Post", "method": "parcel", "tracking_number": "P-1", "status": "shipped" });
    shop.service().put(&path, &shipped).send().await.expect(200);
    let corrected = json!({ "provider": "Post", "method": "parcel", "tracking_number": "P-2" });
    let order = shop.service().put(&path, &corrected).send().await.expect(200);
    assert_eq!(
        (&order["status"], &order["shipments"][0]),
        (&json!("shipped"), &with(shipped, "/tracking_number", json!("P-2")))
    );
}

#[tokio::test]
async fn a_shop_can_have_other_states() {
    let mut plan = Plan::default();
    plan.settings.lifecycle = commerce_core::order::Lifecycle::built_in("production").unwrap();
    let shop = Shop::with(plan).await;
    let order = shop.order(1).await;
    assert_eq!((&order["status"], &order["phase"]), (&json!("PENDING_PAYMENT"), &json!("awaiting_payment")));
    for status in ["PAID", "AWAITING_PRODUCTION", "READY_TO_SHIP", "SHIPPED", "DELIVERED"] {
        let moved = shop.admin().patch(&path_of(&order), &json!({ "status": status })).send().await.expect(200);
        assert_eq!(moved["status"], *status);
    }
}

#[tokio::test]
async fn a_buyer_may_name_their_own_purchase_order() {
    let shop = Shop::open().await;
    let order = with(order_of("MUG", 1), "/purchase_order_number", json!("PO-4711"));
    let placed = without_secret(shop.ann().post("/v1/orders", &order).key(&fresh_key()).send().await.expect(201));
    assert_eq!(placed["purchase_order_number"], "PO-4711");
    assert_eq!(shop.ann().get(&path_of(&placed)).send().await.expect(200), placed);
    let events = shop.ann().get(&format!("{}/events", path_of(&placed))).send().await.expect(200);
    assert_eq!(events["items"][0]["data"]["purchase_order_number"], "PO-4711");
    for number in [String::new(), "9".repeat(65)] {
        let order = with(order.clone(), "/purchase_order_number", json!(number));
        let refused = shop.ann().post("/v1/orders", &order).key(&fresh_key()).send().await;
        refused.invalid("/purchase_order_number", "invalid");
    }
}
