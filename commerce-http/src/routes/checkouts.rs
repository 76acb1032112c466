//! `/checkouts`

use commerce_core::engine::CheckoutRequest;

use super::orders;
use crate::answer::Outcome;
use crate::app::App;
use crate::call::RequestContext;
use crate::idempotency::RequiredIdempotencyKeyHeader;
use crate::shape::order::OrderShape;
use crate::shape::placing::CheckOutShape;

/// Orders the caller's cart.
#[utoipa::path(
    post, path = "/checkouts", tag = "orders",
    params(RequiredIdempotencyKeyHeader),
    request_body = CheckOutShape,
    responses((status = 201, body = OrderShape<'_>, description = "The order, with its payment."))
)]
pub(crate) async fn create(app: &App, call: &RequestContext) -> Outcome {
    let caller = call.caller()?;
    let guard = call.required_idempotency_guard(&orders::placed)?;
    let request: CheckoutRequest = call.json()?;
    let idempotency = guard.idempotency();
    orders::place(app, caller, &guard, app.engine.checkout(caller, &request, idempotency.as_ref())).await
}
