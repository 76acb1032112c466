//! E-Commerce Platform. The numbers are those of its lines.

use serde_json::{Value, json};

use crate::walk::{ANY, Walk, has, pending, text};

fn address() -> Value {
    json!({ "street_line_1": "1 High Street", "city": "London", "postal_code": "N1 1AA", "country_code": "GB" })
}

fn order() -> Value {
    json!({ "items": [{ "product_id": "mug", "quantity": 2 }], "shipping_address": address(), "notes": "Ring." })
}

#[tokio::test]
async fn products_are_listed_and_kept() {
    let shop = Walk::start("003", "confirmed").await;
    let listed = shop.ask("ann", "GET /api/v1/products?category=kitchen", &ANY).await;
    let product = json!({ "id": "mug", "is_active": true, "currency": "USD", "variants": [{ "price_cents": 2999 }] });
    has(257, &listed, 200, &json!({ "items": [product] }));
    has(258, &shop.ask("ann", "GET /api/v1/products/mug", &ANY).await, 200, &product);
    let new =
        json!({ "id": "cup", "name": "Cup", "is_active": true, "variants": [{ "sku": "CUP", "price_cents": 450 }] });
    let created = shop.ask("root", "POST /api/v1/products", &new).await;
    has(259, &created, 201, &json!({ "variants": [{ "price_cents": 450 }] }));
    assert_eq!(created.header("location"), "/api/v1/products/cup");
    assert_eq!(shop.ask("ann", "POST /api/v1/products", &new).await.status, 403, "line 259: admin only");
    let replaced = json!({ "name": "Cup", "variants": [{ "sku": "CUP", "price_cents": 500 }] });
    let replaced = shop.ask("root", "PUT /api/v1/products/cup", &replaced).await;
    has(260, &replaced, 200, &json!({ "variants": [{ "price_cents": 500 }] }));
    let categories = shop.ask("ann", "GET /api/v1/categories", &ANY).await;
    has(261, &categories, 200, &json!({ "items": [{ "id": "kitchen", "name": "Kitchen" }] }));
    let stock = shop.ask("root", "GET /api/v1/products/mug/inventory", &ANY).await;
    let level = json!({ "quantity_on_hand": 100, "quantity_reserved": 0, "reorder_threshold": 10 });
    has(262, &stock, 200, &json!({ "items": [level] }));

    pending(70, &shop.ask("ann", "GET /api/v1/products/mug", &ANY).await, 200, &json!({ "sku": ANY, "slug": ANY }));
    pending(73, &shop.ask("ann", "GET /api/v1/products/mug", &ANY).await, 200, &json!({ "price_cents": ANY }));
    pending(261, &categories, 200, &json!({ "items": [{ "children": ANY }] }));
}

#[tokio::test]
async fn an_order_is_confirmed_shipped_and_delivered() {
    let shop = Walk::start("003", "confirmed").await;
    let placed = shop.ask("ann", "POST /api/v1/orders", &order()).await;
    let item = json!({
        "id": ANY, "product_id": "mug", "product_name_snapshot": "Coffee mug", "sku_snapshot": "MUG",
        "unit_price_cents": 2999, "quantity": 2, "line_total_cents": 5998,
    });
    let wanted = json!({
        "id": ANY, "order_number": ANY, "user_id": "ann", "status": "pending", "subtotal_cents": 5998, "tax_cents": 0,
        "shipping_cents": 0, "total_cents": 5998, "notes": "Ring.", "created_at": ANY, "updated_at": ANY,
        "shipping_address_snapshot": { "street_line_1": "1 High Street", "country_code": "GB" }, "items": [item],
    });
    let placed = has(265, &placed, 201, &wanted);
    assert!(text(&placed["order_number"]).starts_with("ORD-"), "line 115");
    let path = format!("/api/v1/orders/{}", text(&placed["id"]));
    has(266, &shop.ask("ann", &format!("GET {path}"), &ANY).await, 200, &json!({ "status": "pending" }));
    has(
        267,
        &shop.ask("ann", "GET /api/v1/users/ann/orders", &ANY).await,
        200,
        &json!({ "items": [{ "id": placed["id"] }] }),
    );

    let pay = json!({ "order_id": placed["id"], "method": "credit_card" });
    let started = shop.ask("ann", "POST /api/v1/payments", &pay).await;
    let payment =
        json!({ "id": ANY, "order_id": placed["id"], "user_id": "ann", "amount_cents": 5998, "status": "pending" });
    let payment = has(272, &started, 201, &payment);
    let payment = format!("/api/v1/payments/{}", text(&payment["id"]));
    shop.ask("ann", &format!("POST {payment}/confirm"), &json!({ "token": "tok_ok" })).await;
    let wanted = json!({ "status": "captured", "gateway_transaction_id": ANY, "order_status": "confirmed" });
    has(273, &shop.ask("ann", &format!("GET {payment}"), &ANY).await, 200, &wanted);
    for status in ["shipped", "delivered"] {
        let moved = shop.ask("root", &format!("PUT {path}/status"), &json!({ "status": status })).await;
        has(268, &moved, 200, &json!({ "status": status }));
    }
    let ended = shop.ask("root", &format!("PUT {path}/status"), &json!({ "status": "cancelled" })).await;
    has(155, &ended, 400, &json!({ "code": "invalid_transition" }));
    let told = ["order.created", "order.paid", "order.shipped", "order.delivered"];
    // `order.confirmed` is a name that the settings of publishing give to `order.paid`.
    let events = shop.events(text(&placed["id"])).await;
    let captured = shop.ask("ann", &format!("GET {payment}"), &ANY).await;
    pending(175, &captured, 200, &json!({ "captured_at": ANY }));
    assert_eq!(events, told, "line 155");
}

