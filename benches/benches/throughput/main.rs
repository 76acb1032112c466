//! Orders per second: the same commits on every store, by one or many submitters, and over HTTP.
//!
//! ```sh
//! cargo bench -p benches --bench throughput
//! cargo bench -p benches --bench throughput -- SQLite # rows whose name contains this
//! ```
//!
//! The baseline commits one order at a time on SQLite with full durability. All rows run in turn, round by round, so that a
//! busy machine affects all of them. A row shows the median of its rounds and its ratio to the baseline. The load generator
//! runs in the same process, on the same cores.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

mod http_load;
mod rounds;
mod store_load;

use std::time::Duration;

use rounds::{Failure, Row, Size};

fn main() -> Result<(), Failure> {
    let size = if std::env::args().any(|argument| argument == "--test") { Size::TEST } else { Size::FULL };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut rows = runtime.block_on(rows())?;
    if let Some(wanted) = std::env::args().skip(1).find(|argument| !argument.starts_with('-')) {
        rows.retain(|row| row.name.contains(&wanted));
    }
    for _ in 0..size.rounds {
        for row in &mut rows {
            runtime.block_on(row.round(size.window))?;
        }
    }
    println!("{}", table(&rows));
    Ok(())
}

/// The rows. The first is the baseline.
async fn rows() -> Result<Vec<Row>, Failure> {
    Ok(vec![
        Row::new("SQLite, one transaction per order", store_load::sqlite(1).await?),
        Row::new("SQLite, 64 submitters", store_load::sqlite(64).await?),
        Row::new("in memory, 1 submitter", store_load::memory(1).await?),
        Row::new("in memory, 64 submitters", store_load::memory(64).await?),
        Row::new("HTTP on SQLite, 64 clients", http_load::sqlite(64).await?),
        Row::new("HTTP on PostgreSQL, 64 clients", http_load::postgres(64).await?),
    ])
}

fn table(rows: &[Row]) -> String {
    let yardstick = rows.first().map_or(1, Row::median);
    let head = format!("{:<36} {:>10} {:>10}   rounds", "", "orders/s", "ratio");
    let lines = rows.iter().map(|row| {
        let hundredths = row.median() * 100 / yardstick.max(1);
        let ratio = format!("{}.{:02}", hundredths / 100, hundredths % 100);
        format!("{:<36} {:>10} {ratio:>10}   {:?}", row.name, row.median(), row.rates())
    });
    std::iter::once(head).chain(lines).collect::<Vec<_>>().join("\n")
}

/// The rate per second.
fn rate(count: u64, took: Duration) -> u64 {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
    count.saturating_mul(1_000_000) / micros
}
