//! `/carts/{id}/promotions`

use commerce_core::cart::CartChange;
use commerce_core::engine::CartView;

use super::carts;
use crate::answer::{Answer, Outcome};
use crate::app::App;
use crate::call::RequestContext;
use crate::dto::code::{GivenCode, NewCode};
use crate::dto::schema::CodeSchema;
use crate::idempotency::{IdempotencyKeyHeader, unkeyed};
use crate::precondition::IfMatch;
use crate::telemetry;

/// Adds a promotion code to a cart. A code that is not valid yet stays in the cart, because it may become valid.
#[utoipa::path(
    post, path = "/carts/{id}/promotions", tag = "carts",
    params(("id" = uuid::Uuid, Path), IdempotencyKeyHeader, IfMatch),
    request_body = NewCode,
    responses((status = 200, body = GivenCode<'_>))
)]
pub(crate) async fn add(app: &App, call: &RequestContext) -> Outcome {
    let (caller, cart, _turn) = carts::change(app, call).await?;
    let code = call.read(NewCode::read)?;
    let given = code.clone();
    let checked = move |view: &CartView| Answer::ok(&GivenCode::of(&given, &view.quote)).version(view.cart.version);
    let is_futile = |view: &CartView| {
        let rejection = view.quote.rejection(code.as_str());
        telemetry::code_tried(rejection);
        rejection.is_some()
    };
    let (guard, change) = (call.idempotency_guard(&checked)?, CartChange::AddCode(code.clone()));
    let key = guard.idempotency();
    let reply = app.engine.change_cart(caller, cart, &change, key.as_ref());
    guard.answer(app.quotas.codes.within((&app.engine, caller), &guard, reply, is_futile).await?)
}

/// Removes a promotion code from a cart.
#[utoipa::path(
    delete, path = "/carts/{id}/promotions/{code}", tag = "carts",
    params(("id" = uuid::Uuid, Path), ("code" = CodeSchema, Path), IfMatch),
    responses((status = 204))
)]
pub(crate) async fn remove(app: &App, call: &RequestContext) -> Outcome {
    let (caller, cart, _turn) = carts::change(app, call).await?;
    let code = call.path_param("code", "code")?;
    unkeyed(app.engine.change_cart(caller, cart, &CartChange::RemoveCode(code), None).await?, carts::changed)
}
