//! `/promos`

use commerce_core::document::DocumentFilter;
use commerce_core::ids::{OrderId, PromotionId};
use commerce_core::port::{Cursor, PromotionWithUsage};
use commerce_core::promotion::Promotion;
use serde_json::Value;

use crate::answer::{Answer, Outcome};
use crate::app::App;
use crate::call::RequestContext;
use crate::dto::code::{CodeTrial, TriedCode};
use crate::dto::kept::{self, PromotionWithUsageShape, RedemptionShape};
use crate::dto::promotion::PromotionDto;
use crate::dto::schema::{PromotionIdSchema, PromotionPatch};
use crate::idempotency::{IdempotencyKeyHeader, unkeyed};
use crate::page::{self, List, Listing, MetadataFilter, Paging};
use crate::precondition::IfMatch;
use crate::problem::Problem;
use crate::telemetry;

const PROMOTIONS: &str = "promotions";
const REDEMPTIONS: &str = "redemptions";
/// The id that no promotion can have, because it is the path of another route.
const VALIDATE: &str = "validate";

/// Promotions, newest first, including ended ones.
#[utoipa::path(
    get, path = "/promos", tag = "promotions",
    params(MetadataFilter, Paging),
    responses((status = 200, body = List<PromotionWithUsageShape>))
)]
pub(crate) async fn list(app: &App, call: &RequestContext) -> Outcome {
    let query = call.query()?;
    let page = page::asked(&query, PROMOTIONS)?;
    let (caller, filter) = (call.caller()?, DocumentFilter::all_of(query.metadata()?));
    let key =
        |found: &PromotionWithUsage| Cursor { created_at: found.record.created_at, id: found.record.id().clone() };
    let mut list = Listing::new(call, PROMOTIONS, page).await?;
    while let Some(page) = list.request() {
        let found = app.engine.promotions(caller, &filter, &page).await?;
        list.add(&found, key, |entries, found| entries.push(&PromotionWithUsageShape::from(found)));
    }
    Ok(list.answer())
}

/// Creates a promotion.
#[utoipa::path(
    post, path = "/promos", tag = "promotions",
    params(IdempotencyKeyHeader),
    request_body = PromotionDto,
    responses((status = 201, body = PromotionWithUsageShape))
)]
pub(crate) async fn create(app: &App, call: &RequestContext) -> Outcome {
    let given: PromotionDto = call.json()?;
    let make = |fresh: PromotionId| {
        let id = given.id.or_else(|| Some(fresh.to_string()));
        let promotion = kept::read(PromotionDto { id, ..given }, app.currency())?;
        if promotion.id().as_str() == VALIDATE {
            return Err(Problem::invalid_at("/id", "reserved", "is the name of a route"));
        }
        Ok(promotion)
    };
    let guard = call.idempotency_guard(&made)?;
    guard.answer(app.engine.add_promotion(call.caller()?, make, guard.idempotency().as_ref()).await?)
}

/// A promotion with its usage.
#[utoipa::path(
    get, path = "/promos/{id}", tag = "promotions",
    params(("id" = PromotionIdSchema, Path)),
    responses((status = 200, body = PromotionWithUsageShape))
)]
pub(crate) async fn show(app: &App, call: &RequestContext) -> Outcome {
    let kept = app.engine.promotion(call.caller()?, &promotion_id(call)?).await?;
    Ok(written(&kept))
}

/// Changes a promotion with a JSON merge patch. Placed orders do not change.
#[utoipa::path(
    patch, path = "/promos/{id}", tag = "promotions",
    params(("id" = PromotionIdSchema, Path), IfMatch),
    request_body(content((PromotionPatch = "application/merge-patch+json"), (PromotionPatch = "application/json"))),
    responses((status = 200, body = PromotionWithUsageShape))
)]
pub(crate) async fn update(app: &App, call: &RequestContext) -> Outcome {
    let id = promotion_id(call)?;
    let target = call.target(&id)?;
    // All members of a promotion are optional, so a patch has the same form.
    kept::check_patch(call.json()?, app.currency())?;
    let patch: Value = call.json()?;
    let patched = |promotion: &Promotion| kept::patched(promotion, patch.clone());
    Ok(written(&app.engine.patch_promotion(call.caller()?, target, patched).await?))
}

/// Ends a promotion permanently. Its history and the discounts of orders do not change.
#[utoipa::path(
    delete, path = "/promos/{id}", tag = "promotions",
    params(("id" = PromotionIdSchema, Path), IfMatch),
    responses((status = 200, body = PromotionWithUsageShape, description = "The promotion, ended."))
)]
pub(crate) async fn end(app: &App, call: &RequestContext) -> Outcome {
    let id = promotion_id(call)?;
    unkeyed(app.engine.end_promotion(call.caller()?, call.target(&id)?, None).await?, written)
}

/// The redemptions of a promotion, newest first.
#[utoipa::path(
    get, path = "/promos/{id}/redemptions", tag = "promotions",
    params(("id" = PromotionIdSchema, Path), Paging),
    responses((status = 200, body = List<RedemptionShape<'_>>))
)]
pub(crate) async fn redemptions(app: &App, call: &RequestContext) -> Outcome {
    let page = page::asked::<OrderId>(&call.query()?, REDEMPTIONS)?;
    let found = app.engine.redemptions(call.caller()?, &promotion_id(call)?, &page).await?;
    Ok(Answer::ok(&List::part(REDEMPTIONS, &found, RedemptionShape::from)))
}

/// Shows what a code would do for the caller. Nothing is stored.
#[utoipa::path(
    post, path = "/promos/validate", tag = "promotions",
    request_body = CodeTrial,
    responses((status = 200, body = TriedCode<'_>))
)]
pub(crate) async fn validate(app: &App, call: &RequestContext) -> Outcome {
    let caller = call.caller()?;
    let (code, basket) = call.read(CodeTrial::read)?;
    app.quotas.codes.take(caller).await?;
    let check = app.engine.check_code(caller, &code, &basket).await?;
    telemetry::code_tried(check.rejected);
    if check.rejected.is_none() {
        app.quotas.codes.release(caller).await;
    }
    Ok(Answer::ok(&TriedCode::from(&check)))
}

fn promotion_id(call: &RequestContext) -> Result<PromotionId, Problem> {
    call.path_param("id", "promotion")
}

fn written(kept: &PromotionWithUsage) -> Answer {
    Answer::ok(&PromotionWithUsageShape::from(kept)).version(kept.record.version)
}

fn made(kept: &PromotionWithUsage) -> Answer {
    written(kept).created("promos", kept.record.id())
}
