//! What has to happen later: durable work, scheduled in the commit that makes it necessary.
//!
//! A task is named by its kind and its subject, so scheduling it twice is scheduling it once. The store leases due tasks to one
//! worker at a time; a worker that dies loses its lease and another takes over, so every task must be safe to run twice.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use core::fmt;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::ids::{OrderId, RefundId};

/// What is to be done. A process that does not know a kind leaves it to others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskKind(Cow<'static, str>);

impl TaskKind {
    /// Cancel an order if it is still not paid: its reservation has ended. The subject is the order.
    pub const EXPIRE_ORDER: Self = Self::new("expire_order");
    /// Send a refund to the payment processor and record the answer. The subject is the refund, the payload names its order.
    pub const SEND_REFUND: Self = Self::new("send_refund");
    /// The kinds that the engine runs.
    pub const KNOWN: &'static [Self] = &[Self::EXPIRE_ORDER, Self::SEND_REFUND];

    /// A kind by its name.
    pub const fn new(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// A kind by its name, as a store or a caller gives it.
    pub const fn named(name: String) -> Self {
        Self(Cow::Owned(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TaskKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names a task.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskKey {
    /// What is to be done.
    pub kind: TaskKind,
    /// What it is to be done to, as an id of 1 to 64 characters.
    pub subject: String,
}

impl TaskKey {
    /// The task that cancels an unpaid order.
    pub fn expire_order(order: OrderId) -> Self {
        Self { kind: TaskKind::EXPIRE_ORDER, subject: order.to_string() }
    }

    /// The task that sends a refund.
    pub fn send_refund(refund: RefundId) -> Self {
        Self { kind: TaskKind::SEND_REFUND, subject: refund.to_string() }
    }
}

impl fmt::Display for TaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.subject)
    }
}

/// A change to the list of tasks, part of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskChange {
    /// Run it at `due` or soon after. Nothing changes where it is scheduled already.
    Schedule {
        /// The task.
        key: TaskKey,
        /// The earliest time to run it.
        due: DateTime<Utc>,
        /// What the worker needs to know besides the subject.
        payload: Value,
    },
    /// It is done, or not needed any more.
    Finish(TaskKey),
}

impl TaskChange {
    /// Schedules a task that needs no payload.
    pub const fn schedule(key: TaskKey, due: DateTime<Utc>) -> Self {
        Self::Schedule { key, due, payload: Value::Null }
    }
}

/// A scheduled task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its name.
    pub key: TaskKey,
    /// What the worker needs to know besides the subject; null if nothing.
    pub payload: Value,
    /// When it is to run: first when it was scheduled for, after a failure when it is to be tried again.
    pub due: DateTime<Utc>,
    /// When a worker may take it: when it is due, or when the lease of another worker ends. None once it was given up.
    pub ready_at: Option<DateTime<Utc>>,
    /// The number of failed attempts.
    pub failures: u32,
    /// The error of the last failed attempt.
    pub last_error: Option<String>,
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskState {
    /// It waits for its time.
    Scheduled,
    /// It is due and waits for a worker.
    Due,
    /// A worker has leased it.
    Running,
    /// It failed too often and waits for a person.
    Dead,
}

impl TaskState {
    /// Every state.
    pub const ALL: &'static [Self] = &[Self::Scheduled, Self::Due, Self::Running, Self::Dead];

    /// The state of a name in the API.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.name() == name)
    }

    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Due => "due",
            Self::Running => "running",
            Self::Dead => "dead",
        }
    }
}

impl Task {
    /// A task that was never tried.
    pub const fn scheduled(key: TaskKey, due: DateTime<Utc>, payload: Value) -> Self {
        Self { key, payload, due, ready_at: Some(due), failures: 0, last_error: None }
    }

    /// Where the task stands at an instant. A lease that has ended counts no more.
    pub fn state(&self, at: DateTime<Utc>) -> TaskState {
        match self.ready_at {
            None => TaskState::Dead,
            Some(ready) if ready <= at => TaskState::Due,
            Some(ready) if ready > self.due => TaskState::Running,
            Some(_) => TaskState::Scheduled,
        }
    }

    /// The task after a failed attempt: to be tried again at `retry`, or given up.
    #[must_use]
    pub fn failed(&self, retry: Option<DateTime<Utc>>, error: &str) -> Self {
        Self {
            due: retry.unwrap_or(self.due),
            ready_at: retry,
            failures: self.failures.saturating_add(1),
            last_error: Some(error.into()),
            ..self.clone()
        }
    }

    /// The task as a person wants it tried again: now, with all its attempts before it.
    #[must_use]
    pub fn retried(&self, at: DateTime<Utc>) -> Self {
        Self { due: at, ready_at: Some(at), failures: 0, ..self.clone() }
    }
}
