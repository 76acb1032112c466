//! `/{noun}/{id}/history` of documents

use commerce_core::document::{DocumentId, DocumentKind};

use crate::answer::Outcome;
use crate::app::App;
use crate::call::RequestContext;
use crate::dto::history::DocumentEventShape;
use crate::page::{self, List, Paging};

const HISTORY: &str = "history";

/// The history of a cart, oldest first; for staff.
#[utoipa::path(
    get, path = "/carts/{id}/history", tag = "carts",
    params(("id" = uuid::Uuid, Path), Paging),
    responses((status = 200, body = List<DocumentEventShape<'_>>))
)]
pub(crate) async fn of_cart(app: &App, call: &RequestContext) -> Outcome {
    of(app, call, DocumentKind::Cart).await
}

/// The history of a category, oldest first; for staff.
#[utoipa::path(
    get, path = "/categories/{id}/history", tag = "catalog",
    params(("id" = String, Path), Paging),
    responses((status = 200, body = List<DocumentEventShape<'_>>))
)]
pub(crate) async fn of_category(app: &App, call: &RequestContext) -> Outcome {
    of(app, call, DocumentKind::Category).await
}

/// The history of a product, oldest first; for staff.
#[utoipa::path(
    get, path = "/products/{id}/history", tag = "catalog",
    params(("id" = String, Path), Paging),
    responses((status = 200, body = List<DocumentEventShape<'_>>))
)]
pub(crate) async fn of_product(app: &App, call: &RequestContext) -> Outcome {
    of(app, call, DocumentKind::Product).await
}

/// The history of a promotion, oldest first; for staff.
#[utoipa::path(
    get, path = "/promos/{id}/history", tag = "promotions",
    params(("id" = String, Path), Paging),
    responses((status = 200, body = List<DocumentEventShape<'_>>))
)]
pub(crate) async fn of_promotion(app: &App, call: &RequestContext) -> Outcome {
    of(app, call, DocumentKind::Promotion).await
}

/// The history of the document in the path.
pub(super) async fn of(app: &App, call: &RequestContext, kind: DocumentKind) -> Outcome {
    let page = page::asked::<u64>(&call.query()?, HISTORY)?;
    let id = DocumentId { kind, id: call.param("id").to_owned() };
    let history = app.engine.document_history(call.caller()?, &id).await?;
    Ok(page::of_history::<_, DocumentEventShape<'_>>(HISTORY, &page, &history, |entry| entry.sequence))
}
