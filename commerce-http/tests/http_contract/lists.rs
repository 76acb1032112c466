//! Lists in parts.

use serde_json::{Value, json};

use super::shop::{Client, Shop, fresh_key, order_of, path_of, text};

/// All parts of a list, and how many there were.
async fn all(client: &Client, path: &str, limit: usize) -> Vec<Value> {
    let mut items = Vec::new();
    let mut cursor = String::new();
    loop {
        let gap = if path.contains('?') { '&' } else { '?' };
        let part = client.get(&format!("{path}{gap}limit={limit}&cursor={cursor}")).send().await.expect(200);
        let entries = part["items"].as_array().unwrap();
        assert!(entries.len() <= limit);
        items.extend(entries.iter().cloned());
        match part["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return items,
        }
    }
}

#[tokio::test]
async fn parts_add_up_to_the_whole() {
    let shop = Shop::open().await;
    let mut placed = Vec::new();
    for _ in 0..7 {
        placed.push(shop.order(1).await);
    }
    placed.reverse();
    for limit in [1, 2, 3, 7, 100] {
        assert_eq!(all(&shop.ann(), "/v1/orders", limit).await, placed);
    }
    let events = all(&shop.ann(), &format!("{}/events", path_of(&placed[0])), 1).await;
    assert_eq!(events.len(), 1);
    let paid = shop.paid_order(1).await;
    let events = all(&shop.ann(), &format!("{}/events", path_of(&paid)), 2).await;
    let sequences: Vec<_> = events.iter().map(|event| event["sequence"].as_i64().unwrap()).collect();
    assert_eq!(sequences, [1, 2, 3]);
}

#[tokio::test]
async fn a_list_is_stable_while_orders_come_in() {
    let shop = Shop::open().await;
    for _ in 0..4 {
        shop.order(1).await;
    }
    let first = shop.ann().get("/v1/orders?limit=2").send().await.expect(200);
    shop.order(1).await;
    let path = format!("/v1/orders?limit=2&cursor={}", text(&first["next_cursor"]));
    let second = shop.ann().get(&path).send().await.expect(200);
    let all = shop.ann().get("/v1/orders").send().await.expect(200);
    assert_eq!((&first["items"][1], &second["items"][0]), (&all["items"][2], &all["items"][3]));
    assert_eq!(second["next_cursor"], Value::Null);
}

#[tokio::test]
async fn products_and_stock_come_in_parts_too() {
    let shop = Shop::open().await;
    for sku in ["A", "B", "C"] {
        shop.sells(sku, "1.00", 1).await;
    }
    let products: Vec<_> = all(&shop.guest(), "/v1/products", 3).await.iter().map(|p| p["id"].clone()).collect();
    assert_eq!(products.len(), 4);
    let skus: Vec<_> = all(&shop.support(), "/v1/inventory", 1).await.iter().map(|s| s["sku"].clone()).collect();
    assert_eq!(skus, [json!("A"), json!("B"), json!("C"), json!("MUG")]);
}

#[tokio::test]
async fn orders_are_filtered() {
    let shop = Shop::open().await;
    let first = shop.order(1).await;
    shop.later(chrono::TimeDelta::hours(1));
    let second = shop.bob().post("/v1/orders", &order_of("MUG", 1)).key(&fresh_key()).send().await.expect(201);
    shop.admin().patch(&path_of(&second), &json!({ "status": "paid" })).send().await.expect(200);
    let found = async |query: &str| {
        let list = shop.admin().get(&format!("/v1/orders?{query}")).send().await.expect(200);
        list["items"].as_array().unwrap().iter().map(|order| order["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(found("").await, [second["id"].clone(), first["id"].clone()]);
    assert_eq!(found("status=paid").await, [second["id"].clone()]);
    assert_eq!(found("user_id=ann").await, [first["id"].clone()]);
    assert_eq!(found("from=2026-03-01T12:30:00Z").await, [second["id"].clone()]);
    assert_eq!(found("to=2026-03-01T12:30:00Z").await, [first["id"].clone()]);
    assert_eq!(found("from=2026-03-01T12:00:00Z&to=2026-03-01T12:00:00Z").await, Vec::<Value>::new());
    assert_eq!(found("status=eaten").await, Vec::<Value>::new());
}

#[tokio::test]
async fn limits_and_cursors_are_checked() {
    let shop = Shop::open().await;
    shop.order(1).await;
    shop.order(1).await;
    for limit in ["0", "101", "-1", "x", "1.5", "99999999999"] {
        let reply = shop.ann().get(&format!("/v1/orders?limit={limit}")).send().await;
        assert_eq!(reply.problem(422, "invalid_parameter")["errors"][0]["parameter"], "limit");
    }
    let page = shop.ann().get("/v1/orders?limit=1").send().await.expect(200);
    let cursor = text(&page["next_cursor"]).to_owned();
    for at in 0..cursor.len() - 1 {
        let letter = if cursor[at..].starts_with('A') { "B" } else { "A" };
        let damaged = format!("{}{letter}{}", &cursor[..at], &cursor[at + 1..]);
        shop.ann().get(&format!("/v1/orders?cursor={damaged}")).send().await.problem(422, "invalid_cursor");
    }
    for cursor in ["x", "%F0%9F%98%80", "AAAA", &cursor[..cursor.len() - 1]] {
        shop.ann().get(&format!("/v1/orders?cursor={cursor}")).send().await.problem(422, "invalid_cursor");
    }
    shop.support().get(&format!("/v1/inventory?cursor={cursor}")).send().await.problem(422, "invalid_cursor");
    shop.ann().get("/v1/orders?from=yesterday").send().await.problem(422, "invalid_parameter");
    shop.ann().get("/v1/orders?status=%FF").send().await.problem(400, "malformed_query");
}

#[tokio::test]
async fn invalid_parameters_are_told_in_plain_words() {
    let shop = Shop::open().await;
    let told = [
        ("/v1/products?limit=many", "limit: must be 1 to 100"),
        ("/v1/products?limit=99999", "limit: must be 1 to 100"),
        ("/v1/products?active=yes", "active: must be true or false"),
        ("/v1/returns?order_id=7", "order_id: must be a UUID"),
        ("/v1/returns?status=lost", "status: must be one of: requested, approved, rejected, received"),
    ];
    for (path, detail) in told {
        let problem = shop.admin().get(path).send().await.problem(422, "invalid_parameter");
        assert_eq!(problem["errors"][0]["parameter"], detail.split(':').next().unwrap());
        assert!(problem["detail"].as_str().unwrap().eq_ignore_ascii_case(detail), "{problem}");
    }
    let body = serde_json::json!({ "cart_id": "7", "shipping_address": super::shop::address() });
    let reply = shop.ann().post("/v1/checkouts", &body).key("k").send().await;
    assert_eq!(reply.problem(422, "validation_failed")["errors"][0]["message"], "must be a UUID");
}

#[tokio::test]
async fn a_query_has_a_limited_number_of_parameters() {
    let shop = Shop::open().await;
    let path = |count| format!("/v1/products?{}", "a=1&".repeat(count));
    shop.guest().get(&path(100)).send().await.expect(200);
    shop.guest().get(&path(101)).send().await.problem(400, "malformed_query");
}
