//! Stock: STK-1 to STK-3 hold whatever is asked of a sku's stock.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use commerce_core::ids::{OrderId, Sku};
use commerce_core::stock::{MAX_ON_HAND, Reservation, ReservationChange, SkuStock, StockEvent, StockLevel};
use commerce_testkit::strategy::OPENING;
use commerce_testkit::strategy::stock::{Step, step};
use proptest::collection::vec;
use proptest::prelude::*;
use uuid::Uuid;

fn orders() -> Vec<OrderId> {
    (1..=3).map(|n| OrderId::new(Uuid::from_u128(n))).collect()
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    vec(step(orders()), 1..40)
}

fn empty() -> SkuStock {
    let sku: Sku = "MUG".parse().unwrap();
    SkuStock::new(StockLevel::empty(sku), BTreeMap::new(), None)
}

/// The steps with the instant of each.
fn timed(steps: &[Step]) -> impl Iterator<Item = (DateTime<Utc>, &Step)> {
    steps.iter().scan(OPENING, |now, step| {
        *now += TimeDelta::seconds(step.seconds);
        Some((*now, step))
    })
}

/// As the next reader finds the stock, who sweeps first: a reservation may be over before it begins.
fn check_invariants(sku_stock: &SkuStock, at: DateTime<Utc>) -> Result<(), TestCaseError> {
    let mut sku_stock = sku_stock.clone();
    sku_stock.expire_reservations(at);
    let level = sku_stock.level();
    prop_assert!(
        0 <= level.reserved && level.reserved <= level.on_hand && level.on_hand <= MAX_ON_HAND,
        "STK-1 {level:?}"
    );
    prop_assert_eq!(
        level.reserved,
        sku_stock.reservations().values().map(|reservation| reservation.units).sum::<i64>(),
        "STK-2"
    );
    prop_assert!(
        sku_stock.reservations().values().all(|reservation| reservation.until.is_none_or(|until| until > at)),
        "STK-3"
    );
    let first = sku_stock.reservations().values().filter_map(|reservation| reservation.until).min();
    let is_seen = first.is_none_or(|first| level.next_expiry.is_some_and(|next| next <= first));
    prop_assert!(is_seen, "no reservation ends unseen");
    Ok(())
}

/// A sku's stock as a store would load it for one move: the reservations of the order that moves, and those that are due.
fn loaded(
    level: &StockLevel,
    reservations: &BTreeMap<OrderId, Reservation>,
    orders: &BTreeSet<OrderId>,
    at: DateTime<Utc>,
) -> SkuStock {
    let due = level.next_expiry.is_some_and(|next| next <= at);
    let matters = |order: &OrderId, reservation: &Reservation| {
        orders.contains(order) || (due && reservation.until.is_some_and(|until| until <= at))
    };
    let (near, far): (BTreeMap<_, _>, BTreeMap<_, _>) =
        reservations.iter().partition(|(order, reservation)| matters(order, reservation));
    let next = if due {
        far.into_values().filter_map(|reservation: Reservation| reservation.until).min()
    } else {
        level.next_expiry
    };
    SkuStock::new(level.clone(), near, next)
}

proptest! {
    #[test]
    fn stk_1_to_3_hold_after_every_move(steps in steps()) {
        let mut sku_stock = empty();
        for (at, step) in timed(&steps) {
            let version = sku_stock.level().version;
            let before = sku_stock.clone();
            match sku_stock.apply(&step.action, at) {
                Ok(events) => {
                    let steps = u64::try_from(events.len().max(1)).unwrap();
                    prop_assert_eq!(sku_stock.level().version, version + steps);
                }
                Err(refusal) => {
                    let mut swept = before;
                    swept.expire_reservations(at);
                    prop_assert_eq!(&sku_stock, &swept, "refused: {}", refusal);
                }
            }
            check_invariants(&sku_stock, at)?;
        }
    }

    /// The changes of reservations that a store is told to write make the reservations of the stock.
    #[test]
    fn the_changes_of_reservations_make_the_reservations(steps in steps()) {
        let mut sku_stock = empty();
        let mut written = BTreeMap::new();
        for (at, step) in timed(&steps) {
            sku_stock = SkuStock::new(sku_stock.level().clone(), sku_stock.reservations().clone(), None);
            let _refusal = sku_stock.apply(&step.action, at);
            for change in sku_stock.reservation_changes() {
                let expected = match change {
                    ReservationChange::Add(order, reservation) => written.insert(order, reservation).is_none(),
                    ReservationChange::Update(order, reservation) => {
                        written.insert(order, reservation).is_some_and(|old| old != reservation)
                    }
                    ReservationChange::Remove(order) => written.remove(&order).is_some(),
                };
                prop_assert!(expected, "{change:?}");
            }
            prop_assert_eq!(&written, sku_stock.reservations());
        }
    }

    /// A store that loads only the reservations that matter decides as one that loads all.
    #[test]
    fn the_reservations_that_matter_are_enough(steps in steps()) {
        let mut whole = empty();
        let (mut level, mut reservations) = (whole.level().clone(), BTreeMap::new());
        for (at, step) in timed(&steps) {
            let mut part = loaded(&level, &reservations, &step.action.order().into_iter().collect(), at);
            prop_assert_eq!(part.apply(&step.action, at), whole.apply(&step.action, at));
            for change in part.reservation_changes() {
                match change {
                    ReservationChange::Add(order, reservation) | ReservationChange::Update(order, reservation) => {
                        reservations.insert(order, reservation);
                    }
                    ReservationChange::Remove(order) => drop(reservations.remove(&order)),
                }
            }
            level = part.level().clone();
            prop_assert_eq!(&reservations, whole.reservations());
            let exact = whole.level();
            prop_assert_eq!(&StockLevel { next_expiry: exact.next_expiry, ..level.clone() }, exact);
            prop_assert!(exact.next_expiry.is_none_or(|first| level.next_expiry.is_some_and(|next| next <= first)));
        }
    }

    /// A notice is given when a border is crossed downwards, and only then.
    #[test]
    fn notices_tell_of_crossings(steps in steps()) {
        let mut sku_stock = empty();
        for (at, step) in timed(&steps) {
            sku_stock.expire_reservations(at);
            let before = sku_stock.level().available();
            let Ok(events) = sku_stock.apply(&step.action, at) else { continue };
            let (after, threshold) = (sku_stock.level().available(), sku_stock.level().reorder_threshold);
            let crossed = |border: i64| before > border && after <= border;
            let is_out = events.contains(&StockEvent::OutOfStock);
            let is_low = events.contains(&StockEvent::LowStock { available: after });
            prop_assert_eq!(is_out, crossed(0));
            prop_assert_eq!(is_low, !is_out && threshold.is_some_and(crossed));
        }
    }
}
