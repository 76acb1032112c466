//! Stock: nothing is sold twice, and expired reservations do not count.

#![expect(missing_docs, reason = "the names of the cases say it")]

use commerce_core::commit::Refusal;
use commerce_core::event::HistoryEntry;
use commerce_core::order::{Command, NewOrder};
use commerce_core::stock::{MAX_ON_HAND, StockAction, StockEvent, StockRefusal};

use super::{Case, Fixture, at_once, first, walk};
use crate::commit_builder::{RESERVATION_SECONDS, order_of, parse};

/// The second at which an order of [`CommitBuilder::order`](crate::CommitBuilder::order) has lost its reservation.
const ENDED: i64 = RESERVATION_SECONDS + 1;

/// The other is told that nothing is available.
pub async fn two_writers_share_the_last_unit_fairly<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 1)]).await;
    let commits = vec![case.shop.order(&[("MUG", 1)]), case.shop.order(&[("MUG", 1)])];
    let answers = at_once(&case.store, commits).await;
    let refusals: Vec<_> = answers.into_iter().flatten().collect();
    let expected = StockRefusal::OutOfStock { sku: parse("MUG"), asked: 1, available: 0 };
    assert_eq!(refusals, [Refusal::Stock(expected)]);
    let level = case.level("MUG").await;
    assert_eq!((level.on_hand, level.reserved), (1, 1));
}

/// Eighty buyers on two handles get exactly forty units.
pub async fn many_buyers_of_one_sku_get_what_is_there<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 40), ("TEA", 1000)]).await;
    let other = fixture.reopen().await;
    let orders = || (0..40).map(|_| case.shop.order(&[("MUG", 1), ("TEA", 1)])).collect::<Vec<_>>();
    let (here, there) = (orders(), orders());
    let (mine, theirs) = tokio::join!(at_once(&case.store, here), at_once(&other, there));
    let sold = mine.iter().chain(&theirs).filter(|answer| answer.is_none()).count();
    assert_eq!(sold, 40);
    let level = case.level("MUG").await;
    assert_eq!((level.on_hand, level.reserved), (40, 40));
    assert_eq!(case.level("TEA").await.reserved, 40);
    assert_eq!(case.store().reservations(&parse("MUG")).await.unwrap().len(), 40);
}

/// The units are available to readers and to the next buyer.
pub async fn a_reservation_expires_without_a_sweeper<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 2)]).await;
    case.placed(&[("MUG", 2)]).await;
    assert_eq!(case.level_at("MUG", case.shop.at(ENDED - 1)).await.available(), 0);
    assert_eq!(case.level_at("MUG", case.shop.at(ENDED)).await.available(), 2);
    let at = case.shop.at(ENDED);
    let next = case.shop.place(case.shop.new_order(&[("MUG", 2)], at), at);
    let order = case.carry_out(next).await;
    let reservations = case.store().reservations(&parse("MUG")).await.unwrap();
    assert_eq!(
        reservations.iter().map(|(id, reservation)| (*id, reservation.units)).collect::<Vec<_>>(),
        [(order.id, 2)]
    );
}

/// Regardless of sales between the expiries.
pub async fn reservations_expire_one_after_the_other<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 3)]).await;
    let buy = |seconds: i64, until: i64| {
        let at = case.shop.at(seconds);
        let new_order = case.shop.new_order(&[("MUG", 1)], at);
        case.shop.place(NewOrder { reserved_until: case.shop.at(until), ..new_order }, at)
    };
    for until in [30, 10, 20] {
        case.accept(buy(1, until)).await;
    }
    for seconds in [10, 20, 30] {
        assert_eq!(case.level_at("MUG", case.shop.at(seconds - 1)).await.available(), 0, "before {seconds} s");
        assert_eq!(case.level_at("MUG", case.shop.at(seconds)).await.available(), 1, "at {seconds} s");
        case.accept(buy(seconds, 1000)).await;
    }
    let refusal = case.refused(buy(31, 1000)).await;
    assert_eq!(refusal, Refusal::Stock(StockRefusal::OutOfStock { sku: parse("MUG"), asked: 1, available: 0 }));
}

