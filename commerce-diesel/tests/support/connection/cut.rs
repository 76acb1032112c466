//! A connection that is cut once, in the middle of a batch, at a moment that matters.

use std::time::{Duration, Instant};

use commerce_core::commit::Commit;
use commerce_core::order::Order;
use commerce_core::port::{CommitError, OrderRef, Store, StoreErrorKind};
use commerce_diesel::DatabaseOptions;
use commerce_testkit::commit_builder::{order_of, parse};

use super::{Wired, delivered, delivery, one_writer};
use crate::database::{Database, at_once};
use crate::proxy::Cut;
use commerce_testkit::audit::sound;

const ORDERS: usize = 20;

/// Commits of every kind that can be told apart from their like.
struct Batch {
    orders: Vec<Commit>,
    others: Vec<Commit>,
}

impl<D: Database> Wired<D> {
    async fn batch(&self) -> Batch {
        let (shop, at) = (&self.shop, self.shop.at(1));
        let known = shop.order(&[("MUG", 1)]);
        self.store.commit(known.clone()).await.unwrap();
        let order = |number: usize| {
            let mut commit = shop.order(&[("MUG", 1), ("TEA", 2)]);
            commit.idempotency = Some(shop.idempotency_record(&format!("order-{number}"), "request", "{}", at));
            commit
        };
        let mut delivery = delivery(shop, "MUG", "with a record");
        delivery.idempotency = Some(shop.idempotency_record("delivery", "request", "{}", at));
        let cart = shop.create(&shop.cart(parse("ann"), at));
        let product = shop.create(&shop.product("mugs", &["MUG"]));
        let paid = shop.pay(order_of(&known), shop.at(2));
        Batch { orders: (0..ORDERS).map(order).collect(), others: vec![delivery, cart, product, paid] }
    }

    async fn found(&self, commit: &Commit) -> Option<Order> {
        self.beside.order(&OrderRef::Id(order_of(commit).id)).await.unwrap()
    }

    /// Cuts the connection of a batch; everybody is told that it was accepted, and it was, once.
    async fn all_land_once(&self, cut: Cut) {
        let Batch { orders, others } = self.batch().await;
        self.proxy.arm([cut]);
        let answers = at_once(std::slice::from_ref(&self.store), orders.iter().chain(&others).cloned()).await;
        assert!(answers.iter().all(Result::is_ok), "{:?}", answers.iter().find(|answer| answer.is_err()));
        assert_eq!(self.proxy.made(), 1, "it was cut");
        self.proxy.quiesce().await;
        for order in &orders {
            assert!(self.found(order).await.is_some());
            assert!(self.beside.idempotency_record(&order.idempotency.clone().unwrap().key).await.unwrap().is_some());
        }
        assert_eq!(self.found(&others[3]).await.unwrap().status.as_str(), "paid");
        assert_eq!(delivered(&self.beside).await, ["with a record"]);
        let levels = sound(&self.beside, self.shop.at(2)).await;
        let (mug, tea) = (&levels["MUG"], &levels["TEA"]);
        let sold = i64::try_from(ORDERS).unwrap();
        assert_eq!((mug.on_hand, mug.reserved, tea.reserved), (100_001, sold + 1, 2 * sold));
        self.store.commit(self.shop.order(&[("MUG", 1)])).await.unwrap();
    }
}

pub(crate) async fn a_connection_lost_in_the_first_trip_is_made_anew<D: Database>() {
    Wired::<D>::new(one_writer()).await.all_land_once(Cut::First).await;
}

pub(crate) async fn a_commit_that_was_never_sent_is_sent_again<D: Database>() {
    Wired::<D>::new(one_writer()).await.all_land_once(Cut::BeforeCommit).await;
}

pub(crate) async fn a_commit_whose_answer_is_lost_is_found<D: Database>() {
    Wired::<D>::new(one_writer()).await.all_land_once(Cut::AfterCommit).await;
}

/// It is not there yet when it is looked for.
pub(crate) async fn a_commit_that_comes_late_is_found<D: Database>() {
    Wired::<D>::new(one_writer()).await.all_land_once(Cut::Late(Duration::from_millis(200))).await;
}

/// Such as one whose machine has stopped: no packet says so.
pub(crate) async fn a_server_that_says_no_more_is_not_waited_for<D: Database>() {
    let short = Duration::from_secs(1);
    let options = DatabaseOptions { statement_timeout: short, connect_timeout: short, ..one_writer() };
    let wired = Wired::<D>::new(options).await;
    let start = Instant::now();
    wired.all_land_once(Cut::Silence).await;
    assert!(start.elapsed() < 15 * short, "{:?}", start.elapsed());
}

/// Every try is lost, the last of them comes late, and then nobody can look: nobody is told that nothing has happened.
pub(crate) async fn what_may_still_come_is_not_said_to_be_lost<D: Database>() {
    let wired = Wired::<D>::new(one_writer()).await;
    let (lost, late) = (Cut::BeforeCommit, Cut::Late(Duration::from_millis(300)));
    wired.proxy.arm([Cut::AfterCommit, lost, lost, lost, late, Cut::Away]);
    // While the answer to the first is looked for, the others gather.
    let (store, first) = (wired.store.clone(), wired.shop.order(&[("TEA", 1)]));
    let first = tokio::spawn(async move { store.commit(first).await });
    tokio::time::sleep(Duration::from_millis(20)).await;
    let orders: Vec<_> = (0..ORDERS).map(|_| wired.shop.order(&[("MUG", 1)])).collect();
    let answers = at_once(std::slice::from_ref(&wired.store), orders.clone()).await;
    first.await.unwrap().unwrap();
    assert_eq!(wired.proxy.made(), 6);
    wired.proxy.quiesce().await;
    for (order, answer) in orders.iter().zip(answers) {
        let unknown = matches!(&answer, Err(CommitError::Failed(error)) if error.kind == StoreErrorKind::Unknown);
        assert!(unknown || answer.is_ok() == wired.found(order).await.is_some(), "{answer:?}");
    }
}

/// A delivery is said to have arrived once, without a key by which it could be known again.
pub(crate) async fn a_delivery_that_comes_late_counts_once<D: Database>() {
    for cut in [Cut::BeforeCommit, Cut::AfterCommit, Cut::Late(Duration::from_millis(200))] {
        let wired = Wired::<D>::new(one_writer()).await;
        wired.proxy.arm([cut]);
        wired.store.commit(delivery(&wired.shop, "MUG", "without a record")).await.unwrap();
        wired.proxy.quiesce().await;
        assert_eq!(delivered(&wired.beside).await, ["without a record"], "{cut:?}");
    }
}
