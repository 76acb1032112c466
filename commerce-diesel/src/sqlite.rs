//! The ports on one SQLite file.
//!
//! One thread writes and a few read. Commits that arrive while the writer is busy wait together and become one transaction,
//! whose durability (`synchronous=FULL`) they share; a lone commit waits for nothing. Readers see the last transaction that
//! was committed and never wait for the writer (WAL).
//!
//! # Invariants
//! * Nothing relies on the memory of this process: everything a commit is settled on is read inside the transaction that
//!   writes it, so any number of processes may have the file open.
//! * No answer is given before the transaction it tells of is on disk.
//! * What was accepted into the queue is finished, whether or not anybody waits for the answer any more.

mod connection;
mod dialect;
mod open;
#[path = "ports.rs"]
mod ports;
mod readers;
mod writer;

#[cfg(test)]
#[path = "../tests/unit/sqlite.rs"]
mod tests;

#[path = "query.rs"]
mod query;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use commerce_core::port::StoreError;

use self::connection::{Conn, RunQueryDsl};
pub use self::open::OpenError;
use self::readers::{Readers, in_snapshot, in_statement, in_transaction};
use self::writer::Writer;
use crate::Rebuilt;

/// How a file is opened. The defaults serve a shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SqliteOptions {
    /// How many threads read; at least one.
    pub readers: usize,
    /// How many commits may wait for the writer before submitters are held back; at least one.
    pub queue: usize,
    /// How long to wait for another process that holds the file.
    pub busy_timeout: Duration,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { readers: 4, queue: 1024, busy_timeout: Duration::from_secs(5) }
    }
}

/// The port [`Store`](commerce_core::port::Store) on one SQLite file.
///
/// Clones share the file. When the last one is dropped, what was accepted is finished and the file is closed, which blocks for
/// a moment.
///
/// ```
/// use commerce_core::ids::OrderId;
/// use commerce_core::port::{OrderRef, Store};
/// use commerce_diesel::sqlite::{SqliteOptions, SqliteStore};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("shop.db");
/// let store = SqliteStore::open(&path, SqliteOptions::default()).await?;
/// let unknown = OrderRef::Id("01890a5d-ac96-774b-bcce-b302099a8057".parse()?);
/// assert_eq!(store.order(&unknown).await?, None);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SqliteStore {
    shared: Arc<Shared>,
}

type Backend = SqliteStore;

struct Shared {
    // Dropped first: its thread is the one that must finish its work.
    writer: Writer,
    readers: Readers,
}

impl SqliteStore {
    /// Opens a file, makes it if there is none, and brings its tables up to date.
    ///
    /// # Errors
    /// [`OpenError`] says what is wrong with the file, or with where it is.
    pub async fn open(path: &Path, options: SqliteOptions) -> Result<Self, OpenError> {
        let (writer, connections) = Writer::start(path.to_owned(), options).await?;
        let readers = Readers::start(connections)?;
        Ok(Self { shared: Arc::new(Shared { writer, readers }) })
    }

    /// Makes orders with their parts, stock with its reservations and the uses of promotions anew, from the history
    /// alone. Documents (carts, products, promotions, idempotency records, tasks) are no part of the history and stay
    /// as they are.
    ///
    /// All of it is one transaction that waits for the write lock like every other: commits wait until it has ended, readers
    /// see the tables as they were. Tables that are as the history makes them are the same afterwards; stock is judged as of
    /// an instant, which must be no earlier than the last commit. `progress` hears, from time to time, how many orders, events
    /// and skus are done.
    ///
    /// # Errors
    /// [`StoreError`], and nothing has changed: `Corrupt` if the history cannot be read or contradicts itself, with the order,
    /// the sku or the event where it does.
    pub async fn rebuild(
        &self,
        at: DateTime<Utc>,
        progress: impl FnMut(u64) + Send + 'static,
    ) -> Result<Rebuilt, StoreError> {
        self.rebuild_tables(at, progress).await
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}
