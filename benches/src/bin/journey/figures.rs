//! The figures of a round.

use std::time::{Duration, Instant};

use benches::cpu;
use benches::numbers::{median, micros, percentile};

use crate::Failure;
use crate::database::Database;
use crate::journey::{Kind, Sample};
use crate::program::Running;

/// The counters at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meters {
    pub(crate) at: Instant,
    server: Duration,
    database: Duration,
}

impl Meters {
    pub(crate) fn read(server: &Running, database: &Database) -> Self {
        Self { at: Instant::now(), server: cpu::of_family(server.pid()), database: database.cpu() }
    }
}

/// Processor time of one operation, in microseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) server: u64,
    pub(crate) database: u64,
}

/// What was measured of a kind of request, or of whole journeys. Times are in microseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) kind: Option<Kind>,
    /// Hundredths of an operation per second.
    pub(crate) rate: u64,
    pub(crate) median: u64,
    pub(crate) tail: u64,
    pub(crate) longest: u64,
    /// `None` where other kinds ran at the same time.
    pub(crate) cost: Option<Cost>,
    /// KiB; of journeys.
    pub(crate) memory: Option<u64>,
}

impl Figures {
    /// The figures of a kind between two moments.
    pub(crate) fn between(
        kind: Option<Kind>,
        (before, after): (Meters, Meters),
        samples: &[Sample],
    ) -> Result<Self, Failure> {
        let own = samples.iter().filter(|sample| sample.kind == kind && (before.at..=after.at).contains(&sample.at));
        let mut latencies: Vec<u64> = own.map(|sample| sample.latency).collect();
        latencies.sort_unstable();
        let count = u64::try_from(latencies.len())?;
        let longest = *latencies.last().ok_or("nothing was finished within the round")?;
        Ok(Self {
            kind,
            rate: count * 100_000_000 / micros(after.at - before.at).max(1),
            median: percentile(&latencies, 50),
            tail: percentile(&latencies, 99),
            longest,
            cost: Some(Cost {
                server: micros(after.server.saturating_sub(before.server)) / count,
                database: micros(after.database.saturating_sub(before.database)) / count,
            }),
            memory: None,
        })
    }

    /// The medians of rounds, but the longest time of all.
    pub(crate) fn of_rounds(rounds: &[Self]) -> Option<Self> {
        let first = rounds.first()?;
        let of = |figure: fn(&Self) -> u64| median(rounds.iter().map(figure));
        let costs = || rounds.iter().filter_map(|round| round.cost);
        let cost = Cost {
            server: median(costs().map(|cost| cost.server)),
            database: median(costs().map(|cost| cost.database)),
        };
        Some(Self {
            kind: first.kind,
            rate: of(|round| round.rate),
            median: of(|round| round.median),
            tail: of(|round| round.tail),
            longest: rounds.iter().map(|round| round.longest).max()?,
            cost: first.cost.map(|_| cost),
            memory: rounds.iter().filter_map(|round| round.memory).max(),
        })
    }
}
