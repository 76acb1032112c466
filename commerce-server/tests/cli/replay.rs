use commerce_core::actor::Role;
use http::{Method, StatusCode};
use serde_json::json;

use crate::home::{Home, on_each_database};
use crate::running::{Caller, Server, directory, fail, order_of, run, stderr, succeed};

on_each_database!(the_tables_are_what_the_events_make, an_empty_database_stays_empty);

#[test]
fn a_database_is_never_created_by_looking_at_it() {
    let directory = directory();
    for command in [&["replay", "--verify"][..], &["replay"], &["tasks", "list"]] {
        let refused = run(directory.path(), command);
        assert_eq!(refused.status.code(), Some(1), "{}", stderr(&refused));
        assert!(stderr(&refused).contains("commerce.db does not exist"), "{}", stderr(&refused));
        assert!(!directory.path().join("commerce.db").exists());
    }
    std::fs::write(directory.path().join("commerce.db"), "").expect("an empty file");
    let refused = run(directory.path(), &["replay", "--verify"]);
    assert!(stderr(&refused).contains("has no shop"), "{}", stderr(&refused));
    assert!(succeed(directory.path(), &["migrate"]).contains("up to date"));
    assert!(succeed(directory.path(), &["replay", "--verify"]).starts_with("0 events"));
}

async fn an_empty_database_stays_empty(home: Home) {
    home.sql("CREATE TABLE of_others (id INTEGER)");
    for command in [&["replay", "--verify"][..], &["replay"], &["tasks", "list"]] {
        let refused = run(home.path(), command);
        assert_eq!(refused.status.code(), Some(1), "{}", stderr(&refused));
        let told = stderr(&refused);
        assert!(told.contains("another program") || told.contains("of_others"), "{told}");
    }
    home.sql("DROP TABLE of_others");
    let refused = run(home.path(), &["replay", "--verify"]);
    assert!(stderr(&refused).contains("has no shop"), "{}", stderr(&refused));
    home.sql("CREATE TABLE __diesel_schema_migrations (id INTEGER)");
}

#[test]
fn the_interface_is_printed_as_a_document() {
    let document = succeed(directory().path(), &["openapi"]);
    let document: serde_json::Value = serde_json::from_str(&document).expect("JSON");
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
    assert!(document["paths"].as_object().is_some_and(|paths| paths.len() > 20));
}

async fn the_tables_are_what_the_events_make(home: Home) {
    home.stock(&[("mug", 100)]);
    let server =
        Server::start(home.path(), &["--orders-per-minute", "0", "--unpaid-orders", "0", "--unpaid-units", "0"]);
    let guest = Caller::guest(server.address);
    let ann = guest.acting(home.path(), "ann", Role::Customer);
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
    let beside = succeed(home.path(), &["replay", "--verify"]);
    assert!(beside.contains("20 orders"), "{beside}");
    assert_eq!(server.stop().code, Some(0));
    let rebuilt = succeed(home.path(), &["replay"]);
    assert!(rebuilt.contains("20 orders, 21 documents, 1 sku,"), "{rebuilt}");
    assert!(rebuilt.contains("rows that differed: 0"), "{rebuilt}");
    damage_is_undone(&home);
}

#[track_caller]
fn damage_is_undone(home: &Home) {
    let damage = "UPDATE orders SET status = 'shipped'; UPDATE stock SET on_hand = 1000;
                  DELETE FROM reservations; UPDATE claims SET owner = 'x'; UPDATE products SET search = 'x', version = 9;";
    home.sql(damage);
    let found = run(home.path(), &["replay", "--verify"]);
    assert_eq!(found.status.code(), Some(1), "{}", stderr(&found));
    for line in ["stock mug: other values in on_hand", "products mug: other values in version, search"] {
        assert!(stderr(&found).contains(line), "{}", stderr(&found));
    }
    assert!(succeed(home.path(), &["replay"]).starts_with("rebuilt from"));
    assert!(succeed(home.path(), &["replay", "--verify"]).contains("the tables agree with the events"));
    home.sql("UPDATE events SET body = '{' WHERE position = 3");
    fail(home.path(), &["replay"], 1, "position 3");
}
