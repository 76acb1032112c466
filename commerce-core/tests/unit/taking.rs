//! A reservation that is uncontended fits every level within its bounds.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use chrono::DateTime;
use uuid::Uuid;

use super::{SkuStock, StockAction, StockLevel};
use crate::ids::OrderId;

/// Whatever fits a `UncontendedReservation`: the moves say the same there and lead where it says.
#[test]
fn what_was_taken_can_be_taken_from_every_level_that_fits() {
    let at = DateTime::from_timestamp(1_000, 0).unwrap();
    let levels: Vec<_> = (0..9).flat_map(|on_hand| (0..=on_hand).map(move |reserved| (on_hand, reserved))).collect();
    let pairs = || levels.iter().flat_map(|read| levels.iter().map(move |found| (*read, *found)));
    let mut fitting = 0;
    for threshold in [None, Some(-1), Some(0), Some(2), Some(5)] {
        fitting += pairs().map(|(read, found)| check(threshold, read, found, at)).sum::<usize>();
    }
    assert!(fitting > 500, "{fitting} levels fitted");
}

fn check(threshold: Option<i64>, read: (i64, i64), found: (i64, i64), at: DateTime<chrono::Utc>) -> usize {
    let level = |(on_hand, reserved)| StockLevel {
        on_hand,
        reserved,
        reorder_threshold: threshold,
        next_expiry: None,
        version: 7,
        ..StockLevel::empty("MUG".parse().unwrap())
    };
    let until = at + chrono::TimeDelta::seconds(60);
    let moves = [(1, 1), (2, 2)].map(|(order, units)| {
        let order = OrderId::new(Uuid::from_u128(order));
        StockAction::Reserve { order, units, until }
    });
    let mut sku_stock = SkuStock::new(level(read), BTreeMap::new(), None);
    let said: Vec<_> = moves.iter().map(|action| sku_stock.apply(action, at)).collect();
    if said.iter().any(Result::is_err) {
        return 0;
    }
    let Some(taken) = sku_stock.uncontended(at) else { return 0 };
    if !taken.fits(&level(found), at) {
        return 0;
    }
    let mut other = SkuStock::new(level(found), BTreeMap::new(), None);
    let said_there: Vec<_> = moves.iter().map(|action| other.apply(action, at)).collect();
    assert_eq!(said, said_there);
    assert_eq!(other.level().reserved, found.1 + taken.units);
    assert_eq!(other.level().version, 7 + taken.steps);
    assert_eq!(other.level().next_expiry, Some(taken.next_expiry));
    1
}
