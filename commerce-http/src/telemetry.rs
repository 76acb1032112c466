//! Telemetry: Prometheus metrics, and a log line per request.
//!
//! The number of labels is bounded: routes and methods of the table, and statuses.

mod shop;
mod table;

use std::time::Duration;

use commerce_core::actor::Actor;
use commerce_core::engine::{Engine, EngineError, Received, TaskRun};
use commerce_core::inbox::IncomingType;
use commerce_core::port::{PageRequest, WebhookRejection};
use commerce_core::pricing::CodeRejection;
use commerce_core::task::{TaskKind, TaskState};
use commerce_trace::Running;
use http::{Method, StatusCode};
use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

pub use self::shop::ShopMetrics;
use self::table::{
    ATTEMPT_TIME, CODES, DEAD_TASKS, DURATION, IN_FLIGHT, INCOMING, LIMITED, ORDER_REQUESTS, ORDERS, PAID_AFTER,
    PROCESSOR, PUBLISH_LATENCY, PULLED, PULLS, REQUESTS, SAGA_TIME, TASK_AGE, TASK_RUNS, TASK_TIME, WEBHOOKS,
};
use crate::answer::Answer;
use crate::problem::Problem;
use crate::request_id::RequestId;

/// The maximum number of dead tasks that are counted, to limit the cost.
const MAX_DEAD: u16 = 500;

const BOUNDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// From some milliseconds to half an hour.
const LATENCY_BOUNDS: [f64; 10] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0, 1800.0];

/// From some seconds to a week.
const LONG_BOUNDS: [f64; 9] = [1.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 3600.0, 86_400.0, 604_800.0];

/// The label of task kinds that this engine does not run.
const OTHER: &str = "other";
/// The label of requests without a route.
const UNMATCHED: &str = "unmatched";

/// Installs the metrics of this process, and returns the handle that reads them ([`Options::metrics`](crate::Options)).
///
/// # Errors
/// The process has other metrics already.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Full(DURATION.to_owned()), &BOUNDS)?;
    let builder = builder.set_buckets_for_metric(Matcher::Full(PAID_AFTER.to_owned()), &LONG_BOUNDS)?;
    let builder = builder.set_buckets_for_metric(Matcher::Full(SAGA_TIME.to_owned()), &LONG_BOUNDS)?;
    let builder = builder.set_buckets_for_metric(Matcher::Full(ATTEMPT_TIME.to_owned()), &BOUNDS)?;
    let builder = builder.set_buckets_for_metric(Matcher::Full(TASK_TIME.to_owned()), &BOUNDS)?;
    let builder = builder.set_buckets_for_metric(Matcher::Full(PUBLISH_LATENCY.to_owned()), &LATENCY_BOUNDS)?;
    let handle = builder.install_recorder()?;
    table::describe();
    table::begin_at_zero();
    Ok(handle)
}

/// Records a round of [`Engine::run_due_tasks`] that took up to `limit` tasks.
///
/// A round takes the oldest tasks first, so it shows the age of the oldest one without a query. If the round is full, kinds
/// without a task in it keep their last age, because their tasks may be waiting.
pub fn note_task_runs(runs: &[TaskRun], limit: u16) {
    for kind in TaskKind::KNOWN {
        let oldest = runs.iter().filter(|run| run.kind == *kind).map(|run| run.overdue).max();
        if oldest.is_some() || runs.len() < limit.into() {
            let age = oldest.unwrap_or_default().to_std().unwrap_or_default();
            gauge!(TASK_AGE, "kind" => kind.as_str()).set(age.as_secs_f64());
        }
    }
    for run in runs {
        let took = run.took.to_std().unwrap_or_default();
        histogram!(TASK_TIME, "kind" => known(&run.kind)).record(took);
        counter!(TASK_RUNS, "kind" => known(&run.kind), "outcome" => run.outcome.name()).increment(1);
    }
}

/// Counts dead tasks with a single query, at most 500 of them.
///
/// # Errors
/// [`EngineError::Store`]. The last count stays.
pub async fn count_dead_tasks(engine: &Engine) -> Result<(), EngineError> {
    let page = PageRequest { limit: MAX_DEAD, after: None };
    let dead = engine.tasks(&Actor::SYSTEM, Some(TaskState::Dead), &page).await?.items;
    for kind in TaskKind::KNOWN.iter().map(TaskKind::as_str).chain([OTHER]) {
        let count = dead.iter().filter(|task| known(&task.key.kind) == kind).count();
        gauge!(DEAD_TASKS, "kind" => kind).set(u32::try_from(count).unwrap_or(u32::MAX));
    }
    Ok(())
}

/// Records the reading of the processor's events, [`Engine::pull_events`].
pub fn note_pull(pulled: &Result<u64, EngineError>) {
    let outcome = if pulled.is_ok() { "finished" } else { "failed" };
    counter!(PULLS, "outcome" => outcome).increment(1);
    counter!(PULLED).increment(*pulled.as_ref().unwrap_or(&0));
}

