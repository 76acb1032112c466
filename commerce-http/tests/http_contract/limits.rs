//! How often, how long, how much.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::TimeDelta;
use commerce_core::actor::Role;
use commerce_core::ids::UserId;
use commerce_core::order::UnpaidLimits;
use commerce_core::port::{Users, UsersUnavailable};
use commerce_http::auth::mint;
use commerce_http::{ClientAddress, Service};
use commerce_testkit::FakeProcessor;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tower::ServiceExt;

use super::shop::{Client, Plan, Reply, SECRET, Shop, address, fresh_key, order_of};

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

#[tokio::test]
async fn what_is_no_amount_is_named_and_not_read() {
    let shop = Shop::open().await;
    let nested = json!(vec![json!([]); 60_000]);
    for wrong in [json!(true), json!([1]), json!({ "amount": "1.00" }), nested] {
        let mut order = order_of("MUG", 1);
        order["expected_total"] = wrong;
        let refused = shop.ann().post("/v1/orders", &order).key(&fresh_key()).send().await;
        refused.invalid("/expected_total", "invalid");
    }
}

#[tokio::test]
async fn a_promotion_has_a_smaller_limit() {
    let shop = Shop::open().await;
    let spaces = " ".repeat(64 * 1024);
    for (method, path) in [(http::Method::POST, "/v1/promos"), (http::Method::PATCH, "/v1/promos/tenth")] {
        let refused =
            shop.admin().ask(method, path).text(&format!("{{}}{spaces}")).send().await.problem(413, "body_too_large");
        assert!(refused["detail"].as_str().is_some_and(|detail| detail.contains("64 KiB")), "{refused}");
    }
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

async fn order_mugs(client: Client, quantity: i64) -> Reply {
    client.post("/v1/orders", &order_of("MUG", quantity)).key(&fresh_key()).send().await
}

/// A shop with many mugs.
async fn with_usual_limits() -> Shop {
    let mut plan = Plan::default();
    plan.settings.unpaid = UnpaidLimits::USUAL;
    let shop = Shop::empty(plan).await;
    shop.sells("MUG", "9.99", 5_000).await;
    shop
}

/// A shop with many mugs, and ten unpaid orders of ann.
async fn ten_unpaid() -> (Shop, Vec<Value>) {
    let shop = with_usual_limits().await;
    let mut orders = Vec::new();
    for _ in 0..10 {
        orders.push(shop.order(1).await);
    }
    (shop, orders)
}

#[tokio::test]
async fn a_customer_has_so_many_unpaid_orders() {
    let (shop, orders) = ten_unpaid().await;
    shop.later(TimeDelta::minutes(10));
    let refused = order_mugs(shop.ann(), 1).await;
    let problem = refused.problem(429, "too_many_unpaid_orders");
    assert_eq!((refused.header("retry-after"), &problem["limit"]), ("1201", &json!(10)));
    order_mugs(shop.bob(), 1).await.expect(201);
    let mut for_ann = order_of("MUG", 1);
    for_ann["user_id"] = json!("ann");
    shop.admin().post("/v1/orders", &for_ann).key(&fresh_key()).send().await.expect(201);
    order_mugs(shop.ann(), 1).await.problem(429, "too_many_unpaid_orders");
    for order in &orders[..2] {
        let path = format!("/v1/payments/{}/confirm", order["payment"]["id"].as_str().unwrap());
        shop.ann().post(&path, &json!({ "token": "tok_ok" })).send().await.expect(200);
    }
    order_mugs(shop.ann(), 1).await.expect(201);
    order_mugs(shop.ann(), 1).await.problem(429, "too_many_unpaid_orders");
    shop.later(TimeDelta::minutes(20));
    order_mugs(shop.ann(), 1).await.expect(201);
}

#[tokio::test]
async fn unpaid_orders_at_once_are_limited_too() {
    let shop = with_usual_limits().await;
    let answers = (0..40).map(|_| tokio::spawn(order_mugs(shop.ann(), 1)));
    let mut placed = 0;
    for answer in answers.collect::<Vec<_>>() {
        placed += i32::from(answer.await.unwrap().status == 201);
    }
    assert_eq!(placed, 10);
}

#[tokio::test]
async fn the_unpaid_orders_of_a_customer_hold_so_many_units() {
    let shop = with_usual_limits().await;
    order_mugs(shop.ann(), 501).await.problem(429, "too_many_unpaid_units");
    order_mugs(shop.ann(), 400).await.expect(201);
    let cart = shop.ann().post("/v1/carts", &json!({})).send().await.expect(201);
    let items = format!("/v1/carts/{}/items", cart["id"].as_str().unwrap());
    shop.ann().post(&items, &json!({ "sku": "MUG", "quantity": 101 })).send().await.expect(200);
    let checkout = json!({ "cart_id": cart["id"], "shipping_address": address(), "shipping_method": "standard" });
    let refused = shop.ann().post("/v1/checkouts", &checkout).key(&fresh_key()).send().await;
    refused.problem(429, "too_many_unpaid_units");
    assert_eq!(refused.header("retry-after"), "1801");
    order_mugs(shop.ann(), 100).await.expect(201);
    order_mugs(shop.bob(), 500).await.expect(201);
}

#[tokio::test]
async fn an_order_is_declined_so_often() {
    let shop = with_usual_limits().await;
    let (order, other) = (shop.order(1).await, shop.order(1).await);
    let pay = async |order: &Value, token: &str| {
        let path = format!("/v1/payments/{}/confirm", order["payment"]["id"].as_str().unwrap());
        shop.ann().post(&path, &json!({ "token": token })).send().await
    };
    for _ in 0..20 {
        pay(&order, "tok_declined").await.expect(200);
    }
    for token in ["tok_declined", "tok_ok"] {
        let refused = pay(&order, token).await;
        refused.problem(429, "too_many_declined_payments");
        assert_eq!(refused.header("retry-after"), "1801");
    }
    pay(&other, "tok_ok").await.expect(200);
    shop.later(TimeDelta::minutes(31));
    let refused = pay(&order, "tok_ok").await;
    refused.problem(429, "too_many_declined_payments");
    assert_eq!(refused.header("retry-after"), "1", "the reservation has ended");
    let events = shop.admin().get(&format!("/v1/orders/{}/events", order["id"].as_str().unwrap())).send().await;
    assert!(events.json()["items"].as_array().unwrap().len() <= 22);
}

#[tokio::test]
async fn invalid_tokens_of_a_client_are_limited() {
    let shop = Shop::open().await;
    let mut plan = Plan::default();
    plan.options.bad_tokens_per_minute = 3;
    let service = Service::new(shop.engine.clone(), plan.options);
    let ask = async |address: &str, header: &str, value: String| {
        let request = Request::get("/v1/orders").header(header, value);
        let mut request = request.body(Full::<Bytes>::default()).unwrap();
        request.extensions_mut().insert(ClientAddress(address.parse().unwrap()));
        service.clone().oneshot(request).await.unwrap()
    };
    let bearer = |token: &str| format!("Bearer {token}");
    let valid = mint(SECRET, "ann", Role::Customer, Duration::from_secs(60)).unwrap();
    for _ in 0..3 {
        assert_eq!(ask("10.0.0.1", "authorization", bearer("guess")).await.status(), 401);
    }
    let refused = ask("10.0.0.1", "authorization", bearer("guess")).await;
    assert_eq!(refused.status(), 429);
    let wait: u32 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=21).contains(&wait), "{wait}");
    assert_eq!(ask("10.0.0.1", "cookie", "session=guess".into()).await.status(), 429);
    assert_eq!(ask("10.0.0.2", "authorization", bearer("guess")).await.status(), 401);
    assert_eq!(ask("10.0.0.1", "authorization", bearer(&valid)).await.status(), 200);
}

