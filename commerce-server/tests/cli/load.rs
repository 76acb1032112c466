use commerce_core::actor::Role;
use futures_util::future::join_all;
use http::{Method, StatusCode};
use serde_json::json;
use std::collections::BTreeSet;

use crate::home::{Home, on_each_database};
use crate::running::{Answer, Caller, Server, order_of, succeed};

on_each_database!(
    of_200_units_400_buyers_get_200,
    one_key_sent_50_times_at_once_is_one_order,
    two_hundred_adds_at_once_are_all_in_the_cart,
    orders_of_one_customer_are_limited,
);

async fn of_200_units_400_buyers_get_200(home: Home) {
    home.stock(&[("mug", 200)]);
    let server = Server::start(home.path(), &[]);
    let guest = Caller::guest(server.address);
    let body = order_of("mug", 1);
    let buyers: Vec<Caller> =
        (0..400).map(|n| guest.acting(home.path(), &format!("user-{n}"), Role::Customer)).collect();
    let answers: Vec<Answer> = join_all(buyers.iter().map(|buyer| buyer.order("only", &body)))
        .await
        .into_iter()
        .map(|answer| answer.expect("an answer"))
        .collect();
    let sold = answers.iter().filter(|answer| answer.status == StatusCode::CREATED).count();
    let refused = answers.iter().filter(|answer| is_out_of_stock(answer)).count();
    assert_eq!(
        (sold, refused),
        (200, 200),
        "{:?}",
        answers.iter().map(|answer| answer.status).collect::<BTreeSet<_>>()
    );
    let admin = guest.acting(home.path(), "ada", Role::Admin);
    let stock = admin.get("/v1/inventory/mug").await.body;
    assert_eq!((stock["available"].as_i64(), stock["reserved"].as_i64()), (Some(0), Some(200)), "{stock}");
    assert_eq!(server.stop().code, Some(0));
    assert!(succeed(home.path(), &["replay", "--verify"]).contains("200 orders"));
}

fn is_out_of_stock(answer: &Answer) -> bool {
    answer.status == StatusCode::CONFLICT && answer.body["code"] == "out_of_stock"
}

async fn one_key_sent_50_times_at_once_is_one_order(home: Home) {
    home.stock(&[("mug", 100)]);
    let server = Server::start(home.path(), &[]);
    let ann = Caller::guest(server.address).acting(home.path(), "ann", Role::Customer);
    let body = order_of("mug", 1);
    let answers = join_all((0..50).map(|_| ann.order("once", &body))).await;
    let answers: Vec<Answer> = answers.into_iter().map(|answer| answer.expect("an answer")).collect();
    assert_eq!(answers[0].status, StatusCode::CREATED, "{:?}", answers[0]);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    let orders = ann.get("/v1/orders").await.body;
    assert_eq!(orders["items"].as_array().map(Vec::len), Some(1));
}

async fn two_hundred_adds_at_once_are_all_in_the_cart(home: Home) {
    home.stock(&[("mug", 1000), ("cup", 1000)]);
    let server = Server::start(home.path(), &[]);
    let ann = Caller::guest(server.address).acting(home.path(), "ann", Role::Customer);
    let cart = ann.send(Method::POST, "/v1/carts", None, &json!({})).await.expect("an answer").body;
    let path = format!("/v1/carts/{}/items", cart["id"].as_str().expect("an id"));
    let added = |number| {
        let (ann, path) = (&ann, &path);
        async move {
            let (key, sku) = (format!("add-{number}"), if number % 2 == 0 { "mug" } else { "cup" });
            ann.send(Method::POST, path, Some(&key), &json!({ "sku": sku, "quantity": 1 })).await.expect("an answer")
        }
    };
    let answers = join_all((0..200).map(added)).await;
    let refused: Vec<&Answer> = answers.iter().filter(|answer| answer.status != StatusCode::OK).collect();
    assert!(refused.is_empty(), "{} were refused: {:?}", refused.len(), refused.first());
    let cart = ann.get(path.trim_end_matches("/items")).await.body;
    let units: Vec<_> = cart["items"].as_array().expect("lines").iter().map(|line| line["quantity"].as_u64()).collect();
    assert_eq!(units, [Some(100), Some(100)], "{cart}");
}

async fn orders_of_one_customer_are_limited(home: Home) {
    home.stock(&[("mug", 100)]);
    let server = Server::start(home.path(), &["--orders-per-minute", "3"]);
    let guest = Caller::guest(server.address);
    let ann = guest.acting(home.path(), "ann", Role::Customer);
    let mut statuses = Vec::new();
    for number in 0..5 {
        statuses.push(ann.order(&number.to_string(), &order_of("mug", 1)).await.expect("an answer").status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == StatusCode::CREATED).count(), 3, "{statuses:?}");
    assert_eq!(statuses[4], StatusCode::TOO_MANY_REQUESTS);
    let bob = guest.acting(home.path(), "bob", Role::Customer);
    assert_eq!(bob.order("1", &order_of("mug", 1)).await.expect("an answer").status, StatusCode::CREATED);
}
