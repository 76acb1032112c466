//! The databases.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use benches::cpu;
use tempfile::TempDir;
use test_servers::{MariaDb, Postgres, ServerOptions};

use crate::Failure;
use crate::options::Options;

const POSTGRES: [(&str, &str); 2] = [("shared_buffers", "512MB"), ("max_wal_size", "16GB")];
const MARIADB: [(&str, &str); 2] = [("innodb-buffer-pool-size", "512M"), ("innodb-log-file-size", "4G")];
/// Needed to count statements.
const COUNTER: (&str, &str) = ("shared_preload_libraries", "pg_stat_statements");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
    MariaDb,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
            Self::MariaDb => "MariaDB",
        }
    }

    /// How it is set up.
    pub(crate) fn description(self) -> String {
        let listed = |settings: &[(&str, &str)]| {
            settings.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ")
        };
        match self {
            Self::Sqlite => "SQLite at synchronous=FULL".to_owned(),
            Self::Postgres => format!("PostgreSQL with {}, every commit synced", listed(&POSTGRES)),
            Self::MariaDb => format!("MariaDB with {}, every commit synced", listed(&MARIADB)),
        }
    }
}

impl FromStr for Kind {
    type Err = Failure;

    fn from_str(name: &str) -> Result<Self, Failure> {
        let is_named = |kind: &Self| kind.name().eq_ignore_ascii_case(name);
        let found = [Self::Sqlite, Self::Postgres, Self::MariaDb].into_iter().find(is_named);
        found.ok_or_else(|| format!("{name} is none of sqlite, postgresql, mariadb").into())
    }
}

/// A running database.
#[derive(Debug)]
pub(crate) enum Database {
    /// Without a process of its own.
    Sqlite,
    Postgres(Box<Postgres>),
    MariaDb(Box<MariaDb>),
}

impl Database {
    pub(crate) fn start(kind: Kind, options: &Options) -> Result<Self, Failure> {
        Ok(match kind {
            Kind::Sqlite => Self::Sqlite,
            Kind::Postgres => {
                let counter: &[_] = if options.statements { &[COUNTER] } else { &[] };
                let server = Postgres::start(&durable(&[&POSTGRES[..], counter].concat(), options.directory.clone()))?;
                if options.statements {
                    server.sql("postgres", "CREATE EXTENSION pg_stat_statements")?;
                }
                Self::Postgres(Box::new(server))
            }
            Kind::MariaDb => Self::MariaDb(Box::new(MariaDb::start(&durable(&MARIADB, options.directory.clone()))?)),
        })
    }

    /// Creates a database, and returns its URL. `home` is for the file of `SQLite`.
    pub(crate) fn create(&self, name: &str, home: &TempDir) -> Result<String, Failure> {
        match self {
            Self::Sqlite => Ok(format!("sqlite:{}", home.path().join(name).with_extension("db").display())),
            Self::Postgres(server) => {
                server.create_database(name)?;
                Ok(server.url(name))
            }
            Self::MariaDb(server) => {
                server.create_database(name)?;
                Ok(server.url(name))
            }
        }
    }

    /// Lets the database do after the filling what it would have done in the meantime.
    pub(crate) fn settle(&self, name: &str) -> Result<(), Failure> {
        if let Self::Postgres(server) = self {
            server.sql(name, "VACUUM ANALYZE")?;
            server.sql(name, "CHECKPOINT")?;
        }
        Ok(())
    }

    /// The processor time of the server.
    pub(crate) fn cpu(&self) -> Duration {
        match self {
            Self::Sqlite => Duration::ZERO,
            Self::Postgres(server) => cpu::of_family(server.pid()),
            Self::MariaDb(server) => cpu::of_family(server.pid()),
        }
    }
}

fn durable(settings: &[(&str, &str)], directory: Option<PathBuf>) -> ServerOptions {
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    ServerOptions { durable: true, settings, directory }
}
