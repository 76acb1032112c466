//! Carts: one active cart per customer, and at most one order per cart.

use commerce_core::cart::{Cart, CartStatus, MAX_LINES};
use commerce_core::commit::{Refusal, Subject};
use commerce_core::document::{Claim, ClaimKind, DocumentId, DocumentKind};
use commerce_core::money::Money;

use super::{Case, Fixture, at_once};
use crate::commit_builder::{CURRENCY, order_of, parse, units};

/// With the maximum of lines and codes, and long names.
pub async fn a_cart_comes_back_equal<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let mut cart = case.shop.cart(parse(&"🛒".repeat(64)), case.shop.at(1));
    cart.items = (0..MAX_LINES).map(|n| case.shop.cart_item(&format!("SKU-{n}"), units(1_000_000))).rev().collect();
    cart.items[0].name = parse(&"é".repeat(255));
    cart.items[1].unit_price = Money::new(i64::MAX, CURRENCY);
    cart.codes = (0..20).map(|n| parse(&format!("Code '{n}' ß"))).rev().collect();
    case.accept(case.shop.create(&cart)).await;
    assert_eq!(case.store.cart(cart.id).await.unwrap().as_ref(), Some(&cart));
    assert_eq!(case.store.active_cart(&cart.user_id).await.unwrap(), Some(cart));
}

/// Removed lines are gone, added lines exist, in the order of the cart.
pub async fn a_changed_cart_replaces_the_old_one<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let mut cart = case.shop.cart(parse("user-1"), case.shop.at(1));
    cart.items = ["A", "B", "C"].map(|sku| case.shop.cart_item(sku, units(1))).into();
    cart.codes = vec![parse("ONE"), parse("TWO")];
    case.accept(case.shop.create(&cart)).await;
    let before = cart.clone();
    cart.items.remove(1);
    cart.items.insert(0, case.shop.cart_item("D", units(4)));
    cart.items[1].quantity = units(9);
    cart.codes = vec![parse("TWO"), parse("THREE")];
    cart.version = 2;
    cart.updated_at = case.shop.at(5);
    cart.expires_at = case.shop.at(500);
    case.accept(case.shop.update(&before, &cart)).await;
    assert_eq!(case.store.cart(cart.id).await.unwrap(), Some(cart));
}

fn active_cart_of(cart: &Cart) -> Refusal {
    let claim = Claim::new(ClaimKind::ActiveCart, &cart.user_id);
    Refusal::Claimed { claim, owner: cart.id.to_string() }
}

/// Two tabs change one cart. The second change is refused.
pub async fn a_stale_cart_is_refused<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let first = case.shop.cart(parse("user-1"), case.shop.at(1));
    case.accept(case.shop.create(&first)).await;
    let mut second = first.clone();
    second.version = 2;
    case.accept(case.shop.update(&first, &second)).await;
    let mut stale = second.clone();
    stale.items.push(case.shop.cart_item("A", units(1)));
    let conflict = |expected| Refusal::VersionConflict {
        subject: Subject::Document(DocumentId::new(DocumentKind::Cart, &first.id)),
        expected,
        actual: 2,
    };
    assert_eq!(case.refused(case.shop.update(&first, &stale)).await, conflict(1));
    assert_eq!(case.refused(case.shop.create(&stale)).await, conflict(0));
    assert_eq!(case.store.cart(first.id).await.unwrap(), Some(second));
}

/// The refusal of a second active cart names the first. Another customer is not affected.
pub async fn a_customer_has_one_active_cart<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let open = |user| case.shop.cart(parse(user), case.shop.at(1));
    let (first, second, other) = (open("user-1"), open("user-1"), open("user-2"));
    case.accept(case.shop.create(&first)).await;
    case.accept(case.shop.create(&other)).await;
    assert_eq!(case.refused(case.shop.create(&second)).await, active_cart_of(&first));
    let mut closed = first.clone();
    closed.expire(case.shop.at(2));
    case.accept(case.shop.update(&first, &closed)).await;
    assert_eq!(case.store.active_cart(&closed.user_id).await.unwrap(), None);
    case.accept(case.shop.create(&second)).await;
    assert_eq!(case.store.active_cart(&closed.user_id).await.unwrap(), Some(second));
    assert_eq!(case.store.cart(closed.id).await.unwrap(), Some(closed));
}