/// Records a webhook. Those of processors that the shop does not have are not counted.
pub(crate) fn note_webhook(failure: Option<&EngineError>) {
    let outcome = match failure {
        None => "stored",
        Some(EngineError::NotFound(_) | EngineError::Webhook(WebhookRejection::Unsupported)) => return,
        Some(EngineError::Webhook(WebhookRejection::Forged)) => "forged",
        Some(EngineError::Webhook(WebhookRejection::Stale { .. })) => "stale",
        Some(EngineError::Webhook(WebhookRejection::Foreign)) => "foreign",
        Some(EngineError::Webhook(_)) => "malformed",
        Some(_) => "failed",
    };
    counter!(WEBHOOKS, "outcome" => outcome).increment(1);
}

/// Records an event of another system. Those of sources that the shop does not have are not counted.
pub fn note_incoming(source: &str, received: &Result<Received, EngineError>) {
    let (kind, outcome) = match received {
        Ok(received) => (received.kind.map_or(OTHER, IncomingType::name), received.receipt.name()),
        Err(EngineError::NotFound(_) | EngineError::Webhook(WebhookRejection::Unsupported)) => return,
        Err(EngineError::Webhook(WebhookRejection::Stale { .. })) => (OTHER, "stale"),
        Err(EngineError::Webhook(_)) => (OTHER, "forged"),
        Err(_) => (OTHER, "failed"),
    };
    counter!(INCOMING, "source" => source.to_owned(), "type" => kind, "outcome" => outcome).increment(1);
}

/// The label of a kind. Kinds of other processes share one label.
fn known(kind: &TaskKind) -> &'static str {
    TaskKind::KNOWN.iter().find(|known| *known == kind).map_or(OTHER, TaskKind::as_str)
}

/// Shows whether the payment processor can be reached, as far as the calls of this process tell.
pub fn note_processor(engine: &Engine) {
    gauge!(PROCESSOR).set(f64::from(u8::from(engine.processor_outage().is_none())));
}

/// Counts a request as in flight until it is dropped.
#[derive(Debug)]
pub(crate) struct InFlight(());

impl InFlight {
    pub(crate) fn enter() -> Self {
        gauge!(IN_FLIGHT).increment(1.0);
        Self(())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        gauge!(IN_FLIGHT).decrement(1.0);
    }
}

/// Counts a connection, a stream or a request that a limit refused or ended.
pub fn limited(limit: &'static str) {
    counter!(LIMITED, "limit" => limit).increment(1);
}

pub(crate) fn order_placed() {
    counter!(ORDERS).increment(1);
}

/// Counts a request that places an order. Others are not counted.
pub(crate) fn note_order<T>(method: &'static str, route: Option<&'static str>, outcome: &Result<T, Problem>) {
    let source = match (method, route) {
        ("POST", Some("/checkouts")) => "checkout",
        ("POST", Some("/orders")) => "order",
        _ => return,
    };
    let (outcome, code) = match outcome {
        Ok(_) => ("placed", ""),
        Err(problem) if problem.status().is_server_error() => ("failed", problem.code()),
        Err(problem) => ("refused", problem.code()),
    };
    counter!(ORDER_REQUESTS, "source" => source, "outcome" => outcome, "code" => code).increment(1);
}

/// Counts a promotion code that a customer tried.
pub(crate) fn code_tried(rejected: Option<CodeRejection>) {
    counter!(CODES, "outcome" => rejected.map_or("accepted", CodeRejection::code)).increment(1);
}

#[derive(Debug)]
pub(crate) struct Served {
    /// One of a few names.
    pub(crate) method: &'static str,
    pub(crate) route: Option<&'static str>,
    /// Of a request without a route.
    pub(crate) path: Option<String>,
    pub(crate) took: Duration,
}

impl Served {
    /// Records metrics and a log line. The span of the line has the request, the user and the order.
    pub(crate) fn note(&self, answer: &Answer) {
        let (method, route) = (self.method, self.route.unwrap_or(UNMATCHED));
        self.count(method, route, answer.status);
        let micros = u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX);
        let (status, path) = (answer.status.as_u16(), self.path.as_deref());
        tracing::info!(method, route, path, status, latency_us = micros, "answered");
    }

    /// Ends the span of the request. It names the route, not the path, which may contain ids of persons.
    pub(crate) fn export(&self, measured: Running, answer: &Answer, id: &RequestId) {
        let (method, status) = (self.method, answer.status);
        let mut attributes = vec![
            ("http.request.method", method.into()),
            ("http.response.status_code", status.as_u16().into()),
            ("commerce.request_id", id.as_str().into()),
        ];
        attributes.extend(self.route.map(|route| ("http.route", route.into())));
        let name = self.route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}"));
        measured.end(name, attributes, status.is_server_error());
    }

    fn count(&self, method: &'static str, route: &'static str, status: StatusCode) {
        counter!(REQUESTS, "method" => method, "route" => route, "status" => status.as_str().to_owned()).increment(1);
        histogram!(DURATION, "method" => method, "route" => route).record(self.took);
    }
}

/// The name of a method in metrics and logs.
pub(crate) fn label(method: &Method) -> &'static str {
    let known = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    known.into_iter().find(|known| *known == method.as_str()).unwrap_or("OTHER")
}
