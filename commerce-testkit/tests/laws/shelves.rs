//! Stock: STK-1 to STK-3 hold whatever is asked of a shelf.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use commerce_core::ids::{OrderId, Sku};
use commerce_core::stock::{Hold, HoldChange, MAX_ON_HAND, Shelf, StockEvent, StockLevel};
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

fn empty() -> Shelf {
    let sku: Sku = "MUG".parse().unwrap();
    Shelf::new(StockLevel::empty(sku), BTreeMap::new(), None)
}

/// The steps with the instant of each.
fn timed(steps: &[Step]) -> impl Iterator<Item = (DateTime<Utc>, &Step)> {
    steps.iter().scan(OPENING, |now, step| {
        *now += TimeDelta::seconds(step.seconds);
        Some((*now, step))
    })
}

/// As the next reader finds the shelf, who sweeps first: a hold may be over before it begins.
fn check_invariants(shelf: &Shelf, at: DateTime<Utc>) -> Result<(), TestCaseError> {
    let mut shelf = shelf.clone();
    shelf.sweep(at);
    let level = shelf.level();
    prop_assert!(
        0 <= level.reserved && level.reserved <= level.on_hand && level.on_hand <= MAX_ON_HAND,
        "STK-1 {level:?}"
    );
    prop_assert_eq!(level.reserved, shelf.holds().values().map(|hold| hold.units).sum::<i64>(), "STK-2");
    prop_assert!(shelf.holds().values().all(|hold| hold.until.is_none_or(|until| until > at)), "STK-3");
    let first = shelf.holds().values().filter_map(|hold| hold.until).min();
    prop_assert!(first.is_none_or(|first| level.next_expiry.is_some_and(|next| next <= first)), "no hold ends unseen");
    Ok(())
}

/// A shelf as a store would load it for one move: the holds of the order that moves, and those that are due.
fn loaded(level: &StockLevel, holds: &BTreeMap<OrderId, Hold>, orders: &BTreeSet<OrderId>, at: DateTime<Utc>) -> Shelf {
    let due = level.next_expiry.is_some_and(|next| next <= at);
    let matters =
        |order: &OrderId, hold: &Hold| orders.contains(order) || (due && hold.until.is_some_and(|until| until <= at));
    let (near, far): (BTreeMap<_, _>, BTreeMap<_, _>) = holds.iter().partition(|(order, hold)| matters(order, hold));
    let next = if due { far.into_values().filter_map(|hold: Hold| hold.until).min() } else { level.next_expiry };
    Shelf::new(level.clone(), near, next)
}

proptest! {
    #[test]
    fn stk_1_to_3_hold_after_every_move(steps in steps()) {
        let mut shelf = empty();
        for (at, step) in timed(&steps) {
            let version = shelf.level().version;
            let before = shelf.clone();
            match shelf.apply(&step.action, at) {
                Ok(events) => prop_assert_eq!(shelf.level().version, version + u64::try_from(events.len().max(1)).unwrap()),
                Err(refusal) => {
                    let mut swept = before;
                    swept.sweep(at);
                    prop_assert_eq!(&shelf, &swept, "refused: {}", refusal);
                }
            }
            check_invariants(&shelf, at)?;
        }
    }

    /// The changes of holds a store is told to write make the holds the shelf has.
    #[test]
    fn the_changes_of_holds_make_the_holds(steps in steps()) {
        let mut shelf = empty();
        let mut written = BTreeMap::new();
        for (at, step) in timed(&steps) {
            shelf = Shelf::new(shelf.level().clone(), shelf.holds().clone(), None);
            let _refusal = shelf.apply(&step.action, at);
            for change in shelf.hold_changes() {
                let expected = match change {
                    HoldChange::Add(order, hold) => written.insert(order, hold).is_none(),
                    HoldChange::Update(order, hold) => written.insert(order, hold).is_some_and(|old| old != hold),
                    HoldChange::Remove(order) => written.remove(&order).is_some(),
                };
                prop_assert!(expected, "{change:?}");
            }
            prop_assert_eq!(&written, shelf.holds());
        }
    }

    /// A store that loads only the holds that matter decides as one that loads all.
    #[test]
    fn the_holds_that_matter_are_enough(steps in steps()) {
        let mut whole = empty();
        let (mut level, mut holds) = (whole.level().clone(), BTreeMap::new());
        for (at, step) in timed(&steps) {
            let mut part = loaded(&level, &holds, &step.action.order().into_iter().collect(), at);
            prop_assert_eq!(part.apply(&step.action, at), whole.apply(&step.action, at));
            for change in part.hold_changes() {
                match change {
                    HoldChange::Add(order, hold) | HoldChange::Update(order, hold) => drop(holds.insert(order, hold)),
                    HoldChange::Remove(order) => drop(holds.remove(&order)),
                }
            }
            level = part.level().clone();
            prop_assert_eq!(&holds, whole.holds());
            let exact = whole.level();
            prop_assert_eq!(&StockLevel { next_expiry: exact.next_expiry, ..level.clone() }, exact);
            prop_assert!(exact.next_expiry.is_none_or(|first| level.next_expiry.is_some_and(|next| next <= first)));
        }
    }

    /// A notice is given when a border is crossed downwards, and only then.
    #[test]
    fn notices_tell_of_crossings(steps in steps()) {
        let mut shelf = empty();
        for (at, step) in timed(&steps) {
            shelf.sweep(at);
            let before = shelf.level().available();
            let Ok(events) = shelf.apply(&step.action, at) else { continue };
            let (after, threshold) = (shelf.level().available(), shelf.level().reorder_threshold);
            let crossed = |border: i64| before > border && after <= border;
            let is_out = events.contains(&StockEvent::Out);
            let is_low = events.contains(&StockEvent::Low { available: after });
            prop_assert_eq!(is_out, crossed(0));
            prop_assert_eq!(is_low, !is_out && threshold.is_some_and(crossed));
        }
    }
}
