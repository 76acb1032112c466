//! A shop under load whose database server, or whose own server, is killed again and again.
//!
//! Buyers send what was not answered again, with the same key, until it is. After each crash every order they were told of is
//! there once, there is no other, and the stock adds up.
//!
//! `COMMERCE_TEST_CRASHES` says how often each is killed, `COMMERCE_TEST_SEED` when.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

#[expect(dead_code, unused_imports, unused_macros, reason = "the tests of the program use more of it")]
#[path = "../cli/home.rs"]
mod home;
mod load;
#[expect(dead_code, reason = "the tests of the program use more of it")]
#[path = "../cli/running.rs"]
mod running;
mod shop;

use std::env;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use commerce_testkit::Random;
use test_servers::{MariaDbPrograms, PostgresPrograms, Programs, Server, ServerOptions};
use tokio::task::block_in_place;
use tokio::time::sleep;

use self::shop::Shop;

const ROUNDS: u64 = 20;
/// Of servers that take long to start.
const FEW: u64 = 5;

/// How often something is killed.
fn rounds(usual: u64) -> u64 {
    env::var("COMMERCE_TEST_CRASHES").map_or(usual, |rounds| rounds.parse().expect("a number"))
}

/// Where the random numbers begin; printed where a test fails.
fn seed() -> u64 {
    let given = env::var("COMMERCE_TEST_SEED").ok();
    let seed = given.map_or_else(|| RandomState::new().hash_one(0) >> 32, |seed| seed.parse().expect("a number"));
    eprintln!("COMMERCE_TEST_SEED={seed}");
    seed
}

/// A server that keeps what it confirmed, whatever happens to it.
fn durable<P: Programs>() -> Server<P> {
    let options = ServerOptions { durable: true, ..ServerOptions::default() };
    test_servers::required(Server::start(&options))
}

fn millis(random: &mut Random, from: u64, to: u64) -> Duration {
    Duration::from_millis(from + random.below(to - from))
}

/// The shop finds its database again by itself.
async fn a_killed_database_loses_nothing<P: Programs + Sync>(usual: u64) {
    let (mut random, mut database) = (Random::new(seed()), durable::<P>());
    let mut shop = Shop::open(&database);
    for round in 0..rounds(usual) {
        let load = shop.load();
        sleep(millis(&mut random, 100, 500)).await;
        block_in_place(|| database.kill()).expect("it is killed");
        sleep(millis(&mut random, 0, 500)).await;
        block_in_place(|| database.restart()).expect("it starts");
        sleep(millis(&mut random, 50, 150)).await;
        shop.check(load.end().await, round).await;
    }
    shop.close();
}

/// Whoever asks again asks the next server.
async fn a_killed_shop_loses_nothing<P: Programs + Sync>(usual: u64) {
    let (mut random, database) = (Random::new(seed()), durable::<P>());
    let mut shop = Shop::open(&database);
    for round in 0..rounds(usual) {
        let load = shop.load();
        sleep(millis(&mut random, 100, 500)).await;
        block_in_place(|| shop.kill_and_restart());
        sleep(millis(&mut random, 50, 150)).await;
        shop.check(load.end().await, round).await;
    }
    shop.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_postgresql_loses_nothing() {
    a_killed_database_loses_nothing::<PostgresPrograms>(ROUNDS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_shop_on_postgresql_loses_nothing() {
    a_killed_shop_loses_nothing::<PostgresPrograms>(ROUNDS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_mariadb_loses_nothing() {
    a_killed_database_loses_nothing::<MariaDbPrograms>(FEW).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_shop_on_mariadb_loses_nothing() {
    a_killed_shop_loses_nothing::<MariaDbPrograms>(FEW).await;
}
