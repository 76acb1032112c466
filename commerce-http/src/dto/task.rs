//! Tasks.

use chrono::{DateTime, Utc};
use commerce_core::task::Task;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Something the shop has to do later.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Task)]
pub(crate) struct TaskShape<'a> {
    #[schema(example = "send_refund")]
    kind: &'a str,
    /// What it is to be done to, such as the id of a refund.
    subject: &'a str,
    /// `scheduled`, `due`, `running`, or `dead` once it failed too often.
    #[schema(example = "dead")]
    state: &'static str,
    /// When it is to run.
    due: DateTime<Utc>,
    /// The number of failed attempts.
    failures: u32,
    /// The error of the last failed attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<&'a str>,
    /// What the worker needs to know besides the subject.
    #[serde(skip_serializing_if = "Value::is_null")]
    #[schema(value_type = Option<Object>)]
    payload: &'a Value,
}

impl<'a> TaskShape<'a> {
    /// A task as it stands at an instant.
    pub(crate) fn at(task: &'a Task, at: DateTime<Utc>) -> Self {
        Self {
            kind: task.key.kind.as_str(),
            subject: &task.key.subject,
            state: task.state(at).name(),
            due: task.due,
            failures: task.failures,
            last_error: task.last_error.as_deref(),
            payload: &task.payload,
        }
    }
}