pub async fn an_expired_reservation_is_taken_anew_when_paid<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 2)]).await;
    let order = case.placed(&[("MUG", 2)]).await;
    let paid = case.carry_out(case.shop.pay(&order, case.shop.at(ENDED + 60))).await;
    assert_eq!(paid.status.as_str(), "paid");
    assert_eq!(case.level_at("MUG", case.shop.at(ENDED + 60)).await.reserved, 2);
}

/// The other order has the units.
pub async fn an_expired_reservation_whose_units_are_gone_is_refused<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 2)]).await;
    let late = case.placed(&[("MUG", 2)]).await;
    let at = case.shop.at(ENDED);
    case.accept(case.shop.place(case.shop.new_order(&[("MUG", 1)], at), at)).await;
    let refusal = case.refused(case.shop.pay(&late, case.shop.at(ENDED + 1))).await;
    let expected = StockRefusal::OutOfStock { sku: parse("MUG"), asked: 2, available: 1 };
    assert_eq!(refusal, Refusal::Stock(expected));
    assert_eq!(case.order(&late).await, Some(late));
    assert_eq!(case.level_at("MUG", at).await.reserved, 1);
}

pub async fn a_paid_reservation_does_not_expire<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 2)]).await;
    let commit = case.shop.order(&[("MUG", 2)]);
    let order = order_of(&commit).clone();
    case.accept(commit).await;
    case.accept(case.shop.pay(&order, case.shop.at(10))).await;
    assert_eq!(case.level_at("MUG", case.shop.at(10 * ENDED)).await.available(), 0);
}

/// Orders with the same SKUs in opposite order all succeed.
pub async fn writers_of_the_same_skus_do_not_block_each_other<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("A", 100), ("B", 100), ("C", 100)]).await;
    let lines = [("A", 1), ("B", 1), ("C", 1)];
    let backwards = [("C", 1), ("B", 1), ("A", 1)];
    let commits = (0..30).map(|n| case.shop.order(if n % 2 == 0 { &lines } else { &backwards })).collect();
    let answers = at_once(&case.store, commits).await;
    assert_eq!(answers, vec![None; 30]);
    for sku in ["A", "B", "C"] {
        assert_eq!(case.level(sku).await.reserved, 30);
    }
}

/// Cancelled before its reservation expires, and after.
pub async fn a_cancelled_order_gives_its_units_back_once<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 5)]).await;
    for seconds in [10, ENDED, ENDED + 1] {
        let order = case.placed(&[("MUG", 3)]).await;
        case.accept(case.shop.cancel(&order, case.shop.at(seconds))).await;
        let level = case.level("MUG").await;
        assert_eq!((level.on_hand, level.reserved), (5, 0), "cancelled after {seconds} s");
        assert_eq!(case.store().reservations(&parse("MUG")).await.unwrap(), []);
    }
}

/// Shipping reduces the units on hand and removes the reservation.
pub async fn shipped_units_leave_the_house<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 5)]).await;
    let order = case.placed(&[("MUG", 2)]).await;
    let order = case.pay(&order, case.shop.at(2)).await;
    case.deliver(&order, case.shop.at(3)).await;
    let level = case.level("MUG").await;
    assert_eq!((level.on_hand, level.reserved, level.available()), (3, 0, 3));
    assert_eq!(case.store().reservations(&parse("MUG")).await.unwrap(), []);
}

/// Parts of an order are returned one after the other.
pub async fn returned_units_can_be_sold_again<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 5)]).await;
    let order = case.placed(&[("MUG", 3)]).await;
    let order = case.pay(&order, case.shop.at(2)).await;
    let mut order = case.deliver(&order, case.shop.at(3)).await;
    for (count, on_hand) in [(1, 3), (2, 5)] {
        order = case.carry_out(case.shop.request_return(&order, count, case.shop.at(4))).await;
        let id = order.returns.last().unwrap().id;
        order = case.tell(&order, Command::ApproveReturn(id), case.shop.at(5)).await;
        order = case.tell(&order, Command::ReceiveReturn(id), case.shop.at(6)).await;
        assert_eq!(case.level("MUG").await.available(), on_hand);
    }
    assert_eq!(order.status.as_str(), "returned");
}

