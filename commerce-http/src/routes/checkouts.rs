//! `/checkouts`

use commerce_core::engine::CheckOut;

use super::orders;
use crate::answer::Outcome;
use crate::app::App;
use crate::call::Call;
use crate::idempotency::RequiredIdempotencyKey;
use crate::shape::order::OrderShape;
use crate::shape::placing::CheckOutShape;

/// Orders the caller's cart.
#[utoipa::path(
    post, path = "/checkouts", tag = "orders",
    params(RequiredIdempotencyKey),
    request_body = CheckOutShape,
    responses((status = 201, body = OrderShape<'_>, description = "The order, with its payment."))
)]
pub(crate) async fn create(app: &App, call: &Call) -> Outcome {
    let caller = call.caller()?;
    let ticket = call.keyed_ticket(&orders::placed)?;
    let request: CheckOut = call.json()?;
    let once = ticket.once();
    orders::place(app, caller, &ticket, app.engine.check_out(caller, &request, once.as_ref())).await
}
