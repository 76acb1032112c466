//! A commit that no guard refuses, and the database does.

use std::time::Duration;

use commerce_core::commit::Commit;
use commerce_core::port::{CommitError, OrderRef, Store};
use commerce_diesel::DatabaseOptions;
use commerce_testkit::CommitBuilder;
use commerce_testkit::commit_builder::order_of;

use crate::database::Database;
use commerce_testkit::audit::sound;

/// Which commit is the one.
const POISON: usize = 7;
/// What the database does not take.
const QUANTITY: i64 = 13;

/// Refuses the row at once.
pub(crate) const ROW: &str = "ALTER TABLE reservations ADD CONSTRAINT poison CHECK (units <> 13);";
const NO_ROW: &str = "ALTER TABLE reservations DROP CONSTRAINT poison;";

fn order(shop: &CommitBuilder, number: usize) -> Commit {
    shop.order(&[("MUG", if number == POISON { QUANTITY } else { 1 })])
}

/// Submits commits that have to wait, and so become one batch; gives the answers.
pub(crate) async fn in_one_batch<D: Database>(
    database: &D,
    store: &D::Store,
    first: Commit,
    commits: Vec<Commit>,
) -> Vec<Result<(), CommitError>> {
    let lock = database.hold("SELECT position FROM feed WHERE id = 1 FOR UPDATE", Duration::from_millis(500));
    tokio::time::sleep(Duration::from_millis(150)).await;
    let store_of_first = store.clone();
    let waiting = tokio::spawn(async move { store_of_first.commit(first).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let answers = crate::database::at_once(std::slice::from_ref(store), commits).await;
    waiting.await.unwrap().unwrap();
    lock.join().unwrap();
    answers
}

/// A store with one writer: what waits for it becomes one batch.
pub(crate) async fn with_one_writer<D: Database>(database: &D) -> D::Store {
    let options = DatabaseOptions { writers: 1, readers: 4, ..DatabaseOptions::default() };
    D::connect(&database.url(), options).await.unwrap()
}

pub(crate) async fn a_row_that_is_refused_harms_nobody_else<D: Database>() {
    only_the_poison_fails::<D>(ROW, NO_ROW, 101).await;
}

/// `poison` makes the database refuse [`QUANTITY`] units.
pub(crate) async fn only_the_poison_fails<D: Database>(poison: &str, antidote: &str, size: usize) {
    let (database, shop) = (D::create(), CommitBuilder::new(1));
    let store = with_one_writer(&database).await;
    store.commit(shop.stocked(&[("MUG", 1000)])).await.unwrap();
    database.sql(poison);
    let commits: Vec<_> = (0..size).map(|number| order(&shop, number)).collect();
    let answers = in_one_batch(&database, &store, shop.order(&[("MUG", 1)]), commits.clone()).await;
    for (number, (commit, answer)) in commits.iter().zip(&answers).enumerate() {
        let found = store.order(&OrderRef::Id(order_of(commit).id)).await.unwrap();
        assert_eq!(found.is_some(), number != POISON, "{number}: {answer:?}");
        let failed = matches!(answer, Err(CommitError::Failed(_)));
        assert!(if number == POISON { failed } else { answer.is_ok() }, "{number}: {answer:?}");
    }
    assert_eq!(database.count("orders"), size);
    sound(&store, shop.at(1)).await;
    database.sql(antidote);
    store.commit(commits[POISON].clone()).await.unwrap();
    sound(&store, shop.at(1)).await;
}
