//! The ports on one SQLite file.
//!
//! One thread writes. Commits that arrive while it is busy form one transaction and share its flush to disk
//! (`synchronous=FULL`). A single commit is written at once. While commits come one at a time and the disk is quick, they are
//! written on the threads of their callers, except in a runtime with one thread. Short queries run on the threads of their
//! callers, long ones on a few threads of their own. They see the last committed transaction and never wait for the writer
//! (WAL).
//!
//! # Invariants
//! * Everything that a commit is settled on is read in the transaction that writes it, so several processes may open the file.
//! * An answer is given only after its transaction is on disk.
//! * A commit in the queue is finished even if its caller has stopped waiting.

#[path = "books.rs"]
mod books;
mod connection;
#[path = "deliveries.rs"]
mod deliveries;
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
#[path = "targets.rs"]
mod targets;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use self::connection::{Conn, RunQueryDsl};
pub use self::open::OpenError;
use self::readers::{Readers, in_listing, in_short_transaction, in_snapshot, in_statement, in_transaction};
use self::writer::Writer;
use crate::book_queue::BookQueue;
use crate::health::Health;
use crate::remembered::Remembered;

/// Options of a store on a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SqliteOptions {
    /// Whether the database is created: the file and its tables if there are none, or those that a newer version added.
    /// `false`: what is missing is an error, and nothing changes.
    pub create: bool,
    /// Threads for long queries, and connections for short ones. At least 1 of each.
    pub readers: usize,
    /// Commits that may wait for the writer, at least 1. Further callers wait until there is room.
    pub queue: usize,
    /// How long to wait for another process that has locked the file.
    pub busy_timeout: Duration,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { create: true, readers: 4, queue: 1024, busy_timeout: Duration::from_secs(5) }
    }
}

/// A [`Store`](commerce_core::port::Store) on one SQLite file.
///
/// Clones share the file. Dropping the last one finishes the queued commits and closes the file, which blocks briefly.
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
    // Dropped first: its thread has to finish its work.
    writer: Writer,
    readers: Readers,
    remembered: Arc<Remembered>,
    health: Health,
    books: BookQueue,
}

impl SqliteStore {
    /// Opens a file, or creates it, and runs missing migrations.
    ///
    /// # Errors
    /// The file cannot be used.
    pub async fn open(path: &Path, options: SqliteOptions) -> Result<Self, OpenError> {
        let (writer, connections) = Writer::start(path.to_owned(), options).await?;
        let readers = Readers::start(writer.turn(), connections)?;
        let (remembered, health, books) = (Arc::default(), Health::default(), BookQueue::default());
        Ok(Self { shared: Arc::new(Shared { writer, readers, remembered, health, books }) })
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}