/// One commit closes a cart and opens the next, in either order.
pub async fn a_cart_may_take_the_place_of_a_closed_one_in_one_commit<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    for (user, closed_first) in [("user-1", true), ("user-2", false)] {
        let old = case.shop.cart(parse(user), case.shop.at(1));
        case.accept(case.shop.create(&old)).await;
        let new = case.shop.cart(parse(user), case.shop.at(2));
        let mut closed = old.clone();
        closed.expire(case.shop.at(2));
        let mut commit = case.shop.commit(case.shop.at(2));
        commit.documents = [case.shop.update(&old, &closed).documents, case.shop.create(&new).documents].concat();
        if !closed_first {
            commit.documents.reverse();
        }
        case.accept(commit).await;
        assert_eq!(case.store.active_cart(&new.user_id).await.unwrap(), Some(new));
        assert_eq!(case.store.cart(closed.id).await.unwrap(), Some(closed));
    }
}

/// All concurrent attempts but one are refused, with the id of the cart.
pub async fn carts_opened_at_once_leave_one_active<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let carts: Vec<_> = (0..8).map(|_| case.shop.cart(parse("user-1"), case.shop.at(1))).collect();
    let answers = at_once(&case.store, carts.iter().map(|cart| case.shop.create(cart)).collect()).await;
    let active = case.store.active_cart(&parse("user-1")).await.unwrap().expect("one is open");
    for (cart, answer) in carts.iter().zip(answers) {
        let refusal = (cart.id != active.id).then_some(active_cart_of(&active));
        assert_eq!(answer, refusal);
    }
}

/// The store does not judge whether a cart has expired.
pub async fn an_overdue_cart_is_still_the_active_one<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let mut cart = case.shop.cart(parse("user-1"), case.shop.at(1));
    cart.expires_at = case.shop.at(1);
    case.accept(case.shop.create(&cart)).await;
    assert_eq!(case.store.active_cart(&cart.user_id).await.unwrap(), Some(cart));
}

/// Concurrent checkouts place one order.
pub async fn a_cart_becomes_one_order<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 50)]).await;
    let cart = case.shop.cart(parse("user-1"), case.shop.at(1));
    case.accept(case.shop.create(&cart)).await;
    let at = case.shop.at(2);
    let checkout = |_| {
        let mut new_order = case.shop.new_order(&[("MUG", 1)], at);
        new_order.cart_id = Some(cart.id);
        let mut commit = case.shop.place(new_order, at);
        let closed = case.shop.checked_out(&cart, order_of(&commit).id, at);
        commit.change(Some(&cart), closed);
        commit
    };
    let commits: Vec<_> = (0..8).map(checkout).collect();
    let answers = at_once(&case.store, commits.clone()).await;
    let won: Vec<_> = commits.iter().zip(&answers).filter(|(_, answer)| answer.is_none()).collect();
    assert_eq!(won.len(), 1);
    let subject = Subject::Document(DocumentId::new(DocumentKind::Cart, &cart.id));
    let conflict = Refusal::VersionConflict { subject, expected: 1, actual: 2 };
    assert!(answers.iter().flatten().all(|answer| *answer == conflict));
    let closed = case.store.cart(cart.id).await.unwrap().unwrap();
    assert_eq!((closed.status, closed.order), (CartStatus::CheckedOut, Some(order_of(won[0].0).id)));
    assert_eq!(case.store.active_cart(&cart.user_id).await.unwrap(), None);
    assert_eq!(case.level("MUG").await.reserved, 1);
}
