//! The store.
//!
//! Included by each database on a server.

use std::fmt;
use std::sync::Arc;

use super::connection::Conn;
use super::readers::Readers;
use super::target::Target;
use super::writers::Writers;
use crate::book_queue::BookQueue;
use crate::health::Health;
use crate::network::{DatabaseError, DatabaseOptions};
use crate::remembered::Remembered;

/// A [`Store`](commerce_core::port::Store) on a database server.
///
/// Clones share the connections, which belong to the runtime that opened them.
#[derive(Clone)]
pub struct NetworkStore {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) writer: Writers,
    pub(super) readers: Readers,
    pub(super) remembered: Arc<Remembered>,
    pub(super) health: Health,
    pub(super) books: BookQueue,
}

impl NetworkStore {
    /// Connects to a database and runs missing migrations. The form of the URL is in the documentation of the module.
    ///
    /// # Errors
    /// The URL, the server or the database cannot be used.
    pub async fn open(url: &str, options: DatabaseOptions) -> Result<Self, DatabaseError> {
        let target = Arc::new(Target::read(url, options)?);
        target.prepare().await?;
        let mut connections = Vec::new();
        for _ in 0..options.writers.max(1) {
            connections.push(Conn::open(Arc::clone(&target)).await?);
        }
        let writer = Writers::start(connections, options.queue);
        let readers = Readers::new(target, &options);
        let (remembered, health, books) = (Arc::default(), Health::default(), BookQueue::default());
        Ok(Self { shared: Arc::new(Shared { writer, readers, remembered, health, books }) })
    }

    /// Runs statements on the first server of a URL that takes them, past every store: for programs that create and drop databases.
    /// The database of the URL may be one without a shop.
    ///
    /// # Errors
    /// The URL or a server cannot be used, or a statement fails.
    pub async fn run(url: &str, options: DatabaseOptions, statements: &str) -> Result<(), DatabaseError> {
        Target::read(url, options)?.run(statements).await
    }
}

impl fmt::Debug for NetworkStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetworkStore").finish_non_exhaustive()
    }
}
