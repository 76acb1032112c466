use commerce_core::actor::Role;
use futures_util::future::join_all;
use http::StatusCode;
use std::collections::BTreeSet;

use crate::home::{Home, on_each_database};
use crate::running::{Answer, Caller, Server, order_of, succeed};

on_each_database!(
    of_200_units_400_buyers_get_200,
    one_key_sent_50_times_at_once_is_one_order,
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
