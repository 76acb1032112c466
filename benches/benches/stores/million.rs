//! Compares a shop with a million orders to one with a few hundred.

use benches::numbers::{decimal, micros, percentile};

use crate::child::{self, Job, Reads, Work};
use crate::contender::Spread;
use crate::engine::{Filling, Postgres};
use crate::options::Options;

use crate::{Failure, order};

/// A shop with few orders.
const FEW: Filling = Filling { name: "few", orders: 300, step: 2 };
/// The highest allowed ratio of the latencies, in hundredths.
const BOUND: u64 = 130;
/// The rows, in the order of measurement.
const LINES: [&str; 6] = [
    "get a recent order",
    "get any order",
    "list a user's newest",
    "list a page in the middle",
    "place, 1 submitter",
    "place, 64 submitters",
];
/// The name for the filter of rows.
const NAME: &str = "million orders, PostgreSQL";

/// Median latencies in microseconds, in the order of [`LINES`].
type Latencies = [u64; LINES.len()];

/// The rows, if the filter selects them.
pub(crate) fn run(options: &Options) -> Result<String, Failure> {
    if !NAME.contains(&options.filter) {
        return Ok(String::new());
    }
    let many = Filling { name: "many", orders: options.year, step: 100 };
    println!("filling in {} orders", many.orders);
    let server = Postgres::start(options.directory.as_deref())?;
    let texts = [("state", order::paid_state()?), ("body", order::event_body()?)];
    server.fill(&FEW, &texts)?;
    server.fill(&many, &texts)?;
    let mut rounds = (Vec::new(), Vec::new());
    for seed in (1..).step_by(2).take(options.rounds) {
        server.begin_from(FEW.name)?;
        rounds.0.push(latencies(&server.url(), &FEW, seed, options)?);
        rounds.1.push(latencies(&server.url_of(many.name), &many, seed, options)?);
    }
    Ok(table(&rounds.0, &rounds.1, many.orders))
}

fn latencies(url: &str, filling: &Filling, seed: u32, options: &Options) -> Result<Latencies, Failure> {
    let Reads { recent, any, newest, middle } = child::reads(url, filling)?;
    Ok([recent, any, newest, middle, place(url, 1, seed, options)?, place(url, 64, seed + 1, options)?])
}

/// The median latency of placing an order.
fn place(url: &str, clients: usize, seed: u32, options: &Options) -> Result<u64, Failure> {
    let span = options.span;
    let seconds = (span.warm_up + span.window).as_secs().max(1);
    let prepared = if clients == 1 { 5_000 } else { 50_000 };
    let spread = Spread::Uniform;
    let job = Job { work: Work::Store, url: url.to_owned(), clients, spread, seconds, prepared, seed };
    let placed = child::start(&job, 1)?.finish()?;
    let begun = placed.iter().map(|order| order.at).min().unwrap_or_default() + micros(span.warm_up);
    let mut latencies: Vec<u64> = placed.iter().filter(|order| order.at > begun).map(|order| order.latency).collect();
    latencies.sort_unstable();
    Ok(percentile(&latencies, 50))
}

fn table(few: &[Latencies], many: &[Latencies], orders: u64) -> String {
    let head = format!("{:<36} {:>12} {:>12} {:>8}", "PostgreSQL, p50 in ms among", FEW.orders, orders, "ratio");
    let lines = LINES.iter().enumerate().map(|(n, name)| {
        let (few, many) = (median(few, n), median(many, n));
        let ratio = many * 100 / few.max(1);
        let verdict = if ratio <= BOUND { "pass" } else { "FAIL" };
        let shown = [few, many].map(|micros| decimal(micros, 3));
        format!(
            "{name:<36} {:>12} {:>12} {:>8}  {verdict} (at most {})",
            shown[0],
            shown[1],
            decimal(ratio, 2),
            decimal(BOUND, 2)
        )
    });
    std::iter::once(head).chain(lines).collect::<Vec<_>>().join("\n")
}

fn median(rounds: &[Latencies], n: usize) -> u64 {
    let mut sorted: Vec<u64> = rounds.iter().filter_map(|round| round.get(n).copied()).collect();
    sorted.sort_unstable();
    percentile(&sorted, 50)
}
