//! `/inbox` and `/dead-letters`

use commerce_core::engine::EngineError;
use commerce_core::ids::EventId;
use commerce_core::inbox::InboxState;
use commerce_core::port::{Webhook, WebhookRejection};
use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, StatusCode};

use crate::answer::{Answer, Outcome};
use crate::app::App;
use crate::call::RequestContext;
use crate::dto::dead_letter::{DeadLetter, EventReceipt};
use crate::page::{self, List, Paging};
use crate::problem::Problem;
use crate::telemetry;

const LETTERS: &str = "dead-letters";
const NOUN: &str = "dead letter";
/// How a sender is known.
const CHALLENGE: HeaderValue = HeaderValue::from_static("StandardWebhooks realm=\"commerce\"");

/// Takes an event of another system. It is signed as Standard Webhooks say. The answer comes after what follows from it is stored; a
/// repeated event changes nothing. An event that cannot be read or done is a dead letter.
#[utoipa::path(
    post, path = "/inbox/{source}", tag = "inbox",
    params(
        ("source" = String, Path, example = "erp"),
        ("webhook-id" = String, Header, description = "The id of the message, the same when it is sent again."),
        ("webhook-timestamp" = String, Header, description = "The time of the attempt, in seconds since 1970."),
        ("webhook-signature" = String, Header, description = "`v1,` and a signature, or several with spaces between.")
    ),
    request_body(content = serde_json::Value, description = "An event in the envelope of the source. At most 64 KiB."),
    responses((status = 200, body = EventReceipt))
)]
pub(crate) async fn receive(app: &App, call: &RequestContext) -> Outcome {
    let named = call.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let headers: Vec<_> = named.collect();
    let webhook = Webhook { headers: &headers, body: &call.body, at: app.engine.now() };
    let source = call.param("source");
    let received = Box::pin(app.engine.receive_inbox_webhook(source, &webhook)).await;
    telemetry::note_incoming(source, &received);
    match received {
        Ok(received) => Ok(Answer::ok(&EventReceipt::from(received))),
        Err(EngineError::Webhook(rejection)) => {
            Err(app.quotas.signatures.refuse(call.parts.extensions.get(), refused(&rejection)).await)
        }
        Err(error) => Err(error.into()),
    }
}

fn refused(rejection: &WebhookRejection) -> Problem {
    let unauthorized = |code| {
        let problem = Problem::new(StatusCode::UNAUTHORIZED, code, rejection.to_string());
        problem.header(WWW_AUTHENTICATE, CHALLENGE)
    };
    match rejection {
        WebhookRejection::Unsupported => Problem::not_found("source"),
        WebhookRejection::Stale { age_seconds } => unauthorized("stale_signature").with("age_seconds", *age_seconds),
        WebhookRejection::Malformed(_) => Problem::bad_request("webhook_malformed", rejection.to_string()),
        WebhookRejection::Forged | WebhookRejection::Foreign | _ => unauthorized("invalid_signature"),
    }
}

/// The dead letters, or the events that wait, the oldest first; for admins. At most 256 events of a source are dead letters or wait.
#[utoipa::path(
    get, path = "/dead-letters", tag = "inbox",
    params(("state" = Option<String>, Query, description = "Which events: `dead`, the default, or `waiting`."), Paging),
    responses((status = 200, body = List<DeadLetter<'_>>))
)]
pub(crate) async fn list(app: &App, call: &RequestContext) -> Outcome {
    let query = call.query()?;
    let (page, state) = (page::asked::<String>(&query, LETTERS)?, query.parsed("state", unsettled)?);
    let found = app.engine.dead_letters(call.caller()?, state.unwrap_or(InboxState::Dead), &page).await?;
    Ok(Answer::ok(&List::part(LETTERS, &found, DeadLetter::from)))
}

fn unsettled(state: &str) -> Result<InboxState, &'static str> {
    let listed = [InboxState::Dead, InboxState::Waiting];
    listed.into_iter().find(|known| known.name() == state).ok_or("must be dead or waiting")
}

/// An event that is a dead letter or waits, or was or did; for admins.
#[utoipa::path(
    get, path = "/dead-letters/{id}", tag = "inbox",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = DeadLetter<'_>))
)]
pub(crate) async fn show(app: &App, call: &RequestContext) -> Outcome {
    let id: EventId = call.path_param("id", NOUN)?;
    Ok(Answer::ok(&DeadLetter::from(&app.engine.dead_letter(call.caller()?, id).await?)))
}

/// Tries a dead letter again at once, by the settings of today; for admins. No effect on one that is not dead.
#[utoipa::path(
    post, path = "/dead-letters/{id}/retry", tag = "inbox",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = DeadLetter<'_>))
)]
pub(crate) async fn retry(app: &App, call: &RequestContext) -> Outcome {
    let id: EventId = call.path_param("id", NOUN)?;
    let retried = Box::pin(app.engine.retry_dead_letter(call.caller()?, id)).await?;
    Ok(Answer::ok(&DeadLetter::from(&retried)))
}

/// Discards a dead letter or an event that waits: nothing follows from it, also if it is sent again; for admins. No effect on others.
#[utoipa::path(
    delete, path = "/dead-letters/{id}", tag = "inbox",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 204))
)]
pub(crate) async fn discard(app: &App, call: &RequestContext) -> Outcome {
    let id: EventId = call.path_param("id", NOUN)?;
    app.engine.discard_dead_letter(call.caller()?, id).await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}
