//! How often, how long, how much.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::actor::Role;
use commerce_core::ids::UserId;
use commerce_core::port::{Users, UsersUnavailable};
use commerce_http::auth::mint;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::shop::{Plan, SECRET, Shop, address, fresh_key, order_of};

fn plan(orders_per_minute: u32) -> Plan {
    let mut plan = Plan::default();
    plan.options.orders_per_minute = orders_per_minute;
    plan
}

#[tokio::test]
async fn a_customer_places_so_many_orders_a_minute() {
    let shop = Shop::with(plan(3)).await;
    for _ in 0..3 {
        shop.order(1).await;
    }
    shop.users.go_down();
    let refused = shop.ann().post("/v1/orders", &order_of("MUG", 1)).key(&fresh_key()).send().await;
    refused.problem(429, "too_many_orders");
    let wait: u32 = refused.header("retry-after").parse().unwrap();
    assert!((1..=21).contains(&wait), "{wait}");
    let checkout = json!({ "cart_id": fresh_key(), "shipping_address": address(), "shipping_method": "standard" });
    shop.ann().post("/v1/checkouts", &checkout).key(&fresh_key()).send().await.problem(429, "too_many_orders");
    shop.users.come_up();
    shop.bob().post("/v1/orders", &order_of("MUG", 1)).key(&fresh_key()).send().await.expect(201);
    shop.ann().get("/v1/orders").send().await.expect(200);
}

#[tokio::test]
async fn an_order_that_is_refused_takes_nothing_of_the_quota() {
    let shop = Shop::with(plan(1)).await;
    for _ in 0..5 {
        let too_many = shop.ann().post("/v1/orders", &order_of("MUG", 1_000)).key(&fresh_key()).send().await;
        too_many.problem(409, "out_of_stock");
    }
    shop.order(1).await;
}

#[tokio::test]
async fn codes_cannot_be_guessed() {
    let mut plan = Plan::default();
    plan.options.codes_per_minute = 4;
    let shop = Shop::with(plan).await;
    let valid =
        json!({ "id": "ten", "code": "TEN", "effect": { "type": "percent_off", "target": "order", "percent": "10" } });
    shop.admin().post("/v1/promos", &valid).key(&fresh_key()).send().await.expect(201);
    let items = json!([{ "sku": "MUG", "quantity": 1 }]);
    let guess = |code: String| shop.ann().post("/v1/promos/validate", &json!({ "code": code, "items": items }));
    for number in 0..3 {
        guess(format!("GUESS{number}")).send().await.expect(200);
        guess("TEN".to_owned()).send().await.expect(200);
    }
    let cart = shop.ann().post("/v1/carts", &json!({})).send().await.expect(201);
    let codes = format!("/v1/carts/{}/promotions", cart["id"].as_str().unwrap());
    let add = |code: &str| shop.ann().post(&codes, &json!({ "code": code }));
    let known = add("TEN").key("ten").send().await;
    known.expect(200);
    add("GUESS3").send().await.expect(200);
    let futile = add("GUESS5").key("five");
    futile.clone().send().await.problem(429, "too_many_codes_tried");
    let again = add("TEN").key("ten").send().await;
    assert_eq!((again.header("idempotent-replayed"), &again.body), ("true", &known.body));
    let refused = add("GUESS4").send().await;
    refused.problem(429, "too_many_codes_tried");
    assert!((1..=16).contains(&refused.header("retry-after").parse::<u32>().unwrap()));
    guess("GUESS4".to_owned()).send().await.problem(429, "too_many_codes_tried");
    shop.bob().post("/v1/promos/validate", &json!({ "code": "GUESS5", "items": items })).send().await.expect(200);
}

