//! Carts in Redis, of two programs on one database, which are killed, and lose Redis. Their events are published.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use ::redis::{Client, cmd};
use commerce_core::actor::Role;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use test_servers::{Broker, BrokerKind, required};
use tokio::task::JoinSet;

use crate::home::{Home, on_each_database};
use crate::publish::metrics;
use crate::running::{Answer, Caller, PATIENCE, Server, order_of, stocked, succeed};

on_each_database!(a_cart_of_many_buyers_at_two_programs_that_are_killed_becomes_one_order);

/// The buyers of one cart.
const BUYERS: usize = 200;
/// How often a program is killed among them.
const KILLS: usize = 3;
/// A target of all events, and one that knows those of carts only, by the names of its contract.
const TARGETS: &str = "[publish.all]\nkind = \"file\"\npath = \"all.jsonl\"\n\
    [publish.carts]\nkind = \"file\"\npath = \"carts.jsonl\"\nenvelope = \"plain\"\nnames_of = \"002\"\n\
    types = [\"cart.created\", \"cart.updated\"]\n";
/// The changes of carts while a program is killed now and then.
const CHANGES: usize = 60;

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

async fn a_cart_of_many_buyers_at_two_programs_that_are_killed_becomes_one_order(home: Home) {
    home.stock(&[("MUG", 1000)]);
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

/// The events of a target, without repeated ones.
fn published(home: &Home, file: &str) -> Vec<Value> {
    let text = fs::read_to_string(home.path().join(file)).unwrap_or_default();
    let mut events: Vec<Value> = Vec::new();
    let id = |event: &Value| event.get("id").or(event.get("event_id")).expect("an id").clone();
    for line in text.rsplit_once('\n').map_or("", |(whole, _)| whole).lines() {
        let event = serde_json::from_str(line).expect("a line of JSON");
        if events.iter().all(|known| id(known) != id(&event)) {
            events.push(event);
        }
    }
    events
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE * 2;
    while !is_so().await {
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Waits until events of carts wait for all targets.
async fn until_published(server: &Server) {
    until("the targets have asked", async || {
        metrics(server.address).await.matches("redis_cart_events_lost_total{").count() == 2
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_carts_reach_every_target_in_order_though_programs_are_killed() {
    let home = stocked(&[("MUG", 1000)]);
    let redis = required(Broker::start(BrokerKind::Redis));
    let mut one = start(&home, &redis, TARGETS);
    until_published(&one).await;
    let mut other = start(&home, &redis, TARGETS);
    let names = ["ann", "bob"];
    let mut buyers = Vec::new();
    for name in names {
        let buyer = Caller::guest(one.address).acting(home.path(), name, Role::Customer);
        let cart = filled(&buyer).await;
        buyers.push((buyer, cart));
    }
    for change in 0..CHANGES {
        let address = if change % 2 == 0 { one.address } else { other.address };
        for (buyer, cart) in &buyers {
            let body = json!({ "sku": "MUG", "quantity": 1 });
            let added = post(&buyer.at(address), &format!("{cart}/items"), None, &body).await;
            assert!(added.status.is_success(), "{added:?}");
        }
        if change % 20 == 19 {
            // The one that publishes is among them.
            let next = start(&home, &redis, TARGETS);
            std::mem::replace(&mut one, std::mem::replace(&mut other, next)).kill();
        }
    }
    let wanted = names.len() * (CHANGES + 2);
    until("all are published", async || published(&home, "carts.jsonl").len() >= wanted).await;
    until("all are published", async || published(&home, "all.jsonl").len() >= wanted).await;
    let plain = published(&home, "carts.jsonl");
    assert_eq!(plain.len(), wanted);
    assert_eq!(plain.iter().filter(|event| event["event_type"] == "CartCreated").count(), names.len());
    assert_eq!(plain.iter().filter(|event| event["event_type"] == "CartUpdated").count(), wanted - names.len());
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    for event in published(&home, "all.jsonl") {
        let sequence: u64 = event["sequence"].as_str().expect("a text").parse().expect("a number");
        let before = last.insert(event["subject"].as_str().expect("a text").to_owned(), sequence).unwrap_or_default();
        assert_eq!(sequence, before + 1, "{event}");
    }
}

/// The key that a test of its own server looks at.
async fn ask(redis: &Broker, command: &str) -> i64 {
    let client = Client::open(redis.url()).expect("an address");
    let mut connection = client.get_multiplexed_async_connection().await.expect("a connection");
    let (name, arguments) = command.split_once(' ').expect("a command");
    cmd(name).arg(arguments.split(' ').collect::<Vec<_>>()).query_async(&mut connection).await.expect("an answer")
}

/// The cart is put back as it is between the order and its removal, and nobody reads it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ordered_cart_that_a_crash_has_left_is_removed_though_nobody_reads_it() {
    let home = stocked(&[("MUG", 1000)]);
    let redis = required(Broker::start(BrokerKind::Redis));
    let server = start(&home, &redis, "");
    let ann = Caller::guest(server.address).acting(home.path(), "ann", Role::Customer);
    let cart = filled(&ann).await;
    let id = cart.rsplit('/').next().expect("an id");
    let key = format!("commerce:cart:{id}");
    assert_eq!(ask(&redis, &format!("COPY {key} saved")).await, 1);
    let placed = post(&ann, "/v1/checkouts", Some("first"), &checkout(&cart)).await;
    assert_eq!(placed.status, StatusCode::CREATED, "{placed:?}");
    assert_eq!(ask(&redis, &format!("EXISTS {key}")).await, 0);
    assert_eq!(ask(&redis, &format!("COPY saved {key}")).await, 1);
    ask(&redis, &format!("HSET {key} token dead ends 1")).await;
    ask(&redis, &format!("ZADD commerce:cart:due 1 {id}")).await;
    until("it is removed", async || ask(&redis, &format!("EXISTS {key}")).await == 0).await;
    assert_eq!(ask(&redis, "ZCARD commerce:cart:due").await, 0);
    assert_eq!(ann.get("/v1/orders").await.body["items"].as_array().expect("a list").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cart_that_nobody_comes_back_to_expires_with_an_event() {
    let home = stocked(&[("MUG", 1000)]);
    let redis = required(Broker::start(BrokerKind::Redis));
    let server = start(&home, &redis, &format!("cart_lifetime = \"2s\"\n{TARGETS}"));
    until_published(&server).await;
    let ann = Caller::guest(server.address).acting(home.path(), "ann", Role::Customer);
    let cart = filled(&ann).await;
    let expired = |event: &Value| event["type"] == "cart.expired";
    until("it expires", async || published(&home, "all.jsonl").iter().any(expired)).await;
    let found = ann.get(&cart).await;
    assert_eq!((found.status, &found.body["status"]), (StatusCode::OK, &"expired".into()), "{found:?}");
    assert_eq!(post(&ann, "/v1/carts", None, &json!({})).await.status, StatusCode::CREATED);
    assert_eq!(published(&home, "all.jsonl").iter().filter(|event| expired(event)).count(), 1);
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
