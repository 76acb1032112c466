//! The names of the metrics, and what they mean. `docs/metrics.md` repeats this table, and a test of the server compares both.

use commerce_core::order::Phase;
use commerce_core::payment::{DeclineClass, OperationKind};
use commerce_core::port::{CartStep, InventoryUpdate, PromotionUse, StockMovement};
use commerce_core::saga::Compensation;
use commerce_core::stock::StockRefusal;
use commerce_core::task::TaskKind;
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use super::shop::saga_outcome;

pub(super) const REQUESTS: &str = "http_requests_total";
pub(super) const DURATION: &str = "http_request_duration_seconds";
pub(super) const IN_FLIGHT: &str = "http_requests_in_flight";
pub(super) const LIMITED: &str = "http_limited_total";
pub(super) const ORDERS: &str = "orders_placed_total";
pub(super) const ORDER_REQUESTS: &str = "order_requests_total";
pub(super) const ORDER_PHASES: &str = "order_phases_total";
pub(super) const CARTS: &str = "carts_total";
pub(super) const CODES: &str = "promotion_codes_tried_total";
pub(super) const PROMOTION_USES: &str = "promotion_uses_total";
pub(super) const UNITS: &str = "stock_units_total";
pub(super) const STOCK_REFUSALS: &str = "stock_refusals_total";
pub(super) const RACES: &str = "commit_races_lost_total";
pub(super) const INVENTORY: &str = "inventory_updates_total";
pub(super) const INVENTORY_AT: &str = "inventory_updated_timestamp_seconds";
pub(super) const SAGA_TIME: &str = "saga_duration_seconds";
pub(super) const COMPENSATIONS: &str = "saga_compensations_total";
pub(super) const TASK_RUNS: &str = "task_runs_total";
pub(super) const TASK_TIME: &str = "task_duration_seconds";
pub(super) const TASK_AGE: &str = "task_oldest_due_age_seconds";
pub(super) const DEAD_TASKS: &str = "tasks_dead";
pub(super) const PAYMENT_OPERATIONS: &str = "payment_operations_total";
pub(super) const DECLINES: &str = "payment_declines_total";
pub(super) const PAID_AFTER: &str = "order_paid_after_seconds";
pub(super) const PROCESSOR: &str = "payment_processor_available";
pub(super) const WEBHOOKS: &str = "payment_webhooks_total";
pub(super) const PULLS: &str = "payment_event_pulls_total";
pub(super) const PULLED: &str = "payment_events_pulled_total";
pub(super) const INCOMING: &str = "consume_events_total";
pub(super) const ATTEMPTS: &str = "webhook_attempts_total";
pub(super) const ATTEMPT_TIME: &str = "webhook_attempt_duration_seconds";

/// The time from a decision to its publication, which `commerce-events` records.
pub(super) const PUBLISH_LATENCY: &str = "publish_latency_seconds";

pub(super) fn describe() {
    describe_requests();
    describe_shop();
    describe_work();
    describe_payments();
}

fn describe_requests() {
    describe_counter!(REQUESTS, "Requests answered, by method, route and status.");
    describe_histogram!(DURATION, Unit::Seconds, "Time from a request's head to its answer, by method and route.");
    describe_gauge!(IN_FLIGHT, "Requests that are being answered.");
    describe_counter!(
        LIMITED,
        "Connections, streams and requests that a limit of the server refused or ended, by limit."
    );
}

fn describe_shop() {
    describe_counter!(ORDERS, "Orders placed; replayed answers are not counted again.");
    describe_counter!(
        ORDER_REQUESTS,
        "Requests that place an order, by source (checkout, order), outcome (placed, refused: 4xx, failed: 5xx) and error code; repeated requests count again."
    );
    describe_counter!(ORDER_PHASES, "Orders that came into a phase.");
    describe_counter!(CARTS, "Carts opened, converted to an order, and abandoned: known to have expired.");
    describe_counter!(CODES, "Promotion codes that customers tried, by outcome: accepted, or why not.");
    describe_counter!(PROMOTION_USES, "Uses of promotions that orders took, gave back, or did not get any more.");
    describe_counter!(UNITS, "Units of stock moved, by movement.");
    describe_counter!(STOCK_REFUSALS, "Use cases that the guard of a stock move refused, by reason.");
    describe_counter!(RACES, "Commits that were decided again because another one was faster, by subject.");
    describe_counter!(INVENTORY, "Units on hand told by staff or another system, by kind.");
    describe_gauge!(
        INVENTORY_AT,
        Unit::Seconds,
        "The Unix time at which units on hand were told last; 0: not since the start."
    );
}