#[tokio::test]
async fn what_is_sent_again_takes_nothing_of_the_quota_and_is_answered_beyond_it() {
    let shop = Shop::with(plan(3)).await;
    let first = shop.ann().post("/v1/orders", &order_of("MUG", 1)).key("first");
    let answer = first.clone().send().await;
    answer.expect(201);
    for _ in 0..5 {
        assert_eq!(first.clone().send().await.body, answer.body);
    }
    for _ in 0..2 {
        shop.order(1).await;
    }
    shop.ann().post("/v1/orders", &order_of("MUG", 1)).key("fourth").send().await.problem(429, "too_many_orders");
    let again = first.send().await;
    again.expect(201);
    assert_eq!((again.header("idempotent-replayed"), &again.body), ("true", &answer.body));
    let other = shop.ann().post("/v1/orders", &order_of("MUG", 2)).key("first").send().await;
    other.problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn the_house_places_as_many_as_it_likes() {
    let shop = Shop::with(plan(1)).await;
    for client in [shop.admin(), shop.service()] {
        for _ in 0..3 {
            client.post("/v1/orders", &order_of("MUG", 1)).key(&fresh_key()).send().await.expect(201);
        }
    }
}

#[tokio::test]
async fn a_body_has_a_limit() {
    let shop = Shop::open().await;
    let long = "x".repeat(256 * 1024);
    let ask = shop.ann().post("/v1/carts", &json!({ "note": long }));
    ask.send().await.problem(413, "body_too_large");
    let just = format!("{{}}{}", " ".repeat(256 * 1024 - 2));
    shop.ann().ask(http::Method::POST, "/v1/carts").text(&just).send().await.expect(201);
}

fn token() -> String {
    mint(SECRET, "ann", Role::Customer, Duration::from_secs(60)).unwrap()
}

#[tokio::test]
async fn a_body_in_chunks_has_the_same_limit() {
    let shop = Shop::open().await;
    let mut stream = TcpStream::connect(shop.address).await.unwrap();
    let head = format!(
        "POST /v1/carts HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\n\r\n",
        token(),
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    for _ in 0..5 {
        if stream.write_all(chunk.as_bytes()).await.is_err() {
            break;
        }
    }
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(String::from_utf8(answer).unwrap(), "HTTP/1.1 413");
}

#[tokio::test]
async fn a_slow_client_is_told_so() {
    let mut slow = Plan::default();
    slow.options.body_timeout = Duration::from_millis(50);
    let shop = Shop::with(slow).await;
    let mut stream = TcpStream::connect(shop.address).await.unwrap();
    let token = token();
    let head =
        format!("POST /v1/quotes HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-length: 10\r\n\r\n{{");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = async {
        let mut buffer = [0; 4096];
        while !answer.contains("request_timeout") {
            let read = stream.read(&mut buffer).await.unwrap();
            assert_ne!(read, 0, "{answer}");
            answer.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
    };
    tokio::time::timeout(Duration::from_secs(5), read).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

/// Users of a bad day.
#[derive(Debug)]
enum BadDay {
    NeverAnswers,
    Panics,
}

#[async_trait]
impl Users for BadDay {
    async fn exists(&self, _user: &UserId) -> Result<bool, UsersUnavailable> {
        match self {
            Self::NeverAnswers => std::future::pending().await,
            Self::Panics => panic!("a secret of the inside"),
        }
    }
}

#[tokio::test]
async fn a_handler_that_takes_too_long_is_given_up() {
    let mut plan = Plan { users: Some(Arc::new(BadDay::NeverAnswers)), ..Plan::default() };
    plan.options.handler_timeout = Duration::from_millis(50);
    let shop = Shop::with(plan).await;
    let reply = shop.ann().post("/v1/orders", &order_of("MUG", 1)).key(&fresh_key()).send().await;
    reply.problem(503, "timeout");
    assert!(reply.header("retry-after").parse::<u32>().unwrap() > 0);
    assert_eq!(shop.available("MUG").await, 10);
}

#[tokio::test]
async fn a_panic_is_a_500_and_no_end() {
    let shop = Shop::with(Plan { users: Some(Arc::new(BadDay::Panics)), ..Plan::default() }).await;
    let reply = shop.ann().post("/v1/orders", &order_of("MUG", 1)).key(&fresh_key()).send().await;
    let problem = reply.problem(500, "internal_error");
    assert!(!problem.to_string().contains("secret"), "{problem}");
    shop.ann().get("/v1/orders").send().await.expect(200);
}
