//! A shop under faults: customers buy, pay, cancel and send back while the store fails before and after it commits, the
//! processor loses answers, and time passes. Then everything is well again, and an auditor with a small model of its own
//! looks at stock, money and orders.
//!
//! A run is its seed: the same seed gives the same faults, the same interleaving and the same orders. `SIMULATION_SEEDS`
//! says how many seeds to try (40), `SIMULATION_SEED` plays one again.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a simulation fails by panicking")]

mod audit;
mod people;
mod world;

use std::env;
use std::str::FromStr;

use commerce_testkit::{Faults, PaymentBehavior};

use world::World;

/// How many customers shop at once.
const CUSTOMERS: u64 = 8;
/// How much each of them does.
const STEPS: u64 = 25;

#[test]
fn nothing_is_lost_doubled_or_oversold_whatever_fails() {
    let one: Option<u64> = setting("SIMULATION_SEED");
    let seeds = one.map_or(1..=setting("SIMULATION_SEEDS").unwrap_or(40), |seed| seed..=seed);
    let mut injected = 0;
    for seed in seeds {
        eprintln!("SIMULATION_SEED={seed}");
        injected += run(seed);
    }
    assert!(injected > 0, "no fault was met: the simulation proves nothing");
}

fn setting<T: FromStr>(name: &str) -> Option<T> {
    env::var(name).ok().and_then(|value| value.parse().ok())
}

/// Plays one seed; says how many faults it met.
fn run(seed: u64) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let world = World::open(seed).await;
        world.store.set(Faults { refused: 60, lost: 60, late: 300, latest: std::time::Duration::from_millis(20) });
        let customers = (0..CUSTOMERS).map(|n| tokio::spawn(people::shop(world.clone(), seed, n, STEPS)));
        let staff = tokio::spawn(people::work(world.clone(), seed));
        let mut told = Vec::new();
        for customer in customers.collect::<Vec<_>>() {
            told.extend(customer.await.expect("a customer ends"));
        }
        staff.abort();
        world.store.set(Faults::NONE);
        world.payments.be(PaymentBehavior::Answers);
        people::wind_down(&world).await;
        audit::check(&world, &told).await;
        world.store.injected()
    })
}
