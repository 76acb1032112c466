//! Settling: a batch is its commits one by one, however it is cut; and what was settled can be replayed.

use commerce_core::commit::{Commit, Refusal};
use commerce_core::port::{OrderFilter, Page, PageRequest, ProductFilter, Store, StoreError};
use commerce_core::replay::verify;
use commerce_core::stock::StockLevel;
use commerce_testkit::strategy::commit::{commits, script};
use commerce_testkit::strategy::order::SKUS;
use commerce_testkit::{CommitBuilder, MemoryStore};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::wait;

fn everything<T, K>(listing: impl Future<Output = Result<Page<T, K>, StoreError>>) -> Vec<T> {
    wait(listing).unwrap().items
}

const fn all<K>() -> PageRequest<K> {
    PageRequest { limit: u16::MAX, after: None }
}

/// Everything a reader can see, at an instant after the last commit. The instant before which no reservation ends may
/// be earlier in one store than in another.
fn view(store: &MemoryStore) -> impl PartialEq + std::fmt::Debug {
    let at = CommitBuilder::new(1).at(100_000);
    let levels = everything(store.stock_levels(false, at, &all()));
    let levels: Vec<_> = levels.into_iter().map(|level| StockLevel { next_expiry: None, ..level }).collect();
    let confirmed = SKUS.map(|sku| {
        let mut reservations = wait(store.reservations(&sku.parse().unwrap())).unwrap();
        reservations.retain(|(_, reservation)| reservation.until.is_none());
        reservations
    });
    let history = everything(store.history(&all()));
    let carts = ["ann", "bob"].map(|user| wait(store.active_cart(&user.parse().unwrap())).unwrap());
    let products = everything(store.products(&ProductFilter::default(), &all()));
    let tasks = wait(store.lease_tasks(at, at, u16::MAX)).unwrap();
    (everything(store.orders(&OrderFilter::default(), &all())), levels, confirmed, history, carts, products, tasks)
}

/// Settles commits in batches of these sizes, the last one with the rest.
fn settled(commits: &[Commit], sizes: &[usize]) -> (MemoryStore, Vec<Result<(), Refusal>>) {
    let store = MemoryStore::new();
    assert_eq!(store.commit_all(&[CommitBuilder::new(9).stocked(&SKUS.map(|sku| (sku, 6)))]), [Ok(())]);
    let (mut rest, mut answers) = (commits, Vec::new());
    for size in sizes.iter().chain([&usize::MAX]) {
        let (batch, others) = rest.split_at((*size).min(rest.len()));
        answers.extend(store.commit_all(batch));
        rest = others;
    }
    (store, answers)
}

proptest! {
    /// First come, first served, whatever comes together in one transaction.
    #[test]
    fn a_batch_is_its_commits_one_by_one(
        script in script(30).prop_shuffle(),
        sizes in vec(1..10_usize, 0..10),
    ) {
        let commits = commits(&script);
        let (one_by_one, singly) = settled(&commits, &vec![1; commits.len()]);
        let (in_batches, together) = settled(&commits, &sizes);
        prop_assert_eq!(singly, together);
        prop_assert_eq!(view(&one_by_one), view(&in_batches));
    }

    /// Whatever was settled, in whatever order of their clocks, replaying it makes the same tables.
    #[test]
    fn what_was_settled_can_be_replayed(script in script(40), sizes in vec(1..10_usize, 0..10)) {
        let (store, _) = settled(&commits(&script), &sizes);
        let report = wait(verify(&store, CommitBuilder::new(1).at(100_000), |_| {})).unwrap();
        prop_assert!(report.is_identical(), "{:#?}", report.differences);
    }

    /// Orders of one store never hold more than there is, at any instant.
    #[test]
    fn nothing_is_oversold(script in script(40), second in 0..3000_i64) {
        let (store, _) = settled(&commits(&script), &[]);
        for sku in SKUS {
            let level = wait(store.stock(&sku.parse().unwrap(), CommitBuilder::new(1).at(second))).unwrap().unwrap();
            prop_assert!(0 <= level.reserved && level.reserved <= level.on_hand, "{level:?}");
        }
    }
}
