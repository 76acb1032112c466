//! A shop under faults: customers buy, pay, cancel and send back while the store fails before and after it commits, the
//! processor loses answers, and time passes. Then everything is well again, and an auditor with a small model of its own
//! looks at stock, money and orders.
//!
//! A run is its seed: the same seed gives the same faults, the same interleaving and the same orders. `SIMULATION_SEEDS`
//! says how many seeds to try (40), `SIMULATION_SEED` plays one again. A failure prints what happened. `cargo xtask sim` runs
//! thousands of seeds, and on planted bugs.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a simulation fails by panicking")]

mod audit;
mod people;
mod record;
mod world;

use std::collections::BTreeMap;
use std::env;
use std::str::FromStr;

use commerce_testkit::{Faults, ProcessorBehavior};

use world::World;

/// How many customers shop at once.
const CUSTOMERS: u64 = 8;
/// How much each of them does.
const STEPS: u64 = 25;
/// How many kinds of faults forty seeds meet.
const KINDS: usize = 9;

#[test]
fn nothing_is_lost_doubled_or_oversold_whatever_fails() {
    let one: Option<u64> = setting("SIMULATION_SEED");
    let seeds = one.map_or(1..=setting("SIMULATION_SEEDS").unwrap_or(40), |seed| seed..=seed);
    let (mut steps, mut met) = (0, BTreeMap::<_, u64>::new());
    for seed in seeds {
        eprintln!("SIMULATION_SEED={seed}");
        let (taken, faults) = run(seed);
        steps += taken;
        for (kind, count) in faults {
            *met.entry(kind).or_default() += count;
        }
    }
    eprintln!("{steps} steps, faults: {met:?}");
    assert!(one.is_some() || met.len() >= KINDS, "not every kind of fault was met: {met:?}");
}

fn setting<T: FromStr>(name: &str) -> Option<T> {
    env::var(name).ok().and_then(|value| value.parse().ok())
}

/// Plays one seed. Returns the number of steps, and of faults by kind.
fn run(seed: u64) -> (u64, BTreeMap<&'static str, u64>) {
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
        world.payments.be(ProcessorBehavior::Answers);
        people::wind_down(&world).await;
        audit::check(&world, &told).await;
        let store = [("store refused or lost its answer", world.store.injected())];
        (world.record.steps(), world.record.faults().into_iter().chain(store).collect())
    })
}
