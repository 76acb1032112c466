//! Internal: the trace that a request belongs to, as [W3C Trace Context](https://www.w3.org/TR/trace-context/) says it.
//!
//! The HTTP API takes the trace of a request from its header `traceparent`, or begins one. Calls to other services on behalf of the
//! request carry it on. The header `tracestate` is not passed on.

use std::fmt;

use uuid::Uuid;

/// The name of the header.
pub const TRACEPARENT: &str = "traceparent";

tokio::task_local! {
    static CURRENT: TraceContext;
}

/// A span of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    trace: u128,
    span: u64,
    flags: u8,
}

impl TraceContext {
    /// A span in the trace of a header; without a valid one, the first span of a new trace.
    pub fn following(header: Option<&str>) -> Self {
        let begun = || Self { trace: Uuid::new_v4().as_u128(), span: 0, flags: 1 };
        header.and_then(Self::parse).unwrap_or_else(begun).child()
    }

    /// The span that a header names. The ids are not zero, and in lower case. Headers of later versions may be longer.
    pub fn parse(header: &str) -> Option<Self> {
        let mut parts = header.split('-');
        let mut part = |digits| parts.next().filter(|part| part.len() == digits && part.bytes().all(is_digit));
        let (version, trace, span, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
        if version == "ff" || (version == "00" && parts.next().is_some()) {
            return None;
        }
        let (trace, span) = (u128::from_str_radix(trace, 16).ok()?, u64::from_str_radix(span, 16).ok()?);
        let flags = u8::from_str_radix(flags, 16).ok()? & 1;
        (trace != 0 && span != 0).then_some(Self { trace, span, flags })
    }

    /// A new span in the same trace.
    #[must_use]
    pub fn child(self) -> Self {
        Self { span: Uuid::new_v4().as_u64_pair().1, ..self }
    }

    /// The id of the trace.
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace)
    }

    /// The id of the span.
    pub fn span_id(&self) -> String {
        format!("{:016x}", self.span)
    }
}

/// The value of the header.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, self.flags)
    }
}

const fn is_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
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
    use super::{TraceContext, current, within};

    const HEADER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_header_is_read_and_written_alike() {
        assert_eq!(TraceContext::parse(HEADER).map(|context| context.to_string()).as_deref(), Some(HEADER));
        let later = HEADER.replacen("00", "cc", 1) + "-what-comes";
        assert_eq!(TraceContext::parse(&later), TraceContext::parse(HEADER));
    }

    #[test]
    fn what_is_not_a_header_begins_a_new_trace() {
        for bad in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceContext::parse(bad), None, "{bad}");
            assert_ne!(TraceContext::following(Some(bad)), TraceContext::following(Some(bad)));
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
}
