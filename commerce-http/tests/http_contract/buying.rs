//! From a cart to a delivered order, and what a shop says of it on the way.

use serde_json::json;

use super::shop::{Shop, address, fresh_key, names, path_of, text};

#[tokio::test]
async fn a_cart_becomes_a_delivered_order() {
    let shop = Shop::open().await;
    let ann = shop.ann();

    let opened = ann.post("/v1/carts", &json!({})).send().await;
    let cart = opened.expect(201);
    let path = format!("/v1/carts/{}", text(&cart["id"]));
    assert_eq!(opened.header("location"), path);
    assert_eq!(
        (&cart["status"], &cart["currency"], &cart["user_id"]),
        (&json!("active"), &json!("USD"), &json!("ann"))
    );

    let filled = ann.post(&format!("{path}/items"), &json!({ "sku": "MUG", "quantity": 2 })).send().await.expect(200);
    assert_eq!(filled["items"][0]["unit_price"], "9.99");
    assert_eq!(filled["quote"]["total"], "19.98");

    let checkout = json!({
        "cart_id": cart["id"], "shipping_address": address(), "shipping_method": "standard", "notes": "ring twice",
    });
    let placed = ann.post("/v1/checkouts", &checkout).key(&fresh_key()).send().await;
    let order = placed.expect(201);
    assert_eq!(placed.header("location"), path_of(&order));
    assert_eq!((&order["status"], &order["phase"]), (&json!("pending"), &json!("awaiting_payment")));
    assert_eq!((&order["total"], &order["payment"]["status"]), (&json!("19.98"), &json!("pending")));
    assert_eq!(order["notes"], "ring twice");
    assert_eq!(shop.available("MUG").await, 8);
    let cart = ann.get(&path).send().await.expect(200);
    assert_eq!(cart["status"], "checked_out");

    let confirm = format!("/v1/payments/{}/confirm", text(&order["payment"]["id"]));
    let payment = ann.post(&confirm, &json!({ "token": "tok_ok" })).send().await.expect(200);
    assert_eq!((&payment["status"], &payment["captured"]), (&json!("succeeded"), &json!("19.98")));
    assert_eq!((&payment["order_id"], &payment["order_status"]), (&order["id"], &json!("paid")));

    let shipping = format!("{}/shipping", path_of(&order));
    let shipment = json!({ "provider": "Post", "method": "parcel", "tracking_number": "P-1", "status": "shipped" });
    let shipped = shop.service().put(&shipping, &shipment).send().await.expect(200);
    assert_eq!((&shipped["status"], &shipped["shipments"][0]["tracking_number"]), (&json!("shipped"), &json!("P-1")));
    let delivered = shop.admin().patch(&path_of(&order), &json!({ "status": "delivered" })).send().await.expect(200);
    assert_eq!((&delivered["status"], &delivered["phase"]), (&json!("delivered"), &json!("delivered")));

    let events = ann.get(&format!("{}/events", path_of(&order))).send().await.expect(200);
    let types: Vec<_> = events["items"].as_array().unwrap().iter().map(|event| text(&event["event_type"])).collect();
    assert_eq!(
        types,
        ["order.created", "payment.captured", "order.paid", "shipment.updated", "order.shipped", "order.delivered",]
    );
    let last = &events["items"][5];
    assert_eq!((&last["sequence"], &last["data"]["order_id"]), (&json!(6), &order["id"]));
    assert_eq!(last["data"]["status"], "delivered");
}

#[tokio::test]
async fn an_order_has_the_shape_that_is_promised() {
    let shop = Shop::open().await;
    let order = shop.order(2).await;
    assert_eq!(
        names(&order),
        [
            "created_at",
            "currency",
            "discount",
            "explanation",
            "id",
            "items",
            "metadata",
            "number",
            "payment",
            "phase",
            "promotions",
            "refunds",
            "returns",
            "shipping",
            "shipping_address",
            "shipping_discount",
            "shipping_method",
            "status",
            "subtotal",
            "tax",
            "total",
            "updated_at",
            "user_id",
            "version",
        ]
    );
    assert_eq!(
        names(&order["items"][0]),
        [
            "adjustments",
            "discount",
            "id",
            "metadata",
            "name",
            "product_id",
            "quantity",
            "sku",
            "subtotal",
            "tax",
            "total",
            "unit_price",
        ]
    );
    assert_eq!(order["created_at"], "2026-03-01T12:00:00Z");
    assert!(text(&order["number"]).starts_with("ORD-20260301-"), "{order}");
    assert_eq!(order["shipping_address"], address());
}

#[tokio::test]
async fn both_prefixes_lead_to_the_same_shop() {
    let shop = Shop::open().await;
    let order = shop.order(1).await;
    let path = format!("/api{}", path_of(&order));
    assert_eq!(shop.ann().get(&path).send().await.expect(200), order);
}

#[tokio::test]
async fn an_order_is_found_by_its_number() {
    let shop = Shop::open().await;
    let order = shop.order(1).await;
    let number = text(&order["number"]);
    assert_eq!(shop.ann().get(&format!("/v1/orders/{number}")).send().await.expect(200), order);
    let lower = number.to_lowercase();
    assert_eq!(shop.ann().get(&format!("/v1/orders/{lower}")).send().await.expect(200), order);
}

#[tokio::test]
async fn an_order_can_be_placed_of_a_cart_at_orders_too() {
    let shop = Shop::open().await;
    let ann = shop.ann();
    let cart = ann.post("/v1/carts", &json!({})).send().await.expect(201);
    let items = format!("/v1/carts/{}/items", text(&cart["id"]));
    ann.post(&items, &json!({ "sku": "MUG", "quantity": 1 })).send().await.expect(200);
    let request = json!({ "cart_id": cart["id"], "shipping_address": address(), "shipping_method": "standard" });
    let order = ann.post("/v1/orders", &request).key(&fresh_key()).send().await.expect(201);
    assert_eq!(order["total"], "9.99");
}

#[tokio::test]
async fn a_product_with_one_variant_can_be_ordered_by_its_id() {
    let shop = Shop::open().await;
    let request = json!({
        "items": [{ "product_id": "MUG", "quantity": 1 }],
        "shipping_address": address(), "shipping_method": "standard",
    });
    let order = shop.ann().post("/v1/orders", &request).key(&fresh_key()).send().await.expect(201);
    assert_eq!(order["items"][0]["sku"], "MUG");
}

#[tokio::test]
async fn four_hundred_buyers_get_two_hundred_units() {
    let shop = Shop::open().await;
    shop.sells("LAMP", "40.00", 200).await;
    let request = super::shop::order_of("LAMP", 1);
    let buyers = (0..400).map(|buyer| {
        let name = if buyer % 2 == 0 { shop.ann() } else { shop.bob() };
        tokio::spawn(name.post("/v1/orders", &request).key(&format!("buyer-{buyer}")).send())
    });
    let (mut sold, mut refused) = (0, 0);
    for reply in buyers.collect::<Vec<_>>() {
        let reply = reply.await.unwrap();
        if reply.status.as_u16() == 201 {
            sold += 1;
            continue;
        }
        let problem = reply.problem(409, "out_of_stock");
        let said = (&problem["sku"], &problem["asked"], &problem["available"]);
        assert_eq!(said, (&json!("LAMP"), &json!(1), &json!(0)));
        refused += 1;
    }
    assert_eq!((sold, refused, shop.available("LAMP").await), (200, 200, 0));
}
