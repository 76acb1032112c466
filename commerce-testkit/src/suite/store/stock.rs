//! Stock: nothing is sold twice, and a hold that has ended does not count.

use commerce_core::commit::Refusal;
use commerce_core::stock::StockRefusal;

use super::{Case, Fixture, at_once};
use crate::shop::{HOLD_SECONDS, order_of, parse};

/// When an order of [`Shop::order`](crate::Shop::order) has lost its hold.
const ENDED: i64 = HOLD_SECONDS + 1;

/// Two buyers of the last unit at the same moment: one gets it, the other is told that nothing is left.
pub async fn two_writers_share_the_last_unit_fairly<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 1)]).await;
    let commits = vec![case.shop.order(&[("MUG", 1)]), case.shop.order(&[("MUG", 1)])];
    let answers = at_once(&case.handles.store, commits).await;
    let refusals: Vec<_> = answers.into_iter().flatten().collect();
    let expected = StockRefusal::OutOfStock { sku: parse("MUG"), asked: 1, available: 0 };
    assert_eq!(refusals, [Refusal::Stock(expected)]);
    let level = case.level("MUG").await;
    assert_eq!((level.on_hand, level.reserved), (1, 1));
}

/// Eighty buyers of forty units in two handles: exactly forty are sold.
pub async fn many_buyers_of_one_sku_get_what_is_there<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 40), ("TEA", 1000)]).await;
    let other = fixture.reopen().await;
    let orders = || (0..40).map(|_| case.shop.order(&[("MUG", 1), ("TEA", 1)])).collect::<Vec<_>>();
    let (here, there) = (orders(), orders());
    let (mine, theirs) = tokio::join!(at_once(&case.handles.store, here), at_once(&other.store, there));
    let sold = mine.iter().chain(&theirs).filter(|answer| answer.is_none()).count();
    assert_eq!(sold, 40);
    let level = case.level("MUG").await;
    assert_eq!((level.on_hand, level.reserved), (40, 40));
    assert_eq!(case.level("TEA").await.reserved, 40);
    assert_eq!(case.store().holds(&parse("MUG")).await.unwrap().len(), 40);
}

/// Time alone gives the units back, to readers and to the next buyer.
pub async fn a_hold_ends_without_a_sweeper<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 2)]).await;
    case.placed(&[("MUG", 2)]).await;
    assert_eq!(case.level_at("MUG", case.shop.at(ENDED - 1)).await.available(), 0);
    assert_eq!(case.level_at("MUG", case.shop.at(ENDED)).await.available(), 2);
    let at = case.shop.at(ENDED);
    let next = case.shop.place(case.shop.placement(&[("MUG", 2)], at), at);
    let order = case.carry_out(next).await;
    let holds = case.store().holds(&parse("MUG")).await.unwrap();
    assert_eq!(holds.iter().map(|(id, hold)| (*id, hold.units)).collect::<Vec<_>>(), [(order.id, 2)]);
}

/// Whoever pays late still gets the goods if they are there.
pub async fn an_ended_hold_is_taken_anew_when_paid<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 2)]).await;
    let order = case.placed(&[("MUG", 2)]).await;
    let paid = case.carry_out(case.shop.pay(&order, case.shop.at(ENDED + 60))).await;
    assert_eq!(paid.status.as_str(), "paid");
    assert_eq!(case.level_at("MUG", case.shop.at(ENDED + 60)).await.reserved, 2);
}

/// Whoever pays late and finds the goods sold is refused, and the other order keeps them.
pub async fn an_ended_hold_whose_units_are_gone_is_refused<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 2)]).await;
    let late = case.placed(&[("MUG", 2)]).await;
    let at = case.shop.at(ENDED);
    case.accept(case.shop.place(case.shop.placement(&[("MUG", 1)], at), at)).await;
    let refusal = case.refused(case.shop.pay(&late, case.shop.at(ENDED + 1))).await;
    let expected = StockRefusal::OutOfStock { sku: parse("MUG"), asked: 2, available: 1 };
    assert_eq!(refusal, Refusal::Stock(expected));
    assert_eq!(case.order(&late).await, Some(late));
    assert_eq!(case.level_at("MUG", at).await.reserved, 1);
}

/// A paid order keeps its units for good.
pub async fn a_paid_hold_does_not_end<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 2)]).await;
    let commit = case.shop.order(&[("MUG", 2)]);
    let order = order_of(&commit).clone();
    case.accept(commit).await;
    case.accept(case.shop.pay(&order, case.shop.at(10))).await;
    assert_eq!(case.level_at("MUG", case.shop.at(10 * ENDED)).await.available(), 0);
}