/// Neither by setting nor by adjusting the units on hand.
pub async fn nothing_falls_below_what_is_reserved<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 5)]).await;
    case.placed(&[("MUG", 3)]).await;
    let refused = |on_hand| Refusal::Stock(StockRefusal::BelowReserved { sku: parse("MUG"), on_hand, reserved: 3 });
    assert_eq!(case.refused(case.shop.moves("MUG", set(2), case.shop.at(2))).await, refused(2));
    assert_eq!(case.refused(case.shop.moves("MUG", adjust(-3), case.shop.at(2))).await, refused(2));
    case.accept(case.shop.moves("MUG", adjust(-2), case.shop.at(2))).await;
    assert_eq!(case.level("MUG").await.available(), 0);
    case.accept(case.shop.moves("MUG", set(0), case.shop.at(ENDED))).await;
    assert_eq!(case.level_at("MUG", case.shop.at(ENDED)).await.on_hand, 0);
}

/// From zero to [`MAX_ON_HAND`].
pub async fn on_hand_has_limits<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 5)]).await;
    let refused = Refusal::Stock(StockRefusal::OutOfRange { sku: parse("MUG") });
    for action in [set(-1), set(MAX_ON_HAND + 1), adjust(-6), adjust(MAX_ON_HAND - 4), adjust(i64::MAX)] {
        assert_eq!(case.refused(case.shop.moves("MUG", action, case.shop.at(2))).await, refused);
    }
    case.accept(case.shop.moves("MUG", adjust(MAX_ON_HAND - 5), case.shop.at(2))).await;
    assert_eq!(case.level("MUG").await.available(), MAX_ON_HAND);
}

pub async fn a_stale_level_is_not_changed<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 5)]).await;
    let expected = case.level("MUG").await.version;
    case.placed(&[("MUG", 1)]).await;
    let actual = case.level("MUG").await.version;
    assert!(actual > expected);
    let refused = Refusal::Stock(StockRefusal::VersionMismatch { sku: parse("MUG"), expected, actual });
    assert_eq!(case.refused(case.shop.moves("MUG", count_at(9, expected), case.shop.at(2))).await, refused);
    case.accept(case.shop.moves("MUG", count_at(9, actual), case.shop.at(2))).await;
    assert_eq!(case.level("MUG").await.on_hand, 9);
    case.accept(case.shop.moves("NEW", count_at(4, 0), case.shop.at(2))).await;
    assert_eq!(case.level("NEW").await.on_hand, 4);
}

pub async fn two_counts_on_one_version_have_one_effect<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 5)]).await;
    let version = case.level("MUG").await.version;
    let commits = (10..18).map(|n| case.shop.moves("MUG", count_at(n, version), case.shop.at(2))).collect();
    let answers = at_once(&case.store, commits).await;
    let won: Vec<_> = (10..18).zip(&answers).filter(|(_, answer)| answer.is_none()).map(|(n, _)| n).collect();
    assert_eq!(won, [case.level("MUG").await.on_hand]);
    assert!(
        answers.iter().flatten().all(|answer| matches!(answer, Refusal::Stock(StockRefusal::VersionMismatch { .. })))
    );
}

/// Without a version.
pub async fn corrections_at_once_add_up<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 100)]).await;
    let commits = (1..=20).map(|n| case.shop.moves("MUG", adjust(if n % 2 == 0 { n } else { -n }), case.shop.at(2)));
    let answers = at_once(&case.store, commits.collect()).await;
    assert_eq!(answers, vec![None; 20]);
    assert_eq!(case.level("MUG").await.on_hand, 110);
}

/// Not an error of the store.
pub async fn a_sku_nobody_stocked_is_out_of_stock<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    assert_eq!(case.store().stock(&parse("MUG"), case.shop.at(1)).await.unwrap(), None);
    assert_eq!(case.store().reservations(&parse("MUG")).await.unwrap(), []);
    let refusal = case.refused(case.shop.order(&[("MUG", 1)])).await;
    assert_eq!(refusal, Refusal::Stock(StockRefusal::OutOfStock { sku: parse("MUG"), asked: 1, available: 0 }));
    assert_eq!(case.store().stock(&parse("MUG"), case.shop.at(1)).await.unwrap(), None);
}

