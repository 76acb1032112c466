//! Commerce Service Spec. The numbers are those of its lines.

use serde_json::{Value, json};

use crate::walk::{ANY, Walk, has, text};

fn address() -> Value {
    json!({ "line1": "1 High Street", "city": "London", "postal_code": "N1 1AA", "country": "GB" })
}

#[tokio::test]
async fn a_cart_is_kept_and_checked_out() {
    let shop = Walk::start("000", "placed").await;
    let opened = shop.ask("ann", "POST /v1/carts", &ANY).await;
    let cart = has(70, &opened, 201, &json!({ "id": ANY, "user_id": "ann", "status": ANY, "expires_at": ANY }));
    let path = format!("/v1/carts/{}", text(&cart["id"]));
    has(71, &shop.ask("ann", &format!("GET {path}"), &ANY).await, 200, &json!({ "id": cart["id"] }));
    let added = shop.ask("ann", &format!("POST {path}/items"), &json!({ "sku": "MUG", "qty": 2 })).await;
    let item = json!({ "id": ANY, "product_id": "mug", "sku": "MUG", "qty": 2, "unit_price": "29.99" });
    let added = has(72, &added, 200, &json!({ "items": [item] }));
    let line = format!("{path}/items/{}", text(&added["items"][0]["id"]));
    let changed = shop.ask("ann", &format!("PATCH {line}"), &json!({ "qty": 3 })).await;
    has(73, &changed, 200, &json!({ "items": [{ "qty": 3 }] }));
    has(74, &shop.ask("ann", &format!("DELETE {line}"), &ANY).await, 204, &ANY);
    shop.ask("ann", &format!("POST {path}/items"), &json!({ "sku": "MUG", "quantity": 1 })).await;
    let valid = shop.ask("ann", "POST /v1/promos/validate", &json!({ "code": "TEN", "cart_id": cart["id"] })).await;
    has(79, &valid, 200, &json!({ "valid": true, "saving": "3.00" }));

    let checkout = json!({ "cart_id": cart["id"], "shipping_address": address() }).to_string();
    let keyless = shop.send("ann", "POST /v1/checkouts", &[], &checkout).await;
    has(47, &keyless, 400, &json!({ "code": "idempotency_key_required" }));
    let key = [("idempotency-key", "1")];
    let ordered = shop.send("ann", "POST /v1/checkouts", &key, &checkout).await;
    let wanted =
        json!({ "id": ANY, "status": "placed", "total_amount": "29.99", "currency": "USD", "payment": { "id": ANY } });
    let order = has(75, &ordered, 201, &wanted);
    let again = shop.send("ann", "POST /v1/checkouts", &key, &checkout).await;
    has(47, &again, 201, &json!({ "id": order["id"], "total_amount": "29.99" }));
    assert_eq!(again.header("idempotent-replayed"), "true", "line 47");
    has(76, &shop.ask("ann", "GET /v1/orders", &ANY).await, 200, &json!({ "items": [{ "id": order["id"] }] }));
}

#[tokio::test]
async fn an_order_runs_through_its_states() {
    let shop = Walk::start("commerce-service", "placed").await;
    let order = json!({ "items": [{ "sku": "MUG", "qty": 1 }], "shipping_address": address() }).to_string();
    let placed = shop.send("ann", "POST /v1/orders", &[("idempotency-key", "1")], &order).await.json();
    let path = format!("/v1/orders/{}", text(&placed["id"]));
    for status in ["paid", "fulfilled", "completed"] {
        let moved = shop.ask("robot", &format!("PATCH {path}"), &json!({ "status": status })).await;
        has(51, &moved, 200, &json!({ "status": status }));
    }
    let placed = shop.send("ann", "POST /v1/orders", &[("idempotency-key", "2")], &order).await.json();
    let path = format!("/v1/orders/{}", text(&placed["id"]));
    has(77, &shop.ask("ann", &format!("GET {path}"), &ANY).await, 200, &json!({ "items": [{ "qty": 1 }] }));
    has(78, &shop.ask("ann", &format!("POST {path}/cancel"), &ANY).await, 200, &json!({ "status": "cancelled" }));
}

#[tokio::test]
async fn points_and_rates_of_carriers_are_pending() {
    let shop = Walk::start("000", "placed").await;
    shop.lacks(83, &["rates", "carriers"]);
    shop.lacks(86, &["loyalty", "credit"]);
}
