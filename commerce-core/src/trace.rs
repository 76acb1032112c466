//! The trace that a change belongs to. It is recorded with events and decides nothing.

use alloc::string::String;
use core::fmt;
use core::num::{NonZeroU64, NonZeroU128};
use core::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A span of a trace, in the form of the header `traceparent` of [W3C Trace Context](https://www.w3.org/TR/trace-context/).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
#[expect(missing_docs, reason = "the names say it")]
pub struct TraceParent {
    pub trace: NonZeroU128,
    pub span: NonZeroU64,
    /// Whether the caller may have recorded the trace.
    pub sampled: bool,
}

/// A text that is not a `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a traceparent of W3C Trace Context")]
pub struct NotATraceParent;

/// Ids are not zero, and in lower case. The header of a later version may be longer. Of the flags only `sampled` is kept.
impl FromStr for TraceParent {
    type Err = NotATraceParent;

    fn from_str(header: &str) -> Result<Self, Self::Err> {
        parse(header).ok_or(NotATraceParent)
    }
}

impl TryFrom<String> for TraceParent {
    type Error = NotATraceParent;

    fn try_from(header: String) -> Result<Self, Self::Error> {
        header.parse()
    }
}

impl From<TraceParent> for String {
    fn from(trace: TraceParent) -> Self {
        alloc::format!("{trace}")
    }
}

/// The value of the header.
impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, u8::from(self.sampled))
    }
}

fn parse(header: &str) -> Option<TraceParent> {
    let mut parts = header.split('-');
    let mut part = |digits| parts.next().filter(|part| part.len() == digits && part.bytes().all(is_digit));
    let (version, trace, span, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
    if version == "ff" || (version == "00" && parts.next().is_some()) {
        return None;
    }
    Some(TraceParent {
        trace: NonZeroU128::new(u128::from_str_radix(trace, 16).ok()?)?,
        span: NonZeroU64::new(u64::from_str_radix(span, 16).ok()?)?,
        sampled: u8::from_str_radix(flags, 16).ok()? & 1 == 1,
    })
}

const fn is_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::{NotATraceParent, TraceParent};

    const HEADER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_header_is_read_and_written_alike() {
        let read = |header: &str| header.parse::<TraceParent>().unwrap();
        assert_eq!(read(HEADER).to_string(), HEADER);
        assert_eq!(read(&(HEADER.replacen("00", "cc", 1) + "-what-comes")), read(HEADER));
        assert!(!read(&HEADER.replace("-01", "-02")).sampled);
    }

    #[test]
    fn what_is_not_a_header_is_refused() {
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
            assert_eq!(bad.parse::<TraceParent>(), Err(NotATraceParent), "{bad}");
        }
    }
}
