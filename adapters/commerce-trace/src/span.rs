//! Spans that are told to an exporter, if there is one.

use std::num::NonZeroU64;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use commerce_core::trace::TraceParent;

use crate::TraceContext;

static EXPORTER: OnceLock<Box<dyn Spans>> = OnceLock::new();

/// Takes the spans of this process. It must not wait.
pub trait Spans: Send + Sync {
    /// Takes a span that has ended.
    fn take(&self, span: Ended);
}

/// The process has an exporter already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HasExporter;

/// What a span is in its trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Work of this process.
    Internal,
    /// A request of a client.
    Server,
    /// A call to another service.
    Client,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Value {
    Text(String),
    Number(i64),
}

/// A span that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Ended {
    pub span: TraceParent,
    /// The span that it is part of; `None` for the first one of a trace.
    pub parent: Option<NonZeroU64>,
    pub kind: Kind,
    pub name: String,
    pub started: SystemTime,
    pub took: Duration,
    /// They contain no query, no token and nothing about persons.
    pub attributes: Vec<(&'static str, Value)>,
    pub failed: bool,
}

/// A span that is measured.
#[derive(Clone, Copy, Debug)]
pub struct Running {
    context: TraceContext,
    kind: Kind,
    started: SystemTime,
    since: Instant,
}

/// Exports the spans of this process from now on.
///
/// # Errors
/// [`HasExporter`].
pub fn export_to(exporter: Box<dyn Spans>) -> Result<(), HasExporter> {
    EXPORTER.set(exporter).map_err(|_| HasExporter)
}

/// Whether spans are exported.
pub fn is_exported() -> bool {
    EXPORTER.get().is_some()
}

impl Running {
    /// Begins to measure. `None` if nobody wants the span: nothing is exported, or the client does not record the trace.
    pub fn begin(context: TraceContext, kind: Kind) -> Option<Self> {
        let is_wanted = is_exported() && context.span.sampled;
        is_wanted.then(|| Self { context, kind, started: SystemTime::now(), since: Instant::now() })
    }

    /// Ends the span now.
    pub fn end(self, name: String, attributes: Vec<(&'static str, Value)>, failed: bool) {
        let (started, took) = (self.started, self.since.elapsed());
        self.end_as(name, (started, took), attributes, failed);
    }

    /// Ends the span, which was measured otherwise.
    pub fn end_as(
        self,
        name: String,
        (started, took): (SystemTime, Duration),
        attributes: Vec<(&'static str, Value)>,
        failed: bool,
    ) {
        let Some(exporter) = EXPORTER.get() else { return };
        let TraceContext { span, parent, .. } = self.context;
        exporter.take(Ended { span, parent, kind: self.kind, name, started, took, attributes, failed });
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<u16> for Value {
    fn from(number: u16) -> Self {
        Self::Number(number.into())
    }
}
