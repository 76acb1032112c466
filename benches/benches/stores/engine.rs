//! The databases: how each begins a round anew, and how its counters are read.

mod mariadb;
mod postgres;
mod sqlite;

use std::path::Path;
use std::time::Duration;

pub(crate) use self::mariadb::{MariaDb, SETTINGS as MARIADB_SETTINGS};
pub(crate) use self::postgres::{Filling, Postgres, SETTINGS as POSTGRES_SETTINGS};
pub(crate) use self::sqlite::Sqlite;
use crate::{Failure, cpu};

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    MariaDb,
    Sqlite,
}

impl Kind {
    /// What rows are named after.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::MariaDb => "MariaDB",
            Self::Sqlite => "SQLite",
        }
    }
}

/// A database that runs.
#[derive(Debug)]
pub(crate) enum Engine {
    Postgres(Postgres),
    MariaDb(MariaDb),
    Sqlite(Sqlite),
}

impl Engine {
    /// Starts it, with a template in which the stock is full and nothing was sold.
    pub(crate) fn start(kind: Kind, directory: Option<&Path>) -> Result<Self, Failure> {
        Ok(match kind {
            Kind::Postgres => Self::Postgres(Postgres::start(directory)?),
            Kind::MariaDb => Self::MariaDb(MariaDb::start(directory)?),
            Kind::Sqlite => Self::Sqlite(Sqlite::start(directory)?),
        })
    }

    /// Makes the database of a round, as the template is, with all written to the disk that is to be written.
    pub(crate) fn begin_anew(&self) -> Result<(), Failure> {
        match self {
            Self::Postgres(server) => server.begin_anew(),
            Self::MariaDb(server) => server.begin_anew(),
            Self::Sqlite(files) => files.begin_anew(),
        }
    }

    /// Where the database of the round is.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Postgres(server) => server.url(),
            Self::MariaDb(server) => server.url(),
            Self::Sqlite(files) => files.url(),
        }
    }

    /// The processor time of the server.
    pub(crate) fn cpu(&self) -> Duration {
        match self {
            Self::Postgres(server) => cpu::of_family(server.pid()),
            Self::MariaDb(server) => cpu::of_family(server.pid()),
            Self::Sqlite(_) => Duration::ZERO,
        }
    }

    /// The bytes of log written so far, where there is a count.
    pub(crate) fn log(&self) -> Result<Option<u64>, Failure> {
        match self {
            Self::Postgres(server) => server.log().map(Some),
            Self::MariaDb(server) => server.log().map(Some),
            Self::Sqlite(_) => Ok(None),
        }
    }
}
