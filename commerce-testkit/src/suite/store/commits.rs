//! All or nothing: versions, numbers, receipts, and neighbours in a burst.

use commerce_core::commit::{Refusal, Subject};
use commerce_core::event::HistoryEntry;
use commerce_core::ids::OrderId;
use commerce_core::port::{OrderFilter, OrderRef, Page};
use commerce_core::stock::StockRefusal;

use super::{Case, Fixture, at_once};
use crate::shop::{order_of, parse};

/// An order is found by its id with everything in it, and its stock has moved.
pub async fn what_is_committed_is_read<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 5), ("TEA", 3)]).await;
    let order = case.placed(&[("MUG", 2), ("TEA", 3)]).await;
    assert_eq!(case.order(&order).await, Some(order));
    assert_eq!(case.level("MUG").await.available(), 3);
    assert_eq!(case.level("TEA").await.available(), 0);
}

/// Another process sees what was committed.
pub async fn what_is_committed_is_there_after_reopening<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 5)]).await;
    let placed = case.placed(&[("MUG", 2)]).await;
    let order = case.carry_out(case.shop.pay(&placed, case.shop.at(2))).await;
    let again = Case { handles: fixture.reopen().await, shop: case.shop };
    assert_eq!(again.order(&order).await, Some(order));
    assert_eq!(again.level("MUG").await.reserved, 2);
}

/// The last move of a full commit is refused: nothing of the rest has happened.
pub async fn a_refused_commit_leaves_nothing<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 5), ("TEA", 1)]).await;
    let shop = &case.shop;
    let mut commit = shop.order(&[("MUG", 2), ("TEA", 2)]);
    let order = order_of(&commit).clone();
    let cart = shop.cart(parse("user-1"), shop.at(0));
    commit.carts = shop.save_cart(&cart, 0).carts;
    commit.products = shop.save_product(&shop.product("P", &["MUG"])).products;
    commit.receipt = Some(shop.receipt("key", "print", "reply", shop.at(1)));
    let key = commit.receipt.clone().unwrap().key;

    let refusal = case.refused(commit).await;

    let expected = StockRefusal::OutOfStock { sku: parse("TEA"), asked: 2, available: 1 };
    assert_eq!(refusal, Refusal::Stock(expected));
    assert_eq!(case.order(&order).await, None);
    assert_eq!(case.store().order(&OrderRef::Number(order.number.clone())).await.unwrap(), None);
    assert_eq!(case.store().order_history(order.id).await.unwrap(), []);
    assert_eq!(case.level("MUG").await.available(), 5);
    assert_eq!(case.store().holds(&parse("MUG")).await.unwrap(), []);
    assert_eq!(case.handles.carts.cart(cart.id).await.unwrap(), None);
    assert_eq!(case.handles.catalog.product(&parse("P")).await.unwrap(), None);
    assert_eq!(case.store().receipt(&key).await.unwrap(), None);
    let late = shop.at(100_000);
    assert_eq!(case.store().lease_tasks(late, late, 10).await.unwrap(), []);
    let history = case.store().history(&Page { limit: 100, after: None }).await.unwrap();
    assert!(history.items.iter().all(|entry| matches!(entry, HistoryEntry::Stock(..))));
}

/// Two decisions on the same version: the second is refused and told the present one.
pub async fn a_stale_version_is_refused<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 5)]).await;
    let order = case.placed(&[("MUG", 2)]).await;
    let (paid, cancelled) = (case.shop.pay(&order, case.shop.at(2)), case.shop.cancel(&order, case.shop.at(2)));
    let paid = case.carry_out(paid).await;

    let refusal = case.refused(cancelled).await;

    let subject = Subject::Order(order.id);
    assert_eq!(refusal, Refusal::VersionConflict { subject, expected: 1, actual: 3 });
    assert_eq!(case.order(&order).await, Some(paid));
    assert_eq!(case.level("MUG").await.reserved, 2);
}

