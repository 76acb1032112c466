//! What has to happen later: durable work, scheduled in the commit that makes it necessary.
//!
//! A task is named by what it is about, so scheduling it twice is scheduling it once. The store leases due tasks to one
//! worker at a time; a worker that dies loses its lease and another takes over, so every task must be safe to run twice.

use alloc::string::String;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{OrderId, RefundId};

/// Names a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TaskKey {
    /// Cancel the order if it is still not paid: its reservation has ended.
    ExpireOrder {
        /// Which order.
        order: OrderId,
    },
    /// Send a refund to the payment processor and record what it says.
    SendRefund {
        /// Of which order.
        order: OrderId,
        /// Which refund.
        refund: RefundId,
    },
}

/// A change to the list of tasks, part of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskChange {
    /// Do it at `due` or soon after.
    Schedule {
        /// What.
        key: TaskKey,
        /// Not before.
        due: DateTime<Utc>,
    },
    /// It is done, or not needed any more.
    Finish(TaskKey),
}

/// A task as a worker gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// What to do.
    pub key: TaskKey,
    /// When it was due.
    pub due: DateTime<Utc>,
    /// How often it failed.
    pub failures: u32,
    /// Why it failed last.
    pub last_error: Option<String>,
}
