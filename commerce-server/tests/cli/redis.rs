//! Two programs on one database that share a Redis server, which goes away.

use std::fs;
use std::time::Duration;

use commerce_core::actor::Role;
use http::StatusCode;
use serde_json::Value;
use test_servers::{Broker, BrokerKind, required};
use tokio::time::Instant;

use crate::home::Home;
use crate::running::{Answer, Caller, PATIENCE, Server, order_of, stocked};

const LIMITED: &[&str] = &["--config", "shop.toml", "--orders-per-minute", "3"];

fn start(home: &Home, redis: &Broker) -> Server {
    fs::write(home.path().join("redis"), redis.url()).expect("written");
    let settings = "[redis]\nurl_file = \"redis\"\n[publish.stream]\nkind = \"redis\"\nurl_file = \"redis\"\n";
    fs::write(home.path().join("shop.toml"), settings).expect("written");
    Server::start(home.path(), LIMITED)
}

async fn order(customer: &Caller, server: &Server, key: &str) -> Answer {
    customer.at(server.address).order(key, &order_of("MUG", 1)).await.expect("an answer")
}

/// How many orders a customer places at two programs by turns until one is refused.
async fn placed(home: &Home, name: &str, servers: [&Server; 2]) -> usize {
    let customer = Caller::guest(servers[0].address).acting(home.path(), name, Role::Customer);
    for (count, server) in servers.into_iter().cycle().enumerate() {
        let answer = order(&customer, server, &format!("{name} {count}")).await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            assert_eq!(answer.body["code"], "too_many_orders");
            assert!(answer.retry_after.is_some());
            return count;
        }
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    }
    0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_programs_share_limits_and_count_alone_while_redis_is_away() {
    let home = stocked(&[("MUG", 1000)]);
    let mut redis = required(Broker::start(BrokerKind::Redis));
    let (one, other) = (start(&home, &redis), start(&home, &redis));
    assert_eq!(placed(&home, "ann", [&one, &other]).await, 3);
    redis.kill().expect("it is killed");
    assert_eq!(placed(&home, "bob", [&one, &other]).await, 6);
    redis.restart().expect("it starts");
    let deadline = Instant::now() + PATIENCE;
    for name in 0.. {
        if placed(&home, &format!("carl {name}"), [&one, &other]).await == 3 {
            break;
        }
        assert!(Instant::now() < deadline, "Redis does not count again");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let log = one.stop().log;
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let messages: Vec<_> = lines.filter_map(|line| Some(line["message"].as_str()?.to_owned())).collect();
    let count = |part: &str| messages.iter().filter(|message| message.contains(part)).count();
    assert_eq!(count("each process counts limits per minute by itself"), 1, "{log}");
    assert_eq!(count("limits per minute are those of all processes again"), 1, "{log}");
    assert_eq!(count("maxmemory-policy"), 0, "{log}");
    assert!(!log.contains("@127.0.0.1"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_may_forget_is_warned_about() {
    let home = stocked(&[("MUG", 1000)]);
    let redis = required(Broker::configured(BrokerKind::Redis, "maxmemory-policy allkeys-lru\n"));
    let server = start(&home, &redis);
    let customer = Caller::guest(server.address).acting(home.path(), "ann", Role::Customer);
    assert_eq!(order(&customer, &server, "first").await.status, StatusCode::CREATED);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let log = server.stop().log;
    assert!(log.contains("set its maxmemory-policy to noeviction"), "{log}");
    assert!(log.contains("allkeys-lru"), "{log}");
}
