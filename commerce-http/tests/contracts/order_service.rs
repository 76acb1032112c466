//! SPEC-0003: Order Service. The numbers are those of its lines.

use serde_json::json;

use crate::walk::{ANY, Walk, has, text};

fn address() -> serde_json::Value {
    json!({ "line1": "1 High Street", "city": "London", "postal_code": "N1 1AA", "country": "GB" })
}

#[tokio::test]
async fn an_order_is_placed_paid_and_cannot_go_back() {
    let shop = Walk::start("004", "simple").await;
    let order = json!({ "items": [{ "product_id": "mug", "quantity": 2 }], "shipping_address": address() });
    let reply = shop.ask("ann", "POST /api/v1/orders", &order).await;
    let wanted = json!({
        "id": ANY, "user_id": "ann", "status": "pending", "total": 59.98, "created_at": ANY, "updated_at": ANY,
        "items": [{ "product_id": "mug", "quantity": 2, "unit_price": 29.99 }],
    });
    let placed = has(54, &reply, 201, &wanted);
    assert!(reply.text.contains("\"total\":59.98,") && reply.text.contains("\"unit_price\":29.99,"), "{}", reply.text);
    let path = format!("/api/v1/orders/{}", text(&placed["id"]));
    assert_eq!(reply.header("location"), path);

    has(91, &shop.ask("ann", &format!("GET {path}"), &ANY).await, 200, &json!({ "status": "pending" }));
    let paid = shop.ask("robot", &format!("PATCH {path}"), &json!({ "status": "paid" })).await;
    has(60, &paid, 200, &json!({ "status": "paid" }));
    for status in ["shipped", "delivered"] {
        let moved = shop.ask("robot", &format!("PATCH {path}"), &json!({ "status": status })).await;
        has(124, &moved, 200, &json!({ "status": status }));
    }
    let back = shop.ask("robot", &format!("PATCH {path}"), &json!({ "status": "pending" })).await;
    has(66, &back, 400, &json!({ "code": "invalid_transition" }));
    let events = shop.events(text(&placed["id"])).await;
    let told = ["order.created", "order.paid", "order.shipped", "order.delivered"];
    assert_eq!(events, told, "lines 145 to 148");
}

#[tokio::test]
async fn an_order_is_cancelled_and_listed() {
    let shop = Walk::start("order-service", "simple").await;
    let order = json!({ "items": [{ "product_id": "mug", "quantity": 1 }], "shipping_address": address() });
    let placed = shop.ask("ann", "POST /api/v1/orders", &order).await.json();
    let listed = shop.ask("root", "GET /api/v1/orders?user_id=ann", &ANY).await;
    has(92, &listed, 200, &json!({ "items": [{ "id": placed["id"], "total": 29.99 }] }));
    let path = format!("/api/v1/orders/{}", text(&placed["id"]));
    let cancelled = shop.ask("ann", &format!("DELETE {path}"), &ANY).await;
    has(94, &cancelled, 200, &json!({ "status": "cancelled" }));
    assert_eq!(shop.events(text(&placed["id"])).await.last().map(String::as_str), Some("order.cancelled"), "line 149");
}

#[tokio::test]
async fn orders_are_those_of_known_users_and_seen_by_their_owners() {
    let shop = Walk::start("004", "simple").await;
    let mut order = json!({ "items": [{ "product_id": "mug", "quantity": 1 }], "shipping_address": address() });
    order["user_id"] = "usr_nonexistent".into();
    let unknown = shop.ask("robot", "POST /api/v1/orders", &order).await;
    has(38, &unknown, 400, &json!({ "error": "User not found" }));
    order["user_id"] = "ann".into();
    let placed = shop.ask("robot", "POST /api/v1/orders", &order).await.json();
    let path = format!("GET /api/v1/orders/{}", text(&placed["id"]));
    has(154, &shop.ask("ann", &path, &ANY).await, 200, &json!({ "user_id": "ann" }));
    has(154, &shop.ask("bob", &path, &ANY).await, 404, &json!({ "code": "not_found" }));
}
