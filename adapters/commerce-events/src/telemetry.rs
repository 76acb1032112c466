//! Metrics of publishing and consuming. A process without the lease of a target shows no lag of it.

use chrono::{DateTime, TimeDelta, Utc};
use commerce_core::ids::TargetName;
use commerce_core::inbox::SourceName;
use commerce_core::port::PublishFailure;
use commerce_core::publishing::Message;
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

const PUBLISHED: &str = "publish_events_total";
const FAILURES: &str = "publish_failures_total";
const LATENCY: &str = "publish_latency_seconds";
const NOT_CONSUMED: &str = "consume_failures_total";
const LAG_EVENTS: &str = "publish_lag_events";
const LAG_SECONDS: &str = "publish_lag_seconds";

/// Describes the metrics to the recorder of this process.
pub fn describe() {
    // Without a source there would be none of them.
    counter!(NOT_CONSUMED, "source" => "", "kind" => "unavailable").increment(0);
    describe_counter!(PUBLISHED, "Events that a target has confirmed, by target and type; repeated ones count again.");
    describe_counter!(FAILURES, "Attempts to publish that failed, by target and kind: unavailable, refused, store.");
    describe_histogram!(
        LATENCY,
        Unit::Seconds,
        "Time from the decision of an event to its confirmation by a target, by target."
    );
    describe_counter!(
        NOT_CONSUMED,
        "Failures to take messages of a broker, by source and kind: unavailable, refused, store. None is lost."
    );
    describe_gauge!(LAG_EVENTS, "Events that a target has not confirmed yet, by target.");
    describe_gauge!(
        LAG_SECONDS,
        Unit::Seconds,
        "The age of the oldest event that a target has not confirmed yet, by target."
    );
}

/// Shows the metrics of a target from the start.
pub(crate) fn begin(target: &TargetName) {
    drop(histogram!(LATENCY, "target" => target.to_string()));
    for kind in ["unavailable", "refused", "store"] {
        counter!(FAILURES, "target" => target.to_string(), "kind" => kind).increment(0);
    }
}

pub(crate) fn published(target: &TargetName, messages: &[Message], now: DateTime<Utc>) {
    for message in messages {
        let latency = now.signed_duration_since(message.at).to_std().unwrap_or_default();
        histogram!(LATENCY, "target" => target.to_string()).record(latency);
        let (target, event_type) = (target.to_string(), message.event_type.clone());
        counter!(PUBLISHED, "target" => target, "type" => event_type).increment(1);
    }
}

pub(crate) fn failed(target: &TargetName, kind: &'static str) {
    counter!(FAILURES, "target" => target.to_string(), "kind" => kind).increment(1);
}

/// Shows the failures of a source from the start.
pub(crate) fn begin_consuming(source: &SourceName) {
    for kind in ["unavailable", "refused", "store"] {
        counter!(NOT_CONSUMED, "source" => source.to_string(), "kind" => kind).increment(0);
    }
}

pub(crate) fn not_consumed(source: &SourceName, kind: &'static str) {
    counter!(NOT_CONSUMED, "source" => source.to_string(), "kind" => kind).increment(1);
}

pub(crate) fn lag(target: &TargetName, events: u64, age: TimeDelta) {
    let events = u32::try_from(events).unwrap_or(u32::MAX);
    gauge!(LAG_EVENTS, "target" => target.to_string()).set(events);
    gauge!(LAG_SECONDS, "target" => target.to_string()).set(age.to_std().unwrap_or_default().as_secs_f64());
}

/// The label of a failure.
pub(crate) const fn kind(failure: &PublishFailure) -> &'static str {
    if matches!(failure, PublishFailure::Refused(_)) { "refused" } else { "unavailable" }
}
