//! Tasks.

use chrono::{DateTime, Utc};
use commerce_core::task::{Task, TaskKey};
use diesel::prelude::*;

use super::{Answer, Conn, RunQueryDsl, dialect};
use crate::rows::micros;
use crate::rows::task::{TaskRow, key_columns};
use crate::schema::tasks;

/// Takes tasks that are due and leases them. What somebody else is at is left to them.
pub(in super::super) async fn lease(
    conn: &mut Conn,
    at: DateTime<Utc>,
    until: DateTime<Utc>,
    limit: u16,
) -> Answer<Vec<Task>> {
    let ready = tasks::table.filter(tasks::ready_at.le(micros(at)));
    let oldest = ready.order((tasks::due, tasks::order_id)).limit(limit.into()).select(TaskRow::as_select());
    let rows: Vec<TaskRow<'static>> = dialect::for_update_of_free!(oldest).load(conn).await?;
    if !rows.is_empty() {
        let keys = rows.iter().map(|row| (row.order_id, row.kind.as_ref(), row.refund_id));
        let leased = tasks::table.filter(dialect::in_list((tasks::order_id, tasks::kind, tasks::refund_id), keys));
        diesel::update(leased).set(tasks::ready_at.eq(micros(until))).execute(conn).await?;
    }
    rows.into_iter().map(TaskRow::into_task).collect()
}

/// Notes a failure; with no time to try again the task is given up.
pub(in super::super) async fn fail(
    conn: &mut Conn,
    key: TaskKey,
    retry: Option<DateTime<Utc>>,
    error: &str,
) -> Answer<()> {
    let (kind, order, refund) = key_columns(key);
    let retry = retry.map(micros);
    let columns = (
        tasks::ready_at.eq(retry),
        tasks::failures.eq(tasks::failures + 1),
        tasks::last_error.eq(Some(error)),
        retry.map(|retry| tasks::due.eq(retry)),
    );
    diesel::update(tasks::table.find((order, kind, refund))).set(columns).execute(conn).await?;
    Ok(())
}
