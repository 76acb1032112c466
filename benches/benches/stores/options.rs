//! What is asked for on the command line.

use std::path::PathBuf;
use std::time::Duration;

use crate::Failure;

/// How long something runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    /// Before it is measured.
    pub(crate) warm_up: Duration,
    /// While it is measured.
    pub(crate) window: Duration,
}

/// How much is measured, and where.
#[derive(Debug)]
pub(crate) struct Options {
    /// How often each row runs.
    pub(crate) rounds: usize,
    /// For how long each time.
    pub(crate) span: Span,
    /// The numbers of clients of which the best is chosen for an opponent.
    pub(crate) tried: &'static [usize],
    /// How often each of them is tried before the first round.
    pub(crate) trials: usize,
    /// For how long each time.
    pub(crate) trial: Span,
    /// How many orders a shop has after a year.
    pub(crate) year: u64,
    /// Where the servers keep their data; `None` is the temporary directory of the system.
    pub(crate) directory: Option<PathBuf>,
    /// Only rows whose name has this.
    pub(crate) filter: String,
}

impl Options {
    /// Reads the command line.
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut arguments = arguments;
        let mut options = Self::full();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--rounds" => options.rounds = value()?.parse()?,
                "--seconds" => options.span.window = Duration::from_secs(value()?.parse()?),
                "--directory" => options.directory = Some(value()?.into()),
                "--test" => options = Self::test(),
                "--bench" => {}
                unknown if unknown.starts_with('-') => return Err(format!("unknown option {unknown}").into()),
                _ => options.filter = argument,
            }
        }
        Ok(options)
    }

    fn full() -> Self {
        let warm_up = Duration::from_secs(1);
        Self {
            rounds: 5,
            span: Span { warm_up, window: Duration::from_secs(3) },
            tried: &[1, 4, 16, 64, 256],
            trials: 2,
            trial: Span { warm_up, window: Duration::from_secs(2) },
            year: 1_000_000,
            directory: None,
            filter: String::new(),
        }
    }

    /// Enough to see that it runs.
    fn test() -> Self {
        let window = Duration::from_millis(500);
        let span = Span { warm_up: window, window };
        Self { rounds: 1, span, tried: &[4], trials: 1, trial: span, year: 20_000, ..Self::full() }
    }
}
