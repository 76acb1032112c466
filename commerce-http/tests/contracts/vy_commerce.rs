//! vy-commerce. The numbers are those of its lines.

use serde_json::{Value, json};

use crate::walk::{ANY, Walk, has, pending, text};

fn address() -> Value {
    json!({ "line1": "1 High Street", "city": "London", "state": "London", "postalCode": "N1 1AA", "country": "GB" })
}

#[tokio::test]
async fn the_catalog_is_browsed() {
    let shop = Walk::start("002", "production").await;
    let products = shop.ask("ann", "GET /products?category=kitchen&active=true", &ANY).await;
    has(138, &products, 200, &json!([{ "productId": "mug", "name": "Coffee mug", "active": true, "createdAt": ANY }]));
    let variants = shop.ask("ann", "GET /products/mug/variants", &ANY).await;
    has(139, &variants, 200, &json!([{ "variantId": "MUG", "priceCents": 2999 }]));
    let categories = shop.ask("ann", "GET /categories", &ANY).await;
    has(140, &categories, 200, &json!([{ "categoryId": "kitchen", "name": "Kitchen" }]));
    pending(60, &variants, 200, &json!([{ "sku": ANY, "inventorySource": ANY }]));
    pending(61, &categories, 200, &json!([{ "slug": ANY }]));
    pending(63, &products, 200, &json!([{ "images": ANY }]));
}

#[tokio::test]
async fn a_cart_is_filled_and_ordered() {
    let shop = Walk::start("vy-commerce", "production").await;
    let opened = shop.ask("ann", "POST /carts", &json!({ "personId": "ann" })).await;
    let cart = has(141, &opened, 201, &json!({ "cartId": ANY, "personId": "ann", "status": "ACTIVE" }));
    let again = shop.ask("ann", "POST /carts", &json!({ "personId": "ann" })).await;
    has(141, &again, 200, &json!({ "cartId": cart["cartId"] }));
    shop.ask("ann", "POST /carts", &json!({ "personId": "bob" })).await.invalid("/personId", "invalid");
    let path = format!("/carts/{}", text(&cart["cartId"]));
    assert_eq!(opened.header("location"), path);

    let units = json!({ "variantId": "MUG", "quantity": 2 });
    let added = shop.ask("ann", &format!("POST {path}/items"), &units).await;
    let added = has(142, &added, 200, &json!({ "itemId": ANY, "items": [{ "unitPriceCents": 2999, "quantity": 2 }] }));
    assert_eq!(added["itemId"], added["items"][0]["itemId"]);
    let removed = shop.ask("ann", &format!("DELETE {path}/items/{}", text(&added["itemId"])), &ANY).await;
    has(143, &removed, 204, &ANY);
    shop.ask("ann", &format!("POST {path}/items"), &units).await;
    let code = |code: &str| json!({ "code": code });
    let valid = shop.ask("ann", &format!("POST {path}/promotions"), &code("TEN")).await;
    has(144, &valid, 200, &json!({ "valid": true, "quote": { "totalCents": 5398 } }));
    let invalid = shop.ask("ann", &format!("POST {path}/promotions"), &code("NONE")).await;
    has(144, &invalid, 200, &json!({ "valid": false }));

    let order = json!({ "cartId": cart["cartId"], "personId": "ann", "shippingAddress": address() });
    let placed = shop.ask("ann", "POST /orders", &order).await;
    let wanted = json!({ "orderId": ANY, "status": "PENDING_PAYMENT", "totalAmountCents": 5398, "currency": "USD" });
    let placed = has(145, &placed, 201, &wanted);
    let ordered = shop.ask("ann", "POST /orders", &order).await;
    assert_eq!(ordered.status, 409, "a repetition without a key does not order a cart twice: {}", ordered.text);
    let shown = shop.ask("ann", &format!("GET /orders/{}", text(&placed["orderId"])), &ANY).await;
    let items = json!([{ "orderItemId": ANY, "variantId": "MUG", "quantity": 2, "unitPriceCents": 2999 }]);
    let address = json!({ "line1": "1 High Street", "postalCode": "N1 1AA" });
    has(146, &shown, 200, &json!({ "personId": "ann", "items": items, "shippingAddress": address }));
    pending(146, &shown, 200, &json!({ "attribution": ANY }));
    let cart = shop.ask("ann", &format!("GET {path}"), &ANY).await;
    has(97, &cart, 200, &json!({ "status": "CHECKED_OUT" }));
}

#[tokio::test]
async fn an_order_is_paid_and_shipped() {
    let shop = Walk::start("002", "production").await;
    let order = json!({ "items": [{ "variantId": "MUG", "quantity": 1 }], "shippingAddress": address() });
    let placed = shop.ask("ann", "POST /orders", &order).await.json();
    let paid = format!("POST /payments/{}/confirm", text(&placed["payment"]["paymentId"]));
    let paid = shop.ask("ann", &paid, &json!({ "token": "tok_ok" })).await;
    has(119, &paid, 200, &json!({ "orderStatus": "PAID", "amountCents": 2999, "paymentIntentId": ANY }));
    let path = format!("/orders/{}", text(&placed["orderId"]));
    for status in ["AWAITING_PRODUCTION", "READY_TO_SHIP"] {
        let moved = shop.ask("robot", &format!("PUT {path}/status"), &json!({ "status": status })).await;
        has(98, &moved, 200, &json!({ "status": status }));
    }
    let shipment = json!({ "provider": "Post", "method": "parcel", "trackingNumber": "P-1" });
    let shipped = shop.ask("robot", &format!("PUT {path}/shipping"), &shipment).await;
    has(147, &shipped, 200, &json!({ "shipments": [{ "trackingNumber": "P-1", "status": "PENDING" }] }));
    for (status, order) in [("SHIPPED", "SHIPPED"), ("DELIVERED", "DELIVERED")] {
        let shipment = json!({ "provider": "Post", "method": "parcel", "status": status });
        let moved = shop.ask("robot", &format!("PUT {path}/shipping"), &shipment).await;
        has(127, &moved, 200, &json!({ "status": order, "shipments": [{ "status": status }] }));
        if status == "SHIPPED" {
            let transit = json!({ "provider": "Post", "method": "parcel", "status": "IN_TRANSIT" });
            let moved = shop.ask("robot", &format!("PUT {path}/shipping"), &transit).await;
            pending(104, &moved, 200, &json!({ "shipments": [{ "status": "IN_TRANSIT" }] }));
        }
    }
}

#[tokio::test]
async fn subscriptions_are_pending() {
    let shop = Walk::start("002", "production").await;
    let items = json!([{ "variantId": "MUG", "quantity": 1 }]);
    let new = json!({ "personId": "ann", "planId": "monthly", "items": items });
    let created = shop.ask("ann", "POST /subscriptions", &new).await;
    pending(148, &created, 201, &json!({ "subscriptionId": ANY }));
    let created = created.json();
    let path = format!("/subscriptions/{}", created["subscriptionId"].as_str().unwrap_or("none"));
    let shown = shop.ask("ann", &format!("GET {path}"), &ANY).await;
    pending(149, &shown, 200, &json!({ "items": ANY, "events": ANY }));
    pending(150, &shop.ask("ann", &format!("POST {path}/cancel"), &ANY).await, 200, &ANY);
}
