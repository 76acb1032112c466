use std::path::Path;

use commerce_core::actor::Role;
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use http::{Method, StatusCode};
use serde_json::json;

use crate::running::{Caller, Server, directory, fail, order_of, run, stderr, stocked, succeed};

#[test]
fn a_fresh_database_is_made_first() {
    let directory = directory();
    let verified = succeed(directory.path(), &["replay", "--verify"]);
    assert!(verified.starts_with("0 events"), "{verified}");
    assert!(directory.path().join("commerce.db").exists());
    assert!(succeed(directory.path(), &["migrate"]).contains("up to date"));
}

#[test]
fn the_interface_is_printed_as_a_document() {
    let document = succeed(directory().path(), &["openapi"]);
    let document: serde_json::Value = serde_json::from_str(&document).expect("JSON");
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
    assert!(document["paths"].as_object().is_some_and(|paths| paths.len() > 20));
}

#[tokio::test]
async fn the_tables_are_what_the_events_make() {
    let directory = stocked(&[("mug", 100)]);
    let server = Server::start(directory.path(), &["--orders-per-minute", "0"]);
    let guest = Caller::guest(server.address);
    let ann = guest.acting(directory.path(), "ann", Role::Customer);
    for number in 0..20 {
        let order = ann.order(&format!("order-{number}"), &order_of("mug", 1)).await.expect("an answer");
        assert_eq!(order.status, StatusCode::CREATED, "{order:?}");
        let payment = order.body["payment"]["id"].as_str().expect("a payment");
        let token = json!({ "token": if number % 3 == 0 { "tok_declined" } else { "tok_ok" } });
        let path = format!("/v1/payments/{payment}/confirm");
        ann.send(Method::POST, &path, None, &token).await.expect("an answer");
        if number % 4 == 0 {
            let path = format!("/v1/orders/{}/cancel", order.body["id"].as_str().expect("an id"));
            ann.send(Method::POST, &path, None, &json!({})).await.expect("an answer");
        }
    }
    let beside = succeed(directory.path(), &["replay", "--verify"]);
    assert!(beside.contains("20 orders"), "{beside}");
    assert_eq!(server.stop().code, Some(0));
    let rebuilt = succeed(directory.path(), &["replay"]);
    assert!(rebuilt.contains("20 orders, 1 skus"), "{rebuilt}");
    damage_is_undone(directory.path());
}

#[track_caller]
fn damage_is_undone(directory: &Path) {
    let path = directory.join("commerce.db");
    let mut tables = SqliteConnection::establish(path.to_str().expect("a path in words")).expect("it opens");
    let damage = "UPDATE orders SET status = 'shipped'; DELETE FROM order_items; UPDATE stock SET on_hand = 1000;
                  DELETE FROM reservations;";
    tables.batch_execute(damage).expect("SQL");
    let found = run(directory, &["replay", "--verify"]);
    assert_eq!(found.status.code(), Some(1), "{}", stderr(&found));
    assert!(succeed(directory, &["replay"]).starts_with("rebuilt from"));
    assert!(succeed(directory, &["replay", "--verify"]).contains("the tables are what the events make"));
    tables.batch_execute("UPDATE events SET body = '{' WHERE position = 3").expect("SQL");
    fail(directory, &["replay"], 1, "position 3");
}
