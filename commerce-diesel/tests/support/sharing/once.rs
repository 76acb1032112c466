//! What can happen once is tried through two processes at the same time.

use commerce_core::actor::Role;
use commerce_core::commit::{Commit, Refusal, Subject};
use commerce_core::document::{Claim, ClaimKind};
use commerce_core::ids::OrderId;
use commerce_core::money::Money;
use commerce_core::order::{Command, Order};
use commerce_core::port::{CommitError, OrderRef, PageRequest, Store};
use commerce_core::promotion::{Limit, Limits, PromotionExhausted};
use commerce_core::stock::{StockAction, StockRefusal};
use commerce_testkit::CommitBuilder;
use commerce_testkit::commit_builder::{CURRENCY, order_of, parse};
use commerce_testkit::races::{one, use_of};

use crate::database::{Database, at_once};
use commerce_testkit::audit::sound;

const ROUNDS: usize = 50;

/// Two processes and a shop.
struct Pair<D: Database> {
    database: D,
    stores: [D::Store; 2],
    shop: CommitBuilder,
}

impl<D: Database> Pair<D> {
    async fn new() -> Self {
        let (database, shop) = (D::create(), CommitBuilder::new(1));
        let stores = [database.open().await, database.open().await];
        stores[0].commit(shop.stocked(&[("MUG", 10_000)])).await.unwrap();
        Self { database, stores, shop }
    }

    /// Submits both at once. One is accepted; gives its place, and how the other is refused.
    async fn one_wins(&self, commits: [Commit; 2]) -> (usize, Refusal) {
        let answers = at_once(&self.stores, commits).await;
        let winner = answers.iter().position(Result::is_ok);
        match <[_; 2]>::try_from(answers) {
            Ok([Ok(()), Err(CommitError::Refused(refusal))] | [Err(CommitError::Refused(refusal)), Ok(())]) => {
                (winner.unwrap(), refusal)
            }
            other => panic!("not one of two: {other:?}"),
        }
    }

    async fn order(&self, id: OrderId) -> Option<Order> {
        self.stores[1].order(&OrderRef::Id(id)).await.unwrap()
    }
}

pub(crate) async fn one_key_is_one_order<D: Database>() {
    let pair = Pair::<D>::new().await;
    for round in 0..ROUNDS {
        let commits = [0, 1].map(|process| {
            let mut commit = one(&pair.shop, "MUG");
            commit.idempotency = Some(pair.shop.idempotency_record(
                &format!("key-{round}"),
                "request",
                &format!("{process}"),
                commit.at,
            ));
            commit
        });
        let [first, second] = commits.clone();
        let (winner, refusal) = pair.one_wins([first, second]).await;
        let given = commits[winner].idempotency.clone().unwrap();
        assert_eq!(refusal, Refusal::DuplicateKey(Box::new(given)), "the answer of the order that was placed");
        assert!(pair.order(order_of(&commits[winner]).id).await.is_some());
        assert!(pair.order(order_of(&commits[1 - winner]).id).await.is_none());
    }
    assert_eq!(pair.database.count("orders"), ROUNDS);
    sound(&pair.stores[0], pair.shop.at(1)).await;
}

pub(crate) async fn one_number_is_one_order<D: Database>() {
    let pair = Pair::<D>::new().await;
    for _ in 0..ROUNDS {
        let at = pair.shop.at(1);
        let first = pair.shop.new_order(&[("MUG", 1)], at);
        let mut second = pair.shop.new_order(&[("MUG", 1)], at);
        second.number.clone_from(&first.number);
        let (claim, ids) = (Claim::new(ClaimKind::OrderNumber, &first.number), [first.id, second.id]);
        let (winner, refusal) = pair.one_wins([pair.shop.place(first, at), pair.shop.place(second, at)]).await;
        assert_eq!(refusal, Refusal::Claimed { claim, owner: ids[winner].to_string() });
    }
    assert_eq!(pair.database.count("orders"), ROUNDS);
    sound(&pair.stores[0], pair.shop.at(1)).await;
}

