//! `/webhook-endpoints`

use std::time::Duration;

use commerce_core::actor::Actor;
use commerce_core::ids::WebhookEndpointId;
use commerce_core::webhook::WebhookEndpoint;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::events;
use crate::answer::{Answer, Outcome};
use crate::app::App;
use crate::call::RequestContext;
use crate::dto::webhook_endpoint::{
    DeliveryShape, NewWebhookEndpoint, WebhookEndpointChange, WebhookEndpointShape, WebhookReplay, test_event,
};
use crate::idempotency::{IdempotencyKeyHeader, unkeyed};
use crate::page::{self, List, Listing, Paging};
use crate::precondition::IfMatch;
use crate::problem::Problem;

/// How long a test may wait for the endpoint.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(30);
const ENDPOINTS: &str = "webhook-endpoints";
const DELIVERIES: &str = "webhook-deliveries";

/// Endpoints of webhooks by id, so the oldest first.
#[utoipa::path(
    get, path = "/webhook-endpoints", tag = "webhooks",
    params(Paging),
    responses((status = 200, body = List<WebhookEndpointShape<'_>>))
)]
pub(crate) async fn list(app: &App, call: &RequestContext) -> Outcome {
    let page = page::asked::<String>(&call.query()?, ENDPOINTS)?;
    let caller = call.caller()?;
    let mut list = Listing::new(call, ENDPOINTS, page).await?;
    while let Some(page) = list.request() {
        let found = app.engine.webhook_endpoints(caller, &page).await?;
        list.add(
            &found,
            |endpoint| endpoint.id.to_string(),
            |entries, endpoint| entries.push(&WebhookEndpointShape::from(endpoint)),
        );
    }
    Ok(list.answer())
}

/// Creates an endpoint of webhooks. Only this answer, and that of a new secret, shows the secret.
#[utoipa::path(
    post, path = "/webhook-endpoints", tag = "webhooks",
    params(IdempotencyKeyHeader),
    request_body = NewWebhookEndpoint,
    responses((status = 201, body = WebhookEndpointShape<'_>))
)]
pub(crate) async fn create(app: &App, call: &RequestContext) -> Outcome {
    let caller = call.caller()?;
    let guard = call.idempotency_guard(&created)?;
    let details = call.read(NewWebhookEndpoint::read)?;
    let reply = app.engine.add_webhook_endpoint(caller, &details, guard.idempotency().as_ref()).await?;
    revealing(app, caller, guard.answer(reply)?).await
}

/// An endpoint of webhooks.
#[utoipa::path(
    get, path = "/webhook-endpoints/{id}", tag = "webhooks",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = WebhookEndpointShape<'_>))
)]
pub(crate) async fn show(app: &App, call: &RequestContext) -> Outcome {
    Ok(written(&app.engine.webhook_endpoint(call.caller()?, endpoint_id(call)?).await?))
}

/// Changes, disables or enables an endpoint of webhooks with a JSON merge patch.
#[utoipa::path(
    patch, path = "/webhook-endpoints/{id}", tag = "webhooks",
    params(("id" = uuid::Uuid, Path), IfMatch),
    request_body(content(
        (WebhookEndpointChange = "application/merge-patch+json"), (WebhookEndpointChange = "application/json")
    )),
    responses((status = 200, body = WebhookEndpointShape<'_>))
)]
pub(crate) async fn update(app: &App, call: &RequestContext) -> Outcome {
    let target = call.target(endpoint_id(call)?)?;
    let patch = call.read(WebhookEndpointChange::read)?;
    unkeyed(app.engine.patch_webhook_endpoint(call.caller()?, target, &patch).await?, written)
}

/// Deletes an endpoint of webhooks. Nothing is sent to it any more.
#[utoipa::path(
    delete, path = "/webhook-endpoints/{id}", tag = "webhooks",
    params(("id" = uuid::Uuid, Path), IfMatch),
    responses((status = 204))
)]
pub(crate) async fn delete(app: &App, call: &RequestContext) -> Outcome {
    let target = call.target(endpoint_id(call)?)?;
    let reply = app.engine.delete_webhook_endpoint(call.caller()?, target).await?;
    unkeyed(reply, |_| Answer::empty(StatusCode::NO_CONTENT))
}

