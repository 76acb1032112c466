//! `/payments`

use std::time::Duration;

use commerce_core::actor::Actor;
use commerce_core::engine::PaymentView;
use commerce_core::ids::PaymentId;
use commerce_core::order::Order;
use commerce_core::port::ClientSecret;
use http::StatusCode;

use crate::answer::{Answer, Outcome};
use crate::app::App;
use crate::call::RequestContext;
use crate::dto::payment::{Confirmation, NewRefund, PaymentShape};
use crate::idempotency::IdempotencyKeyHeader;
use crate::problem::Problem;

/// How long an answer waits for a payment to be opened.
const OPEN_WITHIN: Duration = Duration::from_secs(2);

/// The payment of an order.
#[utoipa::path(
    get, path = "/payments/{id}", tag = "payments",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = PaymentShape<'_>))
)]
pub(crate) async fn show(app: &App, call: &RequestContext) -> Outcome {
    let caller = call.caller()?;
    let view = app.engine.payment(caller, payment_id(call)?).await?;
    let secret = client_secret(app, caller, &view.order).await;
    Ok(answer(&view, &PaymentShape::with_secret(&view, secret.as_ref())))
}

/// The secret with which an order can be paid. What takes longer than [`OPEN_WITHIN`] is done by a task.
pub(super) async fn client_secret(app: &App, caller: &Actor, order: &Order) -> Option<ClientSecret> {
    match tokio::time::timeout(OPEN_WITHIN, app.engine.client_secret(caller, order)).await {
        Ok(Ok(secret)) => secret,
        Ok(Err(error)) => {
            tracing::warn!(order = %order.id, %error, "the payment could not be opened yet");
            None
        }
        Err(_) => {
            tracing::warn!(order = %order.id, "the payment processor takes long to open the payment");
            None
        }
    }
}

/// Pays with a token. A declined payment has the status `failed` and can be tried again. If its last operation is `pending`, the
/// customer has to act (`next_action`), or a bank. Without an answer of the processor, the payment is asked about until it ends;
/// a repeated confirmation repeats the same operation.
#[utoipa::path(
    post, path = "/payments/{id}/confirm", tag = "payments",
    params(("id" = uuid::Uuid, Path), IdempotencyKeyHeader),
    request_body = Confirmation,
    responses((status = 200, body = PaymentShape<'_>))
)]
pub(crate) async fn confirm(app: &App, call: &RequestContext) -> Outcome {
    let (caller, id) = (call.caller()?, payment_id(call)?);
    let guard = call.idempotency_guard(&written)?;
    let token = call.read(Confirmation::read)?;
    guard.answer(app.engine.confirm_payment(caller, id, token, guard.idempotency().as_ref()).await?)
}

/// Refunds money without a return.
#[utoipa::path(
    post, path = "/payments/{id}/refunds", tag = "payments",
    params(("id" = uuid::Uuid, Path), IdempotencyKeyHeader),
    request_body = NewRefund,
    responses((status = 201, body = PaymentShape<'_>, description = "The payment, with the refund among its refunds."))
)]
pub(crate) async fn refund(app: &App, call: &RequestContext) -> Outcome {
    let (caller, id) = (call.caller()?, payment_id(call)?);
    let guard = call.idempotency_guard(&refunded)?;
    let wanted = call.read(|new: NewRefund, reader| new.read(reader, app.currency()))?;
    guard.answer(app.engine.refund_payment(caller, id, wanted, guard.idempotency().as_ref()).await?)
}

fn payment_id(call: &RequestContext) -> Result<PaymentId, Problem> {
    call.path_param("id", "payment")
}

fn written(view: &PaymentView) -> Answer {
    answer(view, &PaymentShape::from(view))
}

fn answer(view: &PaymentView, shape: &PaymentShape<'_>) -> Answer {
    Answer::ok(shape).about(view.order.id)
}

fn refunded(view: &PaymentView) -> Answer {
    Answer { status: StatusCode::CREATED, ..written(view) }
}
