//! `/carts`

use commerce_core::actor::Actor;
use commerce_core::cart::CartChange;
use commerce_core::document::DocumentFilter;
use commerce_core::engine::{CartView, OpenedCart, Target};
use commerce_core::ids::CartId;
use http::StatusCode;

use crate::answer::{Answer, Outcome};
use crate::app::App;
use crate::call::RequestContext;
use crate::dto::cart::{CartPatch, CartShape, ItemPatch, NewCart, NewItem};
use crate::idempotency::{IdempotencyKeyHeader, unkeyed};
use crate::page::{self, List, Listing, MetadataFilter, Paging};
use crate::precondition::IfMatch;
use crate::problem::Problem;
use crate::turns::Turn;

const CARTS: &str = "carts";

/// The caller's active cart. Created with the metadata if there is none.
#[utoipa::path(
    post, path = "/carts", tag = "carts",
    params(IdempotencyKeyHeader),
    request_body(content = Option<NewCart>),
    responses((status = 201, body = CartShape<'_>, description = "The cart was created."),
              (status = 200, body = CartShape<'_>, description = "The cart exists already."))
)]
pub(crate) async fn open(app: &App, call: &RequestContext) -> Outcome {
    let caller = call.caller()?;
    let metadata = call.read_or_default(NewCart::read)?;
    let guard = call.idempotency_guard(&opened)?;
    guard.answer(app.engine.open_cart(caller, &metadata, guard.idempotency().as_ref()).await?)
}

/// A cart with its quote at current prices.
#[utoipa::path(
    get, path = "/carts/{id}", tag = "carts",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = CartShape<'_>))
)]
pub(crate) async fn show(app: &App, call: &RequestContext) -> Outcome {
    let view = app.engine.cart(call.caller()?, call.path_param("id", "cart")?).await?;
    Ok(written(&view))
}

/// The carts of the shop, oldest first, without their quotes; for staff.
#[utoipa::path(
    get, path = "/carts", tag = "carts",
    params(MetadataFilter, Paging),
    responses((status = 200, body = List<CartShape<'_>>))
)]
pub(crate) async fn list(app: &App, call: &RequestContext) -> Outcome {
    let query = call.query()?;
    let page = page::asked::<String>(&query, CARTS)?;
    let (caller, filter) = (call.caller()?, DocumentFilter::all_of(query.metadata()?));
    let mut list = Listing::new(call, CARTS, page).await?;
    while let Some(page) = list.request() {
        let found = app.engine.carts(caller, &filter, &page).await?;
        list.add(&found, |cart| cart.id.to_string(), |entries, cart| entries.push(&CartShape::from(cart)));
    }
    Ok(list.answer())
}

/// Changes a cart with a JSON merge patch.
#[utoipa::path(
    patch, path = "/carts/{id}", tag = "carts",
    params(("id" = uuid::Uuid, Path), IfMatch),
    request_body(content((CartPatch = "application/merge-patch+json"), (CartPatch = "application/json"))),
    responses((status = 200, body = CartShape<'_>))
)]
pub(crate) async fn update(app: &App, call: &RequestContext) -> Outcome {
    let (caller, cart, _turn) = change(app, call).await?;
    let patch = call.read(CartPatch::read)?;
    unkeyed(app.engine.change_cart(caller, cart, &CartChange::Metadata(patch), None).await?, written)
}

/// Adds units of a SKU to a cart.
#[utoipa::path(
    post, path = "/carts/{id}/items", tag = "carts",
    params(("id" = uuid::Uuid, Path), IdempotencyKeyHeader, IfMatch),
    request_body = NewItem,
    responses((status = 200, body = CartShape<'_>))
)]
pub(crate) async fn add_item(app: &App, call: &RequestContext) -> Outcome {
    let (caller, cart, _turn) = change(app, call).await?;
    let guard = call.idempotency_guard(&written)?;
    let item = call.read(NewItem::read)?;
    guard.answer(app.engine.add_item(caller, cart, item, guard.idempotency().as_ref()).await?)
}

/// Accepts today's prices. A checkout refuses lines that cost more than was accepted (409 `price_changed`).
#[utoipa::path(
    post, path = "/carts/{id}/refresh", tag = "carts",
    params(("id" = uuid::Uuid, Path), IdempotencyKeyHeader, IfMatch),
    responses((status = 200, body = CartShape<'_>))
)]
pub(crate) async fn refresh(app: &App, call: &RequestContext) -> Outcome {
    let (caller, cart, _turn) = change(app, call).await?;
    let guard = call.idempotency_guard(&written)?;
    guard.answer(app.engine.refresh_cart(caller, cart, guard.idempotency().as_ref()).await?)
}

/// Changes a line of a cart with a JSON merge patch; 0 units remove it.
#[utoipa::path(
    patch, path = "/carts/{id}/items/{item_id}", tag = "carts",
    params(("id" = uuid::Uuid, Path), ("item_id" = uuid::Uuid, Path), IfMatch),
    request_body(content((ItemPatch = "application/merge-patch+json"), (ItemPatch = "application/json"))),
    responses((status = 200, body = CartShape<'_>))
)]
pub(crate) async fn change_item(app: &App, call: &RequestContext) -> Outcome {
    let (caller, cart, _turn) = change(app, call).await?;
    let item = call.path_param("item_id", "cart item")?;
    let change = call.read(|patch: ItemPatch, reader| patch.read(reader, item))?;
    unkeyed(app.engine.change_cart(caller, cart, &change, None).await?, written)
}

/// Removes a line of a cart.
#[utoipa::path(
    delete, path = "/carts/{id}/items/{item_id}", tag = "carts",
    params(("id" = uuid::Uuid, Path), ("item_id" = uuid::Uuid, Path), IfMatch),
    responses((status = 204))
)]
pub(crate) async fn remove_item(app: &App, call: &RequestContext) -> Outcome {
    let (caller, cart, _turn) = change(app, call).await?;
    let item = call.path_param("item_id", "cart item")?;
    unkeyed(app.engine.change_cart(caller, cart, &CartChange::RemoveItem(item), None).await?, changed)
}

/// A change of the cart in the path: the caller, the cart with the condition in the headers, and the turn of the request.
pub(super) async fn change<'c>(
    app: &App,
    call: &'c RequestContext,
) -> Result<(&'c Actor, Target<CartId>, Option<Turn>), Problem> {
    let (caller, cart) = (call.caller()?, call.target(call.path_param("id", "cart")?)?);
    Ok((caller, cart, app.turns.take(caller).await))
}

/// The answer to a change of a cart.
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
