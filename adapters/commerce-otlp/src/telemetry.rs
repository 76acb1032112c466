//! Metrics.

use metrics::{counter, describe_counter};

const EXPORTED: &str = "otlp_spans_exported_total";
const DROPPED: &str = "otlp_spans_dropped_total";

/// Describes the metrics.
pub fn describe() {
    describe_counter!(EXPORTED, "Spans that the collector took");
    describe_counter!(DROPPED, "Spans that were dropped, by reason");
}

pub(crate) fn exported(spans: usize) {
    counter!(EXPORTED).increment(count(spans));
}

/// `queue_full`, `refused` by the collector or not answered, or `stopped` before they were sent.
pub(crate) fn dropped(reason: &'static str, spans: usize) {
    counter!(DROPPED, "reason" => reason).increment(count(spans));
}

fn count(spans: usize) -> u64 {
    u64::try_from(spans).unwrap_or(u64::MAX)
}
