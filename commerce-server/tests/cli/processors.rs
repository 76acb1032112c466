//! The program with a payment processor outside of it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use commerce_core::actor::Role;
use commerce_outbound::signature::sign;
use commerce_remote::wire::SIGNATURE;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use remote_double::Settings;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::home::{Home, on_each_database};
use crate::running::{Caller, PATIENCE, Server, commerce, directory, fail, order_of, stderr, stocked, succeed};

on_each_database!(a_payment_service_is_paid_once, the_sandbox_knows_what_it_took_before_a_restart);

/// The payment of a new order, after a token was sent for it.
async fn pay(ann: &Caller, token: &str, status: StatusCode) -> String {
    let order = ann.order(&format!("order-{token}"), &order_of("mug", 1)).await.expect("an answer");
    let path = format!("/v1/payments/{}", order.body["payment"]["id"].as_str().expect("a payment"));
    let confirm = format!("{path}/confirm");
    let paid = ann.send(Method::POST, &confirm, None, &json!({ "token": token })).await.expect("an answer");
    assert_eq!(paid.status, status, "{token}: {paid:?}");
    path
}

/// Waits until a payment has a status.
async fn wait_for(ann: &Caller, path: &str, status: &str) -> Value {
    let start = Instant::now();
    loop {
        let payment = ann.get(path).await.body;
        if payment["status"] == status {
            return payment;
        }
        assert!(start.elapsed() < PATIENCE, "{payment}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The answer of the service to one of three payments is lost. It is asked, and all three agree with its books.
async fn a_payment_service_is_paid_once(home: Home) {
    let service = remote_double::start(Settings::default()).await.expect("the service starts");
    home.stock(&[("mug", 10)]);
    let url = format!("http://{service}");
    let server = Server::start(home.path(), &["--processor", "remote", "--processor-url", &url]);
    let ann = Caller::guest(server.address).acting(home.path(), "ann", Role::Customer);
    let paid = pay(&ann, "tok_ok", StatusCode::OK).await;
    let declined = pay(&ann, "tok_declined", StatusCode::OK).await;
    let lost = pay(&ann, "tok_timeout_paid", StatusCode::SERVICE_UNAVAILABLE).await;
    let total = wait_for(&ann, &paid, "succeeded").await["captured"].clone();
    assert_eq!(wait_for(&ann, &lost, "succeeded").await["captured"], total);
    assert_eq!(wait_for(&ann, &declined, "failed").await["operations"][0]["decline"]["code"], "card_declined");
    let books = Caller::guest(service).get("/double/books").await.body;
    let taken = |path: &str| {
        let id = path.trim_start_matches("/v1/payments/");
        books.as_array()?.iter().find(|sums| sums["payment"] == id)?["captured"].as_i64()
    };
    let cents = total.as_str().and_then(|total| total.replace('.', "").parse().ok());
    assert_eq!([taken(&paid), taken(&lost), taken(&declined)], [cents, cents, Some(0)], "{books}");
    assert!(succeed(home.path(), &["replay", "--verify"]).contains("the tables agree with the events"));
}

async fn ask(request: Request<Full<Bytes>>) -> (u16, String) {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let answer = tokio::time::timeout(PATIENCE, client.request(request)).await.expect("in time").expect("an answer");
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.expect("a body").to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

/// Sends a webhook with a signature to the path without a name. Returns the status and the code of the problem.
async fn webhook(server: &Server, signature: &str, body: Vec<u8>) -> (u16, String) {
    let request = Request::post(format!("http://{}/v1/webhooks/payments", server.address));
    let request = request.header(SIGNATURE, signature).body(Full::from(body)).expect("a request");
    let (status, body) = ask(request).await;
    let code = serde_json::from_str::<Value>(&body).ok().and_then(|problem| Some(problem["code"].as_str()?.to_owned()));
    (status, code.unwrap_or_default())
}

fn event(id: &str, account: &str, payment: &str, status: &str) -> Vec<u8> {
    let kind = if status == "declined" { "PaymentFailed" } else { "PaymentSucceeded" };
    let event = json!({
        "id": id, "type": kind, "created": "2026-01-02T03:04:05Z", "account": account,
        "data": {
            "operation_id": "01890000-0000-7000-8000-000000000001", "payment_id": payment, "kind": "authorize",
            "status": status, "amount_cents": 250, "currency": "EUR", "reference": "authorize-1",
        },
    });
    event.to_string().into_bytes()
}

#[tokio::test]
async fn only_signed_webhooks_of_the_own_account_pay_an_order() {
    let service = remote_double::start(Settings::default()).await.expect("the service starts");
    let home = stocked(&[("mug", 10)]);
    let settings = format!(
        "[payments]\nprocessor = \"remote\"\nurl = \"http://{service}\"\naccount = \"live\"\npull_interval = \"1s\"\n"
    );
    std::fs::write(home.path().join("shop.toml"), settings).expect("written");
    let mut command = commerce(home.path());
    command.env("COMMERCE_WEBHOOK_SECRETS", "whsec_old,whsec_new").args(["--config", "shop.toml"]);
    let server = Server::start_with(command.args(["--listen", "127.0.0.1:0"]));
    let ann = Caller::guest(server.address).acting(home.path(), "ann", Role::Customer);
    let order = ann.order("order", &order_of("mug", 1)).await.expect("an answer").body;
    let id = order["payment"]["id"].as_str().expect("a payment");
    let now = chrono::Utc::now().timestamp();
    let paid = event("event-1", "live", id, "succeeded");
    let refused = [
        (sign("whsec_other", &paid, now), paid.clone(), (400, "webhook_forged")),
        (String::new(), paid.clone(), (400, "webhook_forged")),
        (sign("whsec_new", &paid, now - 3600), paid.clone(), (400, "webhook_stale")),
        (sign("whsec_new", &paid, now + 3600), paid.clone(), (400, "webhook_stale")),
        (sign("whsec_new", b"{}", now), b"{}".to_vec(), (400, "webhook_malformed")),
    ];
    for (signature, body, (status, code)) in refused {
        assert_eq!(webhook(&server, &signature, body).await, (status, code.to_owned()));
    }
    let head = "POST /v1/webhooks/payments HTTP/1.1\r\nHost: shop\r\nContent-Length: 10000000\r\n\r\n";
    let mut stream = TcpStream::connect(server.address).await.expect("it listens");
    stream.write_all(head.as_bytes()).await.expect("it reads the head");
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.expect("an answer before the body");
    assert_eq!(&answer, b"HTTP/1.1 413");
    let foreign = event("event-1", "test", id, "succeeded");
    let answer = webhook(&server, &sign("whsec_new", &foreign, now), foreign).await;
    assert_eq!(answer, (400, "webhook_foreign".to_owned()));
    let path = format!("/v1/payments/{id}");
    assert_eq!(ann.get(&path).await.body["status"], "pending");
    let late = event("event-0", "live", id, "declined");
    for body in [&paid, &paid, &late, &paid] {
        assert_eq!(webhook(&server, &sign("whsec_old", body, now), body.clone()).await.0, 204);
    }
    let payment = wait_for(&ann, &path, "succeeded").await;
    assert_eq!((&payment["captured"], &payment["operations"][1]), (&payment["amount"], &Value::Null), "{payment}");
    let metrics = Request::get(format!("http://{}/metrics", server.address)).body(Full::default());
    let (_, metrics) = ask(metrics.expect("a request")).await;
    assert!(metrics.contains("payment_webhooks_total{outcome=\"stored\"} 4"), "{metrics}");
    assert!(metrics.contains("payment_event_pulls_total{outcome=\"finished\"}"), "{metrics}");
}

/// Refunds a part of a payment, and waits until the refund, the `count`th, has ended.
async fn refund(admin: &Caller, path: &str, count: usize) -> Value {
    let (key, body) = (format!("refund-{count}"), json!({ "amount": "1.00", "reason": "It is chipped." }));
    let asked = admin.send(Method::POST, &format!("{path}/refunds"), Some(&key), &body).await.expect("an answer");
    assert_eq!(asked.status, StatusCode::CREATED, "{asked:?}");
    let start = Instant::now();
    loop {
        let payment = admin.get(path).await.body;
        let refund = payment["refunds"][count - 1]["status"].clone();
        if refund != "requested" {
            return refund;
        }
        assert!(start.elapsed() < PATIENCE, "{payment}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Its books are its own: the shop's history does not make them, and what it never took it does not pay back.
async fn the_sandbox_knows_what_it_took_before_a_restart(home: Home) {
    home.stock(&[("mug", 10)]);
    let server = Server::start(home.path(), &[]);
    let ann = Caller::guest(server.address).acting(home.path(), "ann", Role::Customer);
    let path = pay(&ann, "tok_ok", StatusCode::OK).await;
    server.stop();
    let server = Server::start(home.path(), &[]);
    let admin = Caller::guest(server.address).acting(home.path(), "ada", Role::Admin);
    assert_eq!(refund(&admin, &path, 1).await, "processed");
    home.sql("DELETE FROM sandbox_books;");
    assert_eq!(refund(&admin, &path, 2).await, "failed");
    server.stop();
    assert!(succeed(home.path(), &["replay", "--verify"]).contains("the tables agree with the events"));
}

#[test]
fn a_processor_needs_its_settings() {
    let check = |arguments: &[&str], words| {
        let directory = directory();
        std::fs::write(directory.path().join("shop.toml"), "[payments]\npull_interval = \"0s\"\n").expect("written");
        fail(directory.path(), &[&["--listen", "127.0.0.1:0"], arguments].concat(), 1, words);
        assert!(!directory.path().join("commerce.db").exists(), "nothing is made before the settings are right");
    };
    check(&["--processor", "stripe"], "Stripe needs a key there or in COMMERCE_PROCESSOR_KEY");
    check(&["--processor", "remote"], "the payment service needs an address");
    check(&["--processor", "remote", "--processor-url", "http://pay.example.com"], "use https://");
    check(&["--processor", "remote", "--processor-url", "pay.example.com"], "payments");
    check(&["--config", "shop.toml"], "at least 1s");
    check(&["--processor-url", "https://pay.example.com"], "the sandbox does not use it");
    fail(directory().path(), &["--processor", "paypal"], 2, "sandbox, stripe, remote");
}

/// Otherwise a forgotten `--processor` would give goods away.
#[test]
fn a_key_is_not_ignored_by_the_sandbox() {
    let directory = directory();
    let output = commerce(directory.path()).env("COMMERCE_PROCESSOR_KEY", "sk_hush").output().expect("it runs");
    let complaint = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{complaint}");
    assert!(complaint.contains("COMMERCE_PROCESSOR_KEY") && !complaint.contains("hush"), "{complaint}");
}
