//! Uses that commute fit exactly the counters that allow them.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use chrono::DateTime;
use uuid::Uuid;

use super::{Limits, Redemption, RedemptionMove, UsageCounter};
use crate::ids::OrderId;
use crate::money::{Currency, Money};

#[test]
fn uses_can_be_added_to_the_counters_that_allow_them_and_to_no_others() {
    let counters: Vec<_> = (0..6).flat_map(|used| (0..12).map(move |spent| (used, spent))).collect();
    let (mut fitting, mut others) = (0, 0);
    for max_uses in [None, Some(3), Some(4)] {
        for budget in [None, Some(5), Some(8)] {
            for amounts in [[0, 0], [1, 0], [2, 3]] {
                let moves = moves(amounts, max_uses, budget);
                for (read, found) in counters.iter().flat_map(|read| counters.iter().map(move |found| (*read, *found)))
                {
                    match check(&moves, read, found) {
                        Some(true) => fitting += 1,
                        Some(false) => others += 1,
                        None => {}
                    }
                }
            }
        }
    }
    assert!(fitting > 1000 && others > 1000, "{fitting} fitted, {others} did not");
}

fn moves(amounts: [i64; 2], max_uses: Option<u64>, budget: Option<i64>) -> Vec<RedemptionMove> {
    let budget = budget.map(|minor| Money::new(minor, Currency::EUR));
    let limits = Limits { max_uses, budget, ..Limits::default() };
    let redeem = |(order, amount)| {
        let redemption = Redemption {
            promotion: "promo".parse().unwrap(),
            order: OrderId::new(Uuid::from_u128(order)),
            user: "ann".parse().unwrap(),
            amount: Money::new(amount, Currency::EUR),
            at: DateTime::UNIX_EPOCH,
            released_at: None,
        };
        RedemptionMove::Redeem(redemption, limits)
    };
    (1..).zip(amounts).map(redeem).collect()
}

/// Whether uses that were added to one counter fit another one. `None` if they could not be added.
fn check(moves: &[RedemptionMove], read: (u64, i64), found: (u64, i64)) -> Option<bool> {
    let used = |(used, spent)| {
        let mut counter = UsageCounter::new(used, spent, BTreeMap::new(), Vec::new());
        moves.iter().all(|step| counter.apply(step, DateTime::UNIX_EPOCH).is_ok()).then_some(counter)
    };
    let added = used(read)?.uncontended();
    let (fits, there) = (added.fits(found.0, found.1), used(found));
    assert_eq!(fits, there.is_some(), "{added:?} {found:?}");
    if let Some(there) = there {
        assert_eq!((there.used(), there.spent()), (found.0 + added.uses, found.1 + added.amount));
    }
    Some(fits)
}
