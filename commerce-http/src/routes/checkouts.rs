//! `/checkouts`

use commerce_core::engine::CheckOut;

use super::orders;
use crate::answer::Outcome;
use crate::app::App;
use crate::call::Call;
use crate::dto::order::OrderShape;
use crate::dto::placing::CheckOutShape;
use crate::idempotency::RequiredIdempotencyKey;

/// Orders the caller's cart.
#[utoipa::path(
    post, path = "/checkouts", tag = "orders",
    params(RequiredIdempotencyKey),
    request_body = CheckOutShape,
    responses((status = 201, body = OrderShape<'_>, description = "The order, with its payment."))
)]
pub(crate) async fn create(app: &App, call: &Call) -> Outcome {
    let caller = call.caller()?;
    app.quota.take(caller)?;
    let ticket = call.keyed_ticket(&orders::placed)?;
    let request: CheckOut = call.json()?;
    let reply = app.engine.check_out(caller, &request, ticket.once().as_ref()).await?;
    orders::count(&reply);
    ticket.answer(reply)
}
