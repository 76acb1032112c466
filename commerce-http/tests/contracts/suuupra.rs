//! Service PRD: Commerce Service. It names no paths; the walk goes along its tables and the names of its tests. The numbers are
//! those of its lines.

use serde_json::{Value, json};

use crate::walk::{ANY, Walk, has, pending, text};

fn order(quantity: u32) -> String {
    let address = json!({ "line1": "1 High Street", "city": "London", "postal_code": "N1 1AA", "country": "GB" });
    json!({ "items": [{ "sku": "MUG", "quantity": quantity }], "shipping_address": address }).to_string()
}

fn level(total: u32, reserved: u32, available: u32) -> Value {
    json!({ "sku": "MUG", "total_quantity": total, "reserved_quantity": reserved, "available_quantity": available })
}

#[tokio::test]
async fn inventory_is_created_and_low_stock_is_listed() {
    let shop = Walk::start("001", "standard").await;
    let set =
        shop.ask("root", "PUT /api/v1/inventory/MUG", &json!({ "total_quantity": 50, "reorder_threshold": 60 })).await;
    has(249, &set, 200, &level(50, 0, 50));
    has(249, &shop.ask("root", "GET /api/v1/inventory/MUG", &ANY).await, 200, &level(50, 0, 50));
    let low = shop.ask("root", "GET /api/v1/inventory?below_threshold=true", &ANY).await;
    has(250, &low, 200, &json!({ "items": [level(50, 0, 50)] }));
    shop.lacks(249, &["summary"]);
    pending(250, &low, 200, &json!({ "items": [{ "reorder_quantity": ANY }] }));
}

#[tokio::test]
async fn inventory_is_reserved_confirmed_and_fulfilled() {
    let shop = Walk::start("suuupra", "standard").await;
    let placed = shop.send("ann", "POST /api/v1/orders", &[("idempotency-key", "1")], &order(2)).await;
    let wanted = json!({ "order_id": ANY, "customer_id": "ann", "status": "pending", "total_amount": "59.98" });
    let placed = has(90, &placed, 201, &wanted);
    let stock = "GET /api/v1/inventory/MUG";
    has(251, &shop.ask("root", stock, &ANY).await, 200, &level(100, 2, 98));
    let path = format!("/api/v1/orders/{}", text(&placed["order_id"]));
    shop.ask("robot", &format!("PATCH {path}"), &json!({ "status": "paid" })).await;
    has(251, &shop.ask("root", stock, &ANY).await, 200, &level(100, 2, 98));
    let shipped = shop.ask("robot", &format!("PATCH {path}"), &json!({ "status": "shipped" })).await;
    has(251, &shipped, 200, &json!({ "status": "shipped" }));
    has(251, &shop.ask("root", stock, &ANY).await, 200, &level(98, 0, 98));
    let events = shop.ask("ann", &format!("GET {path}/events"), &ANY).await;
    let entry = json!({ "sequence": 1, "data": { "order_id": placed["order_id"], "total_amount": "59.98" } });
    has(76, &events, 200, &json!({ "items": [entry] }));
}

#[tokio::test]
async fn orders_are_created_read_updated_and_deleted() {
    let shop = Walk::start("001", "standard").await;
    let placed = shop.send("ann", "POST /api/v1/orders", &[("idempotency-key", "1")], &order(1)).await.json();
    let path = format!("/api/v1/orders/{}", text(&placed["order_id"]));
    has(21, &shop.ask("ann", &format!("GET {path}"), &ANY).await, 200, &json!({ "order_id": placed["order_id"] }));
    let paid = shop.ask("robot", &format!("PATCH {path}"), &json!({ "status": "paid" })).await;
    has(21, &paid, 200, &json!({ "status": "paid" }));
    has(21, &shop.ask("ann", &format!("DELETE {path}"), &ANY).await, 200, &json!({ "status": "cancelled" }));
    let opened = shop.ask("ann", "POST /api/v1/carts", &ANY).await;
    has(22, &opened, 201, &json!({ "id": ANY }));
    let saga = shop.ask("root", &format!("GET {path}/saga"), &ANY).await;
    has(24, &saga, 200, &json!({ "correlation_id": ANY, "status": ANY }));
}
