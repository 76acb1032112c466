//! The databases: how to reset one for a round, and how to read its counters.

mod mariadb;
mod postgres;
mod sqlite;

use std::path::Path;
use std::time::Duration;

pub(crate) use self::mariadb::{MariaDb, SETTINGS as MARIADB_SETTINGS};
pub(crate) use self::postgres::{Filling, Postgres, SETTINGS as POSTGRES_SETTINGS};
pub(crate) use self::sqlite::Sqlite;
use benches::cpu;

use crate::Failure;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    MariaDb,
    Sqlite,
}

impl Kind {
    /// The name in rows.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::MariaDb => "MariaDB",
            Self::Sqlite => "SQLite",
        }
    }
}

/// A running database.
#[derive(Debug)]
pub(crate) enum Engine {
    Postgres(Postgres),
    MariaDb(MariaDb),
    Sqlite(Sqlite),
}

impl Engine {
    /// Starts it, with a template that contains stock and no orders.
    pub(crate) fn start(kind: Kind, directory: Option<&Path>) -> Result<Self, Failure> {
        Ok(match kind {
            Kind::Postgres => Self::Postgres(Postgres::start(directory)?),
            Kind::MariaDb => Self::MariaDb(MariaDb::start(directory)?),
            Kind::Sqlite => Self::Sqlite(Sqlite::start(directory)?),
        })
    }

    /// Resets the database to the template, and flushes all writes to the disk.
    pub(crate) fn begin_anew(&self) -> Result<(), Failure> {
        match self {
            Self::Postgres(server) => server.begin_anew(),
            Self::MariaDb(server) => server.begin_anew(),
            Self::Sqlite(files) => files.begin_anew(),
        }
    }

    /// The URL of the database of the round.
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

    /// The bytes of log written so far, if they are counted.
    pub(crate) fn log(&self) -> Result<Option<u64>, Failure> {
        match self {
            Self::Postgres(server) => server.log().map(Some),
            Self::MariaDb(server) => server.log().map(Some),
            Self::Sqlite(_) => Ok(None),
        }
    }
}
