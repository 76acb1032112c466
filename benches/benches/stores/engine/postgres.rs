//! `PostgreSQL`.

use std::path::Path;

use commerce_testkit::server::{self, ServerOptions};

use crate::{Failure, child, pgbench};

/// The settings that differ from those of a fresh installation.
pub(crate) const SETTINGS: [(&str, &str); 3] =
    [("max_connections", "400"), ("shared_buffers", "512MB"), ("max_wal_size", "16GB")];

const TEMPLATE: &str = "shop";
const ROUND: &str = "round";

/// A server.
#[derive(Debug)]
pub(crate) struct Postgres(Box<server::Postgres>);

impl Postgres {
    pub(super) fn start(directory: Option<&Path>) -> Result<Self, Failure> {
        let settings = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let options = ServerOptions { durable: true, settings, directory: directory.map(Path::to_owned) };
        let server = server::Postgres::start(&options)?;
        server.create_database(TEMPLATE)?;
        child::prepare(&server.url(TEMPLATE))?;
        for script in pgbench::NEEDS {
            server.sql(TEMPLATE, script)?;
        }
        server.sql(TEMPLATE, "VACUUM ANALYZE stock")?;
        Ok(Self(Box::new(server)))
    }

    pub(super) fn begin_anew(&self) -> Result<(), Failure> {
        self.0.sql("postgres", &format!("DROP DATABASE IF EXISTS {ROUND} WITH (FORCE)"))?;
        self.0.create_database_from(ROUND, TEMPLATE)?;
        self.0.sql("postgres", "CHECKPOINT")?;
        Ok(())
    }

    /// Where the database of the round is.
    pub(crate) fn url(&self) -> String {
        self.0.url(ROUND)
    }

    /// The main process.
    pub(crate) fn pid(&self) -> u32 {
        self.0.pid()
    }

    pub(super) fn log(&self) -> Result<u64, Failure> {
        let bytes = self.0.sql("postgres", "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint")?;
        Ok(bytes.trim().parse()?)
    }
}
