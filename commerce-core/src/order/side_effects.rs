//! The side effects of order events: stock moves, tasks and uses of promotions, derived from the events alone.
//!
//! Replaying a history therefore causes the same stock moves.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use super::event::OrderEvent;
use super::lifecycle::{PromotionEffect, StockEffect};
use super::state::{Order, sum_units};
use crate::event::Recorded;
use crate::ids::Sku;
use crate::pricing::Adjustment;
use crate::promotion::{Redemption, RedemptionEffect};
use crate::stock::{StockAction, StockMove};
use crate::task::{TaskChange, TaskKey};

/// The side effects of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SideEffects {
    /// Guarded moves, one per SKU, in the order of SKUs.
    pub stock: Vec<StockMove>,
    pub tasks: Vec<TaskChange>,
    /// Uses of promotions that are taken or released.
    pub redemptions: Vec<RedemptionEffect>,
}

/// The side effects of one event; `order` is the order *after* it.
pub fn side_effects(order: &Order, entry: &Recorded<OrderEvent>) -> SideEffects {
    let expiry = TaskKey::expire_order(order.id);
    match &entry.event {
        OrderEvent::Created { .. } => SideEffects {
            stock: reserve(order, order.reserved_until),
            tasks: [TaskChange::schedule(expiry, order.reserved_until)].into(),
            redemptions: redemptions(order).map(RedemptionEffect::Redeemed).collect(),
        },
        OrderEvent::Transitioned { stock, promotions, .. } => {
            let settles = matches!(stock, StockEffect::Confirm | StockEffect::Release);
            let tasks = settles.then_some(TaskChange::Finish(expiry)).into_iter().collect();
            let redemptions = match promotions {
                PromotionEffect::None => Vec::new(),
                PromotionEffect::Release => redemptions(order).map(RedemptionEffect::Released).collect(),
            };
            SideEffects { stock: moves(order, *stock), tasks, redemptions }
        }
        OrderEvent::ReservationExtended { until } => SideEffects {
            stock: extend(order, *until),
            tasks: [TaskChange::Finish(expiry.clone()), TaskChange::schedule(expiry, *until)].into(),
            ..SideEffects::default()
        },
        OrderEvent::ReturnReceived { id } => {
            let received = order.returns.iter().filter(|known| known.id == *id).flat_map(|known| &known.lines);
            let units = received.filter_map(|line| {
                let item = &order.line(line.item)?.item;
                Some((&item.sku, line.quantity.get()))
            });
            SideEffects { stock: restock(units), ..SideEffects::default() }
        }
        // A refund is sent by the task of its payment.
        OrderEvent::RefundRequested { .. }
        | OrderEvent::RefundProcessed { .. }
        | OrderEvent::RefundFailed { .. }
        | OrderEvent::PaymentAuthorized { .. }
        | OrderEvent::PaymentCaptured { .. }
        | OrderEvent::CaptureFailed { .. }
        | OrderEvent::HoldExpiring { .. }
        | OrderEvent::PaymentVoided { .. }
        | OrderEvent::PaymentFailed { .. }
        | OrderEvent::ShipmentUpdated { .. }
        | OrderEvent::ReturnRequested { .. }
        | OrderEvent::ReturnApproved { .. }
        | OrderEvent::ReturnRejected { .. } => SideEffects::default(),
    }
}

/// One use of every applied promotion.
fn redemptions(order: &Order) -> impl Iterator<Item = Redemption> {
    let redemption = move |applied: Adjustment<'_>| Redemption {
        promotion: applied.promotion_id.clone(),
        order: order.id,
        user: order.user_id.clone(),
        amount: applied.amount,
        at: order.created_at,
        released_at: None,
    };
    order.quote.applied().map(redemption)
}

fn reserve(order: &Order, until: DateTime<Utc>) -> Vec<StockMove> {
    moves_of(order.units_by_sku(), |units| StockAction::Reserve { order: order.id, units, until })
}

fn extend(order: &Order, until: DateTime<Utc>) -> Vec<StockMove> {
    moves_of(order.units_by_sku(), |units| StockAction::Extend { order: order.id, units, until })
}

fn moves(order: &Order, effect: StockEffect) -> Vec<StockMove> {
    let id = order.id;
    match effect {
        StockEffect::None => Vec::new(),
        StockEffect::Confirm => moves_of(order.units_by_sku(), |units| StockAction::Confirm { order: id, units }),
        StockEffect::Release => moves_of(order.units_by_sku(), |_| StockAction::Release { order: id }),
        StockEffect::Fulfil => moves_of(order.units_by_sku(), |units| StockAction::Fulfil { order: id, units }),
        StockEffect::Restock => {
            let back = order.returned_by_sku();
            let left = |(sku, units): (_, i64)| (sku, units.saturating_sub(back.get(sku).copied().unwrap_or_default()));
            restock(order.units_by_sku().into_iter().map(left))
        }
    }
}

fn restock<'a>(units: impl Iterator<Item = (&'a Sku, i64)>) -> Vec<StockMove> {
    let some = sum_units(units).into_iter().filter(|(_, units)| *units > 0).collect();
    moves_of(some, |units| StockAction::Restock { units })
}

fn moves_of(units: BTreeMap<&Sku, i64>, action: impl Fn(i64) -> StockAction) -> Vec<StockMove> {
    units.into_iter().map(|(sku, units)| StockMove { sku: sku.clone(), action: action(units) }).collect()
}
