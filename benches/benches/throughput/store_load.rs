//! Commits of orders straight into a store: three lines, three guarded stock moves, an idempotency record, an event and a task.
//! Every figure includes building the commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use commerce_core::ids::Sku;
use commerce_core::port::Store;
use commerce_core::stock::{StockAction, StockMove};
use commerce_diesel::sqlite::{SqliteOptions, SqliteStore};
use commerce_testkit::{CommitBuilder, MemoryStore};

use crate::rounds::{Crowd, Failure, Placing};

/// The number of SKUs.
const SKUS: usize = 10_000;
/// Enough for any number of rounds.
const ON_HAND: i64 = 1_000_000_000;

/// On the memory store.
pub(crate) async fn memory(submitters: usize) -> Result<Crowd, Failure> {
    crowd(submitters, Arc::new(MemoryStore::new()), Box::new(())).await
}

/// On `SQLite` in a temporary directory, with full durability.
pub(crate) async fn sqlite(submitters: usize) -> Result<Crowd, Failure> {
    let directory = tempfile::tempdir()?;
    let store = SqliteStore::open(&directory.path().join("bench.db"), SqliteOptions::default()).await?;
    crowd(submitters, Arc::new(store), Box::new(directory)).await
}

async fn crowd(
    submitters: usize,
    store: Arc<dyn Store>,
    keep: Box<dyn std::any::Any + Send>,
) -> Result<Crowd, Failure> {
    let shop = Arc::new(CommitBuilder::new(1));
    let skus = Arc::new(stock_up(&*store, &shop).await?);
    let orders = Arc::new(AtomicUsize::new(0));
    let load = move |until: Instant| -> Placing {
        let (store, shop, skus, orders) = (store.clone(), shop.clone(), skus.clone(), orders.clone());
        let place = async move {
            let mut count = 0;
            while Instant::now() < until {
                store.commit(shop.checkout(orders.fetch_add(1, Ordering::Relaxed), &skus)).await?;
                count += 1;
            }
            Ok::<u64, Failure>(count)
        };
        Box::pin(place)
    };
    Ok(Crowd { submitters, load: Arc::new(load), _keep: keep })
}

async fn stock_up(store: &dyn Store, shop: &CommitBuilder) -> Result<Vec<Sku>, Failure> {
    let skus = (0..SKUS).map(|n| format!("SKU-{n:05}").parse()).collect::<Result<Vec<Sku>, _>>()?;
    for chunk in skus.chunks(500) {
        let mut commit = shop.commit(shop.at(0));
        commit.stock.extend(chunk.iter().map(|sku| StockMove {
            sku: sku.clone(),
            action: StockAction::Set { on_hand: ON_HAND, reorder_threshold: None, expected: None },
        }));
        store.commit(commit).await?;
    }
    Ok(skus)
}
