//! The metrics.

use metrics::{counter, describe_counter};

const LIMITED_BY_PROCESS: &str = "redis_limits_in_process_total";
const CART_FAILURES: &str = "redis_cart_failures_total";

/// Describes the metrics. Call it once, after a recorder was installed.
pub fn describe() {
    describe_counter!(
        LIMITED_BY_PROCESS,
        "Decisions about limits per minute that this process made alone, as Redis was away."
    );
    describe_counter!(CART_FAILURES, "Reads and changes of carts that Redis did not answer.");
}

pub(crate) fn note_limit_in_process() {
    counter!(LIMITED_BY_PROCESS).increment(1);
}

pub(crate) fn note_cart_failure() {
    counter!(CART_FAILURES).increment(1);
}
