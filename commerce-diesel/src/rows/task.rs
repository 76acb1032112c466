//! Tasks.

use std::borrow::Cow;

use commerce_core::task::{Task, TaskKey, TaskKind};
use diesel::prelude::*;

use super::{CowStr, micros, read_instant, read_instant_option};
use crate::fault::{Answer, Fault};
use crate::schema::tasks;

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = tasks)]
pub(crate) struct TaskRow<'a> {
    pub(crate) kind: CowStr<'a>,
    pub(crate) subject: CowStr<'a>,
    pub(crate) payload: CowStr<'a>,
    pub(crate) due: i64,
    pub(crate) ready_at: Option<i64>,
    pub(crate) failures: i64,
    pub(crate) last_error: Option<CowStr<'a>>,
}

/// The columns of the primary key.
pub(crate) fn key_columns(key: &TaskKey) -> (&str, &str) {
    (&key.subject, key.kind.as_str())
}

impl<'a> TaskRow<'a> {
    pub(crate) fn of(task: &'a Task) -> Self {
        Self {
            kind: Cow::Borrowed(task.key.kind.as_str()),
            subject: Cow::Borrowed(&task.key.subject),
            payload: Cow::Owned(task.payload.to_string()),
            due: micros(task.due),
            ready_at: task.ready_at.map(micros),
            failures: task.failures.into(),
            last_error: task.last_error.as_deref().map(Cow::Borrowed),
        }
    }

    pub(crate) fn into_task(self) -> Answer<Task> {
        Ok(Task {
            key: TaskKey { kind: TaskKind::named(self.kind.into_owned()), subject: self.subject.into_owned() },
            payload: serde_json::from_str(&self.payload).map_err(|_| Fault::Corrupt("tasks.payload"))?,
            due: read_instant("tasks.due", self.due)?,
            ready_at: read_instant_option("tasks.ready_at", self.ready_at)?,
            failures: u32::try_from(self.failures).map_err(|_| Fault::Corrupt("tasks.failures"))?,
            last_error: self.last_error.map(Cow::into_owned),
        })
    }
}
