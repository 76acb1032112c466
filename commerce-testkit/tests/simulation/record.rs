//! What happened in a run: a trace that is printed if the run fails, and the number of faults by kind.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

/// The number of lines that are printed.
const SHOWN: usize = 400;

#[derive(Debug, Default)]
pub(crate) struct Record(Mutex<Content>);

#[derive(Debug, Default)]
struct Content {
    lines: Vec<String>,
    faults: BTreeMap<&'static str, u64>,
}

impl Record {
    pub(crate) fn note(&self, at: DateTime<Utc>, line: impl Display) {
        self.content().lines.push(format!("{} {line}", at.format("%d %H:%M:%S")));
    }

    pub(crate) fn fault(&self, kind: &'static str) {
        *self.content().faults.entry(kind).or_default() += 1;
    }

    /// The number of lines.
    pub(crate) fn steps(&self) -> u64 {
        u64::try_from(self.content().lines.len()).unwrap_or(u64::MAX)
    }

    pub(crate) fn faults(&self) -> BTreeMap<&'static str, u64> {
        self.content().faults.clone()
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let content = self.content();
        if std::thread::panicking() {
            let hidden = content.lines.len().saturating_sub(SHOWN);
            eprintln!("{hidden} earlier lines are not shown");
            for line in content.lines.iter().skip(hidden) {
                eprintln!("{line}");
            }
        }
    }
}
