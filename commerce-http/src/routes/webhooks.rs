//! `/webhooks`

use commerce_core::engine::EngineError;
use commerce_core::ids::EventId;
use commerce_core::port::Webhook;
use http::StatusCode;

use crate::answer::{Answer, Outcome};
use crate::app::App;
use crate::call::RequestContext;
use crate::dto::schema::ReceivedStateSchema;
use crate::dto::webhook::ReceivedEventShape;
use crate::page::{self, List, Paging};
use crate::telemetry;

/// The processor of webhooks whose path names none.
const DEFAULT: &str = "remote";
const EVENTS: &str = "events";

/// Takes a webhook of a payment processor. It is verified and stored, and what follows from it is done afterwards. A repeated webhook
/// changes nothing. An event about nothing that the shop knows is tried again later.
#[utoipa::path(
    post, path = "/webhooks/payments/{processor}", tag = "payments",
    params(
        ("processor" = String, Path, example = "stripe"),
        ("Stripe-Signature" = Option<String>, Header, description = "The signature of the body, by `stripe`."),
        ("Payment-Signature" = Option<String>, Header, description = "The signature of the body, by `remote`.")
    ),
    request_body(content = serde_json::Value, description = "As the processor sends it. At most 64 KiB."),
    responses((status = 204, description = "It is stored."))
)]
pub(crate) async fn receive(app: &App, call: &RequestContext) -> Outcome {
    receive_from(app, call, call.param("processor")).await
}

/// Takes a webhook of the payment service of the house, the processor `remote`.
#[utoipa::path(
    post, path = "/webhooks/payments", tag = "payments",
    params(("Payment-Signature" = Option<String>, Header, description = "The signature of the body.")),
    request_body(content = serde_json::Value, description = "As the service sends it. At most 64 KiB."),
    responses((status = 204, description = "It is stored."))
)]
pub(crate) async fn receive_remote(app: &App, call: &RequestContext) -> Outcome {
    receive_from(app, call, DEFAULT).await
}

async fn receive_from(app: &App, call: &RequestContext, processor: &str) -> Outcome {
    let named = call.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let headers: Vec<_> = named.collect();
    let webhook = Webhook { headers: &headers, body: &call.body, at: app.engine.now() };
    let received = app.engine.receive_webhook(processor, &webhook).await;
    telemetry::note_webhook(received.as_ref().err());
    match received {
        Ok(()) => Ok(Answer::empty(StatusCode::NO_CONTENT)),
        Err(refused @ EngineError::Webhook(_)) => {
            Err(app.quotas.signatures.refuse(call.parts.extensions.get(), refused.into()).await)
        }
        Err(error) => Err(error.into()),
    }
}

/// The events that payment processors sent or listed, by id; for staff.
#[utoipa::path(
    get, path = "/webhooks/events", tag = "payments",
    params(("state" = Option<ReceivedStateSchema>, Query, description = "Only events in this state."), Paging),
    responses((status = 200, body = List<ReceivedEventShape<'_>>))
)]
pub(crate) async fn events(app: &App, call: &RequestContext) -> Outcome {
    let query = call.query()?;
    let (page, state) = (page::asked::<String>(&query, EVENTS)?, query.word("state")?);
    let found = app.engine.received_events(call.caller()?, state, &page).await?;
    Ok(Answer::ok(&List::part(EVENTS, &found, ReceivedEventShape::from)))
}

/// Tries again what an unmatched event is about, as often as a new one; for admins. No effect on other events.
#[utoipa::path(
    post, path = "/webhooks/events/{id}/retry", tag = "payments",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 204))
)]
pub(crate) async fn retry(app: &App, call: &RequestContext) -> Outcome {
    let id: EventId = call.path_param("id", "event")?;
    app.engine.retry_event(call.caller()?, id).await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}
