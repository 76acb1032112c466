//! The port on the contract.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use commerce_core::payment::OperationAnswer;
use commerce_core::port::{
    OpenedPayment, OperationLookup, OperationRequest, PaymentTerms, Processor, ProcessorError, ProcessorEvent,
    ProcessorEvents, Webhook, WebhookRejection,
};
use commerce_outbound::signature::{Refused, Secrets};
use commerce_outbound::tls::Tls;
use commerce_outbound::{Answer, Outbound, Service, ServiceError, is_protected};
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::Full;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use thiserror::Error as ThisError;

use crate::wire::{ErrorBody, EventBody, EventPage, OperationBody, OperationResult, SIGNATURE, UNKNOWN_OPERATION};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TIME_OUT: Duration = Duration::from_secs(10);
/// The most bytes of an answer that are read.
const MAX_BODY: usize = 1024 * 1024;

/// A payment service of the house.
#[derive(Clone)]
pub struct Remote {
    service: Service,
    secrets: Secrets,
    account: Option<String>,
}

/// How the service is used.
#[derive(Clone)]
pub struct RemoteConfig {
    /// Its address.
    pub base: String,
    /// The bearer token of requests.
    pub token: Option<String>,
    /// Of its webhooks; several while one is replaced.
    pub webhook_secrets: Secrets,
    /// The account whose events are believed. `None`: those without an account.
    pub account: Option<String>,
    /// The time-out of a request.
    pub time_out: Duration,
    /// Certificates of the house. `None`: the public authorities are trusted, and no certificate is shown.
    pub tls: Option<Tls>,
}

/// The reason why the service cannot be used.
#[derive(Debug, ThisError)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum RemoteConfigError {
    #[error("tokens would be sent over http:// to another machine; use https://")]
    Unprotected,
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl RemoteConfig {
    /// The service at a URL, without a token and without webhooks.
    pub fn new(base: String) -> Self {
        Self { base, token: None, webhook_secrets: Secrets::default(), account: None, time_out: TIME_OUT, tls: None }
    }
}

impl fmt::Debug for RemoteConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteConfig").field("base", &self.base).finish_non_exhaustive()
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("service", &self.service).finish_non_exhaustive()
    }
}

impl Remote {
    /// A client for the service. It sends nothing yet.
    ///
    /// # Errors
    /// A setting is invalid, or TLS cannot be set up.
    pub fn new(config: RemoteConfig) -> Result<Self, RemoteConfigError> {
        if !is_protected(&config.base) {
            return Err(RemoteConfigError::Unprotected);
        }
        let client = match &config.tls {
            Some(tls) => Outbound::with_tls(tls, config.time_out),
            None => Outbound::new(config.time_out).map_err(ServiceError::from)?,
        };
        let service = Service::over(client, &config.base, config.token.as_deref())?;
        Ok(Self { service, secrets: config.webhook_secrets, account: config.account })
    }

    async fn send(&self, mut request: Request<Full<Bytes>>, path: &str) -> Result<Answer, ProcessorError> {
        *request.uri_mut() = self.service.uri(path).map_err(not_done)?;
        self.service
            .send(request, MAX_BODY)
            .await
            .map_err(|error| if error.was_sent() { unknown(error) } else { not_done(error) })
    }

    async fn get(&self, path: &str) -> Result<Answer, ProcessorError> {
        self.send(Request::default(), path).await
    }
}

fn not_done(error: impl Into<Box<dyn Error + Send + Sync>>) -> ProcessorError {
    ProcessorError::NotDone(error.into())
}

fn unknown(error: impl Into<Box<dyn Error + Send + Sync>>) -> ProcessorError {
    ProcessorError::Unknown(error.into())
}

fn body<T: DeserializeOwned>(answer: &Answer) -> Option<T> {
    serde_json::from_slice(answer.body.as_deref()?).ok()
}

/// Reads an answer with a result. A refusal of the service is a promise that nothing was done; a proxy answers 408, 409 and 5xx
/// also when the request has arrived.
fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, ProcessorError> {
    let status = answer.status;
    if status.is_success() {
        return body(answer).ok_or_else(|| unknown("the answer cannot be read"));
    }
    let is_refusal = status.is_client_error() && !matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT);
    let problem = format!("the payment service answered {status}");
    Err(if is_refusal { not_done(problem) } else { unknown(problem) })
}

/// Checks that a result is about an operation.
fn about(result: &OperationResult, lookup: &OperationLookup) -> Result<OperationAnswer, ProcessorError> {
    if (result.operation_id, result.kind, result.payment_id) != (lookup.id, lookup.kind, lookup.payment.payment) {
        return Err(unknown("the answer is about another operation"));
    }
    Ok(result.answer())
}

#[async_trait]
impl Processor for Remote {
    fn name(&self) -> &'static str {
        "remote"
    }

    /// The service names payments by the shop's ids, so nothing is sent.
    async fn open(&self, payment: &PaymentTerms) -> Result<OpenedPayment, ProcessorError> {
        let reference = payment.payment.to_string().parse().map_err(not_done)?;
        Ok(OpenedPayment { reference, client_secret: None })
    }

    /// Only an operation makes a payment known to the service.
    async fn close(&self, _payment: &PaymentTerms) -> Result<(), ProcessorError> {
        Ok(())
    }

    async fn perform(&self, request: &OperationRequest) -> Result<OperationAnswer, ProcessorError> {
        let body = serde_json::to_vec(&OperationBody::from(request)).map_err(not_done)?;
        let mut post = Request::new(Full::from(body));
        *post.method_mut() = Method::POST;
        post.headers_mut().insert(CONTENT_TYPE, JSON);
        post.headers_mut().insert(KEY, HeaderValue::try_from(request.id.to_string()).map_err(not_done)?);
        about(&read(&self.send(post, "/operations").await?)?, &request.lookup())
    }

    async fn find(&self, lookup: &OperationLookup) -> Result<Option<OperationAnswer>, ProcessorError> {
        let answer = self.get(&format!("/operations/{}", lookup.id)).await?;
        let is_unknown = || body(&answer).is_some_and(|error: ErrorBody| error.code == UNKNOWN_OPERATION);
        if answer.status == StatusCode::NOT_FOUND && is_unknown() {
            return Ok(None);
        }
        about(&read(&answer)?, lookup).map(Some)
    }

    async fn list(&self, after: Option<&str>) -> Result<ProcessorEvents, ProcessorError> {
        let after = after.map(|after| format!("?after={}", utf8_percent_encode(after, NON_ALPHANUMERIC)));
        let page: EventPage = read(&self.get(&format!("/events{}", after.unwrap_or_default())).await?)?;
        let next = page.next.filter(|_| !page.events.is_empty());
        Ok(ProcessorEvents { events: page.events.iter().map(EventBody::event).collect(), next })
    }

    fn read_webhook(&self, webhook: &Webhook<'_>) -> Result<Vec<ProcessorEvent>, WebhookRejection> {
        let signature = webhook.header(SIGNATURE);
        self.secrets.check(signature, webhook.body, webhook.at.timestamp()).map_err(|refused| match refused {
            Refused::Forged => WebhookRejection::Forged,
            Refused::Stale { age_seconds } => WebhookRejection::Stale { age_seconds },
        })?;
        let event: EventBody = serde_json::from_slice(webhook.body).map_err(|error| {
            let place = format!("line {}, column {} is not as in an event", error.line(), error.column());
            place.parse().map_or(WebhookRejection::Forged, WebhookRejection::Malformed)
        })?;
        if event.account != self.account {
            return Err(WebhookRejection::Foreign);
        }
        Ok(vec![event.event()])
    }
}