/// Gives an endpoint of webhooks a new secret. For a time, webhooks are signed with the ones before, too.
#[utoipa::path(
    post, path = "/webhook-endpoints/{id}/rotate-secret", tag = "webhooks",
    params(("id" = uuid::Uuid, Path), IfMatch, IdempotencyKeyHeader),
    responses((status = 200, body = WebhookEndpointShape<'_>))
)]
pub(crate) async fn rotate_secret(app: &App, call: &RequestContext) -> Outcome {
    let caller = call.caller()?;
    let guard = call.idempotency_guard(&written)?;
    let target = call.target(endpoint_id(call)?)?;
    let reply = app.engine.rotate_webhook_secret(caller, target, guard.idempotency().as_ref()).await?;
    revealing(app, caller, guard.answer(reply)?).await
}

/// Sends a test event to an endpoint of webhooks, also to a disabled one, and tells what came of it.
#[utoipa::path(
    post, path = "/webhook-endpoints/{id}/test", tag = "webhooks",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = DeliveryShape<'_>))
)]
pub(crate) async fn test(app: &App, call: &RequestContext) -> Outcome {
    let (time, source) = (app.engine.now(), &app.options.event_source);
    let body = |id, endpoint: &WebhookEndpoint| test_event(id, endpoint, time, source);
    let delivery = app.engine.test_webhook_endpoint(call.caller()?, endpoint_id(call)?, body).await?;
    Ok(Answer::ok(&DeliveryShape::from(&delivery)))
}

/// Sends the events after a position of the feed to an endpoint of webhooks, again if it has them.
#[utoipa::path(
    post, path = "/webhook-endpoints/{id}/replay", tag = "webhooks",
    params(("id" = uuid::Uuid, Path)),
    request_body = WebhookReplay,
    responses((status = 204))
)]
pub(crate) async fn replay(app: &App, call: &RequestContext) -> Outcome {
    let (caller, id) = (call.caller()?, endpoint_id(call)?);
    let WebhookReplay { after } = call.json()?;
    let position = after.map(|cursor| {
        let refuse = || Problem::invalid_at("/after", "invalid_cursor", "must be a next_cursor of GET /v1/events");
        events::position(&cursor).ok_or_else(refuse)
    });
    app.engine.replay_webhooks(caller, id, position.transpose()?.unwrap_or_default()).await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// The attempts to deliver events to an endpoint, newest first. The last 1,000 are kept.
#[utoipa::path(
    get, path = "/webhook-endpoints/{id}/deliveries", tag = "webhooks",
    params(("id" = uuid::Uuid, Path), Paging),
    responses((status = 200, body = List<DeliveryShape<'_>>))
)]
pub(crate) async fn deliveries(app: &App, call: &RequestContext) -> Outcome {
    let page = page::asked(&call.query()?, DELIVERIES)?;
    let found = app.engine.webhook_deliveries(call.caller()?, endpoint_id(call)?, &page).await?;
    Ok(Answer::ok(&List::part(DELIVERIES, &found, DeliveryShape::from)))
}

/// What a recorded answer is about.
#[derive(Deserialize)]
struct Recorded {
    id: WebhookEndpointId,
    secret_number: u32,
}

/// Adds the secret to an answer, which is recorded without it. A repeated request gets it as long as it is the current one.
async fn revealing(app: &App, caller: &Actor, answer: Answer) -> Outcome {
    let damaged = |damage| Problem::internal().caused_by(damage);
    let Recorded { id, secret_number } = serde_json::from_slice(&answer.body).map_err(damaged)?;
    let endpoint = app.engine.webhook_endpoint(caller, id).await?;
    if endpoint.secret().is_none_or(|secret| secret.number != secret_number) {
        return Ok(answer);
    }
    let Some(secret) = app.engine.webhook_secret(caller, &endpoint)? else { return Ok(answer) };
    let mut body: Map<String, Value> = serde_json::from_slice(&answer.body).map_err(damaged)?;
    body.insert("secret".to_owned(), secret.reveal().into());
    Ok(Answer { body: Value::Object(body).to_string().into(), ..answer })
}

fn endpoint_id(call: &RequestContext) -> Result<WebhookEndpointId, Problem> {
    call.path_param("id", "webhook endpoint")
}

fn created(endpoint: &WebhookEndpoint) -> Answer {
    written(endpoint).created(ENDPOINTS, endpoint.id)
}

fn written(endpoint: &WebhookEndpoint) -> Answer {
    Answer::ok(&WebhookEndpointShape::from(endpoint)).version(endpoint.version)
}
