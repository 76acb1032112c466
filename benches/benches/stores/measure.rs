//! The measurements of a round.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use benches::numbers::{micros, percentile};

use crate::load::Placed;

/// The counters of clients and server at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Microseconds since 1970.
    pub(crate) at: u64,
    /// Processor time of the clients.
    pub(crate) client: Duration,
    /// Processor time of the server. `None` if the database runs in the client.
    pub(crate) server: Duration,
    /// Bytes of log written. `None` if they are not counted.
    pub(crate) log: Option<u64>,
}

/// The columns of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Column {
    Rate,
    Median,
    Tail,
    Client,
    Server,
    Log,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    /// Orders per second.
    rate: u64,
    /// The median latency, in microseconds.
    median: u64,
    /// The 99th percentile of the latency, in microseconds.
    tail: u64,
    /// Tenths of a microsecond of the clients' processor time per order.
    client: u64,
    /// Tenths of a microsecond of the server's processor time per order.
    server: u64,
    /// Bytes of log per order.
    log: Option<u64>,
}

impl Measured {
    /// The difference between two samples.
    pub(crate) fn between(before: &Sample, after: &Sample, placed: &[Placed]) -> Self {
        let within = placed.iter().filter(|order| order.at > before.at && order.at <= after.at);
        let mut latencies: Vec<u64> = within.map(|order| order.latency).collect();
        latencies.sort_unstable();
        let count = u64::try_from(latencies.len()).unwrap_or(u64::MAX).max(1);
        let per_order = |from: Duration, to: Duration| micros(to.saturating_sub(from)) * 10 / count;
        Self {
            rate: count.saturating_mul(1_000_000) / (after.at - before.at).max(1),
            median: percentile(&latencies, 50),
            tail: percentile(&latencies, 99),
            client: per_order(before.client, after.client),
            server: per_order(before.server, after.server),
            log: before.log.zip(after.log).map(|(from, to)| to.saturating_sub(from) / count),
        }
    }

    pub(crate) fn get(&self, column: Column) -> Option<u64> {
        match column {
            Column::Rate => Some(self.rate),
            Column::Median => Some(self.median),
            Column::Tail => Some(self.tail),
            Column::Client => Some(self.client),
            Column::Server => Some(self.server),
            Column::Log => self.log,
        }
    }
}

/// The median of a figure over rounds.
pub(crate) fn median(rounds: &[Measured], column: Column) -> Option<u64> {
    let mut sorted: Vec<u64> = rounds.iter().filter_map(|round| round.get(column)).collect();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}

/// Microseconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, micros)
}
