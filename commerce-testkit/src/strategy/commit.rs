//! Conflicting commits on the same SKUs, keys, customers and orders.

use chrono::{DateTime, Utc};
use commerce_core::commit::Commit;
use commerce_core::order::{NewOrder, Order};
use commerce_core::stock::StockAction;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::order::SKUS;
use crate::CommitBuilder;
use crate::commit_builder::{RESERVATION_SECONDS, order_of, parse};

/// A commit of a script. It may refer to earlier ones.
#[derive(Clone, Debug)]
pub enum Act {
    /// An order of units of SKUs, with or without an idempotency key.
    Place(Vec<(&'static str, i64)>, Option<&'static str>),
    /// An order with the number of an earlier order.
    Again(Index),
    /// The payment of an earlier order, decided on its first version.
    Pay(Index),
    /// The cancellation of an earlier order, decided on its first version.
    Cancel(Index),
    /// A sku's units on hand and reorder threshold are set.
    Count(&'static str, i64, Option<i64>),
    /// A sku's units on hand are adjusted.
    Correct(&'static str, i64),
    /// A user opens a cart.
    OpenCart(&'static str),
    /// A product claims some SKUs.
    Product(&'static str, Vec<&'static str>),
}

/// Acts with their times in seconds, mostly increasing, sometimes far apart, sometimes decreasing.
pub fn script(length: usize) -> impl Strategy<Value = Vec<(i64, Act)>> {
    let second = prop_oneof![
        6 => 1..=60_i64,
        1 => RESERVATION_SECONDS - 10..=RESERVATION_SECONDS + 90,
        1 => 0..=3 * RESERVATION_SECONDS,
    ];
    vec((second, act()), 1..=length)
}

fn act() -> impl Strategy<Value = Act> {
    let sku = || select(SKUS.to_vec());
    let lines = vec((sku(), 1..=3_i64), 1..=3);
    let key = option::weighted(0.4, select(vec!["one", "two", "three"]));
    prop_oneof![
        8 => (lines, key).prop_map(|(lines, key)| Act::Place(lines, key)),
        1 => any::<Index>().prop_map(Act::Again),
        4 => any::<Index>().prop_map(Act::Pay),
        3 => any::<Index>().prop_map(Act::Cancel),
        2 => (sku(), 0..=12_i64, option::of(0..=4_i64)).prop_map(|(sku, units, low)| Act::Count(sku, units, low)),
        2 => (sku(), -5..=8_i64).prop_map(|(sku, delta)| Act::Correct(sku, delta)),
        1 => select(vec!["ann", "bob"]).prop_map(Act::OpenCart),
        1 => (select(vec!["P", "Q"]), vec(sku(), 1..=2)).prop_map(|(id, mut skus)| {
            skus.sort_unstable();
            skus.dedup();
            Act::Product(id, skus)
        }),
    ]
}

/// The commits of a script. Each is built without a store, so many will be refused.
pub fn commits(script: &[(i64, Act)]) -> Vec<Commit> {
    let shop = CommitBuilder::new(1);
    let mut placed: Vec<Order> = Vec::new();
    let commit = |(second, act): &(i64, Act)| {
        let commit = act.commit(&shop, shop.at(*second), &placed);
        if matches!(act, Act::Place(..)) {
            placed.push(order_of(&commit).clone());
        }
        commit
    };
    script.iter().map(commit).collect()
}

impl Act {
    fn commit(&self, shop: &CommitBuilder, at: DateTime<Utc>, placed: &[Order]) -> Commit {
        let earlier = |index: &Index| (!placed.is_empty()).then(|| index.get(placed));
        match self {
            Self::Place(lines, key) => {
                let mut commit = shop.place(shop.new_order(lines, at), at);
                commit.idempotency =
                    key.map(|key| shop.idempotency_record(key, "print", &order_of(&commit).id.to_string(), at));
                commit
            }
            Self::Again(index) => {
                let new_order = shop.new_order(&[("MUG", 1)], at);
                let number = earlier(index).map_or_else(|| new_order.number.clone(), |order| order.number.clone());
                shop.place(NewOrder { number, ..new_order }, at)
            }
            Self::Pay(index) => earlier(index).map_or_else(|| shop.commit(at), |order| shop.pay(order, at)),
            Self::Cancel(index) => earlier(index).map_or_else(|| shop.commit(at), |order| shop.cancel(order, at)),
            Self::Count(sku, on_hand, reorder_threshold) => {
                let (on_hand, reorder_threshold) = (*on_hand, *reorder_threshold);
                shop.moves(sku, StockAction::Set { on_hand, reorder_threshold, expected: None }, at)
            }
            Self::Correct(sku, delta) => {
                shop.moves(sku, StockAction::Adjust { delta: *delta, reason: parse("counted"), expected: None }, at)
            }
            Self::OpenCart(user) => shop.create(&shop.cart(parse(user), at)),
            Self::Product(id, skus) => shop.create(&shop.product(id, skus)),
        }
    }
}
