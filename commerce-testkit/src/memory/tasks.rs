//! Tasks.

use chrono::{DateTime, Utc};
use commerce_core::event::{HistoryEntry, Recorded};
use commerce_core::port::{Page, PageRequest};
use commerce_core::task::{Task, TaskEvent, TaskKey, TaskState};

use super::tables::Tables;

impl Tables {
    pub(super) fn tasks(
        &self,
        state: Option<TaskState>,
        at: DateTime<Utc>,
        page: &PageRequest<TaskKey>,
    ) -> Page<Task, TaskKey> {
        let wanted = self.tasks.values().filter(|task| state.is_none_or(|state| task.state(at) == state));
        Page::ascending(wanted, page, |task| task.key.clone()).map(Task::clone)
    }

    pub(super) fn replace_task(
        &mut self,
        before: &Task,
        after: Option<&Task>,
        event: Option<&Recorded<TaskEvent>>,
    ) -> bool {
        let same = |known: &Task| (known.ready_at, known.failures) == (before.ready_at, before.failures);
        if !self.tasks.get(&before.key).is_some_and(same) {
            return false;
        }
        self.tasks.remove(&before.key);
        self.tasks.extend(after.map(|after| (before.key.clone(), after.clone())));
        if let Some(event) = event {
            let earlier =
                self.history.iter().filter(|entry| matches!(entry, HistoryEntry::Task(key, _) if *key == before.key));
            let sequence = (1..).nth(earlier.count()).unwrap_or_default();
            self.history.push(HistoryEntry::Task(before.key.clone(), Recorded { sequence, ..event.clone() }));
        }
        true
    }
}
