//! Limits in Redis keep the contract of a rate limiter, on a server of its own that is killed on the way.

#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::future::{Ready, ready};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use commerce_core::port::{RateKey, RateLimit, RateLimiter};
use commerce_http::ProcessLimits;
use commerce_redis::{Redis, RedisLimits};
use commerce_testkit::suite::rate_limiter::Fixture;
use test_servers::{Broker, BrokerKind, required};

const ANN: RateKey<'static> = RateKey { limit: "orders", holder: "ann" };

struct OneServer {
    server: Broker,
}

impl OneServer {
    fn limits(&self) -> RedisLimits {
        let redis = Redis::new(&self.server.url(), "shop").expect("an address");
        RedisLimits::new(redis, Arc::new(ProcessLimits::default()))
    }
}

/// Each limiter has a connection of its own, like that of another process.
#[async_trait]
impl Fixture for OneServer {
    async fn limiter(&self) -> Arc<dyn RateLimiter> {
        Arc::new(self.limits())
    }
}

fn start() -> Ready<OneServer> {
    ready(OneServer { server: required(Broker::start(BrokerKind::Redis)) })
}

commerce_testkit::rate_limiter_suite!(start);

fn limit(most: u32) -> RateLimit {
    RateLimit { most: NonZeroU32::new(most).expect("more than none"), period: Duration::from_secs(6_000) }
}

/// How many pass.
async fn passing(limits: &RedisLimits, limit: RateLimit) -> u32 {
    let mut passed = 0;
    while limits.take(ANN, limit).await.is_ok() {
        passed += 1;
    }
    passed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_process_takes_is_missing_to_the_other() {
    let fixture = start().await;
    let (one, other) = (fixture.limits(), fixture.limits());
    for _ in 0..3 {
        one.take(ANN, limit(5)).await.expect("there are five");
    }
    assert_eq!(passing(&other, limit(5)).await, 2);
    one.take(ANN, limit(5)).await.expect_err("none is left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_is_away_each_process_counts_alone_and_soon_redis_counts_again() {
    let mut fixture = start().await;
    let (one, other) = (fixture.limits(), fixture.limits());
    assert_eq!(passing(&one, limit(4)).await, 4);
    fixture.server.kill().expect("it is killed");
    let began = Instant::now();
    assert_eq!((passing(&one, limit(4)).await, passing(&other, limit(4)).await), (4, 4));
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    fixture.server.restart().expect("it starts");
    let third = fixture.limits();
    let began = Instant::now();
    for attempt in 0.. {
        let (holder, limit) = (attempt.to_string(), limit(1));
        let key = RateKey { holder: &holder, ..ANN };
        one.take(key, limit).await.expect("nobody took it");
        if third.take(key, limit).await.is_err() {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(15), "Redis does not count again");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    third.take(ANN, limit(4)).await.expect_err("Redis remembers that all were taken");
}

#[tokio::test]
async fn what_is_no_address_is_refused_without_showing_it() {
    let refused = Redis::new("http://user:hush@localhost", "shop").expect_err("no address");
    assert!(!format!("{refused} {refused:?}").contains("hush"));
    let known = Redis::new("redis://user:hush@localhost", "shop").expect("an address");
    assert!(!format!("{known:?}").contains("hush"));
}