/// Forty orders want five uses. Each kind of limit gives five; without limits, all get one.
pub(crate) async fn limited_uses_are_given_to_as_many_as_there_are<D: Database>() {
    let pair = Pair::<D>::new().await;
    let limits = [
        Limits { max_uses: Some(5), ..Limits::default() },
        Limits { max_uses_per_customer: Some(5), ..Limits::default() },
        Limits { budget: Some(Money::new(500, CURRENCY)), ..Limits::default() },
        Limits::default(),
    ];
    for (promotion, limits) in (0..3).flat_map(|_| limits).enumerate() {
        let promotion = format!("promo-{promotion}");
        let orders: Vec<_> = (0..40).map(|_| use_of(&pair.shop, "MUG", &promotion, limits)).collect();
        let answers = at_once(&pair.stores, orders).await;
        let accepted = answers.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(accepted, if limits == Limits::default() { 40 } else { 5 }, "{limits:?}");
        let exhausted = |answer: &&_| matches!(answer, Err(CommitError::Refused(Refusal::PromotionExhausted(_))));
        assert_eq!(answers.iter().filter(exhausted).count(), 40 - accepted, "{limits:?} {answers:?}");
        let (page, id) = (PageRequest { limit: 100, after: None }, parse(&promotion));
        assert_eq!(pair.stores[0].redemptions(&id, &page).await.unwrap().items.len(), accepted);
        let counted =
            pair.database.sql(&format!("SELECT used FROM promotion_uses WHERE promotion_id = '{promotion}';"));
        assert_eq!(counted.trim(), accepted.to_string());
    }
}

pub(crate) async fn a_last_use_is_given_once<D: Database>() {
    let (pair, limits) = (Pair::<D>::new().await, Limits { max_uses: Some(1), ..Limits::default() });
    for round in 0..ROUNDS {
        let promotion = format!("promo-{round}");
        let (_, refusal) = pair.one_wins([(); 2].map(|()| use_of(&pair.shop, "MUG", &promotion, limits))).await;
        assert_eq!(refusal, PromotionExhausted { promotion: parse(&promotion), limit: Limit::Uses }.into());
        let page = PageRequest { limit: 10, after: None };
        let uses = pair.stores[0].redemptions(&parse(&promotion), &page).await.unwrap().items;
        assert_eq!(uses.len(), 1);
    }
    assert_eq!(pair.database.count("orders"), ROUNDS);
}

fn adjusted(shop: &CommitBuilder, sku: &str, delta: i64, expected: Option<u64>) -> Commit {
    shop.moves(sku, StockAction::Adjust { delta, reason: parse("received"), expected }, shop.at(1))
}

/// A SKU that nobody knew: both deliveries arrive; of two first ones only one is the first.
pub(crate) async fn a_new_sku_is_stocked_by_both<D: Database>() {
    let Pair::<D> { stores, shop, .. } = Pair::new().await;
    for round in 0..ROUNDS {
        let sku = format!("NEW-{round}");
        let answers = at_once(&stores, [7, 5].map(|delta| adjusted(&shop, &sku, delta, None))).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        let sku = format!("FIRST-{round}");
        let answers = at_once(&stores, [7, 7].map(|delta| adjusted(&shop, &sku, delta, Some(0)))).await;
        let stale = |answer: &&_| {
            matches!(answer, Err(CommitError::Refused(Refusal::Stock(StockRefusal::VersionMismatch { .. }))))
        };
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
        assert_eq!(answers.iter().filter(stale).count(), 1, "{answers:?}");
    }
    let levels = sound(&stores[0], shop.at(1)).await;
    for round in 0..ROUNDS {
        let on_hand = |name| levels[format!("{name}-{round}").as_str()].on_hand;
        assert_eq!((on_hand("NEW"), on_hand("FIRST")), (12, 7));
    }
}

/// One process pays what the other calls off.
pub(crate) async fn an_order_is_moved_by_one<D: Database>() {
    let pair = Pair::<D>::new().await;
    for round in 0..ROUNDS {
        let placed = one(&pair.shop, "MUG");
        let order = order_of(&placed).clone();
        pair.stores[round % 2].commit(placed).await.unwrap();
        let note = Command::Cancel { reason: Some(parse("changed my mind")) };
        let cancel = pair.shop.decide(&order, Role::Admin, note, pair.shop.at(2)).unwrap();
        let commits = [pair.shop.pay(&order, pair.shop.at(2)), cancel];
        let after = commits.each_ref().map(|commit| order_of(commit).clone());
        let (winner, refusal) = pair.one_wins(commits).await;
        let subject = Subject::Order(order.id);
        let actual = after[winner].version;
        assert_eq!(refusal, Refusal::VersionConflict { subject, expected: order.version, actual });
        assert_eq!(pair.order(order.id).await.as_ref(), Some(&after[winner]));
    }
    sound(&pair.stores[0], pair.shop.at(2)).await;
}
