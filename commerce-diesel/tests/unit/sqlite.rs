//! What only shows from inside.

use commerce_core::commit::{Accepted, Commit, ReadSet, settle};
use commerce_core::stock::StockAction;
use commerce_core::task::{TaskChange, TaskKey};
use commerce_testkit::CommitBuilder;
use commerce_testkit::commit_builder::{order_of, parse};
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::connection::{Conn, complete};
use super::query::committed::is_committed;
use super::query::group::{self, Submission};
use super::query::loaded_state::{self, Locks};
use super::{SqliteOptions, open};
use crate::prepared::Prepared;

struct Bench {
    conn: Conn,
    shop: CommitBuilder,
    _directory: TempDir,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let conn = open::writer(&directory.path().join("shop.db"), &SqliteOptions::default()).unwrap();
        let mut bench = Self { conn, shop: CommitBuilder::new(1), _directory: directory };
        bench.accept(&bench.shop.stocked(&[("MUG", 10)]));
        bench
    }

    fn accept(&mut self, commit: &Commit) {
        let prepared = Prepared::new(commit.clone()).unwrap();
        let (reply, mut rx) = oneshot::channel();
        complete(group::serve(&mut self.conn, vec![Submission::new(prepared, reply)]));
        rx.try_recv().unwrap().answer.unwrap();
    }

    fn settled(&mut self, commit: &Commit) -> Accepted {
        let mut loaded = complete(loaded_state::load(&mut self.conn, &ReadSet::of([commit]), Locks::ALL)).unwrap();
        settle([commit], &mut loaded.state).pop().unwrap().unwrap()
    }

    fn is_committed(&mut self, commit: &Commit, settled: &Accepted) -> Option<bool> {
        complete(is_committed(&mut self.conn, commit, settled)).unwrap()
    }

    /// A commit can be told to have landed, and not to have landed before.
    #[track_caller]
    fn check(&mut self, commit: &Commit) {
        let settled = self.settled(commit);
        assert_eq!(self.is_committed(commit, &settled), Some(false));
        self.accept(commit);
        assert_eq!(self.is_committed(commit, &settled), Some(true));
    }
}

#[test]
fn a_second_attempt_is_not_taken_for_the_first() {
    let mut bench = Bench::new();
    let skus = ["MUG", "MUG", "MUG"].map(parse);
    let commit = bench.shop.checkout(0, &skus);
    bench.check(&commit);
    let mut other = bench.shop.checkout(1, &skus);
    let settled = bench.settled(&other);
    other.idempotency = commit.idempotency;
    assert_eq!(bench.is_committed(&other, &settled), Some(false), "the idempotency record is there, the order is not");
}

#[test]
fn a_commit_of_nothing_but_an_idempotency_record_is_known_by_it() {
    let mut bench = Bench::new();
    let mut commit = bench.shop.commit(bench.shop.at(1));
    commit.idempotency = Some(bench.shop.idempotency_record("key", "print", "reply", bench.shop.at(1)));
    bench.check(&commit);
}

#[test]
fn a_commit_of_an_order_is_known_by_its_event() {
    let mut bench = Bench::new();
    let commit = bench.shop.order(&[("MUG", 1)]);
    bench.check(&commit);
    let first = bench.shop.pay(order_of(&commit), bench.shop.at(2));
    let second = bench.shop.pay(order_of(&commit), bench.shop.at(3));
    let settled = bench.settled(&second);
    bench.check(&first);
    assert_eq!(bench.is_committed(&second, &settled), Some(false), "another event has the number");
}

#[test]
fn a_commit_of_stock_is_known_by_its_event() {
    let mut bench = Bench::new();
    let action = StockAction::Adjust { delta: 3, reason: parse("found"), expected: None };
    bench.check(&bench.shop.moves("MUG", action, bench.shop.at(1)));
}

#[test]
fn a_commit_of_a_document_is_known_by_its_version() {
    let mut bench = Bench::new();
    let cart = bench.shop.cart(parse("user-1"), bench.shop.at(1));
    bench.check(&bench.shop.create(&cart));
    bench.check(&bench.shop.create(&bench.shop.product("P", &["A"])));
}

#[test]
fn a_commit_that_leaves_no_trace_is_not_known() {
    let mut bench = Bench::new();
    let mut commit = bench.shop.commit(bench.shop.at(1));
    let order = order_of(&bench.shop.order(&[("MUG", 1)])).id;
    commit.tasks.push(TaskChange::Finish(TaskKey::expire_order(order)));
    let settled = bench.settled(&commit);
    assert_eq!(bench.is_committed(&commit, &settled), None);
}
