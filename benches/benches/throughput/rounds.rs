//! Rounds of load, and their results.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Places orders one after the other until a moment. Returns their number.
pub(crate) type Load = Arc<dyn Fn(Instant) -> Placing + Send + Sync>;

/// The future of a [`Load`].
pub(crate) type Placing = Pin<Box<dyn Future<Output = Result<u64, Failure>> + Send>>;

/// The extent of a measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// The number of rounds of each row.
    pub(crate) rounds: usize,
    /// The duration of a round.
    pub(crate) window: Duration,
}

impl Size {
    /// Enough for a median.
    pub(crate) const FULL: Self = Self { rounds: 5, window: Duration::from_secs(2) };
    /// A short run that only shows that everything works.
    pub(crate) const TEST: Self = Self { rounds: 1, window: Duration::from_millis(50) };
}

/// Concurrent submitters.
pub(crate) struct Crowd {
    pub(crate) submitters: usize,
    pub(crate) load: Load,
    /// Lives as long as the load, such as a temporary directory.
    pub(crate) _keep: Box<dyn std::any::Any + Send>,
}

pub(crate) struct Row {
    pub(crate) name: &'static str,
    crowd: Crowd,
    rates: Vec<u64>,
}

impl Row {
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
