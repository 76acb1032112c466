//! Internal: the trace that a request belongs to, as [W3C Trace Context](https://www.w3.org/TR/trace-context/) says it.
//!
//! The HTTP API takes the trace of a request from its header `traceparent`, or begins one. Calls to other services on behalf of the
//! request carry it on. Events that follow from a request keep the trace, if others know it. The header `tracestate` is not passed on.
//!
//! Spans are measured and told to an exporter only if there is one ([`export_to`]).

mod span;

use std::num::{NonZeroU64, NonZeroU128};

use commerce_core::port::Traces;
use commerce_core::trace::TraceParent;
use uuid::Uuid;

pub use self::span::{Ended, HasExporter, Kind, Running, Spans, Value, export_to, is_exported};

/// The name of the header.
pub const TRACEPARENT: &str = "traceparent";

tokio::task_local! {
    static CURRENT: TraceContext;
}

/// A span of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    span: TraceParent,
    /// The span that it is part of.
    parent: Option<NonZeroU64>,
    is_named: bool,
}

impl TraceContext {
    /// A span in the trace of a header; without a valid one, the first span of a new trace.
    pub fn following(header: Option<&str>) -> Self {
        match header.and_then(|header| header.parse().ok()) {
            Some(span) => Self { span, parent: None, is_named: true }.child(),
            None => Self::first(),
        }
    }

    /// The first span of a new trace.
    pub fn first() -> Self {
        let span = TraceParent { trace: fresh_trace(), span: fresh_span(), sampled: true };
        Self { span, parent: None, is_named: false }
    }

    /// A new span in the same trace.
    #[must_use]
    pub fn child(self) -> Self {
        Self { span: TraceParent { span: fresh_span(), ..self.span }, parent: Some(self.span.span), ..self }
    }

    /// The value of the header.
    pub const fn header(&self) -> TraceParent {
        self.span
    }

    /// The id of the span that it is part of; `None` for the first one of a trace.
    pub const fn parent(&self) -> Option<NonZeroU64> {
        self.parent
    }

    /// The id of the trace.
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.span.trace)
    }

    /// The id of the span.
    pub fn span_id(&self) -> String {
        format!("{:016x}", self.span.span)
    }
}

/// The traces that others know: those that clients of the HTTP API named, and all if spans are exported.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestTraces;

impl Traces for RequestTraces {
    fn current(&self) -> Option<TraceParent> {
        current().filter(|context| context.is_named || is_exported()).map(|context| context.span)
    }
}

/// A random id (version 4), which is never zero.
fn fresh_trace() -> NonZeroU128 {
    NonZeroU128::new(Uuid::new_v4().as_u128()).unwrap_or(NonZeroU128::MIN)
}

/// The half of a random id that has its variant, so it is not zero either.
fn fresh_span() -> NonZeroU64 {
    NonZeroU64::new(Uuid::new_v4().as_u64_pair().1).unwrap_or(NonZeroU64::MIN)
}

/// Runs work on behalf of a span.
pub async fn within<F: Future>(context: TraceContext, work: F) -> F::Output {
    CURRENT.scope(context, work).await
}

/// The span that this task works for.
pub fn current() -> Option<TraceContext> {
    CURRENT.try_with(|context| *context).ok()
}

#[cfg(test)]
mod tests {
    use commerce_core::port::Traces;

    use super::{RequestTraces, TraceContext, current, within};

    const HEADER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_is_not_a_header_begins_a_new_trace() {
        for bad in [None, Some("00-00000000000000000000000000000000-00f067aa0ba902b7-01")] {
            assert_ne!(TraceContext::following(bad).trace_id(), TraceContext::following(bad).trace_id());
        }
    }

    #[test]
    fn a_request_is_a_span_of_its_own() {
        let followed = TraceContext::following(Some(HEADER));
        assert_eq!(followed.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_ne!(followed.span_id(), "00f067aa0ba902b7");
    }

    #[test]
    fn only_work_within_a_span_has_one() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let context = TraceContext::following(None);
        assert_eq!(runtime.block_on(within(context, async { current() })), Some(context));
        assert_eq!(current(), None);
    }

    #[test]
    fn events_get_the_trace_that_a_client_named_and_no_other() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let told = |context| runtime.block_on(within(context, async { RequestTraces.current() }));
        let named = TraceContext::following(Some(HEADER));
        assert_eq!(told(named), Some(named.header()));
        assert_eq!(told(TraceContext::following(None)), None);
    }
}
