//! Comparing tasks.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::{Counted, Difference, PAGE, Verifier};
use crate::port::{PageRequest, StoreResult};
use crate::task::{Task, TaskKey};

impl<P: FnMut(u64) + Send> Verifier<'_, P> {
    /// Compares every stored task, and every one that the history makes.
    pub(super) async fn check_tasks(&mut self) -> StoreResult<()> {
        let mut missing: BTreeSet<TaskKey> = self.replay.tasks().keys().cloned().collect();
        let mut page = PageRequest { limit: PAGE, after: None };
        loop {
            let listing = self.store.tasks(None, self.at, &page).await?;
            for task in &listing.items {
                missing.remove(&task.key);
                self.check_task(&task.key, Some(task)).await?;
            }
            self.tell();
            let Some(next) = listing.next else { break };
            page.after = Some(next);
        }
        for key in missing {
            self.check_task(&key, None).await?;
        }
        Ok(())
    }

    /// Reads a task again if it differs, because it may have changed since.
    async fn check_task(&mut self, key: &TaskKey, listed: Option<&Task>) -> StoreResult<()> {
        self.report.tasks = self.report.tasks.saturating_add(1);
        if self.task_difference(key, listed).is_none() {
            Ok(())
        } else {
            self.check_unchanged(Counted::Task(key)).await
        }
    }

    pub(super) async fn compare_task(&self, key: &TaskKey) -> StoreResult<Vec<Difference>> {
        let stored = self.store.task(key).await?;
        Ok(self.task_difference(key, stored.as_ref()).into_iter().collect())
    }

    fn task_difference(&self, key: &TaskKey, stored: Option<&Task>) -> Option<Difference> {
        let rebuilt = self.replay.tasks().get(key).cloned();
        let rebuilt = rebuilt.map(|task| if let Some(stored) = stored { task.with_attempts_of(stored) } else { task });
        let boxed = |task: Option<Task>| task.map(Box::new);
        let difference =
            || Difference::Task { key: key.clone(), stored: boxed(stored.cloned()), rebuilt: boxed(rebuilt.clone()) };
        (stored != rebuilt.as_ref()).then(difference)
    }
}
