//! Tasks.

use chrono::{DateTime, Utc};
use commerce_core::event::Recorded;
use commerce_core::port::{Page, PageRequest};
use commerce_core::task::{Task, TaskEvent, TaskKey, TaskKind, TaskState};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::{Answer, Conn, RunQueryDsl, dialect, feed, listing, one_more};
use crate::rows::event::{NewEventRow, TASK};
use crate::rows::task::{TaskRow, key_columns};
use crate::rows::{micros, read_counter};
use crate::schema::{events, tasks};

/// Leases due tasks of known kinds. Skips rows that others have locked.
pub(in super::super) async fn lease(
    conn: &mut Conn,
    at: DateTime<Utc>,
    until: DateTime<Utc>,
    limit: u16,
) -> Answer<Vec<Task>> {
    let known = dialect::in_list(tasks::kind, TaskKind::KNOWN.iter().map(TaskKind::as_str));
    let ready = tasks::table.filter(tasks::ready_at.le(micros(at))).filter(known);
    let oldest = ready.order((tasks::due, tasks::subject)).limit(limit.into()).select(TaskRow::as_select());
    let mut rows: Vec<TaskRow<'static>> = dialect::for_update_of_free!(oldest).load(conn).await?;
    if !rows.is_empty() {
        let keys = rows.iter().map(|row| (row.subject.as_ref(), row.kind.as_ref()));
        let leased = tasks::table.filter(dialect::in_list((tasks::subject, tasks::kind), keys));
        diesel::update(leased).set(tasks::ready_at.eq(micros(until))).execute(conn).await?;
    }
    for row in &mut rows {
        row.ready_at = Some(micros(until));
    }
    rows.into_iter().map(TaskRow::into_task).collect()
}

pub(in super::super) async fn get(conn: &mut Conn, key: &TaskKey) -> Answer<Option<Task>> {
    let query = tasks::table.find(key_columns(key)).select(TaskRow::as_select());
    let row: Option<TaskRow<'static>> = query.get_result(conn).await.optional()?;
    row.map(TaskRow::into_task).transpose()
}

/// Tasks in a state at an instant, by kind and subject.
pub(in super::super) async fn list(
    conn: &mut Conn,
    state: Option<TaskState>,
    at: DateTime<Utc>,
    page: &PageRequest<TaskKey>,
) -> Answer<Page<Task, TaskKey>> {
    let now = micros(at);
    let mut query = tasks::table.select(TaskRow::as_select()).into_boxed::<dialect::Db>();
    query = match state {
        None => query,
        Some(TaskState::Dead) => query.filter(tasks::ready_at.is_null()),
        Some(TaskState::Due) => query.filter(tasks::ready_at.le(now)),
        Some(TaskState::Running) => {
            query.filter(tasks::ready_at.gt(now)).filter(tasks::ready_at.gt(tasks::due.nullable()))
        }
        Some(TaskState::Scheduled) => {
            query.filter(tasks::ready_at.gt(now)).filter(tasks::ready_at.le(tasks::due.nullable()))
        }
    };
    if let Some(after) = &page.after {
        let kind = after.kind.as_str().to_owned();
        let beside = tasks::kind.eq(kind.clone()).and(tasks::subject.gt(after.subject.clone()));
        query = query.filter(tasks::kind.gt(kind).or(beside));
    }
    let query = query.order((tasks::kind, tasks::subject)).limit(one_more(page.limit));
    let rows: Vec<TaskRow<'static>> = query.load(conn).await?;
    let found = rows.into_iter().map(TaskRow::into_task).collect::<Answer<Vec<_>>>()?;
    Ok(listing(found, page.limit, |task| task.key.clone()))
}

/// Replaces a task, if it has not changed since it was read, and appends the event.
pub(in super::super) async fn replace(
    conn: &mut Conn,
    before: &Task,
    after: Option<&Task>,
    event: Option<&Recorded<TaskEvent>>,
) -> Answer<bool> {
    let replaced = write(conn, before, after).await?;
    if let Some(event) = event.filter(|_| replaced) {
        append(conn, &before.key, event).await?;
    }
    Ok(replaced)
}

async fn append(conn: &mut Conn, key: &TaskKey, event: &Recorded<TaskEvent>) -> Answer<()> {
    let of_task = events::table.filter(events::stream_id.eq(key.to_string())).filter(events::stream_kind.eq(TASK));
    let last: Option<i64> = of_task.select(diesel::dsl::max(events::sequence)).get_result(conn).await?;
    let last = read_counter("events.sequence", last.unwrap_or_default())?;
    let entry = Recorded { sequence: last.saturating_add(1), ..event.clone() };
    feed::append(conn, vec![NewEventRow::of_task(key, &entry)?]).await
}

async fn write(conn: &mut Conn, before: &Task, after: Option<&Task>) -> Answer<bool> {
    let old = TaskRow::of(before);
    let given_up = tasks::ready_at.is_null().and(old.ready_at.is_none().into_sql::<Bool>());
    let same = tasks::table
        .find(key_columns(&before.key))
        .filter(tasks::ready_at.eq(old.ready_at).or(given_up))
        .filter(tasks::failures.eq(old.failures));
    let found = match after.map(TaskRow::of) {
        Some(new) => {
            let columns = (
                tasks::due.eq(new.due),
                tasks::ready_at.eq(new.ready_at),
                tasks::failures.eq(new.failures),
                tasks::last_error.eq(new.last_error.as_deref()),
            );
            diesel::update(same).set(columns).execute(conn).await?
        }
        None => diesel::delete(same).execute(conn).await?,
    };
    Ok(found > 0)
}
