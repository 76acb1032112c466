//! Another process of the operating system on the same database.

use std::env;
use std::process::Command;
use std::thread;
use std::time::Duration;

use commerce_core::port::Store;
use commerce_testkit::CommitBuilder;
use commerce_testkit::commit_builder::parse;

use crate::database::{Database, at_once};
use commerce_testkit::audit::sound;
use commerce_testkit::races::{one, sold};

/// Set for a process that only buys: where.
const URL: &str = "COMMERCE_TEST_BUY_FROM";
const BUYERS: usize = 400;
/// How many of them come at once.
const CROWD: usize = 20;
/// More than one process buys.
const STOCK: i64 = 450;

/// `test` is the name of the test by which the other process buys.
pub(crate) async fn processes_sell_what_is_there<D: Database>(test: &str) {
    let (database, shop) = (D::create(), CommitBuilder::new(1));
    let store = database.open().await;
    let mut other = Command::new(env::current_exe().unwrap());
    other.args(["--exact", test, "--nocapture", "--include-ignored"]).env(URL, database.url());
    let other = thread::spawn(move || other.output().unwrap());
    until_stocked(&store, "READY").await;
    store.commit(shop.stocked(&[("MUG", STOCK)])).await.unwrap();
    buy(&store, &shop).await;
    let output = tokio::task::spawn_blocking(|| other.join().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let levels = sound(&store, shop.at(1)).await;
    assert_eq!(levels["MUG"].available(), 0);
    assert_eq!(database.count("orders"), usize::try_from(STOCK).unwrap());
}

/// Says that it is there, waits for the sale to begin, and buys. Does nothing but where the test above starts it.
pub(crate) async fn only_buy<D: Database>() {
    let Ok(url) = env::var(URL) else { return };
    let (store, shop) = (D::at(&url).open().await, CommitBuilder::new(2));
    store.commit(shop.stocked(&[("READY", 1)])).await.unwrap();
    until_stocked(&store, "MUG").await;
    buy(&store, &shop).await;
}

/// Some at once, again and again, so that the two meet often.
async fn buy<S: Store + Clone + 'static>(store: &S, shop: &CommitBuilder) {
    for _ in 0..BUYERS / CROWD {
        sold(&at_once(std::slice::from_ref(store), (0..CROWD).map(|_| one(shop, "MUG"))).await);
    }
}

async fn until_stocked<S: Store>(store: &S, sku: &str) {
    for _ in 0..6000 {
        if store.stock(&parse(sku), CommitBuilder::new(1).at(1)).await.unwrap().is_some() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nobody stocks {sku}");
}