#[tokio::test]
async fn who_sent_too_many_invalid_tokens_waits_for_no_key() {
    let shop = Shop::open().await;
    let mut plan = Plan::default();
    plan.options.bad_tokens_per_minute = 1;
    let auth = plan.options.auth.clone();
    let fetcher = tokio::spawn(async move {
        loop {
            auth.newer_keys_wanted().await; // and never get them
        }
    });
    let service = Service::new(shop.engine.clone(), plan.options);
    let header = jsonwebtoken::Header {
        kid: Some("k9".to_owned()),
        ..jsonwebtoken::Header::new(jsonwebtoken::Algorithm::EdDSA)
    };
    let key = jsonwebtoken::EncodingKey::from_ed_pem(include_bytes!("keys/ed.pem")).unwrap();
    let token = jsonwebtoken::encode(&header, &json!({ "sub": "ann" }), &key).unwrap();
    let ask = async || {
        let request = Request::get("/v1/orders").header("authorization", format!("Bearer {token}"));
        let mut request = request.body(Full::<Bytes>::default()).unwrap();
        request.extensions_mut().insert(ClientAddress("10.0.0.1".parse().unwrap()));
        let began = std::time::Instant::now();
        (service.clone().oneshot(request).await.unwrap().status().as_u16(), began.elapsed())
    };
    tokio::task::yield_now().await;
    let (status, took) = ask().await;
    assert!(status == 401 && took > Duration::from_secs(1), "the first one waits: {status}, {took:?}");
    let (status, took) = ask().await;
    assert!(status == 429 && took < Duration::from_secs(1), "{status}, {took:?}");
    fetcher.abort();
}

#[tokio::test]
async fn invalid_signatures_of_a_client_are_limited() {
    let mut plan = Plan { payments: Arc::new(FakeProcessor::new()), ..Plan::default() };
    plan.options.bad_tokens_per_minute = 3;
    let options = plan.options.clone();
    let shop = Shop::with(plan).await;
    let service = Service::new(shop.engine.clone(), options);
    let send = async |address: &str, signature: &str, body: &[u8]| {
        let request = Request::post("/v1/webhooks/payments/fake").header("x-signature", signature);
        let mut request = request.body(Full::<Bytes>::from(body.to_vec())).unwrap();
        request.extensions_mut().insert(ClientAddress(address.parse().unwrap()));
        service.clone().oneshot(request).await.unwrap().status().as_u16()
    };
    let (signature, body) = FakeProcessor::webhook(shop.engine.now(), &[]);
    for _ in 0..3 {
        assert_eq!(send("10.0.0.1", "0 1", &body).await, 400);
    }
    assert_eq!(send("10.0.0.1", "0 1", &body).await, 429);
    assert_eq!(send("10.0.0.2", "0 1", &body).await, 400);
    assert_eq!(send("10.0.0.1", &signature, &body).await, 204, "who signs is not limited");
}
