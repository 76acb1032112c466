//! Tasks.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use commerce_core::ids::{OrderId, RefundId};
use commerce_core::task::{Task, TaskKey};
use diesel::prelude::*;
use diesel_bulk::DbUuid;

use super::{CowStr, micros, read_instant};
use crate::fault::{Answer, Fault};
use crate::schema::tasks;

const EXPIRE_ORDER: &str = "expire_order";
const SEND_REFUND: &str = "send_refund";

/// A task.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = tasks)]
pub(crate) struct TaskRow<'a> {
    pub(crate) kind: CowStr<'a>,
    pub(crate) order_id: DbUuid,
    pub(crate) refund_id: DbUuid,
    pub(crate) due: i64,
    pub(crate) ready_at: Option<i64>,
    pub(crate) failures: i64,
    pub(crate) last_error: Option<CowStr<'a>>,
}

/// The columns that name a task: its kind, its order, its refund or zero.
pub(crate) fn key_columns(key: TaskKey) -> (&'static str, DbUuid, DbUuid) {
    match key {
        TaskKey::ExpireOrder { order } => (EXPIRE_ORDER, DbUuid(order.uuid()), DbUuid::default()),
        TaskKey::SendRefund { order, refund } => (SEND_REFUND, DbUuid(order.uuid()), DbUuid(refund.uuid())),
    }
}

impl TaskRow<'_> {
    pub(crate) fn scheduled(key: TaskKey, due: DateTime<Utc>) -> Self {
        let (kind, order_id, refund_id) = key_columns(key);
        let due = micros(due);
        Self { kind: Cow::Borrowed(kind), order_id, refund_id, due, ready_at: Some(due), failures: 0, last_error: None }
    }

    pub(crate) fn into_task(self) -> Answer<Task> {
        Ok(Task {
            key: self.key()?,
            due: read_instant("tasks.due", self.due)?,
            failures: u32::try_from(self.failures).map_err(|_| Fault::Corrupt("tasks.failures"))?,
            last_error: self.last_error.map(Cow::into_owned),
        })
    }

    fn key(&self) -> Answer<TaskKey> {
        let order = OrderId::new(self.order_id.0);
        match self.kind.as_ref() {
            EXPIRE_ORDER => Ok(TaskKey::ExpireOrder { order }),
            SEND_REFUND => Ok(TaskKey::SendRefund { order, refund: RefundId::new(self.refund_id.0) }),
            _ => Err(Fault::Corrupt("tasks.kind")),
        }
    }
}
