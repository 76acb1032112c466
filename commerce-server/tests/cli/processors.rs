//! The program with a payment processor outside of it.

use std::time::{Duration, Instant};

use commerce_core::actor::Role;
use http::{Method, StatusCode};
use remote_double::Settings;
use serde_json::{Value, json};

use crate::home::{Home, on_each_database};
use crate::running::{Caller, PATIENCE, Server, commerce, directory, fail, order_of, stderr, succeed};

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
        fail(directory.path(), &[&["--listen", "127.0.0.1:0"], arguments].concat(), 1, words);
        assert!(!directory.path().join("commerce.db").exists(), "nothing is made before the settings are right");
    };
    check(&["--processor", "stripe"], "Stripe needs a key there or in COMMERCE_PROCESSOR_KEY");
    check(&["--processor", "remote"], "the payment service needs an address");
    check(&["--processor", "remote", "--processor-url", "http://pay.example.com"], "use https://");
    check(&["--processor", "remote", "--processor-url", "pay.example.com"], "payments");
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
