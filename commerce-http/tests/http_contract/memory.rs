//! How much memory answers take.

use std::collections::VecDeque;

use bytes::Bytes;
use commerce_http::auth::mint;
use commerce_http::{Budget, ResponseBody, Service};
use http::{Request, Response};
use http_body_util::Full;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::shop::{Plan, SECRET, Shop, fresh_key, order_of, path_of, with};

const MEBIBYTE: usize = 1024 * 1024;

/// An order of about 25 kB.
async fn large_order(shop: &Shop) -> Value {
    let metadata: serde_json::Map<_, _> = (0..50).map(|at| (format!("key-{at}"), "x".repeat(500).into())).collect();
    let body = with(order_of("BIG", 1), "/metadata", metadata.into());
    shop.ann().post("/v1/orders", &body).key(&fresh_key()).send().await.expect(201)
}

async fn shop() -> Shop {
    let shop = Shop::open().await;
    shop.sells("BIG", "1.00", 1000).await;
    shop
}

#[tokio::test]
async fn a_page_ends_before_it_is_longer_than_a_mebibyte() {
    let shop = shop().await;
    let mut placed = Vec::new();
    for _ in 0..90 {
        placed.push(large_order(&shop).await["id"].clone());
    }
    placed.reverse();
    let (mut found, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let reply = shop.ann().get(&format!("/v1/orders?limit=100&cursor={cursor}")).send().await;
        let page = reply.expect(200);
        assert!(reply.body.len() <= MEBIBYTE, "{}", reply.body.len());
        found.extend(page["items"].as_array().unwrap().iter().map(|order| order["id"].clone()));
        pages += 1;
        match page["next_cursor"].as_str() {
            Some(next) => {
                assert!(reply.body.len() > MEBIBYTE / 2, "the page is not shorter than it must be");
                next.clone_into(&mut cursor);
            }
            None => break,
        }
    }
    assert_eq!((found, pages), (placed, 3));
}

#[tokio::test]
async fn products_and_carts_are_cut_too() {
    let shop = shop().await;
    let metadata: serde_json::Map<_, _> = (0..50).map(|at| (format!("key-{at}"), "x".repeat(500).into())).collect();
    for number in 0..50 {
        let sku = format!("sku-{number}");
        let variants = json!([{ "sku": sku, "price": "1.00" }]);
        let product = json!({ "name": sku, "metadata": metadata, "variants": variants });
        shop.admin().put(&format!("/v1/products/{sku}"), &product).send().await.expect(200);
    }
    let first = shop.guest().get("/v1/products?limit=100").send().await;
    let cursor = first.expect(200)["next_cursor"].as_str().map(str::to_owned).unwrap();
    let second = shop.guest().get(&format!("/v1/products?limit=100&cursor={cursor}")).send().await.expect(200);
    let count = |page: &Value| page["items"].as_array().unwrap().len();
    assert!(first.body.len() <= MEBIBYTE);
    assert_eq!(count(&first.json()) + count(&second), 52);
}

#[tokio::test]
async fn what_exceeds_the_memory_waits_and_is_refused() {
    let shop = shop().await;
    let path = path_of(&large_order(&shop).await);
    let service = Service::new(shop.engine.clone(), Plan::default().options);
    let budget = Budget::new(MEBIBYTE).part(MEBIBYTE / 4);
    let token = mint(SECRET, "ann", commerce_core::actor::Role::Customer, std::time::Duration::from_secs(600)).unwrap();
    let ask = async |method: &str, path: &str| -> Response<ResponseBody> {
        let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
        let request = request.header("content-type", "application/json").header("idempotency-key", fresh_key());
        let body = if method == "POST" { order_of("BIG", 1).to_string() } else { String::new() };
        let mut request = request.body(Full::<Bytes>::from(body)).unwrap();
        request.extensions_mut().insert(budget.clone());
        service.clone().oneshot(request).await.unwrap()
    };
    let mut held = VecDeque::new();
    let refused = loop {
        let answer = ask("GET", &path).await;
        if answer.status() != 200 {
            break answer;
        }
        held.push_back(answer);
        assert!(held.len() < 20 && budget.taken() <= MEBIBYTE / 4, "{} {}", held.len(), budget.taken());
    };
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "2");
    assert!(held.len() >= 5, "{}", held.len());
    let orders = shop.admin().get("/v1/orders?limit=100").send().await.expect(200)["items"].as_array().unwrap().len();
    assert_eq!(ask("POST", "/v1/orders").await.status(), 503);
    let after = shop.admin().get("/v1/orders?limit=100").send().await.expect(200)["items"].as_array().unwrap().len();
    assert_eq!(orders, after, "what is refused has no effect");
    let waiting = tokio::spawn({
        let mut kept = held.split_off(2);
        async move {
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            kept.clear();
        }
    });
    assert_eq!(ask("GET", &path).await.status(), 200, "it waited for memory");
    waiting.await.unwrap();
    drop(held);
    assert_eq!(budget.taken(), 0);
    assert_eq!(ask("POST", "/v1/orders").await.status(), 201);
    assert_eq!(ask("GET", "/v1/orders?limit=100").await.status(), 200, "a list takes all there is");
    assert_eq!(budget.taken(), 0, "nothing is left behind");
}
