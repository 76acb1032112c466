//! `/payments`

use std::time::Duration;

use commerce_core::actor::Actor;
use commerce_core::engine::{PaymentFilter, PaymentView, StartedPayment};
use commerce_core::ids::PaymentId;
use commerce_core::order::Order;
use commerce_core::port::{ClientSecret, OrderRef};
use http::StatusCode;
use serde_json::{Map, Value};

use crate::answer::{Answer, Outcome};
use crate::app::App;
use crate::call::RequestContext;
use crate::dto::evidence::EvidenceShape;
use crate::dto::payment::{Confirmation, Means, NewPayment, NewRefund, PaymentShape};
use crate::dto::schema::UserIdSchema;
use crate::idempotency::IdempotencyKeyHeader;
use crate::page::{self, List, Listing, Paging};
use crate::problem::Problem;

const PAYMENTS: &str = "payments";
/// How long an answer waits for a payment to be opened.
const OPEN_WITHIN: Duration = Duration::from_secs(2);

/// Starts an attempt to pay an order. One that is under way is answered with status 200.
#[utoipa::path(
    post, path = "/payments", tag = "payments",
    params(IdempotencyKeyHeader),
    request_body = NewPayment,
    responses((status = 200, body = PaymentShape<'_>), (status = 201, body = PaymentShape<'_>))
)]
pub(crate) async fn create(app: &App, call: &RequestContext) -> Outcome {
    let caller = call.caller()?;
    let guard = call.idempotency_guard(&started)?;
    let (order, method) = call.read(NewPayment::read)?;
    let reply = app.engine.start_payment(caller, order, method, guard.idempotency().as_ref()).await?;
    let answer = guard.answer(reply)?;
    let order = app.engine.order(caller, &OrderRef::Id(order)).await?;
    Ok(revealing(answer, client_secret(app, caller, &order).await.as_ref()))
}

/// Adds the secret of today to an answer that was recorded without it.
pub(super) fn revealing(answer: Answer, secret: Option<&ClientSecret>) -> Answer {
    let mut body: Map<String, Value> = serde_json::from_slice(&answer.body).unwrap_or_default();
    body.insert("client_secret".to_owned(), secret.map(ClientSecret::reveal).into());
    Answer { body: Value::Object(body).to_string().into(), ..answer }
}

/// Payments by id, so the oldest first. Customers see their own. A payment is listed once it was opened, or something was done with
/// it; that of `order_id` always.
#[utoipa::path(
    get, path = "/payments", tag = "payments",
    params(("order_id" = Option<uuid::Uuid>, Query, description = "Only the payment of this order."),
           ("user_id" = Option<UserIdSchema>, Query, description = "Only of this customer."),
           ("reference" = Option<String>, Query, description = "Only with this id at the processor. For staff."), Paging),
    responses((status = 200, body = List<PaymentShape<'_>>))
)]
pub(crate) async fn list(app: &App, call: &RequestContext) -> Outcome {
    let query = call.query()?;
    let page = page::asked::<String>(&query, PAYMENTS)?;
    let (order, user, reference) = (query.get("order_id")?, query.get("user_id")?, query.get("reference")?);
    let (caller, filter) = (call.caller()?, PaymentFilter { order, user, reference });
    let mut list = Listing::new(call, PAYMENTS, page).await?;
    while let Some(page) = list.request() {
        let found = app.engine.payments(caller, filter.clone(), &page).await?;
        list.add(
            &found,
            |view| view.order.payment.id.to_string(),
            |entries, view| entries.push(&PaymentShape::from(view)),
        );
    }
    Ok(list.answer())
}

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

/// Pays with a token or a saved means of payment. A declined payment has the status `failed` and can be tried again. If its last operation is `pending`, the
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
    let means = call.read(Confirmation::read)?;
    let key = guard.idempotency();
    guard.answer(match means {
        Means::Token(token) => app.engine.confirm_payment(caller, id, token, key.as_ref()).await?,
        Means::Saved(method) => app.engine.confirm_with_saved(caller, id, method, key.as_ref()).await?,
    })
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

/// What the shop knows of a payment and its order, to answer a dispute; for staff.
#[utoipa::path(
    get, path = "/payments/{id}/evidence", tag = "payments",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = EvidenceShape<'_>))
)]
pub(crate) async fn evidence(app: &App, call: &RequestContext) -> Outcome {
    let evidence = app.engine.payment_evidence(call.caller()?, payment_id(call)?).await?;
    Ok(Answer::ok(&EvidenceShape::from(&evidence)).about(evidence.view.order.id))
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

fn started(started: &StartedPayment) -> Answer {
    let StartedPayment { view, is_new } = started;
    let answer = written(view);
    if *is_new { answer.created("payments", view.order.payment.id) } else { answer }
}

fn refunded(view: &PaymentView) -> Answer {
    Answer { status: StatusCode::CREATED, ..written(view) }
}
