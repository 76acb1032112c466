//! Databases behind a network, as these tests see them.

use std::env;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::commit::Commit;
use commerce_core::port::{CommitError, Store};
use commerce_diesel::{DatabaseError, DatabaseOptions};
use commerce_testkit::races;

/// An empty database on the server that the tests share. It stays until the server goes.
#[async_trait]
pub(crate) trait Database: Clone + Send + Sync + 'static {
    /// The store on it.
    type Store: Store + Clone + 'static;

    /// Makes a database.
    fn create() -> Self;

    /// The database that another process made, by its URL.
    fn at(url: &str) -> Self;

    /// Where it is.
    fn url(&self) -> String;

    /// The port of its server.
    fn port() -> u16;

    /// Runs a script past the store; gives the rows.
    fn sql(&self, script: &str) -> String;

    /// A transaction that runs some statements and then does nothing for a while.
    fn pausing(statements: &str, pause: Duration) -> String;

    /// Opens a store on what a URL names.
    async fn connect(url: &str, options: DatabaseOptions) -> Result<Self::Store, DatabaseError>;

    /// Opens a store, as each process has one.
    async fn open(&self) -> Self::Store {
        let options = DatabaseOptions { readers: 4, ..DatabaseOptions::default() };
        Self::connect(&self.url(), options).await.unwrap()
    }

    /// Counts the rows of a table.
    fn count(&self, table: &str) -> usize {
        self.sql(&format!("SELECT count(*) FROM {table};")).trim().parse().unwrap()
    }

    /// Runs statements in a transaction that somebody else leaves open for a while.
    fn hold(&self, statements: &str, pause: Duration) -> JoinHandle<()> {
        let (database, script) = (self.clone(), Self::pausing(statements, pause));
        thread::spawn(move || drop(database.sql(&script)))
    }
}

/// A name no other database of this process has.
pub(crate) fn fresh_name() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("shop_{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// Where a test's random numbers begin: anywhere, or as `COMMERCE_TEST_SEED` says. It is printed where a test fails.
pub(crate) fn seed() -> u64 {
    let given = env::var("COMMERCE_TEST_SEED").ok();
    let seed = given.map_or_else(|| RandomState::new().hash_one(0) >> 32, |seed| seed.parse().unwrap());
    eprintln!("COMMERCE_TEST_SEED={seed}");
    seed
}

/// Submits all commits at once, by turns to the stores; the answers stand in the order of the commits.
pub(crate) async fn at_once<S: Store + Clone + 'static>(
    stores: &[S],
    commits: impl IntoIterator<Item = Commit>,
) -> Vec<Result<(), CommitError>> {
    races::at_once(&as_ports(stores), commits).await
}

pub(crate) fn as_ports<S: Store + Clone + 'static>(stores: &[S]) -> Vec<Arc<dyn Store>> {
    let port = |store: &S| -> Arc<dyn Store> { Arc::new(store.clone()) };
    stores.iter().map(port).collect()
}
