//! Tasks.

use chrono::{DateTime, Utc};
use commerce_core::task::Task;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A task of the shop.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Task)]
pub(crate) struct TaskShape<'a> {
    #[schema(example = "send_refund")]
    kind: &'a str,
    /// The subject, such as the id of a refund.
    subject: &'a str,
    /// `scheduled`, `due`, `running`, or `dead` after too many failures.
    #[schema(example = "dead")]
    state: &'static str,
    /// The time at which it is due.
    due: DateTime<Utc>,
    /// The number of failed attempts.
    failures: u32,
    /// The error of the last failed attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<&'a str>,
    /// Further data for the worker.
    #[serde(skip_serializing_if = "Value::is_null")]
    #[schema(value_type = Option<Object>)]
    payload: &'a Value,
}

impl<'a> TaskShape<'a> {
    /// A task with its state at an instant.
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
