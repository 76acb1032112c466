//! `/payments`

use commerce_core::ids::PaymentId;
use commerce_core::order::{Command, Order};
use commerce_core::port::OrderRef;
use http::StatusCode;

use crate::answer::{Answer, Outcome};
use crate::app::App;
use crate::call::Call;
use crate::dto::payment::{Confirmation, NewRefund, PaymentShape};
use crate::idempotency::IdempotencyKey;
use crate::problem::Problem;

/// The most characters of a processor's token.
const MAX_TOKEN: usize = 255;

/// The payment of an order.
#[utoipa::path(
    get, path = "/payments/{id}", tag = "payments",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = PaymentShape<'_>))
)]
pub(crate) async fn show(app: &App, call: &Call) -> Outcome {
    let order = app.engine.order(call.caller()?, &OrderRef::Payment(payment_id(call)?)).await?;
    Ok(written(&order))
}

/// Captures a payment. A declined one is answered with its status `failed`, and can be tried again.
#[utoipa::path(
    post, path = "/payments/{id}/confirm", tag = "payments",
    params(("id" = uuid::Uuid, Path), IdempotencyKey),
    request_body = Confirmation,
    responses((status = 200, body = PaymentShape<'_>))
)]
pub(crate) async fn confirm(app: &App, call: &Call) -> Outcome {
    let (caller, id) = (call.caller()?, payment_id(call)?);
    let ticket = call.ticket(&written)?;
    let Confirmation { token } = call.json()?;
    if token.is_empty() || token.chars().nth(MAX_TOKEN).is_some() {
        return Err(Problem::invalid_at("/token", "out_of_range", format_args!("has 1 to {MAX_TOKEN} characters")));
    }
    let reply = app.engine.confirm_payment(caller, id, token, ticket.once().as_ref()).await?;
    ticket.answer(reply)
}

/// Pays money back without goods.
#[utoipa::path(
    post, path = "/payments/{id}/refunds", tag = "payments",
    params(("id" = uuid::Uuid, Path), IdempotencyKey),
    request_body = NewRefund,
    responses((status = 201, body = PaymentShape<'_>, description = "The payment, with the refund among its refunds."))
)]
pub(crate) async fn refund(app: &App, call: &Call) -> Outcome {
    let (caller, which) = (call.caller()?, OrderRef::Payment(payment_id(call)?));
    let ticket = call.ticket(&refunded)?;
    let NewRefund { amount, reason } = call.json()?;
    let currency = app.engine.settings().currency;
    let amount = amount.map(|amount| amount.in_currency(currency)).transpose();
    let amount = amount.map_err(|error| Problem::invalid_at("/amount", "invalid_amount", error))?;
    let command = Command::Refund { amount, reason: Some(reason) };
    let reply = app.engine.command(caller, (&which, None), command, ticket.once().as_ref()).await?;
    ticket.answer(reply)
}

fn payment_id(call: &Call) -> Result<PaymentId, Problem> {
    call.name("id", "payment")
}

fn written(order: &Order) -> Answer {
    Answer::ok(&PaymentShape::from(order)).about(order.id)
}

fn refunded(order: &Order) -> Answer {
    Answer { status: StatusCode::CREATED, ..written(order) }
}
