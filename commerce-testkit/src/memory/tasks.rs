//! The list of tasks.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use commerce_core::port::{Page, PageRequest};
use commerce_core::task::{Task, TaskChange, TaskKey, TaskState};

#[derive(Debug, Default)]
pub(super) struct Tasks(BTreeMap<TaskKey, Task>);

impl Tasks {
    /// Scheduling a task that exists already has no effect.
    pub(super) fn change(&mut self, change: &TaskChange) {
        match change {
            TaskChange::Schedule { key, due, payload } => {
                let task = || Task::scheduled(key.clone(), *due, payload.clone());
                self.0.entry(key.clone()).or_insert_with(task);
            }
            TaskChange::Finish(key) => {
                self.0.remove(key);
            }
        }
    }

    pub(super) fn list(
        &self,
        state: Option<TaskState>,
        at: DateTime<Utc>,
        page: &PageRequest<TaskKey>,
    ) -> Page<Task, TaskKey> {
        let wanted = self.0.values().filter(|task| state.is_none_or(|state| task.state(at) == state));
        Page::ascending(wanted, page, |task| task.key.clone()).map(Task::clone)
    }

    pub(super) fn replace(&mut self, before: &Task, after: Option<&Task>) -> bool {
        let same = |known: &Task| (known.ready_at, known.failures) == (before.ready_at, before.failures);
        if !self.0.get(&before.key).is_some_and(same) {
            return false;
        }
        match after {
            Some(after) => self.0.insert(before.key.clone(), after.clone()),
            None => self.0.remove(&before.key),
        };
        true
    }
}
