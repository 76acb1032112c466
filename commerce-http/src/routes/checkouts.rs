//! `/checkouts`

use super::orders;
use crate::answer::Outcome;
use crate::app::App;
use crate::call::RequestContext;
use crate::dto::order::OrderShape;
use crate::dto::placing::NewCheckOut;
use crate::idempotency::RequiredIdempotencyKeyHeader;

/// Orders the caller's cart.
#[utoipa::path(
    post, path = "/checkouts", tag = "orders",
    params(RequiredIdempotencyKeyHeader),
    request_body = NewCheckOut,
    responses((status = 201, body = OrderShape<'_>, description = "The order, with its payment."))
)]
pub(crate) async fn create(app: &App, call: &RequestContext) -> Outcome {
    let caller = call.caller()?;
    let guard = call.required_idempotency_guard(&orders::placed)?;
    let request = call.read(NewCheckOut::read)?;
    let idempotency = guard.idempotency();
    orders::place(app, caller, &guard, app.engine.checkout(caller, &request, idempotency.as_ref())).await
}
