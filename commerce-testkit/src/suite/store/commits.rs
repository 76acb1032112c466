//! Atomicity: versions, numbers, idempotency records, and neighbours in a batch.

#![expect(missing_docs, reason = "the names of the cases say it")]

use commerce_core::catalog::Product;
use commerce_core::commit::{Commit, IdempotencyRecord, RecordedReply, Refusal, Subject};
use commerce_core::document::{Claim, ClaimKind};
use commerce_core::event::HistoryEntry;
use commerce_core::ids::OrderId;
use commerce_core::order::{NewOrder, Order};
use commerce_core::port::{OrderFilter, OrderRef, PageRequest};
use commerce_core::stock::{StockAction, StockRefusal};

use super::{Case, Fixture, at_once};
use crate::commit_builder::{order_of, parse};

/// The order equals the one that was placed, and its stock has moved.
pub async fn what_is_committed_is_read<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 5), ("TEA", 3)]).await;
    let order = case.placed(&[("MUG", 2), ("TEA", 3)]).await;
    assert_eq!(case.order(&order).await, Some(order));
    assert_eq!(case.level("MUG").await.available(), 3);
    assert_eq!(case.level("TEA").await.available(), 0);
}

pub async fn what_is_committed_is_there_after_reopening<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 5)]).await;
    let placed = case.placed(&[("MUG", 2)]).await;
    let order = case.carry_out(case.shop.pay(&placed, case.shop.at(2))).await;
    let again = Case { store: fixture.reopen().await, shop: case.shop };
    assert_eq!(again.order(&order).await, Some(order));
    assert_eq!(again.level("MUG").await.reserved, 2);
}

/// The last move of a large commit is refused.
pub async fn a_refused_commit_leaves_nothing<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 5), ("TEA", 1)]).await;
    let shop = &case.shop;
    let mut commit = shop.order(&[("MUG", 2), ("TEA", 2)]);
    let order = order_of(&commit).clone();
    let cart = shop.cart(parse("user-1"), shop.at(0));
    commit.documents.extend(shop.create(&cart).documents);
    commit.documents.extend(shop.create(&shop.product("P", &["MUG"])).documents);
    commit.idempotency = Some(shop.idempotency_record("key", "print", "reply", shop.at(1)));
    let key = commit.idempotency.clone().unwrap().key;

    let refusal = case.refused(commit).await;

    let expected = StockRefusal::OutOfStock { sku: parse("TEA"), asked: 2, available: 1 };
    assert_eq!(refusal, Refusal::Stock(expected));
    assert_eq!(case.order(&order).await, None);
    assert_eq!(case.store().order(&OrderRef::Number(order.number.clone())).await.unwrap(), None);
    assert_eq!(case.store().order_history(order.id).await.unwrap(), []);
    assert_eq!(case.level("MUG").await.available(), 5);
    assert_eq!(case.store().reservations(&parse("MUG")).await.unwrap(), []);
    assert_eq!(case.store.cart(cart.id).await.unwrap(), None);
    assert_eq!(case.store.product(&parse("P")).await.unwrap(), None);
    assert_eq!(case.store().idempotency_record(&key).await.unwrap(), None);
    let late = shop.at(100_000);
    assert_eq!(case.store().lease_tasks(late, late, 10).await.unwrap(), []);
    let history = case.store().history(&PageRequest { limit: 100, after: None }).await.unwrap();
    assert!(history.items.iter().all(|entry| matches!(entry, HistoryEntry::Stock(..))));
}

/// The refusal names the present version.
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

pub async fn a_new_order_must_not_exist<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 5)]).await;
    let commit = case.shop.order(&[("MUG", 2)]);
    case.accept(commit.clone()).await;
    let subject = Subject::Order(order_of(&commit).id);
    assert_eq!(case.refused(commit).await, Refusal::VersionConflict { subject, expected: 0, actual: 1 });
    assert_eq!(case.level("MUG").await.reserved, 2);
}

fn number_of(order: &Order) -> Refusal {
    Refusal::Claimed { claim: Claim::new(ClaimKind::OrderNumber, &order.number), owner: order.id.to_string() }
}

