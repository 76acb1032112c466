//! Races between processes that share a database: what is there is sold once, a key is one order, a limit is a limit.
//!
//! Each takes the stores of as many processes. It fails by panicking.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a race fails by panicking")]

use std::sync::Arc;

use commerce_core::commit::{Commit, Refusal};
use commerce_core::money::Money;
use commerce_core::port::{CommitError, OrderRef, PageRequest, Store};
use commerce_core::promotion::{Limits, Redemption, RedemptionMove};

use crate::CommitBuilder;
use crate::audit::is_out_of_stock;
use crate::commit_builder::{CURRENCY, order_of, parse};

/// An order of one unit with the idempotency record of its request.
pub fn one(shop: &CommitBuilder, sku: &str) -> Commit {
    let mut commit = shop.order(&[(sku, 1)]);
    let key = order_of(&commit).id.to_string();
    commit.idempotency = Some(shop.idempotency_record(&key, "request", "{}", commit.at));
    commit
}

/// An order of one unit that uses a promotion for 100 minor units.
pub fn use_of(shop: &CommitBuilder, sku: &str, promotion: &str, limits: Limits) -> Commit {
    let mut commit = one(shop, sku);
    let redemption = Redemption {
        promotion: parse(promotion),
        order: order_of(&commit).id,
        user: parse("user-1"),
        amount: Money::new(100, CURRENCY),
        at: commit.at,
        released_at: None,
    };
    commit.redemptions.push(RedemptionMove::Redeem(redemption, limits));
    commit
}

/// Submits all commits at once, by turns to the stores; the answers stand in the order of the commits.
pub async fn at_once(
    stores: &[Arc<dyn Store>],
    commits: impl IntoIterator<Item = Commit>,
) -> Vec<Result<(), CommitError>> {
    let submitted: Vec<_> = (stores.iter().cycle().cloned().zip(commits))
        .map(|(store, commit)| tokio::spawn(async move { store.commit(commit).await }))
        .collect();
    let mut answers = Vec::new();
    for answer in submitted {
        answers.push(answer.await.unwrap());
    }
    answers
}

/// How many were accepted; all others were told that there was too little stock.
#[track_caller]
pub fn sold(answers: &[Result<(), CommitError>]) -> usize {
    let failed = answers.iter().find(|answer| !matches!(answer, Ok(())) && !is_out_of_stock(answer));
    assert!(failed.is_none(), "{failed:?}");
    answers.iter().filter(|answer| answer.is_ok()).count()
}

/// More buyers than units: all units are sold, and no more.
pub async fn what_is_there_is_sold_once(
    stores: &[Arc<dyn Store>],
    shop: &CommitBuilder,
    (sku, stock): (&str, i64),
    buyers: usize,
) {
    let store = stores.last().unwrap();
    store.commit(shop.stocked(&[(sku, stock)])).await.unwrap();
    let sold = sold(&at_once(stores, (0..buyers).map(|_| one(shop, sku))).await);
    assert_eq!(i64::try_from(sold).unwrap(), stock.min(i64::try_from(buyers).unwrap()), "orders of {sku}");
    let level = store.stock(&parse(sku), shop.at(1)).await.unwrap().unwrap();
    assert_eq!((level.on_hand, level.reserved), (stock, i64::try_from(sold).unwrap()), "units of {sku}");
    assert_eq!(store.reservations(&level.sku).await.unwrap().len(), sold, "reservations of {sku}");
}

/// One idempotency key on many requests is one order, and all others are told of it.
pub async fn one_key_is_one_order(stores: &[Arc<dyn Store>], shop: &CommitBuilder, (sku, key): (&str, &str)) {
    const REQUESTS: usize = 50;
    let request = |number: usize| {
        let mut commit = one(shop, sku);
        commit.idempotency = Some(shop.idempotency_record(key, "request", &number.to_string(), commit.at));
        commit
    };
    let commits: Vec<_> = (0..REQUESTS).map(request).collect();
    let answers = at_once(stores, commits.clone()).await;
    let placed: Vec<_> = commits.iter().zip(&answers).filter(|(_, answer)| answer.is_ok()).collect();
    let [(first, _)] = placed.as_slice() else { panic!("{} orders of one key", placed.len()) };
    for (commit, answer) in commits.iter().zip(&answers) {
        let found = stores.first().unwrap().order(&OrderRef::Id(order_of(commit).id)).await.unwrap();
        assert_eq!(found.is_some(), answer.is_ok(), "{answer:?}");
        if let Err(error) = answer {
            let told = matches!(error, CommitError::Refused(Refusal::DuplicateKey(record)) if Some(&**record) == first.idempotency.as_ref());
            assert!(told, "told of another order: {error}");
        }
    }
}

/// Forty orders want five uses of a promotion.
pub async fn a_limit_of_uses_holds(stores: &[Arc<dyn Store>], shop: &CommitBuilder, (sku, promotion): (&str, &str)) {
    let limits = Limits { max_uses: Some(5), ..Limits::default() };
    let answers = at_once(stores, (0..40).map(|_| use_of(shop, sku, promotion, limits))).await;
    let exhausted = |answer: &&_| matches!(answer, Err(CommitError::Refused(Refusal::PromotionExhausted(_))));
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 5, "orders with a use");
    assert_eq!(answers.iter().filter(exhausted).count(), 35, "orders without a use");
    let page = PageRequest { limit: 100, after: None };
    let uses = stores.first().unwrap().redemptions(&parse(promotion), &page).await.unwrap().items;
    assert_eq!(uses.len(), 5, "uses");
}
