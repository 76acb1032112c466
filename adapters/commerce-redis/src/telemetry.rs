//! The metrics.

use commerce_core::ids::TargetName;
use metrics::{counter, describe_counter, describe_gauge, gauge};

const LIMITED_BY_PROCESS: &str = "redis_limits_in_process_total";
const CART_FAILURES: &str = "redis_cart_failures_total";
const EVENTS_WAITING: &str = "redis_cart_events_waiting";
const EVENTS_LOST: &str = "redis_cart_events_lost_total";

/// Describes the metrics. Call it once, after a recorder was installed.
pub fn describe() {
    describe_counter!(
        LIMITED_BY_PROCESS,
        "Decisions about limits per minute that this process made alone, as Redis was away."
    );
    describe_counter!(CART_FAILURES, "Reads and changes of carts that Redis did not answer.");
    describe_gauge!(EVENTS_WAITING, "Events of carts that a target has not confirmed yet, by target.");
    describe_counter!(
        EVENTS_LOST,
        "Events of carts that were removed before a target had them, because too many waited, by target."
    );
}

pub(crate) fn note_limit_in_process() {
    counter!(LIMITED_BY_PROCESS).increment(1);
}

pub(crate) fn note_cart_failure() {
    counter!(CART_FAILURES).increment(1);
}

pub(crate) fn note_waiting_events(target: &TargetName, events: u64) {
    gauge!(EVENTS_WAITING, "target" => target.to_string()).set(u32::try_from(events).unwrap_or(u32::MAX));
    counter!(EVENTS_LOST, "target" => target.to_string()).increment(0);
}

pub(crate) fn note_lost_events(target: &TargetName, events: u64) {
    counter!(EVENTS_LOST, "target" => target.to_string()).increment(events);
}