pub async fn a_taken_number_is_refused<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 5)]).await;
    let first = case.placed(&[("MUG", 1)]).await;
    let at = case.shop.at(2);
    let mut second = case.shop.new_order(&[("MUG", 1)], at);
    second.number = first.number.clone();
    let refusal = case.refused(case.shop.place(second, at)).await;
    assert_eq!(refusal, number_of(&first));
    assert_eq!(case.level("MUG").await.reserved, 1);
}

pub async fn a_number_drawn_at_once_goes_to_one_order<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 50)]).await;
    let at = case.shop.at(1);
    let number = case.shop.number(at);
    let place = |_| {
        let new_order = case.shop.new_order(&[("MUG", 1)], at);
        case.shop.place(NewOrder { number: number.clone(), ..new_order }, at)
    };
    let commits: Vec<_> = (0..12).map(place).collect();
    let answers = at_once(&case.store, commits.clone()).await;
    let winner = answers.iter().position(Option::is_none).expect("one has it");
    let refusals: Vec<_> = answers.into_iter().flatten().collect();
    assert_eq!(refusals, vec![number_of(order_of(&commits[winner])); 11]);
    let found = case.store().order(&OrderRef::Number(number)).await.unwrap();
    assert_eq!(found.as_ref(), Some(order_of(&commits[winner])));
    assert_eq!(case.level("MUG").await.reserved, 1);
}

/// Even if the request differs now.
pub async fn a_key_is_answered_with_the_first_reply<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 5)]).await;
    let record = case.shop.idempotency_record("key", "print", "{\"number\": \"ORD\"}", case.shop.at(1));
    let mut first = case.shop.order(&[("MUG", 1)]);
    first.idempotency = Some(record.clone());
    case.accept(first).await;
    assert_eq!(case.store().idempotency_record(&record.key).await.unwrap(), Some(record.clone()));
    let mut second = case.shop.commit(case.shop.at(1));
    let reply = RecordedReply::Order(OrderId::new(case.shop.uuid()), 7);
    let of_order =
        IdempotencyRecord { reply, ..case.shop.idempotency_record("other key", "print", "", case.shop.at(1)) };
    second.idempotency = Some(of_order.clone());
    case.accept(second).await;
    assert_eq!(case.store().idempotency_record(&of_order.key).await.unwrap(), Some(of_order));
    for fingerprint in ["print", "another print"] {
        let mut again = case.shop.order(&[("MUG", 1)]);
        again.idempotency = Some(case.shop.idempotency_record("key", fingerprint, "another reply", case.shop.at(2)));
        assert_eq!(case.refused(again).await, Refusal::DuplicateKey(Box::new(record.clone())));
    }
    assert_eq!(case.level("MUG").await.reserved, 1);
}

/// One order is placed. All other attempts get its idempotency record.
pub async fn one_key_sent_at_once_has_one_effect<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 50)]).await;
    let commits: Vec<_> = (0..20)
        .map(|n| {
            let mut commit = case.shop.order(&[("MUG", 1)]);
            commit.idempotency =
                Some(case.shop.idempotency_record("key", "print", &format!("reply {n}"), case.shop.at(1)));
            commit
        })
        .collect();
    let ids: Vec<OrderId> = commits.iter().map(|commit| order_of(commit).id).collect();
    let key = case.shop.idempotency_record("key", "", "", case.shop.at(1)).key;

    let answers = at_once(&case.store, commits).await;

    let kept = case.store().idempotency_record(&key).await.unwrap().expect("one request was answered");
    let refusal = Refusal::DuplicateKey(Box::new(kept.clone()));
    let winners: Vec<_> = answers.iter().enumerate().filter(|(_, answer)| answer.is_none()).map(|(n, _)| n).collect();
    assert_eq!(winners.len(), 1);
    assert!(answers.iter().flatten().all(|answer| *answer == refusal));
    assert_eq!(kept.reply, RecordedReply::Text(format!("reply {}", winners[0])));
    let orders = case.store().orders(&OrderFilter::default(), &PageRequest { limit: 10, after: None }).await.unwrap();
    assert_eq!(orders.items.iter().map(|order| order.id).collect::<Vec<_>>(), [ids[winners[0]]]);
    assert_eq!(case.level("MUG").await.reserved, 1);
}

