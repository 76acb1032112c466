//! Tasks.

use chrono::{DateTime, Utc};
use commerce_core::task::Task;
use serde_json::Value;

use super::shape::shape;

shape! {
    /// A task of the shop.
    #[schema(as = Task)]
    pub(crate) struct TaskShape<'a> from (task, now): (&'a Task, DateTime<Utc>) {
        #[schema(example = "settle_payment")]
        kind: &'a str = task.key.kind.as_str(),
        /// The subject, such as the id of a payment.
        subject: &'a str = &task.key.subject,
        #[schema(value_type = TaskState)]
        state: &'static str = task.state(now).name(),
        /// The time at which it is due.
        due: DateTime<Utc> = task.due,
        /// The number of failed attempts.
        failures: u32 = task.failures,
        /// The error of the last failed attempt.
        last_error: Option<&'a str> = task.last_error.as_deref(),
        /// Further data for the worker.
        #[serde(skip_serializing_if = "Value::is_null")]
        #[schema(value_type = Option<Object>)]
        payload: &'a Value = &task.payload,
    }
}
