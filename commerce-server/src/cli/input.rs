//! The input file of a command, and the problems in it.

use std::error::Error;
use std::fmt::{self, Display};
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use super::failure::Failure;
use super::note;

/// A file, or `-` for the standard input.
#[derive(Clone, Debug)]
pub(super) struct Input(pub(super) PathBuf);

impl Input {
    pub(super) fn open(&self) -> Result<Box<dyn Read>, Failure> {
        if self.is_standard_input() {
            return Ok(Box::new(io::stdin().lock()));
        }
        Ok(Box::new(File::open(&self.0).map_err(|error| self.failed(error))?))
    }

    /// Prints a line about the file to stderr.
    pub(super) fn note(&self, line: impl Display) {
        note(format_args!("{self}: {line}"));
    }

    pub(super) fn failed(&self, problem: impl Into<Box<dyn Error + Send + Sync>>) -> Failure {
        Failure::Input { file: self.to_string(), problem: problem.into() }
    }

    /// The failure after all problems in the file were printed.
    pub(super) fn refused(&self, flaws: &[impl Display], problem: String) -> Failure {
        for flaw in flaws {
            self.note(flaw);
        }
        self.failed(problem)
    }

    fn is_standard_input(&self) -> bool {
        self.0.as_os_str() == "-"
    }
}

impl Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_standard_input() { f.write_str("standard input") } else { self.0.display().fmt(f) }
    }
}
