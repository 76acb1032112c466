//! Telemetry: Prometheus metrics, and a log line per request.
//!
//! The number of labels is bounded: routes and methods of the table, and statuses.

use std::time::Duration;

use commerce_core::actor::Actor;
use commerce_core::engine::{Engine, EngineError, Received, TaskRun};
use commerce_core::inbox::IncomingType;
use commerce_core::payment::DeclineCode;
use commerce_core::port::{News, Observer, PageRequest, WebhookRejection};
use commerce_core::task::{TaskKind, TaskState};
use commerce_core::webhook::{DeliveryOutcome, DeliveryVerdict};
use http::{Method, StatusCode};
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use crate::answer::Answer;

const REQUESTS: &str = "http_requests_total";
const DURATION: &str = "http_request_duration_seconds";
const IN_FLIGHT: &str = "http_requests_in_flight";
const ORDERS: &str = "orders_placed_total";
const TASK_RUNS: &str = "task_runs_total";
const TASK_AGE: &str = "task_oldest_due_age_seconds";
const DEAD_TASKS: &str = "tasks_dead";
const PAYMENT_OPERATIONS: &str = "payment_operations_total";
const PAID_AFTER: &str = "order_paid_after_seconds";
const PROCESSOR: &str = "payment_processor_available";
const LIMITED: &str = "http_limited_total";
const WEBHOOKS: &str = "payment_webhooks_total";
const ATTEMPTS: &str = "webhook_attempts_total";
const ATTEMPT_TIME: &str = "webhook_attempt_duration_seconds";
const INCOMING: &str = "consume_events_total";
const PULLS: &str = "payment_event_pulls_total";
const PULLED: &str = "payment_events_pulled_total";

/// The maximum number of dead tasks that are counted, to limit the cost.
const MAX_DEAD: u16 = 500;

const BOUNDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

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
    let builder = builder.set_buckets_for_metric(Matcher::Full(ATTEMPT_TIME.to_owned()), &BOUNDS)?;
    let handle = builder.install_recorder()?;
    describe_counter!(REQUESTS, "Requests answered, by method, route and status.");
    describe_histogram!(DURATION, Unit::Seconds, "Time from a request's head to its answer, by method and route.");
    describe_gauge!(IN_FLIGHT, "Requests that are being answered.");
    describe_counter!(ORDERS, "Orders placed; replayed answers are not counted again.");
    describe_counter!(TASK_RUNS, "Attempts at tasks, by kind and outcome: finished, failed (to be retried), given_up.");
    describe_gauge!(TASK_AGE, Unit::Seconds, "How long the oldest due task of a kind had been due at the last look.");
    describe_gauge!(DEAD_TASKS, "Dead tasks, which wait for a person, by kind; at most 500 are counted.");
    describe_counter!(
        PAYMENT_OPERATIONS,
        "Operations of payments that came to a state, by kind, state and decline code."
    );
    describe_histogram!(PAID_AFTER, Unit::Seconds, "Time from placing an order to its payment.");
    describe_gauge!(PROCESSOR, "1 if the payment processor answers the calls of this process, otherwise 0.");
    describe_counter!(
        LIMITED,
        "Connections, streams and requests that a limit of the server refused or ended, by limit."
    );
    describe_counter!(
        WEBHOOKS,
        "Webhooks of the payment processor, by outcome: stored, forged, stale, foreign, malformed, failed (not stored)."
    );
    describe_counter!(
        ATTEMPTS,
        "Attempts to deliver webhooks, by outcome: delivered, refused (another status), gone (410), or why there was no answer."
    );
    describe_histogram!(ATTEMPT_TIME, Unit::Seconds, "Time of an attempt to deliver a webhook.");
    describe_counter!(
        INCOMING,
        "Events of other systems, by source, type and outcome: applied, outdated, duplicate, ignored, waiting, dead_lettered, or forged, stale, failed."
    );
    describe_counter!(PULLS, "Readings of the payment processor's list of events, by outcome: finished, failed.");
    describe_counter!(PULLED, "Events of the payment processor that its list had and no webhook told.");
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

/// Counts payments for the metrics; see [`EngineBuilder::observer`](commerce_core::engine::EngineBuilder::observer).
#[derive(Clone, Copy, Debug, Default)]
pub struct PaymentMetrics;

impl Observer for PaymentMetrics {
    fn note(&self, news: &News) {
        match *news {
            News::Operation { kind, state, decline } => {
                let code = decline.map_or("", DeclineCode::name);
                counter!(PAYMENT_OPERATIONS, "kind" => kind.name(), "state" => state.name(), "code" => code)
                    .increment(1);
            }
            News::Webhook { outcome, took_ms } => {
                counter!(ATTEMPTS, "outcome" => webhook_outcome(outcome)).increment(1);
                histogram!(ATTEMPT_TIME).record(Duration::from_millis(took_ms));
            }
            News::Paid { after } => histogram!(PAID_AFTER).record(after.to_std().unwrap_or_default()),
            _ => {}
        }
    }
}

const fn webhook_outcome(outcome: DeliveryOutcome) -> &'static str {
    match (outcome, outcome.verdict()) {
        (DeliveryOutcome::Failed(failure), _) => failure.name(),
        (_, DeliveryVerdict::Delivered) => "delivered",
        (_, DeliveryVerdict::Gone) => "gone",
        (_, DeliveryVerdict::Retry) => "refused",
    }
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
