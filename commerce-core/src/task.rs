//! Tasks: durable work for later, scheduled by a commit.
//!
//! A task is identified by its kind and subject, so scheduling it twice has no effect. The store leases due tasks to
//! one worker at a time. If a worker dies, its lease expires and another worker runs the task, so every task must be
//! safe to run twice.
//!
//! Tasks follow from the history. Most changes are [side effects](crate::order::side_effects) of order events, or follow from
//! [changes of documents](crate::document::task_changes). The others are events of the task ([`TaskEvent`]). Failed attempts and leases are not in the history.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use core::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::Recorded;
use crate::ids::OrderId;
use crate::text::{named, shows_text};

/// The kind of a task. A process leaves unknown kinds to others.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskKind(Cow<'static, str>);

impl TaskKind {
    /// Cancels an order if it is not paid when its reservation expires. The subject is the order.
    pub const EXPIRE_ORDER: Self = Self::new("expire_order");
    /// Sends the operations of a payment that are to be sent, asks the processor about those whose end is not known, and
    /// records the answers. The subject is the payment.
    pub const SETTLE_PAYMENT: Self = Self::new("settle_payment");
    /// Records what follows from an event of a payment processor. The subject is the event.
    pub const TAKE_EVENT: Self = Self::new("take_event");
    /// Tries again what follows from an event of another system. The subject is the event in the inbox.
    pub const TAKE_INBOX_EVENT: Self = Self::new("take_inbox_event");
    /// Tells staff that the evidence about a dispute is due soon: the task is dead then, and done when the dispute ends or needs no
    /// evidence any more. The subject is the payment.
    pub const ANSWER_DISPUTE: Self = Self::new("answer_dispute");
    /// Asks the processor whether a customer has entered a means of payment that is to be saved, and ends it if not. The subject is
    /// the saved means of payment.
    pub const SETTLE_SETUP: Self = Self::new("settle_setup");
    /// The kinds that the engine runs.
    pub const KNOWN: &'static [Self] = &[
        Self::EXPIRE_ORDER,
        Self::SETTLE_PAYMENT,
        Self::TAKE_EVENT,
        Self::TAKE_INBOX_EVENT,
        Self::ANSWER_DISPUTE,
        Self::SETTLE_SETUP,
    ];

    /// A kind by its name.
    pub const fn new(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// A kind by a name from a store or a caller.
    pub const fn named(name: String) -> Self {
        Self(Cow::Owned(name))
    }
}

shows_text!(TaskKind);

/// Identifies a task.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub struct TaskKey {
    pub kind: TaskKind,
    /// An id of 1 to 64 characters.
    pub subject: String,
}

impl TaskKey {
    /// The task that cancels an unpaid order.
    pub fn expire_order(order: OrderId) -> Self {
        Self { kind: TaskKind::EXPIRE_ORDER, subject: order.to_string() }
    }

    /// The task of a payment.
    pub const fn settle_payment(payment: String) -> Self {
        Self { kind: TaskKind::SETTLE_PAYMENT, subject: payment }
    }

    /// Reads the form that `Display` shows.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, subject) = text.split_once(' ')?;
        Some(Self { kind: TaskKind::named(kind.into()), subject: subject.into() })
    }
}

impl fmt::Display for TaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.subject)
    }
}

/// The scheduled tasks.
pub type Tasks = BTreeMap<TaskKey, Task>;

/// A change of the list of tasks that follows from an event of an order or a document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum TaskChange {
    /// Runs the task at `due` or soon after, with `payload` as input. No effect if it is scheduled already.
    Schedule { key: TaskKey, due: DateTime<Utc>, payload: Value },
    /// Removes a task that is done or unnecessary.
    Finish(TaskKey),
}

impl TaskChange {
    /// Schedules a task that needs no payload.
    pub const fn schedule(key: TaskKey, due: DateTime<Utc>) -> Self {
        Self::Schedule { key, due, payload: Value::Null }
    }

