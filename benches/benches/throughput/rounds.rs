//! Rounds of load, and what they came to.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Why a round failed.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Something that places orders, one at a time, until a moment; says how many.
pub(crate) type Load = Arc<dyn Fn(Instant) -> Placing + Send + Sync>;

/// Orders being placed; ends with how many.
pub(crate) type Placing = Pin<Box<dyn Future<Output = Result<u64, Failure>> + Send>>;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// How often each row runs.
    pub(crate) rounds: usize,
    /// For how long.
    pub(crate) window: Duration,
}

impl Size {
    /// Enough for a median.
    pub(crate) const FULL: Self = Self { rounds: 5, window: Duration::from_secs(2) };
    /// Enough to see that it runs.
    pub(crate) const TEST: Self = Self { rounds: 1, window: Duration::from_millis(50) };
}

/// A load with as many submitters as it wants, at work side by side.
pub(crate) struct Crowd {
    /// How many.
    pub(crate) submitters: usize,
    /// What each does.
    pub(crate) load: Load,
    /// What must live as long as the load, such as a temporary directory.
    pub(crate) _keep: Box<dyn std::any::Any + Send>,
}

/// A row of the table.
pub(crate) struct Row {
    /// What it is.
    pub(crate) name: &'static str,
    crowd: Crowd,
    rates: Vec<u64>,
}

impl Row {
    /// A row that has not run.
    pub(crate) fn new(name: &'static str, crowd: Crowd) -> Self {
        Self { name, crowd, rates: Vec::new() }
    }

    /// Runs all submitters for a while.
    pub(crate) async fn round(&mut self, window: Duration) -> Result<(), Failure> {
        let start = Instant::now();
        let workers = (0..self.crowd.submitters).map(|_| tokio::spawn((self.crowd.load)(start + window)));
        let mut count = 0;
        for worker in workers.collect::<Vec<_>>() {
            count += worker.await??;
        }
        self.rates.push(super::rate(count, start.elapsed()));
        Ok(())
    }

    /// The orders per second of each round.
    pub(crate) fn rates(&self) -> &[u64] {
        &self.rates
    }

    /// The median of the rounds.
    pub(crate) fn median(&self) -> u64 {
        let mut sorted = self.rates.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().unwrap_or_default()
    }
}
