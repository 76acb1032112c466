//! Moves of stock.

use chrono::TimeDelta;
use commerce_core::ids::OrderId;
use commerce_core::stock::{MAX_ON_HAND, StockAction};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::OPENING;
use super::text::text;

/// A move after some time. Sometimes the clock goes back a little.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Step {
    /// Seconds since the previous step.
    pub seconds: i64,
    pub action: StockAction,
}

/// A small number of units, so that limits are reached.
pub fn units() -> impl Strategy<Value = i64> {
    prop_oneof![8 => 1..=6_i64, 1 => 1..=1000_i64, 1 => Just(MAX_ON_HAND)]
}

/// An action for one of some orders, or without an order. Reservations expire within two minutes after [`OPENING`].
pub fn action(orders: Vec<OrderId>) -> impl Strategy<Value = StockAction> {
    let order = select(orders);
    let until = || (0..=120_i64).prop_map(|seconds| OPENING + TimeDelta::seconds(seconds));
    let on_hand = prop_oneof![6 => 0..=12_i64, 1 => Just(MAX_ON_HAND), 1 => -2..=0_i64];
    let delta = prop_oneof![6 => -6..=6_i64, 1 => any::<i64>()];
    let expected = || option::weighted(0.2, 0..=12_u64);
    prop_oneof![
        4 => (order.clone(), units(), until()).prop_map(|(order, units, until)| StockAction::Reserve { order, units, until }),
        1 => (order.clone(), units(), until()).prop_map(|(order, units, until)| StockAction::Extend { order, units, until }),
        2 => (order.clone(), units()).prop_map(|(order, units)| StockAction::Confirm { order, units }),
        2 => order.clone().prop_map(|order| StockAction::Release { order }),
        2 => (order, units()).prop_map(|(order, units)| StockAction::Fulfil { order, units }),
        1 => units().prop_map(|units| StockAction::Restock { units }),
        1 => (on_hand, option::of(0..=5_i64), expected())
            .prop_map(|(on_hand, reorder_threshold, expected)| StockAction::Set { on_hand, reorder_threshold, expected }),
        1 => (delta, text(), expected()).prop_map(|(delta, reason, expected)| StockAction::Adjust { delta, reason, expected }),
    ]
}

/// A step with an action.
pub fn step(orders: Vec<OrderId>) -> impl Strategy<Value = Step> {
    let seconds = prop_oneof![4 => 0..=5_i64, 1 => 0..=60_i64, 1 => -3..=0_i64];
    (seconds, action(orders)).prop_map(|(seconds, action)| Step { seconds, action })
}
