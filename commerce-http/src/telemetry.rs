//! What the service tells its operators: Prometheus metrics and a line of log per request.
//!
//! Labels are bounded: routes are those of the table, methods those it knows, statuses those HTTP has.

use std::time::Duration;

use http::{Method, StatusCode};
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use crate::answer::Answer;

const REQUESTS: &str = "http_requests_total";
const DURATION: &str = "http_request_duration_seconds";
const IN_FLIGHT: &str = "http_requests_in_flight";
const ORDERS: &str = "orders_placed_total";

/// The upper bounds of the latency histogram, in seconds.
const BOUNDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// The label of requests that no route takes.
const UNMATCHED: &str = "unmatched";

/// Makes this process keep metrics, and gives the handle to read them by ([`Options::metrics`](crate::Options)).
///
/// # Errors
/// [`BuildError`] if the process keeps metrics in another way already.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Full(DURATION.to_owned()), &BOUNDS)?;
    let handle = builder.install_recorder()?;
    describe_counter!(REQUESTS, "Requests answered, by method, route and status.");
    describe_histogram!(DURATION, Unit::Seconds, "Time from a request's head to its answer, by method and route.");
    describe_gauge!(IN_FLIGHT, "Requests that are being answered.");
    describe_counter!(ORDERS, "Orders placed; replayed answers are not counted again.");
    Ok(handle)
}

/// Counts a request as being answered for as long as it lives.
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

/// Counts an order.
pub(crate) fn order_placed() {
    counter!(ORDERS).increment(1);
}

/// A request that was answered.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) method: Method,
    pub(crate) route: Option<&'static str>,
    pub(crate) took: Duration,
}

impl Served {
    /// Writes it down: metrics, and the line of log. The span around the line has the request, the user and the order.
    pub(crate) fn note(&self, answer: &Answer) {
        let (method, route) = (label(&self.method), self.route.unwrap_or(UNMATCHED));
        self.count(method, route, answer.status);
        let micros = u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX);
        tracing::info!(method, route, status = answer.status.as_u16(), latency_us = micros, "answered");
    }

    fn count(&self, method: &'static str, route: &'static str, status: StatusCode) {
        counter!(REQUESTS, "method" => method, "route" => route, "status" => status.as_str().to_owned()).increment(1);
        histogram!(DURATION, "method" => method, "route" => route).record(self.took);
    }
}

fn label(method: &Method) -> &'static str {
    let known = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::HEAD, Method::OPTIONS];
    let names = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    known.iter().position(|known| known == method).and_then(|at| names.get(at)).copied().unwrap_or("OTHER")
}
