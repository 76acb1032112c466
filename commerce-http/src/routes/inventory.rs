//! `/inventory`, and `/products/{id}/inventory`

use commerce_core::engine::EngineError;
use commerce_core::ids::Sku;
use commerce_core::stock::StockLevel;

use super::products;
use crate::answer::{Answer, Outcome};
use crate::app::App;
use crate::call::RequestContext;
use crate::dto::schema::{ProductIdSchema, SkuSchema};
use crate::dto::stock::{NewLevel, StockAdjustment, StockShape};
use crate::idempotency::{IdempotencyKeyHeader, unkeyed};
use crate::page::{self, List, Paging};
use crate::precondition::IfMatch;

const SKUS: &str = "skus";

/// Stock by SKU.
#[utoipa::path(
    get, path = "/inventory", tag = "inventory",
    params(("below_threshold" = Option<bool>, Query, description = "Only SKUs at or below their threshold."), Paging),
    responses((status = 200, body = List<StockShape<'_>>))
)]
pub(crate) async fn list(app: &App, call: &RequestContext) -> Outcome {
    let query = call.query()?;
    let page = page::asked::<Sku>(&query, SKUS)?;
    let low_only = query.flag("below_threshold")?.unwrap_or(false);
    let found = app.engine.stock_levels(call.caller()?, low_only, &page).await?;
    Ok(Answer::ok(&List::part(SKUS, &found, StockShape::from)))
}

/// The stock of a SKU.
#[utoipa::path(
    get, path = "/inventory/{sku}", tag = "inventory",
    params(("sku" = SkuSchema, Path)),
    responses((status = 200, body = StockShape<'_>))
)]
pub(crate) async fn show(app: &App, call: &RequestContext) -> Outcome {
    let level = app.engine.stock(call.caller()?, &call.path_param("sku", "stock")?).await?;
    Ok(written(&level))
}

/// The stock of every variant of a product.
#[utoipa::path(
    get, path = "/products/{id}/inventory", tag = "inventory",
    params(("id" = ProductIdSchema, Path)),
    responses((status = 200, body = List<StockShape<'_>>))
)]
pub(crate) async fn of_product(app: &App, call: &RequestContext) -> Outcome {
    let caller = call.caller()?;
    let product = app.engine.product(Some(caller), &products::product_id(call)?).await?;
    let mut levels = Vec::with_capacity(product.variants.len());
    for variant in product.variants {
        levels.push(match app.engine.stock(caller, &variant.sku).await {
            Err(EngineError::NotFound(_)) => StockLevel::empty(variant.sku),
            level => level?,
        });
    }
    Ok(Answer::ok(&List::whole(levels.iter().map(StockShape::from).collect())))
}

/// Sets the units on hand of a SKU.
#[utoipa::path(
    put, path = "/inventory/{sku}", tag = "inventory",
    params(("sku" = SkuSchema, Path), IfMatch),
    request_body = NewLevel,
    responses((status = 200, body = StockShape<'_>))
)]
pub(crate) async fn set(app: &App, call: &RequestContext) -> Outcome {
    let (caller, sku): (_, Sku) = (call.caller()?, call.chosen_id("sku")?);
    let target = call.target(&sku)?;
    let level: NewLevel = call.json()?;
    unkeyed(app.engine.move_stock(caller, target, level.into(), None).await?, written)
}

/// Adjusts the units on hand of a SKU, for example after a delivery.
#[utoipa::path(
    post, path = "/inventory/{sku}/adjustments", tag = "inventory",
    params(("sku" = SkuSchema, Path), IdempotencyKeyHeader, IfMatch),
    request_body = StockAdjustment,
    responses((status = 200, body = StockShape<'_>))
)]
pub(crate) async fn adjust(app: &App, call: &RequestContext) -> Outcome {
    let (caller, sku): (_, Sku) = (call.caller()?, call.chosen_id("sku")?);
    let target = call.target(&sku)?;
    let guard = call.idempotency_guard(&written)?;
    let action = call.read(StockAdjustment::read)?;
    guard.answer(app.engine.move_stock(caller, target, action, guard.idempotency().as_ref()).await?)
}

fn written(level: &StockLevel) -> Answer {
    Answer::ok(&StockShape::from(level)).version(level.version)
}
