//! What happens in the shop, as its engine tells.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use commerce_core::order::Phase;
use commerce_core::payment::{DeclineCode, OperationKind, OperationState};
use commerce_core::port::{News, Observer};
use commerce_core::webhook::{DeliveryOutcome, DeliveryVerdict};
use metrics::{counter, gauge, histogram};

use super::table::{
    ATTEMPT_TIME, ATTEMPTS, CARTS, COMPENSATIONS, DECLINES, INVENTORY, INVENTORY_AT, ORDER_PHASES, PAID_AFTER,
    PAYMENT_OPERATIONS, PROMOTION_USES, RACES, SAGA_TIME, STOCK_REFUSALS, UNITS,
};

/// Counts what the engine tells; see [`EngineBuilder::observer`](commerce_core::engine::EngineBuilder::observer).
#[derive(Clone, Copy, Debug, Default)]
pub struct ShopMetrics;

impl Observer for ShopMetrics {
    fn note(&self, news: &News) {
        match *news {
            News::Operation { kind, state, decline } => note_operation(kind, state, decline),
            News::Webhook { outcome, took_ms } => {
                counter!(ATTEMPTS, "outcome" => webhook_outcome(outcome)).increment(1);
                histogram!(ATTEMPT_TIME).record(Duration::from_millis(took_ms));
            }
            News::Paid { after } => histogram!(PAID_AFTER).record(span(after)),
            News::Cart(step) => counter!(CARTS, "step" => step.name()).increment(1),
            News::Order { phase, after } => note_phase(phase, after),
            News::Compensation(by) => counter!(COMPENSATIONS, "by" => by.name()).increment(1),
            News::Units { movement, units } => counter!(UNITS, "movement" => movement.name()).increment(units),
            News::Inventory(kind) => {
                counter!(INVENTORY, "kind" => kind.name()).increment(1);
                gauge!(INVENTORY_AT).set(u32::try_from(Utc::now().timestamp()).unwrap_or(u32::MAX));
            }
            News::Promotion(change) => counter!(PROMOTION_USES, "change" => change.name()).increment(1),
            News::StockRefused { reason } => counter!(STOCK_REFUSALS, "reason" => reason).increment(1),
            News::LostRace { subject } => counter!(RACES, "subject" => subject).increment(1),
            _ => {}
        }
    }
}

fn note_operation(kind: OperationKind, state: OperationState, decline: Option<DeclineCode>) {
    let code = decline.map_or("", DeclineCode::name);
    counter!(PAYMENT_OPERATIONS, "kind" => kind.name(), "state" => state.name(), "code" => code).increment(1);
    if let Some(decline) = decline {
        counter!(DECLINES, "kind" => kind.name(), "class" => decline.class().name()).increment(1);
    }
}

fn note_phase(phase: Phase, after: TimeDelta) {
    counter!(ORDER_PHASES, "phase" => phase.name()).increment(1);
    if let Some(outcome) = saga_outcome(phase) {
        histogram!(SAGA_TIME, "outcome" => outcome).record(span(after));
    }
}

/// How the saga of an order ends with a phase.
pub(super) const fn saga_outcome(phase: Phase) -> Option<&'static str> {
    match phase {
        Phase::Shipped => Some("shipped"),
        Phase::Cancelled => Some("cancelled"),
        Phase::Returned => Some("returned"),
        Phase::Draft
        | Phase::AwaitingPayment
        | Phase::Paid
        | Phase::InFulfilment
        | Phase::Delivered
        | Phase::Completed => None,
    }
}

fn span(time: TimeDelta) -> Duration {
    time.to_std().unwrap_or_default()
}

const fn webhook_outcome(outcome: DeliveryOutcome) -> &'static str {
    match (outcome, outcome.verdict()) {
        (DeliveryOutcome::Failed(failure), _) => failure.name(),
        (_, DeliveryVerdict::Delivered) => "delivered",
        (_, DeliveryVerdict::Gone) => "gone",
        (_, DeliveryVerdict::Retry) => "refused",
    }
}
