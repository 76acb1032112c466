//! `/carts`

use commerce_core::engine::{CartView, ItemQuantity, NewItem as NewUnits, OpenedCart, Target};
use commerce_core::ids::CartId;
use http::StatusCode;
use serde::Deserialize;

use crate::answer::{Answer, Outcome};
use crate::app::App;
use crate::call::RequestContext;
use crate::dto::cart::{CartShape, NewItem, NewQuantity};
use crate::idempotency::{IdempotencyKeyHeader, unkeyed};
use crate::precondition::IfMatch;
use crate::problem::Problem;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// The caller's active cart, made if there is none.
#[utoipa::path(
    post, path = "/carts", tag = "carts",
    params(IdempotencyKeyHeader),
    responses((status = 201, body = CartShape<'_>, description = "The cart was made."),
              (status = 200, body = CartShape<'_>, description = "The cart was there."))
)]
pub(crate) async fn open(app: &App, call: &RequestContext) -> Outcome {
    let caller = call.caller()?;
    call.read_or_default(|_: Nothing, _| Some(()))?;
    let guard = call.idempotency_guard(&opened)?;
    let reply = app.engine.open_cart(caller, guard.idempotency().as_ref()).await?;
    guard.answer(reply)
}

/// A cart with its quote at current prices.
#[utoipa::path(
    get, path = "/carts/{id}", tag = "carts",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = CartShape<'_>))
)]
pub(crate) async fn show(app: &App, call: &RequestContext) -> Outcome {
    let view = app.engine.cart(call.caller()?, cart_id(call)?).await?;
    Ok(written(&view))
}

/// Adds units of a sku to a cart; the same sku adds up.
#[utoipa::path(
    post, path = "/carts/{id}/items", tag = "carts",
    params(("id" = uuid::Uuid, Path), IdempotencyKeyHeader, IfMatch),
    request_body = NewItem,
    responses((status = 200, body = CartShape<'_>))
)]
pub(crate) async fn add_item(app: &App, call: &RequestContext) -> Outcome {
    let (caller, cart) = (call.caller()?, target(call)?);
    let guard = call.idempotency_guard(&written)?;
    let (sku, quantity) = call.read(NewItem::read)?;
    let reply = app.engine.add_item(caller, cart, NewUnits { sku, quantity }, guard.idempotency().as_ref()).await?;
    guard.answer(reply)
}

/// Sets the units of a line of a cart; 0 removes the line.
#[utoipa::path(
    patch, path = "/carts/{id}/items/{item_id}", tag = "carts",
    params(("id" = uuid::Uuid, Path), ("item_id" = uuid::Uuid, Path), IfMatch),
    request_body = NewQuantity,
    responses((status = 200, body = CartShape<'_>))
)]
pub(crate) async fn set_quantity(app: &App, call: &RequestContext) -> Outcome {
    let (caller, cart) = (call.caller()?, target(call)?);
    let item = call.path_param("item_id", "cart item")?;
    let quantity = call.read(NewQuantity::read)?;
    let reply = app.engine.set_quantity(caller, cart, ItemQuantity { item, quantity }, None).await?;
    unkeyed(reply, written)
}

/// Removes a line of a cart.
#[utoipa::path(
    delete, path = "/carts/{id}/items/{item_id}", tag = "carts",
    params(("id" = uuid::Uuid, Path), ("item_id" = uuid::Uuid, Path), IfMatch),
    responses((status = 204))
)]
pub(crate) async fn remove_item(app: &App, call: &RequestContext) -> Outcome {
    let (caller, cart) = (call.caller()?, target(call)?);
    let item = call.path_param("item_id", "cart item")?;
    let reply = app.engine.set_quantity(caller, cart, ItemQuantity { item, quantity: None }, None).await?;
    unkeyed(reply, changed)
}

pub(super) fn cart_id(call: &RequestContext) -> Result<CartId, Problem> {
    call.path_param("id", "cart")
}

/// The cart in the path, as the caller expects it.
pub(super) fn target(call: &RequestContext) -> Result<Target<CartId>, Problem> {
    call.target(cart_id(call)?)
}

/// The cart has changed, and that is all there is to say.
pub(super) fn changed(view: &CartView) -> Answer {
    Answer::empty(StatusCode::NO_CONTENT).version(view.cart.version)
}

fn written(view: &CartView) -> Answer {
    Answer::ok(&CartShape::from(view)).version(view.cart.version)
}

fn opened(opened: &OpenedCart) -> Answer {
    let answer = written(&opened.view);
    if opened.is_new { answer.created("carts", opened.view.cart.id) } else { answer }
}
