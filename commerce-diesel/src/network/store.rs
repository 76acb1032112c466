//! The store.
//!
//! Included by each database on a server.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use commerce_core::port::StoreError;

use super::connection::Conn;
use super::open::Target;
use super::readers::Readers;
use super::writers::Writers;
use crate::Rebuilt;
use crate::network::{DatabaseError, DatabaseOptions};

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
}

impl NetworkStore {
    /// Connects to a database and runs missing migrations. The form of the URL is in the documentation of the module.
    ///
    /// # Errors
    /// The URL, the server or the database cannot be used.
    pub async fn open(url: &str, options: DatabaseOptions) -> Result<Self, DatabaseError> {
        let target = Arc::new(Target::read(url, options)?);
        Arc::clone(&target).prepare().await?;
        let mut connections = Vec::new();
        for _ in 0..options.writers.max(1) {
            connections.push(Conn::open(Arc::clone(&target)).await?);
        }
        let writer = Writers::start(connections, options.queue);
        Ok(Self { shared: Arc::new(Shared { writer, readers: Readers::new(target, &options) }) })
    }

    /// Rebuilds orders, stock with its reservations, and the uses of promotions from the history. Documents, idempotency
    /// records and tasks stay as they are.
    ///
    /// The rebuild is one transaction. Commits wait until it ends; readers see the old tables. Tables that agree with the
    /// history do not change. Stock is computed as of `at`, which must not be earlier than the last commit. `progress` receives
    /// the number of orders, events and skus done so far. A commit waits no longer than `statement_timeout`: for a large
    /// rebuild set a longer one, or stop sales.
    ///
    /// # Errors
    /// On an error nothing changes. `Corrupt`: the history cannot be read or is inconsistent; the message names the order,
    /// sku or event. `Unavailable`: for example, repeated deadlocks with commits.
    pub async fn rebuild(
        &self,
        at: DateTime<Utc>,
        progress: impl FnMut(u64) + Send + 'static,
    ) -> Result<Rebuilt, StoreError> {
        self.rebuild_tables(at, progress).await
    }
}

impl fmt::Debug for NetworkStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetworkStore").finish_non_exhaustive()
    }
}
