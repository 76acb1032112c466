//! Carts in Redis, of two programs on one database, which are killed, and lose Redis.

use std::fs;
use std::time::{Duration, Instant};

use commerce_core::actor::Role;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use test_servers::{Broker, BrokerKind, required};
use tokio::task::JoinSet;

use crate::home::Home;
use crate::running::{Answer, Caller, PATIENCE, Server, order_of, stocked, succeed};

/// The buyers of one cart.
const BUYERS: usize = 200;
/// How often a program is killed among them.
const KILLS: usize = 3;

fn start(home: &Home, redis: &Broker, more: &str) -> Server {
    fs::write(home.path().join("redis"), redis.url()).expect("written");
    let settings = format!("orders_per_minute = 0\n{more}\n[redis]\nurl_file = \"redis\"\ncarts = true\n");
    fs::write(home.path().join("shop.toml"), settings).expect("written");
    Server::start(home.path(), &["--config", "shop.toml"])
}

async fn post(caller: &Caller, path: &str, key: Option<&str>, body: &Value) -> Answer {
    caller.send(Method::POST, path, key, body).await.expect("an answer")
}

/// The path of a cart with one mug in it.
async fn filled(ann: &Caller) -> String {
    let opened = post(ann, "/v1/carts", Some("open"), &json!({})).await;
    assert!(opened.status.is_success(), "{opened:?}");
    let path = format!("/v1/carts/{}", opened.body["id"].as_str().expect("an id"));
    let added = post(ann, &format!("{path}/items"), None, &json!({ "sku": "MUG", "quantity": 1 })).await;
    assert!(added.status.is_success(), "{added:?}");
    path
}

fn checkout(cart: &str) -> Value {
    let mut body = order_of("MUG", 1);
    body.as_object_mut().expect("an object").remove("items");
    body["cart_id"] = cart.rsplit('/').next().into();
    body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cart_of_many_buyers_at_two_programs_that_are_killed_becomes_one_order() {
    let home = stocked(&[("MUG", 1000)]);
    let redis = required(Broker::start(BrokerKind::Redis));
    let one = start(&home, &redis, "");
    let ann = Caller::guest(one.address).acting(home.path(), "ann", Role::Customer);
    let cart = filled(&ann).await;
    let began = Instant::now();
    for kill in 0..KILLS {
        let other = start(&home, &redis, "");
        let mut buyers = JoinSet::new();
        for buyer in 0..BUYERS {
            let address = if buyer % 2 == 0 { one.address } else { other.address };
            let (ann, body) = (ann.at(address), checkout(&cart));
            buyers.spawn(async move { post_maybe(&ann, &format!("{kill} {buyer}"), &body).await });
        }
        tokio::time::sleep(Duration::from_millis(20 * u64::try_from(kill).expect("few"))).await;
        other.kill();
        let placed = buyers.join_all().await.into_iter().flatten().filter(|status| *status == StatusCode::CREATED);
        assert!(placed.count() <= 1);
    }
    let mut again = post(&ann, "/v1/checkouts", Some("at last"), &checkout(&cart)).await;
    while again.status == StatusCode::SERVICE_UNAVAILABLE {
        // A program was killed after it had marked the cart. The mark ends.
        assert!(began.elapsed() < PATIENCE * 2, "{again:?}");
        tokio::time::sleep(Duration::from_secs(1)).await;
        again = post(&ann, "/v1/checkouts", Some("at last"), &checkout(&cart)).await;
    }
    assert!([StatusCode::CREATED, StatusCode::CONFLICT].contains(&again.status), "{again:?}");
    let orders = ann.get("/v1/orders").await.body;
    assert_eq!(orders["items"].as_array().expect("a list").len(), 1, "{orders}");
    let found = ann.get(&cart).await;
    assert_eq!((found.status, &found.body["status"]), (StatusCode::OK, &"checked_out".into()), "{found:?}");
    drop(one);
    succeed(home.path(), &["replay", "--verify"]);
}

async fn post_maybe(ann: &Caller, key: &str, body: &Value) -> Option<StatusCode> {
    Some(ann.send(Method::POST, "/v1/checkouts", Some(key), body).await.ok()?.status)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cart_that_expires_is_not_found() {
    let home = stocked(&[("MUG", 1000)]);
    let redis = required(Broker::start(BrokerKind::Redis));
    let server = start(&home, &redis, "cart_lifetime = \"1s\"");
    let ann = Caller::guest(server.address).acting(home.path(), "ann", Role::Customer);
    let cart = filled(&ann).await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let gone = ann.get(&cart).await;
    assert_eq!((gone.status, &gone.body["code"]), (StatusCode::NOT_FOUND, &"not_found".into()), "{gone:?}");
    assert_eq!(post(&ann, "/v1/carts", None, &json!({})).await.status, StatusCode::CREATED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_is_away_carts_answer_503_and_orders_go_on() {
    let home = stocked(&[("MUG", 1000)]);
    let mut redis = required(Broker::start(BrokerKind::Redis));
    let server = start(&home, &redis, "");
    let ann = Caller::guest(server.address).acting(home.path(), "ann", Role::Customer);
    let cart = filled(&ann).await;
    redis.kill().expect("it is killed");
    let add = json!({ "sku": "MUG", "quantity": 1 });
    let checkout = checkout(&cart);
    for answer in [
        ann.get(&cart).await,
        post(&ann, "/v1/carts", Some("again"), &json!({})).await,
        post(&ann, &format!("{cart}/items"), None, &add).await,
        post(&ann, "/v1/checkouts", Some("checkout"), &checkout).await,
    ] {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
        assert!(answer.retry_after.is_some(), "{answer:?}");
    }
    assert_eq!(ann.order("order", &order_of("MUG", 1)).await.expect("an answer").status, StatusCode::CREATED);
    assert_eq!(ann.get("/v1/orders").await.status, StatusCode::OK);
    redis.restart().expect("it starts");
    let mut placed = post(&ann, "/v1/checkouts", Some("checkout"), &checkout).await;
    for _ in 0..20 {
        if placed.status == StatusCode::CREATED {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        placed = post(&ann, "/v1/checkouts", Some("checkout"), &checkout).await;
    }
    assert_eq!(placed.status, StatusCode::CREATED, "{placed:?}");
    let again = post(&ann, "/v1/checkouts", Some("checkout"), &checkout).await;
    assert_eq!(again.body, placed.body);
}
