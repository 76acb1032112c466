//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use crate::Failure;

/// The duration of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    /// Before it is measured.
    pub(crate) warm_up: Duration,
    /// While it is measured.
    pub(crate) window: Duration,
}

/// The options.
#[derive(Debug)]
pub(crate) struct Options {
    /// The number of rounds of each row.
    pub(crate) rounds: usize,
    /// The duration of a round.
    pub(crate) span: Span,
    /// The numbers of clients that opponents are tried with.
    pub(crate) tried: &'static [usize],
    /// The number of trials of each.
    pub(crate) trials: usize,
    /// The duration of a trial.
    pub(crate) trial: Span,
    /// The number of orders after a year.
    pub(crate) year: u64,
    /// The directory of the servers' data. `None`: the temporary directory of the system.
    pub(crate) directory: Option<PathBuf>,
    /// Only rows whose name contains this.
    pub(crate) filter: String,
}

impl Options {
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

    /// A short run that only shows that everything works.
    fn test() -> Self {
        let window = Duration::from_millis(500);
        let span = Span { warm_up: window, window };
        Self { rounds: 1, span, tried: &[4], trials: 1, trial: span, year: 20_000, ..Self::full() }
    }
}
