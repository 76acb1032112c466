//! What the databases behind a network have in common: how they are reached, and what can be wrong with that.

pub(crate) mod migrate;
#[cfg(feature = "postgres")]
pub(crate) mod pipeline;
pub(crate) mod security;

use std::collections::hash_map::RandomState;
use std::error::Error as StdError;
use std::hash::BuildHasher;
use std::time::Duration;

use thiserror::Error;

/// How a database behind a network is used. The defaults serve a shop.
///
/// A process holds `writers` + `readers` connections at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatabaseOptions {
    /// How many connections write; at least one. Two keep a database busy while one of them waits for its disk.
    pub writers: usize,
    /// How many connections read; at least one.
    pub readers: usize,
    /// How many commits may wait for a writer before submitters are held back; at least one.
    pub queue: usize,
    /// How long to wait for a connection to be made.
    pub connect_timeout: Duration,
    /// How long a reader may wait for a connection that is free.
    pub acquire_timeout: Duration,
    /// How long the database may take for one statement.
    pub statement_timeout: Duration,
    /// How long to look for the truth when something failed, before the caller is told that it failed, or that it is unknown.
    pub patience: Duration,
}

impl Default for DatabaseOptions {
    fn default() -> Self {
        Self {
            writers: 2,
            readers: 8,
            queue: 1024,
            connect_timeout: Duration::from_secs(5),
            acquire_timeout: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(10),
            patience: Duration::from_secs(5),
        }
    }
}

impl DatabaseOptions {
    /// How long a server that is alive may be silent: it ends a statement before.
    pub(crate) const fn silence(&self) -> Duration {
        self.statement_timeout.saturating_add(self.connect_timeout)
    }
}

/// Why a database cannot be used as the store. No text holds a password.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// The URL is not one of this database, or says what is not understood.
    #[error("the database URL cannot be used: {0}")]
    Url(String),
    /// Nobody answers there.
    #[error("the database at {host} cannot be reached: {reason}")]
    Unreachable {
        /// Host and port.
        host: String,
        /// What the network said.
        reason: String,
    },
    /// The server does not let the user in.
    #[error("the database at {host} does not accept the user {user} or the password")]
    Refused {
        /// Host and port.
        host: String,
        /// The user.
        user: String,
    },
    /// The server has no such database.
    #[error("the server at {host} has no database {database}")]
    Missing {
        /// Host and port.
        host: String,
        /// The database.
        database: String,
    },
    /// The server has as many connections as it takes.
    #[error(
        "the database at {host} takes no more connections: raise its limit, or lower the connections of each process"
    )]
    Full {
        /// Host and port.
        host: String,
    },
    /// The database can only be read: it is a standby, or is set so.
    #[error("the database at {host} is read-only")]
    ReadOnly {
        /// Host and port.
        host: String,
    },
    /// A newer version of this program has changed the tables.
    #[error(
        "the database was written by a newer version: it has the migration {migration}, which this version does not know"
    )]
    Newer {
        /// The unknown migration.
        migration: String,
    },
    /// The tables of another program are there.
    #[error("the database holds a table {table} that is not the shop's: give the shop a database of its own")]
    Foreign {
        /// One of them.
        table: String,
    },
    /// The tables cannot be brought up to date.
    #[error("the tables cannot be brought up to date: {0}")]
    Migration(#[source] Box<dyn StdError + Send + Sync>),
    /// The certificate of the server, or the one that is to vouch for it.
    #[error("no secure connection to the database at {host}: {reason}")]
    Tls {
        /// Host and port.
        host: String,
        /// What is wrong.
        reason: String,
    },
    /// Something else.
    #[error("the database at {host} cannot be used: {source}")]
    Other {
        /// Host and port.
        host: String,
        /// What went wrong.
        source: Box<dyn StdError + Send + Sync>,
    },
}

/// Pauses before something is tried again: longer each time, and not as long as others who failed for the same reason.
pub(crate) async fn pause(round: u32) {
    const FIRST: u64 = 2;
    const LONGEST: u64 = 250;
    let most = FIRST.checked_shl(round).unwrap_or(LONGEST).min(LONGEST);
    let millis = RandomState::new().hash_one(round) % most;
    tokio::time::sleep(Duration::from_millis(millis.saturating_add(1))).await;
}
