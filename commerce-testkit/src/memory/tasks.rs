//! The list of tasks.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use commerce_core::task::{Task, TaskChange, TaskKey};

/// The list of tasks.
#[derive(Debug, Default)]
pub(super) struct Tasks(BTreeMap<TaskKey, Work>);

#[derive(Debug)]
struct Work {
    task: Task,
    leased_until: Option<DateTime<Utc>>,
    given_up: bool,
}

impl Work {
    fn is_free(&self, at: DateTime<Utc>) -> bool {
        self.task.due <= at && !self.given_up && self.leased_until.is_none_or(|until| until <= at)
    }
}

impl Tasks {
    /// Scheduling what is on the list already changes nothing.
    pub(super) fn change(&mut self, change: TaskChange) {
        match change {
            TaskChange::Schedule { key, due } => {
                let task = Task { key, due, failures: 0, last_error: None };
                self.0.entry(key).or_insert(Work { task, leased_until: None, given_up: false });
            }
            TaskChange::Finish(key) => {
                self.0.remove(&key);
            }
        }
    }

    pub(super) fn lease(&mut self, at: DateTime<Utc>, until: DateTime<Utc>, limit: u16) -> Vec<Task> {
        let mut free: Vec<_> = self.0.values_mut().filter(|work| work.is_free(at)).collect();
        free.sort_by_key(|work| work.task.due);
        let leased = free.into_iter().take(limit.into());
        leased
            .map(|work| {
                work.leased_until = Some(until);
                work.task.clone()
            })
            .collect()
    }

    pub(super) fn fail(&mut self, key: TaskKey, retry: Option<DateTime<Utc>>, error: &str) {
        let Some(work) = self.0.get_mut(&key) else { return };
        work.task.failures = work.task.failures.saturating_add(1);
        work.task.last_error = Some(error.into());
        work.task.due = retry.unwrap_or(work.task.due);
        work.leased_until = None;
        work.given_up = retry.is_none();
    }
}
