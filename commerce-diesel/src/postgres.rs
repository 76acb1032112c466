//! The ports on PostgreSQL.
//!
//! Some connections write and some read. Commits that arrive while the writers are busy wait together and become one
//! transaction: it reads what they need, and locks most of what they move, in one trip over the network, and writes what they
//! change, with its own end, in a second. A lone commit waits for nothing.
//!
//! # Invariants
//! * Nothing is decided on the memory of this process: what a commit is settled on is read inside the transaction that writes
//!   it, under locks that are taken in the order of keys, or, for stock far from every border, is held to the bounds of
//!   [`Taken`](commerce_core::stock::Taken) as it is written. Any number of processes may use the database.
//! * No answer is given before the transaction it tells of is confirmed, or was looked for and found.

mod connection;
mod dialect;
mod open;
#[path = "ports.rs"]
mod ports;
#[path = "query.rs"]
mod query;
#[path = "network/readers.rs"]
mod readers;
#[path = "network/writers.rs"]
mod writers;

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use commerce_core::port::StoreError;
use diesel_async::RunQueryDsl;

use self::connection::Conn;
use self::open::Target;
use self::readers::{Readers, read, read_one, write};
use self::writers::Writers;
use crate::Rebuilt;
use crate::network::{DatabaseError, DatabaseOptions};

/// The ports [`Store`](commerce_core::port::Store), [`Carts`](commerce_core::port::Carts),
/// [`Catalog`](commerce_core::port::Catalog) and [`Promotions`](commerce_core::port::Promotions) on a PostgreSQL database.
///
/// Clones share the connections, which live on the runtime that opened them.
#[derive(Clone)]
pub struct PostgresStore {
    shared: Arc<Shared>,
}

type Kept = PostgresStore;

struct Shared {
    writer: Writers,
    readers: Readers,
}

impl PostgresStore {
    /// Connects to a database and brings its tables up to date.
    ///
    /// The URL is `postgres://user:password@host:port/database`. With `?sslmode=require` (or `verify-ca`, `verify-full`) the
    /// connection is encrypted and the server's certificate is verified, by the certificates in the file that `sslrootcert`
    /// names, or else by those that browsers trust.
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

    /// Makes orders with their parts, stock with its holds and the uses of promotions anew, from the history alone. Documents
    /// (carts, products, promotions, receipts, tasks) are no part of the history and stay as they are.
    ///
    /// All of it is one transaction: commits wait until it has ended, readers see the tables as they were. Tables that are as
    /// the history makes them are the same afterwards; stock is judged as of an instant, which must be no earlier than the
    /// last commit. `progress` hears, from time to time, how many orders, events and skus are done.
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

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}