/// What is expected not to exist must not exist.
pub async fn a_new_order_must_not_exist<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 5)]).await;
    let commit = case.shop.order(&[("MUG", 2)]);
    case.accept(commit.clone()).await;
    let subject = Subject::Order(order_of(&commit).id);
    assert_eq!(case.refused(commit).await, Refusal::VersionConflict { subject, expected: 0, actual: 1 });
    assert_eq!(case.level("MUG").await.reserved, 2);
}

/// Two orders never have one number.
pub async fn a_taken_number_is_refused<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 5)]).await;
    let first = case.placed(&[("MUG", 1)]).await;
    let at = case.shop.at(2);
    let mut second = case.shop.placement(&[("MUG", 1)], at);
    second.number = first.number.clone();
    let refusal = case.refused(case.shop.place(second, at)).await;
    assert_eq!(refusal, Refusal::NumberTaken(first.number));
    assert_eq!(case.level("MUG").await.reserved, 1);
}

/// A request that is sent again gets the answer of the first time, whatever it asks for now.
pub async fn a_key_is_answered_with_the_first_reply<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 5)]).await;
    let receipt = case.shop.receipt("key", "print", "{\"number\": \"ORD\"}", case.shop.at(1));
    let mut first = case.shop.order(&[("MUG", 1)]);
    first.receipt = Some(receipt.clone());
    case.accept(first).await;
    assert_eq!(case.store().receipt(&receipt.key).await.unwrap(), Some(receipt.clone()));
    for fingerprint in ["print", "another print"] {
        let mut again = case.shop.order(&[("MUG", 1)]);
        again.receipt = Some(case.shop.receipt("key", fingerprint, "another reply", case.shop.at(2)));
        assert_eq!(case.refused(again).await, Refusal::DuplicateKey(Box::new(receipt.clone())));
    }
    assert_eq!(case.level("MUG").await.reserved, 1);
}

/// The same request many times at the same moment: one order, and everybody else gets its receipt.
pub async fn one_key_sent_at_once_has_one_effect<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 50)]).await;
    let commits: Vec<_> = (0..20)
        .map(|n| {
            let mut commit = case.shop.order(&[("MUG", 1)]);
            commit.receipt = Some(case.shop.receipt("key", "print", &format!("reply {n}"), case.shop.at(1)));
            commit
        })
        .collect();
    let ids: Vec<OrderId> = commits.iter().map(|commit| order_of(commit).id).collect();
    let key = case.shop.receipt("key", "", "", case.shop.at(1)).key;

    let answers = at_once(&case.handles.store, commits).await;

    let kept = case.store().receipt(&key).await.unwrap().expect("one request was answered");
    let refusal = Refusal::DuplicateKey(Box::new(kept.clone()));
    let winners: Vec<_> = answers.iter().enumerate().filter(|(_, answer)| answer.is_none()).map(|(n, _)| n).collect();
    assert_eq!(winners.len(), 1);
    assert!(answers.iter().flatten().all(|answer| *answer == refusal));
    assert_eq!(kept.reply, format!("reply {}", winners[0]));
    let orders = case.store().orders(&OrderFilter::default(), &Page { limit: 10, after: None }).await.unwrap();
    assert_eq!(orders.items.iter().map(|order| order.id).collect::<Vec<_>>(), [ids[winners[0]]]);
    assert_eq!(case.level("MUG").await.reserved, 1);
}

/// In one burst, some ask for more than there is: they are refused and nobody else.
pub async fn a_refusal_does_not_touch_its_neighbours<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 100), ("TEA", 1)]).await;
    let greedy = |n: usize| n % 3 == 1;
    let commits: Vec<_> =
        (0..30).map(|n| case.shop.order(if greedy(n) { &[("MUG", 1), ("TEA", 2)] } else { &[("MUG", 1)] })).collect();
    let answers = at_once(&case.handles.store, commits.clone()).await;
    for (n, (commit, answer)) in commits.iter().zip(answers).enumerate() {
        assert_eq!(answer.is_some(), greedy(n), "answer {n}: {answer:?}");
        let order = order_of(commit);
        assert_eq!(case.order(order).await.as_ref(), answer.is_none().then_some(order));
    }
    assert_eq!(case.level("MUG").await.reserved, 20);
    assert_eq!(case.level("TEA").await.available(), 1);
}