/// In a batch, only the commits that ask for too many units are refused.
pub async fn a_refusal_does_not_touch_its_neighbours<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 100), ("TEA", 1)]).await;
    let greedy = |n: usize| n % 3 == 1;
    let commits: Vec<_> =
        (0..30).map(|n| case.shop.order(if greedy(n) { &[("MUG", 1), ("TEA", 2)] } else { &[("MUG", 1)] })).collect();
    let answers = at_once(&case.store, commits.clone()).await;
    for (n, (commit, answer)) in commits.iter().zip(answers).enumerate() {
        assert_eq!(answer.is_some(), greedy(n), "answer {n}: {answer:?}");
        let order = order_of(commit);
        assert_eq!(case.order(order).await.as_ref(), answer.is_none().then_some(order));
    }
    assert_eq!(case.level("MUG").await.reserved, 20);
    assert_eq!(case.level("TEA").await.available(), 1);
}

/// Orders, carts, products, categories, stock, an idempotency record and tasks in one commit.
pub async fn everything_of_a_commit_is_read<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 5)]).await;
    let shop = &case.shop;
    let (first, second) = (shop.order(&[("MUG", 1)]), shop.order(&[("MUG", 2)]));
    let cart = shop.cart(parse("user-1"), shop.at(1));
    let category = shop.category("cups", "Cups", None);
    let product = shop.product("P", &["MUG"]);
    let mut commit = first.clone();
    commit.orders.extend(second.orders.clone());
    commit.stock.extend(second.stock.clone());
    commit.tasks.extend(second.tasks.clone());
    commit.stock.extend(shop.stocked(&[("TEA", 7)]).stock);
    commit.documents.extend(shop.create(&cart).documents);
    commit.documents.extend(shop.create(&product).documents);
    commit.documents.extend(shop.create(&category).documents);
    commit.idempotency = Some(shop.idempotency_record("key", "print", "reply", shop.at(1)));
    case.accept(commit.clone()).await;

    for order in [order_of(&first), order_of(&second)] {
        assert_eq!(case.order(order).await.as_ref(), Some(order));
    }
    assert_eq!(case.level("MUG").await.reserved, 3);
    assert_eq!(case.level("TEA").await.on_hand, 7);
    assert_eq!(case.store.active_cart(&cart.user_id).await.unwrap(), Some(cart));
    assert_eq!(case.store.product(&product.id).await.unwrap(), Some(product));
    assert_eq!(case.store.categories().await.unwrap(), [category]);
    let record = commit.idempotency.unwrap();
    assert_eq!(case.store().idempotency_record(&record.key).await.unwrap(), Some(record));
    let late = shop.at(100_000);
    assert_eq!(case.store().lease_tasks(late, late, 10).await.unwrap().len(), 2);
}

pub async fn each_guard_refuses_the_whole_commit<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 5)]).await;
    let shop = &case.shop;
    let known = case.placed(&[("MUG", 1)]).await;
    let cart = shop.cart(parse("user-1"), shop.at(0));
    case.accept(shop.create(&cart)).await;
    case.accept(shop.create(&shop.product("P", &["MUG"]))).await;
    let other_cart = shop.cart(parse("user-1"), shop.at(0));
    let mut other_product = shop.product("P", &["MUG"]);
    other_product.version = 7;
    let stale_product = Product { version: 6, ..other_product.clone() };
    let (mut stale_cart, mut newer_cart) = (cart.clone(), cart.clone());
    (stale_cart.version, newer_cart.version) = (5, 6);
    let faults = [
        shop.moves("MUG", StockAction::Adjust { delta: -9, reason: parse("lost"), expected: None }, shop.at(1)),
        shop.create(&other_cart),
        shop.update(&stale_cart, &newer_cart),
        shop.update(&stale_product, &other_product),
        shop.create(&shop.product("Q", &["MUG"])),
        Commit { orders: shop.pay(&known, shop.at(1)).orders, ..shop.commit(shop.at(1)) },
    ];
    case.accept(shop.cancel(&known, shop.at(1))).await;
    for (n, fault) in faults.into_iter().enumerate() {
        let mut commit = shop.order(&[("MUG", 1)]);
        commit.idempotency = Some(shop.idempotency_record(&format!("key {n}"), "print", "reply", shop.at(1)));
        commit.documents.extend(shop.create(&shop.category("cups", "Cups", None)).documents);
        let (order, record) = (order_of(&commit).clone(), commit.idempotency.clone().unwrap());
        commit.orders.extend(fault.orders);
        commit.stock.extend(fault.stock);
        commit.documents.extend(fault.documents);
        case.refused(commit).await;
        assert_eq!(case.order(&order).await, None, "fault {n}");
        assert_eq!(case.store().idempotency_record(&record.key).await.unwrap(), None, "fault {n}");
        assert_eq!(case.store.categories().await.unwrap(), [], "fault {n}");
        assert_eq!(case.level("MUG").await.reserved, 0, "fault {n}");
    }
    assert_eq!(case.store.cart(other_cart.id).await.unwrap(), None);
    assert_eq!(case.store.product(&parse("Q")).await.unwrap(), None);
}