fn describe_work() {
    describe_histogram!(SAGA_TIME, Unit::Seconds, "Time from placing an order to its shipment or its end, by outcome.");
    describe_counter!(COMPENSATIONS, "Steps of sagas that are being undone, by what undoes them.");
    describe_counter!(TASK_RUNS, "Attempts at tasks, by kind and outcome: finished, failed (to be retried), given_up.");
    describe_histogram!(TASK_TIME, Unit::Seconds, "Time of an attempt at a task, by kind.");
    describe_gauge!(TASK_AGE, Unit::Seconds, "How long the oldest due task of a kind had been due at the last look.");
    describe_gauge!(DEAD_TASKS, "Dead tasks, which wait for a person, by kind; at most 500 are counted.");
    describe_counter!(
        ATTEMPTS,
        "Attempts to deliver webhooks, by outcome: delivered, refused (another status), gone (410), or why there was no answer."
    );
    describe_histogram!(ATTEMPT_TIME, Unit::Seconds, "Time of an attempt to deliver a webhook.");
    describe_counter!(
        INCOMING,
        "Events of other systems, by source, type and outcome: applied, outdated, duplicate, ignored, waiting, dead_lettered, or forged, stale, failed."
    );
}

fn describe_payments() {
    describe_counter!(
        PAYMENT_OPERATIONS,
        "Operations of payments that came to a state, by kind, state and decline code."
    );
    describe_counter!(DECLINES, "Operations of payments that were declined, by kind and by what to do about it.");
    describe_histogram!(PAID_AFTER, Unit::Seconds, "Time from placing an order to its payment.");
    describe_gauge!(PROCESSOR, "1 if the payment processor answers the calls of this process, otherwise 0.");
    describe_counter!(
        WEBHOOKS,
        "Webhooks of the payment processor, by outcome: stored, forged, stale, foreign, malformed, failed (not stored)."
    );
    describe_counter!(PULLS, "Readings of the payment processor's list of events, by outcome: finished, failed.");
    describe_counter!(PULLED, "Events of the payment processor that its list had and no webhook told.");
}

/// Shows every metric from the start, so that a rule sees the first increment, and so that a name without a value is a mistake.
pub(super) fn begin_at_zero() {
    begin_requests();
    begin_shop();
    begin_work();
    begin_payments();
}

fn begin_requests() {
    gauge!(IN_FLIGHT).increment(0.0);
    counter!(LIMITED, "limit" => "memory").increment(0);
    for source in ["checkout", "order"] {
        counter!(ORDER_REQUESTS, "source" => source, "outcome" => "placed", "code" => "").increment(0);
        for code in ["internal_error", "store_unavailable", "timeout"] {
            counter!(ORDER_REQUESTS, "source" => source, "outcome" => "failed", "code" => code).increment(0);
        }
    }
}

fn begin_shop() {
    counter!(ORDERS).increment(0);
    zeros(ORDER_PHASES, "phase", Phase::ALL.iter().map(|phase| phase.name()));
    zeros(CARTS, "step", CartStep::ALL.iter().map(|step| step.name()));
    counter!(CODES, "outcome" => "accepted").increment(0);
    zeros(PROMOTION_USES, "change", PromotionUse::ALL.iter().map(|change| change.name()));
    zeros(UNITS, "movement", StockMovement::ALL.iter().map(|movement| movement.name()));
    zeros(STOCK_REFUSALS, "reason", StockRefusal::CODES.iter().copied());
    zeros(RACES, "subject", ["order", "claim", "cart", "payment"]);
    zeros(INVENTORY, "kind", InventoryUpdate::ALL.iter().map(|kind| kind.name()));
    gauge!(INVENTORY_AT).set(0.0);
}

fn begin_work() {
    let outcomes = Phase::ALL.iter().filter_map(|phase| saga_outcome(*phase));
    outcomes.for_each(|outcome| drop(histogram!(SAGA_TIME, "outcome" => outcome)));
    zeros(COMPENSATIONS, "by", Compensation::ALL.iter().map(|kind| kind.name()));
    for kind in TaskKind::KNOWN {
        for outcome in ["finished", "failed", "given_up"] {
            counter!(TASK_RUNS, "kind" => kind.as_str(), "outcome" => outcome).increment(0);
        }
        drop(histogram!(TASK_TIME, "kind" => kind.as_str()));
        gauge!(TASK_AGE, "kind" => kind.as_str()).set(0.0);
        gauge!(DEAD_TASKS, "kind" => kind.as_str()).set(0.0);
    }
    counter!(ATTEMPTS, "outcome" => "delivered").increment(0);
    drop(histogram!(ATTEMPT_TIME));
    counter!(INCOMING, "source" => "", "type" => "", "outcome" => "applied").increment(0);
}

fn begin_payments() {
    for kind in OperationKind::ALL {
        for state in ["succeeded", "declined"] {
            counter!(PAYMENT_OPERATIONS, "kind" => kind.name(), "state" => state, "code" => "").increment(0);
        }
        for class in DeclineClass::ALL {
            counter!(DECLINES, "kind" => kind.name(), "class" => class.name()).increment(0);
        }
    }
    drop(histogram!(PAID_AFTER));
    gauge!(PROCESSOR).set(1.0);
    zeros(WEBHOOKS, "outcome", ["stored", "forged", "stale", "foreign", "malformed", "failed"]);
    zeros(PULLS, "outcome", ["finished", "failed"]);
    counter!(PULLED).increment(0);
}

fn zeros(name: &'static str, label: &'static str, values: impl IntoIterator<Item = &'static str>) {
    for value in values {
        counter!(name, label => value).increment(0);
    }
}
