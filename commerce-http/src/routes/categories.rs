//! `/categories`

use commerce_core::catalog::Category;
use http::StatusCode;

use crate::answer::{Answer, Outcome};
use crate::app::App;
use crate::call::RequestContext;
use crate::dto::product::{CategoryName, CategoryShape, NewCategory};
use crate::dto::schema::CategoryIdSchema;
use crate::idempotency::{IdempotencyKeyHeader, unkeyed};
use crate::page::List;

/// All categories by id, each with its parent.
#[utoipa::path(
    get, path = "/categories", tag = "catalog",
    responses((status = 200, body = List<CategoryShape<'_>>))
)]
pub(crate) async fn list(app: &App, _call: &RequestContext) -> Outcome {
    let categories = app.engine.categories().await?;
    Ok(Answer::ok(&List::whole(categories.iter().map(CategoryShape::from).collect())))
}

/// Creates a category.
#[utoipa::path(
    post, path = "/categories", tag = "catalog",
    params(IdempotencyKeyHeader),
    request_body = NewCategory,
    responses((status = 201, body = CategoryShape<'_>))
)]
pub(crate) async fn create(app: &App, call: &RequestContext) -> Outcome {
    let caller = call.caller()?;
    let guard = call.idempotency_guard(&made)?;
    let category = call.read(NewCategory::read)?;
    guard.answer(app.engine.save_category(caller, category, guard.idempotency().as_ref()).await?)
}

/// Renames a category, or creates it.
#[utoipa::path(
    put, path = "/categories/{id}", tag = "catalog",
    params(("id" = CategoryIdSchema, Path)),
    request_body = CategoryName,
    responses((status = 200, body = CategoryShape<'_>))
)]
pub(crate) async fn rename(app: &App, call: &RequestContext) -> Outcome {
    let caller = call.caller()?;
    let category = call.read(|new: CategoryName, reader| new.read(reader, call.param("id")))?;
    unkeyed(app.engine.save_category(caller, category, None).await?, written)
}

fn made(category: &Category) -> Answer {
    Answer { status: StatusCode::CREATED, ..written(category) }
}

fn written(category: &Category) -> Answer {
    Answer::ok(&CategoryShape::from(category))
}