/// An order is paid and cancelled concurrently.
pub async fn two_decisions_on_one_version_have_one_effect<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 50)]).await;
    for _ in 0..10 {
        let order = case.placed(&[("MUG", 1)]).await;
        let commits = vec![case.shop.pay(&order, case.shop.at(2)), case.shop.cancel(&order, case.shop.at(2))];
        let answers = at_once(&case.store, commits.clone()).await;
        let winner = answers.iter().position(Option::is_none).expect("one is accepted");
        assert!(matches!(answers[1 - winner], Some(Refusal::VersionConflict { expected: 1, .. })));
        assert_eq!(case.order(&order).await.as_ref(), Some(order_of(&commits[winner])));
    }
}

/// The request may be repeated with the same key.
pub async fn a_refused_commit_leaves_its_key_free<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 1)]).await;
    let mut commit = case.shop.order(&[("MUG", 2)]);
    commit.idempotency = Some(case.shop.idempotency_record("key", "print", "reply", case.shop.at(1)));
    case.refused(commit.clone()).await;
    case.accept(case.shop.stocked(&[("MUG", 2)])).await;
    case.accept(commit).await;
    assert_eq!(case.level("MUG").await.available(), 0);
}

/// The effect of an answered request is not undone.
pub async fn idempotency_records_are_purged_by_age<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 9)]).await;
    let idempotency_records: Vec<_> =
        (0..4).map(|n| case.shop.idempotency_record(&format!("key {n}"), "p", "r", case.shop.at(n))).collect();
    for record in &idempotency_records {
        let mut commit = case.shop.order(&[("MUG", 1)]);
        commit.idempotency = Some(record.clone());
        case.accept(commit).await;
    }
    assert_eq!(case.store().purge_idempotency_records(case.shop.at(2)).await.unwrap(), 2);
    assert_eq!(case.store().purge_idempotency_records(case.shop.at(2)).await.unwrap(), 0);
    for (n, record) in idempotency_records.into_iter().enumerate() {
        let kept = case.store().idempotency_record(&record.key).await.unwrap();
        assert_eq!(kept, (n >= 2).then_some(record));
    }
    assert_eq!(case.level("MUG").await.reserved, 4);
}

/// Two changes of one subject are refused as in two commits.
pub async fn a_commit_cannot_contradict_itself<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 9)]).await;
    let shop = &case.shop;
    let at = shop.at(1);
    let twice = |mut commit: Commit, other: Commit| {
        commit.orders.extend(other.orders);
        commit.documents.extend(other.documents);
        commit
    };
    let (first, cart) = (shop.order(&[("MUG", 1)]), shop.cart(parse("user-1"), at));
    let mut same_number = shop.new_order(&[("MUG", 1)], at);
    same_number.number = order_of(&first).number.clone();
    let product = shop.product("P", &["MUG"]);
    let contradictions = [
        twice(first.clone(), first.clone()),
        twice(first.clone(), shop.place(same_number, at)),
        twice(shop.create(&cart), shop.create(&cart)),
        twice(shop.create(&cart), shop.create(&shop.cart(parse("user-1"), at))),
        twice(shop.create(&product), shop.create(&product)),
        twice(shop.create(&product), shop.create(&shop.product("Q", &["MUG"]))),
    ];
    for commit in contradictions {
        case.refused(commit).await;
    }
    assert_eq!(case.order(order_of(&first)).await, None);
    assert_eq!(case.store.active_cart(&parse("user-1")).await.unwrap(), None);
    assert_eq!(case.store.product(&product.id).await.unwrap(), None);
    assert_eq!(case.level("MUG").await.reserved, 0);
}
