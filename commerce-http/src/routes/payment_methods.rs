//! `/payment-methods`

use commerce_core::engine::{Reply, StartedSetup};
use commerce_core::ids::{PaymentMethodId, UserId};
use commerce_core::payment::SavedMethod;
use commerce_core::port::ClientSecret;
use http::StatusCode;
use serde::Deserialize;

use super::payments::revealing;
use crate::answer::{Answer, Outcome};
use crate::app::App;
use crate::call::RequestContext;
use crate::dto::payment_method::{NewPaymentMethod, SavedMethodShape};
use crate::dto::schema::UserIdSchema;
use crate::idempotency::IdempotencyKeyHeader;
use crate::page::{self, List, Listing, Paging};
use crate::problem::Problem;

const METHODS: &str = "payment-methods";

/// Saves a means of payment of the caller.
#[utoipa::path(
    post, path = "/payment-methods", tag = "payments",
    params(IdempotencyKeyHeader),
    request_body = NewPaymentMethod,
    responses((status = 201, body = SavedMethodShape<'_>))
)]
pub(crate) async fn create(app: &App, call: &RequestContext) -> Outcome {
    let caller = call.caller()?;
    let guard = call.idempotency_guard(&saved)?;
    let token = call.read(NewPaymentMethod::read)?;
    let reply = app.engine.save_method(caller, token, guard.idempotency().as_ref()).await?;
    if let Reply::Fresh(started) = &reply {
        let secret = started.client_secret.clone();
        return Ok(with_secret(guard.answer(reply)?, secret.as_ref()));
    }
    let answer = guard.answer(reply)?;
    let Saved { id } = serde_json::from_slice(&answer.body).map_err(|damage| Problem::internal().caused_by(damage))?;
    let today = app.engine.saved_method(caller, id).await;
    Ok(with_secret(answer, today.ok().and_then(|(_, secret)| secret).as_ref()))
}

fn with_secret(answer: Answer, secret: Option<&ClientSecret>) -> Answer {
    if secret.is_some() { revealing(answer, secret) } else { answer }
}

/// What a recorded answer is about.
#[derive(Deserialize)]
struct Saved {
    id: PaymentMethodId,
}

/// Saved means of payment by id, so the oldest first. Customers see their own.
#[utoipa::path(
    get, path = "/payment-methods", tag = "payments",
    params(("user_id" = Option<UserIdSchema>, Query, description = "Those of this customer. Default: the caller's."), Paging),
    responses((status = 200, body = List<SavedMethodShape<'_>>))
)]
pub(crate) async fn list(app: &App, call: &RequestContext) -> Outcome {
    let query = call.query()?;
    let page = page::asked::<String>(&query, METHODS)?;
    let (caller, user) = (call.caller()?, query.get::<UserId>("user_id")?);
    let mut list = Listing::new(call, METHODS, page).await?;
    while let Some(page) = list.request() {
        let found = app.engine.saved_methods(caller, user.as_ref(), &page).await?;
        list.add(
            &found,
            |method| method.id.to_string(),
            |entries, method| entries.push(&SavedMethodShape::from(method)),
        );
    }
    Ok(list.answer())
}

/// A saved means of payment.
#[utoipa::path(
    get, path = "/payment-methods/{id}", tag = "payments",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = SavedMethodShape<'_>))
)]
pub(crate) async fn show(app: &App, call: &RequestContext) -> Outcome {
    let (method, secret) = app.engine.saved_method(call.caller()?, method_id(call)?).await?;
    Ok(with_secret(written(&method), secret.as_ref()))
}

/// Deletes a saved means of payment. The processor forgets it.
#[utoipa::path(
    delete, path = "/payment-methods/{id}", tag = "payments",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 204))
)]
pub(crate) async fn delete(app: &App, call: &RequestContext) -> Outcome {
    app.engine.delete_method(call.caller()?, method_id(call)?).await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

fn method_id(call: &RequestContext) -> Result<PaymentMethodId, Problem> {
    call.path_param("id", "payment method")
}

fn saved(started: &StartedSetup) -> Answer {
    written(&started.method).created(METHODS, started.method.id)
}

fn written(method: &SavedMethod) -> Answer {
    Answer::ok(&SavedMethodShape::from(method))
}
