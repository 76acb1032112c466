//! The store.
//!
//! Included by each database behind a network.

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

/// The port [`Store`](commerce_core::port::Store) on a database.
///
/// Clones share the connections, which live on the runtime that opened them.
#[derive(Clone)]
pub struct NetworkStore {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) writer: Writers,
    pub(super) readers: Readers,
}

impl NetworkStore {
    /// Connects to a database and brings its tables up to date. The documentation of the module says what the URL may be.
    ///
    /// # Errors
    /// [`DatabaseError`] says what is wrong with the URL, the server or the database.
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

    /// Makes orders with their parts, stock with its reservations and the uses of promotions anew, from the history
    /// alone. Documents (carts, products, promotions, idempotency records, tasks) are no part of the history and stay
    /// as they are.
    ///
    /// All of it is one transaction: commits wait until it has ended, readers see the tables as they were. Tables that are as
    /// the history makes them are the same afterwards; stock is judged as of an instant, which must be no earlier than the
    /// last commit. `progress` hears, from time to time, how many orders, events and skus are done. Commits wait no longer
    /// than a statement may take, so where there is much to make anew, open the store with a longer `statement_timeout`, or
    /// rebuild while nobody orders.
    ///
    /// # Errors
    /// [`StoreError`], and nothing has changed: `Corrupt` if the history cannot be read or contradicts itself, with the order,
    /// the sku or the event where it does; `Unavailable` also if the database ended it again and again in favour of commits.
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