pub async fn a_threshold_is_kept_until_another_is_given<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let steps = [(5, None, None), (6, Some(3), Some(3)), (7, None, Some(3)), (8, Some(0), Some(0))];
    for (on_hand, reorder_threshold, expected) in steps {
        let action = StockAction::Set { on_hand, reorder_threshold, expected: None };
        case.accept(case.shop.moves("MUG", action, case.shop.at(1))).await;
        let level = case.level("MUG").await;
        assert_eq!((level.on_hand, level.reorder_threshold), (on_hand, expected));
    }
}

/// The move that crosses the threshold or takes the last unit causes the event, with increasing numbers.
pub async fn falling_levels_are_noticed_once<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let action = StockAction::Set { on_hand: 5, reorder_threshold: Some(2), expected: None };
    case.accept(case.shop.moves("MUG", action, case.shop.at(0))).await;
    for _ in 0..5 {
        case.placed(&[("MUG", 1)]).await;
    }
    case.accept(case.shop.moves("MUG", adjust(4), case.shop.at(2))).await;
    case.accept(case.shop.moves("MUG", adjust(-3), case.shop.at(3))).await;
    let history = case.store().history(&first(100)).await.unwrap().items;
    let events: Vec<_> = history
        .iter()
        .filter_map(|entry| match entry {
            HistoryEntry::Stock(_, entry) => Some((entry.sequence, entry.event.clone())),
            HistoryEntry::Order(..) | HistoryEntry::Document(..) | HistoryEntry::Task(..) => None,
        })
        .collect();
    let received = |delta| StockEvent::Adjusted { delta, reason: parse("counted") };
    let expected = [
        (1, StockEvent::Set { on_hand: 5, reorder_threshold: Some(2) }),
        (4, StockEvent::LowStock { available: 2 }),
        (6, StockEvent::OutOfStock),
        (7, received(4)),
        (8, received(-3)),
        (9, StockEvent::LowStock { available: 1 }),
    ];
    assert_eq!(events, expected);
    assert_eq!(case.level("MUG").await.version, 9);
}

/// By the bytes of the SKUs, in pages, while others are added.
pub async fn levels_come_by_sku<F: Fixture>(fixture: &F) {
    let skus = ["A", "B-1", "B_1", "Z", "a", "é", "日", "🦀"];
    let case = Case::stocked(fixture, &skus.map(|sku| (sku, 3))).await;
    let list = async |page| case.store().stock_levels(false, case.shop.at(1), &page).await;
    let behind_us = async || case.accept(case.shop.stocked(&[("0", 1)])).await;
    let levels = walk(2, list, behind_us).await;
    assert_eq!(levels.iter().map(|level| level.sku.as_str()).collect::<Vec<_>>(), skus);
    assert_eq!(levels[0], case.level("A").await);
}

/// A level is low by its available units at the instant.
pub async fn low_levels_are_listed_as_of_an_instant<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    for (sku, on_hand, reorder_threshold) in [("A", 5, Some(2)), ("B", 2, Some(2)), ("C", 0, None), ("D", 9, Some(2))] {
        let action = StockAction::Set { on_hand, reorder_threshold, expected: None };
        case.accept(case.shop.moves(sku, action, case.shop.at(0))).await;
    }
    case.placed(&[("A", 3), ("D", 6)]).await;
    for (seconds, expected) in [(1, vec!["A", "B"]), (ENDED, vec!["B"])] {
        let list = async |page| case.store().stock_levels(true, case.shop.at(seconds), &page).await;
        let levels = walk(1, list, async || ()).await;
        assert_eq!(levels.iter().map(|level| level.sku.as_str()).collect::<Vec<_>>(), expected);
    }
}

const fn set(on_hand: i64) -> StockAction {
    StockAction::Set { on_hand, reorder_threshold: None, expected: None }
}

const fn count_at(on_hand: i64, version: u64) -> StockAction {
    StockAction::Set { on_hand, reorder_threshold: None, expected: Some(version) }
}

fn adjust(delta: i64) -> StockAction {
    StockAction::Adjust { delta, reason: parse("counted"), expected: None }
}
