//! Tasks, from the whole history. Their attempts and leases are left as they are found.

use commerce_core::replay::Replay;
use commerce_core::task::Task;
use diesel_bulk::Row;

use super::facts::Facts;
use super::tables::Derived;
use super::{Answer, Cells, Conn, PAGE, Rebuild, count, find};
use crate::rows::read_instant;
use crate::rows::task::TaskRow;

impl<F: FnMut(u64) + Send> Rebuild<F> {
    pub(super) async fn check_tasks(&mut self, conn: &mut Conn, replay: &Replay) -> Answer<()> {
        let tasks: Vec<_> = replay.tasks().values().collect();
        for page in tasks.chunks(PAGE.into()) {
            let mut facts = Facts { tasks: page.iter().copied().cloned().collect(), ..Facts::default() };
            let stored = find(conn, &TaskRow::follow(&facts)).await?;
            for task in &mut facts.tasks {
                let cells = stored.get(TaskRow::of(task).texts().get(..TaskRow::KEY).unwrap_or_default());
                if let Some(found) = cells.and_then(|cells| attempts(task, cells)) {
                    *task = task.clone().with_attempts_of(&found);
                }
            }
            self.check_facts(conn, &facts).await?;
        }
        self.result.tasks = count(tasks.len());
        Ok(())
    }
}

/// The task with the attempts and the lease of a stored row. `None` if they cannot be read.
fn attempts(task: &Task, stored: &Cells) -> Option<Task> {
    let cell = |column| stored.get(TaskRow::COLUMNS.iter().position(|known| *known == column)?)?.as_deref();
    let instant = |column| read_instant("tasks", cell(column)?.parse().ok()?).ok();
    Some(Task {
        due: instant("due")?,
        ready_at: instant("ready_at"),
        failures: cell("failures")?.parse().ok()?,
        last_error: cell("last_error").map(str::to_owned),
        ..task.clone()
    })
}