    /// Makes the change.
    pub fn apply(self, tasks: &mut Tasks) {
        match self {
            Self::Schedule { key, due, payload } => {
                tasks.entry(key.clone()).or_insert_with(|| Task::scheduled(key, due, payload));
            }
            Self::Finish(key) => {
                tasks.remove(&key);
            }
        }
    }
}

/// A change of a scheduled task that follows from no other event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TaskEvent {
    /// A person deleted it, or a worker found nothing to do.
    Dropped,
    /// It failed too often.
    GivenUp,
    /// A person made it due.
    Retried,
}

impl TaskEvent {
    /// Every [type](Self::event_type).
    pub const TYPES: &[&str] = &["task.dropped", "task.given_up", "task.retried"];

    /// The type under which the event is published.
    pub const fn event_type(self) -> &'static str {
        match self {
            Self::Dropped => "task.dropped",
            Self::GivenUp => "task.given_up",
            Self::Retried => "task.retried",
        }
    }
}

impl Recorded<TaskEvent> {
    /// The task after the event. `None`: it is removed.
    pub fn evolve(&self, task: &Task) -> Option<Task> {
        match self.event {
            TaskEvent::Dropped => None,
            TaskEvent::GivenUp => Some(Task { ready_at: None, ..task.clone() }),
            TaskEvent::Retried => Some(Task { due: self.at, ready_at: Some(self.at), failures: 0, ..task.clone() }),
        }
    }

    /// Makes the change. No effect if the task is not scheduled.
    pub fn apply(&self, key: &TaskKey, tasks: &mut Tasks) {
        if let Some(task) = tasks.remove(key) {
            tasks.extend(self.evolve(&task).map(|task| (key.clone(), task)));
        }
    }
}

/// A scheduled task.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Task {
    pub key: TaskKey,
    /// Further input for the worker, or null.
    pub payload: Value,
    /// The scheduled time; after a failure, the time of the next attempt.
    pub due: DateTime<Utc>,
    /// When a worker may lease it: when it is due, or when another lease expires. `None`: it is dead.
    pub ready_at: Option<DateTime<Utc>>,
    /// The number of failed attempts.
    pub failures: u32,
    pub last_error: Option<String>,
}

named! {
    /// The state of a task.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum TaskState {
        /// It is not due yet.
        Scheduled = "scheduled",
        /// It is due and not leased.
        Due = "due",
        /// A worker has leased it.
        Running = "running",
        /// It failed too often. It does not run until a person retries it.
        Dead = "dead",
    }
}

impl TaskState {
    /// The state with this name in the API.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.name() == name)
    }
}

impl Task {
    /// A task that was never tried.
    pub const fn scheduled(key: TaskKey, due: DateTime<Utc>, payload: Value) -> Self {
        Self { key, payload, due, ready_at: Some(due), failures: 0, last_error: None }
    }

    /// The state of the task at an instant. An expired lease does not count.
    pub fn state(&self, at: DateTime<Utc>) -> TaskState {
        match self.ready_at {
            None => TaskState::Dead,
            Some(ready) if ready <= at => TaskState::Due,
            Some(ready) if ready > self.due => TaskState::Running,
            Some(_) => TaskState::Scheduled,
        }
    }

    /// The task after a failed attempt: to be tried again at `retry`, or dead.
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

    /// The task as the history makes it, with the attempts and the lease of the stored one. What differs then is wrong.
    ///
    /// A failed attempt may make the task due later. Whether it is dead follows from the history.
    #[must_use]
    pub fn with_attempts_of(self, stored: &Self) -> Self {
        let due = if stored.failures > 0 { self.due.max(stored.due) } else { self.due };
        let leased = stored.ready_at.filter(|ready| *ready >= due);
        Self {
            due,
            ready_at: self.ready_at.map(|_| leased.unwrap_or(due)),
            failures: stored.failures,
            last_error: stored.last_error.clone(),
            ..self
        }
    }
}
