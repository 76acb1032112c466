//! Sends spans to a collector of [OpenTelemetry](https://opentelemetry.io/docs/specs/otlp/), by OTLP over HTTP in its JSON form.
//!
//! # Invariants
//! * Ending a span never waits. At most [`QUEUE`] spans wait to be sent; further ones are dropped and counted.
//! * A batch is sent once. One that the collector does not take is dropped and counted.

mod encode;
mod telemetry;

use std::time::Duration;

use bytes::Bytes;
use commerce_outbound::{Service, ServiceError};
use commerce_trace::{Ended, Spans};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request};
use http_body_util::Full;
use thiserror::Error;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::timeout;

pub use self::telemetry::describe;

/// The most spans that wait to be sent.
pub const QUEUE: usize = 2048;
/// The most spans of a batch.
const BATCH: usize = 512;
/// How long a batch is collected.
const EVERY: Duration = Duration::from_secs(1);
/// The time-out of a call.
pub const TIME_OUT: Duration = Duration::from_secs(3);
/// How long the spans that wait are sent at the end.
const FLUSH: Duration = Duration::from_secs(4);
/// The most bytes of an answer that are read. It is not used.
const MAX_ANSWER: usize = 64 * 1024;
/// The path of traces below the address of a collector.
const PATH: &str = "/v1/traces";

/// Sends the spans that a [`Queue`] takes.
#[derive(Debug)]
pub struct Exporter {
    service: Service,
    name: String,
    spans: Receiver<Ended>,
    is_away: bool,
}

/// The end of an exporter that takes spans.
#[derive(Clone, Debug)]
pub struct Queue(Sender<Ended>);

#[derive(Debug, Error)]
enum Refused {
    #[error("{0}")]
    NoAnswer(String),
    #[error("it answered {0}")]
    Status(u16),
}

impl Spans for Queue {
    fn take(&self, span: Ended) {
        match self.0.try_send(span) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => telemetry::dropped("queue_full", 1),
            Err(TrySendError::Closed(_)) => telemetry::dropped("stopped", 1),
        }
    }
}

impl Exporter {
    /// An exporter to the collector at a service, for a process with a name. It sends while [`run`](Self::run) runs.
    ///
    /// # Errors
    /// The path of traces cannot be appended to the address.
    pub fn new(service: Service, name: String) -> Result<(Self, Queue), ServiceError> {
        service.uri(PATH).map_err(|_| ServiceError::Address("not an address that a path can be appended to"))?;
        let (queue, spans) = mpsc::channel(QUEUE);
        Ok((Self { service, name, spans, is_away: false }, Queue(queue)))
    }

    /// Sends spans until `stopped`, and then, within a few seconds, those that wait.
    pub async fn run(mut self, stopped: impl Future<Output = ()>) {
        tokio::pin!(stopped);
        loop {
            tokio::select! {
                () = &mut stopped => break,
                () = tokio::time::sleep(EVERY) => {}
            }
            self.send_all().await;
        }
        self.spans.close();
        let flushed = timeout(FLUSH, self.send_all()).await;
        if flushed.is_err() {
            let mut rest = Vec::new();
            while let Ok(span) = self.spans.try_recv() {
                rest.push(span);
            }
            telemetry::dropped("stopped", rest.len());
        }
    }

    /// Sends what waits now.
    async fn send_all(&mut self) {
        let mut batch = Vec::new();
        while let Ok(span) = self.spans.try_recv() {
            batch.push(span);
            if batch.len() == BATCH {
                self.send(&std::mem::take(&mut batch)).await;
            }
        }
        if !batch.is_empty() {
            self.send(&batch).await;
        }
    }

    async fn send(&mut self, batch: &[Ended]) {
        match self.post(batch).await {
            Ok(()) => {
                telemetry::exported(batch.len());
                if std::mem::take(&mut self.is_away) {
                    tracing::info!("the collector takes spans again");
                }
            }
            Err(error) => {
                telemetry::dropped("refused", batch.len());
                if !std::mem::replace(&mut self.is_away, true) {
                    tracing::warn!(%error, "the collector does not take spans; they are dropped and counted");
                }
            }
        }
    }

    async fn post(&self, batch: &[Ended]) -> Result<(), Refused> {
        let no_answer = |error: &dyn std::fmt::Display| Refused::NoAnswer(error.to_string());
        let body = encode::request(&self.name, batch).to_string();
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.service.uri(PATH).map_err(|error| no_answer(&error))?;
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let answer = self.service.send(request, MAX_ANSWER).await.map_err(|error| no_answer(&error))?;
        if answer.status.is_success() { Ok(()) } else { Err(Refused::Status(answer.status.as_u16())) }
    }
}
