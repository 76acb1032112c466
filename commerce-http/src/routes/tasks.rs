//! `/tasks`

use commerce_core::task::{Task, TaskKey, TaskKind, TaskState};
use http::StatusCode;

use crate::answer::{Answer, Outcome};
use crate::app::App;
use crate::call::RequestContext;
use crate::dto::schema::TaskStateSchema;
use crate::dto::task::TaskShape;
use crate::page::{self, List, Paging};

const TASKS: &str = "tasks";

/// Tasks by kind and subject; for admins.
#[utoipa::path(
    get, path = "/tasks", tag = "tasks",
    params(("state" = Option<TaskStateSchema>, Query, description = "Only tasks in this state."), Paging),
    responses((status = 200, body = List<TaskShape<'_>>))
)]
pub(crate) async fn list(app: &App, call: &RequestContext) -> Outcome {
    let query = call.query()?;
    let page = page::asked::<(String, String)>(&query, TASKS)?;
    let page = page.map(|(kind, subject)| TaskKey { kind: TaskKind::named(kind), subject });
    let state =
        query.parsed("state", |name| TaskState::named(name).ok_or("must be one of scheduled, due, running, dead"))?;
    let found = app.engine.tasks(call.caller()?, state, &page).await?;
    let now = app.engine.now();
    let items: Vec<_> = found.items.iter().map(|task| TaskShape::from((task, now))).collect();
    let next = found.next.and_then(|key| page::cursor(TASKS, &(key.kind.as_str(), &key.subject)));
    Ok(Answer::ok(&List { items, next_cursor: next }))
}

/// A task; for admins.
#[utoipa::path(
    get, path = "/tasks/{kind}/{subject}", tag = "tasks",
    params(("kind" = String, Path), ("subject" = String, Path)),
    responses((status = 200, body = TaskShape<'_>))
)]
pub(crate) async fn show(app: &App, call: &RequestContext) -> Outcome {
    Ok(written(app, &app.engine.task(call.caller()?, &key(call)).await?))
}

/// Makes a task due now and resets its failures; for admins. Running tasks are refused.
#[utoipa::path(
    post, path = "/tasks/{kind}/{subject}/retry", tag = "tasks",
    params(("kind" = String, Path), ("subject" = String, Path)),
    responses((status = 200, body = TaskShape<'_>))
)]
pub(crate) async fn retry(app: &App, call: &RequestContext) -> Outcome {
    Ok(written(app, &app.engine.retry_task(call.caller()?, &key(call)).await?))
}

/// Deletes a task without running it; for admins. Running tasks are refused.
#[utoipa::path(
    delete, path = "/tasks/{kind}/{subject}", tag = "tasks",
    params(("kind" = String, Path), ("subject" = String, Path)),
    responses((status = 204))
)]
pub(crate) async fn delete(app: &App, call: &RequestContext) -> Outcome {
    app.engine.drop_task(call.caller()?, &key(call)).await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

fn key(call: &RequestContext) -> TaskKey {
    TaskKey { kind: TaskKind::named(call.param("kind").to_owned()), subject: call.param("subject").to_owned() }
}

fn written(app: &App, task: &Task) -> Answer {
    Answer::ok(&TaskShape::from((task, app.engine.now())))
}
