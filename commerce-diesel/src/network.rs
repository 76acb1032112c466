//! What the stores on a server have in common: options, errors, writers and readers.

pub(crate) mod hosts;
pub(crate) mod migrate;
#[cfg(feature = "postgres")]
pub(crate) mod pipeline;
pub(crate) mod security;
pub(crate) mod verdict;

use std::collections::hash_map::RandomState;
use std::error::Error as StdError;
use std::hash::BuildHasher;
use std::time::Duration;

use thiserror::Error;

/// Options of a store on a server.
///
/// A process has at most `writers` + `readers` connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatabaseOptions {
    /// Whether the database is created: its tables if there are none, or those that a newer version added. `false`: what is
    /// missing is an error, and nothing changes.
    pub create: bool,
    /// Connections that write, at least 1. Two keep a database busy while one of them waits for the disk.
    pub writers: usize,
    /// Connections that read, at least 1.
    pub readers: usize,
    /// Commits that may wait for a writer, at least 1. Further callers wait until there is room.
    pub queue: usize,
    /// The time-out for connecting.
    pub connect_timeout: Duration,
    /// The time that a reader waits for a free connection.
    pub acquire_timeout: Duration,
    /// The time-out of a statement.
    pub statement_timeout: Duration,
    /// How long to look for the outcome of a failed transaction before it is reported as failed or unknown.
    pub patience: Duration,
}

impl Default for DatabaseOptions {
    fn default() -> Self {
        Self {
            create: true,
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
    /// The longest silence of a server that is alive. It ends a statement earlier.
    pub(crate) const fn silence(&self) -> Duration {
        self.statement_timeout.saturating_add(self.connect_timeout)
    }
}

/// The reason why a database cannot be used as the store. Messages contain no password.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "the messages say it")]
#[non_exhaustive]
pub enum DatabaseError {
    #[error("the database URL cannot be used: {0}")]
    Url(String),
    #[error("the database at {host} cannot be reached: {reason}")]
    Unreachable { host: String, reason: String },
    #[error("the database at {host} does not accept the user {user} or the password")]
    Refused { host: String, user: String },
    #[error("the server at {host} has no database {database}")]
    Missing { host: String, database: String },
    #[error(
        "the database at {host} takes no more connections: raise its limit, or lower the connections of each process"
    )]
    Full { host: String },
    #[error("the database at {host} is read-only")]
    ReadOnly { host: String },
    #[error("the database at {host} is not that of the other hosts: it has another shop")]
    OtherShop { host: String },
    /// None of several hosts can be used.
    #[error("no host takes writes: {0}")]
    NoServer(String),
    #[error(
        "the database was written by a newer version: it has the migration {migration}, which this version does not know"
    )]
    Newer { migration: String },
    #[error("the database has no shop, or one of an older version: `commerce migrate` creates and upgrades its tables")]
    NotMigrated,
    #[error("the database holds a table {table} that is not the shop's: give the shop a database of its own")]
    Foreign { table: String },
    #[error("the tables cannot be brought up to date: {0}")]
    Migration(#[source] Box<dyn StdError + Send + Sync>),
    /// The certificate of the server cannot be verified, or the file of the certificates cannot be used.
    #[error("no secure connection to the database at {host}: {reason}")]
    Tls { host: String, reason: String },
    #[error("the database at {host} cannot be used: {source}")]
    Other { host: String, source: Box<dyn StdError + Send + Sync> },
}

impl DatabaseError {
    /// Whether the server was reached, and is a standby or has no shop yet.
    pub(crate) const fn is_of_a_reached_server(&self) -> bool {
        matches!(self, Self::ReadOnly { .. } | Self::NotMigrated)
    }

    pub(crate) fn no_server(reasons: &[Self]) -> Self {
        Self::NoServer(reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    }
}

/// What a server says about itself and its shop.
pub(crate) struct ServerState {
    pub(crate) read_only: bool,
    /// The id and time of the first event, which tell shops apart. `None`: nothing has happened yet, or it has not arrived at a standby.
    pub(crate) first_event: Option<String>,
}

/// Waits before a retry: longer each round, and randomly, so that concurrent retries do not meet again.
pub(crate) async fn pause(round: u32) {
    const FIRST: u64 = 2;
    const LONGEST: u64 = 250;
    let most = FIRST.checked_shl(round).unwrap_or(LONGEST).min(LONGEST);
    let millis = RandomState::new().hash_one(round) % most;
    tokio::time::sleep(Duration::from_millis(millis.saturating_add(1))).await;
}
