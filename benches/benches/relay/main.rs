//! Publishing: the processor time per event while a relay works off a backlog, and the lag while orders are placed at a steady rate.
//!
//! ```sh
//! cargo bench -p benches --bench relay
//! cargo bench -p benches --bench relay -- file # rows whose name contains this
//! ```
//!
//! The shop is on `SQLite`, durable. All rows run in turn, round by round, and a row shows the median of its rounds. The time is that of
//! this process: reading the feed, writing the events, publishing, storing the position. Brokers and the receiver of webhooks are
//! processes of their own, which are not counted.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

mod lag;
mod shop;
mod targets;

use std::time::Duration;

use benches::cpu;
use benches::numbers::{decimal, median, micros};

use shop::{Failure, Shop};
use targets::Target;

/// How much is measured.
#[derive(Clone, Copy)]
struct Size {
    orders: usize,
    rounds: usize,
    lag: Duration,
}

const FULL: Size = Size { orders: 10_000, rounds: 5, lag: Duration::from_secs(20) };
const TEST: Size = Size { orders: 50, rounds: 1, lag: Duration::from_millis(500) };

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == targets::RECEIVE) {
        return targets::receive();
    }
    let size = if arguments.iter().any(|argument| argument == "--test") { TEST } else { FULL };
    let wanted = arguments.iter().find(|argument| !argument.starts_with('-'));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(run(size, wanted.map_or("", String::as_str)))
}

async fn run(size: Size, wanted: &str) -> Result<(), Failure> {
    let shop = Shop::with_orders(size.orders).await?;
    let mut rows: Vec<(Target, Vec<u64>)> = Vec::new();
    for target in Target::all()?.into_iter().filter(|target| target.name().contains(wanted)) {
        rows.push((target, Vec::new()));
    }
    for round in 0..size.rounds {
        for (target, figures) in &mut rows {
            figures.push(round_of(&shop, target, round).await?);
        }
    }
    println!("{:<22} {:>12}   rounds (ns of CPU per event)", "", "µs per event");
    for (target, figures) in &rows {
        println!("{:<22} {:>12}   {figures:?}", target.name(), decimal(median(figures.iter().copied()) / 10, 2));
    }
    for (target, _) in &rows {
        println!("{:<22} {}", target.name(), lag::measure(target, size.lag).await?);
    }
    Ok(())
}

/// Publishes the whole feed to a new target of the kind. Returns the nanoseconds per event.
async fn round_of(shop: &Shop, target: &Target, round: usize) -> Result<u64, Failure> {
    let mut relay = target.relay(shop, &format!("{}-{round}", target.name())).await?;
    let before = cpu::of_this_process();
    let events = shop::drain(&mut relay).await?;
    let spent = cpu::of_this_process().saturating_sub(before);
    Ok(micros(spent) * 1000 / u64::try_from(events)?.max(1))
}
