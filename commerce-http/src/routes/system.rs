//! Health, metrics, the `OpenAPI` document and its page.

use std::future::{Ready, ready};
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use commerce_core::engine::Engine;
use http::header::{CACHE_CONTROL, LOCATION};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_swagger_ui::Config;

use crate::answer::{Answer, Outcome};
use crate::app::App;
use crate::asyncapi;
use crate::call::RequestContext;
use crate::contract::Contract;
use crate::problem::Problem;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const HOME: &str = include_str!("home.html");
const ONE_HOUR: HeaderValue = HeaderValue::from_static("max-age=3600");

/// The health of the service.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    #[schema(example = "ok")]
    status: &'static str,
}

/// Whether the service can sell.
#[serde_with_macros::skip_serializing_none]
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Readiness {
    #[schema(example = "ready")]
    status: &'static str,
    /// `available` or `unavailable`: whether the payment processor answers the calls of this process. While it does not, orders
    /// can be placed and wait for their payment.
    #[schema(example = "available")]
    payments: &'static str,
    /// When the processor gave the first of the calls no answer.
    payments_unavailable_since: Option<DateTime<Utc>>,
}

impl Readiness {
    fn of(engine: &Engine) -> Self {
        let outage = engine.processor_outage();
        Self {
            status: "ready",
            payments: if outage.is_some() { "unavailable" } else { "available" },
            payments_unavailable_since: outage.map(|outage| outage.since),
        }
    }
}

/// Where to go.
pub(crate) fn home(_app: &App, _call: &RequestContext) -> Ready<Outcome> {
    ready(Ok(Answer::empty(StatusCode::OK).typed(HTML, HOME)))
}

/// Whether the process answers.
#[utoipa::path(get, path = "/healthz", tag = "system", responses((status = 200, body = Health)))]
pub(crate) fn healthz(_app: &App, _call: &RequestContext) -> Ready<Outcome> {
    ready(Ok(Answer::ok(&Health { status: "ok" })))
}

/// Whether the store answers and can be written. An outage of the payment processor is in the body only: it is no reason to send
/// customers elsewhere.
#[utoipa::path(get, path = "/readyz", tag = "system", responses((status = 200, body = Readiness)))]
pub(crate) async fn readyz(app: &App, _call: &RequestContext) -> Outcome {
    match app.engine.health().await {
        Ok(()) => Ok(Answer::ok(&Readiness::of(&app.engine))),
        Err(error) => {
            Err(Problem::unavailable("store_unavailable", "The store does not respond, or cannot be written.")
                .caused_by(error))
        }
    }
}

/// The metrics in the format of Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = "system",
    responses((status = 200, body = String, content_type = "text/plain; version=0.0.4"))
)]
pub(crate) fn metrics(app: &App, _call: &RequestContext) -> Ready<Outcome> {
    let rendered = app.options.metrics.as_ref().map(metrics_exporter_prometheus::PrometheusHandle::render);
    let answer = rendered.map(|text| Answer::empty(StatusCode::OK).typed(TEXT, text));
    ready(answer.ok_or_else(Problem::no_route))
}

/// This document.
#[utoipa::path(
    get, path = "/openapi.json", tag = "system",
    responses((status = 200, body = serde_json::Value))
)]
pub(crate) fn openapi_json(app: &App, _call: &RequestContext) -> Ready<Outcome> {
    let document = app.options.contract.as_ref().map_or(&**app.document, Contract::document);
    ready(Ok(Answer::empty(StatusCode::OK).typed(JSON, Bytes::clone(document))))
}

/// The `AsyncAPI` document: the events of the shop, with a JSON Schema for each type.
#[utoipa::path(
    get, path = "/asyncapi.json", tag = "system",
    responses((status = 200, body = serde_json::Value))
)]
pub(crate) fn asyncapi_json(_app: &App, _call: &RequestContext) -> Ready<Outcome> {
    ready(Ok(Answer::empty(StatusCode::OK).typed(JSON, Bytes::clone(&asyncapi::DOCUMENT))))
}

/// This document as a page.
#[utoipa::path(
    get, path = "/docs", tag = "system",
    responses((status = 308, description = "Redirects to the page, `/docs/`."))
)]
pub(crate) fn docs(_app: &App, _call: &RequestContext) -> Ready<Outcome> {
    let mut answer = Answer::empty(StatusCode::PERMANENT_REDIRECT);
    answer.headers.insert(LOCATION, HeaderValue::from_static("/docs/"));
    ready(Ok(answer))
}

pub(crate) fn docs_page(_app: &App, _call: &RequestContext) -> Ready<Outcome> {
    ready(file("index.html").map(|page| Answer { body: titled(&page.body), ..page }))
}

pub(crate) fn docs_file(_app: &App, call: &RequestContext) -> Ready<Outcome> {
    ready(file(call.param("file")))
}

/// The page with the name of what it shows, not of the program that shows it.
fn titled(page: &[u8]) -> Bytes {
    String::from_utf8_lossy(page).replacen("<title>Swagger UI</title>", "<title>Commerce API</title>", 1).into()
}

fn file(name: &str) -> Outcome {
    let file = utoipa_swagger_ui::serve(name, Arc::new(Config::from("/openapi.json")));
    let file = file.map_err(|error| Problem::internal().caused_by(error.to_string()))?.ok_or_else(Problem::no_route)?;
    let content_type =
        HeaderValue::from_str(&file.content_type).map_err(|error| Problem::internal().caused_by(error))?;
    let mut answer = Answer::empty(StatusCode::OK).typed(content_type, file.bytes.into_owned());
    answer.headers.insert(CACHE_CONTROL, ONE_HOUR);
    Ok(answer)
}