#[tokio::test]
async fn an_order_is_cancelled_and_a_payment_refunded() {
    let shop = Walk::start("e-commerce-platform", "confirmed").await;
    let placed = shop.ask("ann", "POST /api/v1/orders", &order()).await.json();
    let path = format!("/api/v1/orders/{}/cancel", text(&placed["id"]));
    has(269, &shop.ask("ann", &format!("POST {path}"), &ANY).await, 200, &json!({ "status": "cancelled" }));

    let placed = shop.ask("ann", "POST /api/v1/orders", &order()).await.json();
    let payment = format!("/api/v1/payments/{}", text(&placed["payment"]["id"]));
    shop.ask("ann", &format!("POST {payment}/confirm"), &json!({ "token": "tok_ok" })).await;
    let refund = json!({ "amount_cents": 1000, "reason": "a chipped mug" });
    let refunded = shop.ask("root", &format!("POST {payment}/refund"), &refund).await;
    let wanted =
        json!({ "refunds": [{ "id": ANY, "amount_cents": 1000, "reason": "a chipped mug", "status": "pending" }] });
    has(274, &refunded, 201, &wanted);
    shop.run_tasks().await;
    let paid = json!({ "refunds": [{ "status": "processed" }] });
    has(185, &shop.ask("ann", &format!("GET {payment}"), &ANY).await, 200, &paid);
}

/// The catalog service takes the units from stock when the order is confirmed; the shop takes them when it ships.
#[tokio::test]
async fn stock_is_reserved_by_an_order() {
    let shop = Walk::start("003", "confirmed").await;
    let placed = shop.ask("ann", "POST /api/v1/orders", &order()).await.json();
    let stock = shop.ask("root", "GET /api/v1/inventory/MUG", &ANY).await;
    has(98, &stock, 200, &json!({ "quantity_on_hand": 100, "quantity_reserved": 2 }));
    let payment = format!("/api/v1/payments/{}/confirm", text(&placed["payment"]["id"]));
    shop.ask("ann", &format!("POST {payment}"), &json!({ "token": "tok_ok" })).await;
    let stock = shop.ask("root", "GET /api/v1/inventory/MUG", &ANY).await;
    pending(104, &stock, 200, &json!({ "quantity_on_hand": 98, "quantity_reserved": 0 }));
}

#[tokio::test]
async fn users_and_notifications_are_elsewhere() {
    let shop = Walk::start("003", "confirmed").await;
    let (login, send) = (json!({ "email": "ann@example.com", "password": "x" }), json!({ "user_id": "ann" }));
    for (line, asked, body) in [
        (246, "POST /api/v1/auth/register", &login),
        (247, "POST /api/v1/auth/login", &login),
        (248, "POST /api/v1/auth/refresh", &login),
        (249, "GET /api/v1/auth/verify", &ANY),
        (251, "GET /api/v1/users/ann", &ANY),
        (252, "PUT /api/v1/users/ann", &login),
        (253, "GET /api/v1/users/ann/addresses", &ANY),
        (254, "POST /api/v1/users/ann/addresses", &address()),
        (277, "GET /api/v1/notifications/ann", &ANY),
        (278, "POST /api/v1/notifications/send", &send),
    ] {
        has(line, &shop.ask("root", asked, body).await, 404, &ANY);
    }
}
