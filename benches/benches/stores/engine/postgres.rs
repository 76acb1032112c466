//! `PostgreSQL`.

use std::path::Path;

use test_servers::ServerOptions;

use crate::{Failure, child, pgbench};

/// The settings that differ from those of a fresh installation.
pub(crate) const SETTINGS: [(&str, &str); 3] =
    [("max_connections", "400"), ("shared_buffers", "512MB"), ("max_wal_size", "16GB")];

/// Fills a database with orders.
const FILL: &str = include_str!("../sql/million.sql");

const TEMPLATE: &str = "shop";
const ROUND: &str = "round";

/// A database to fill with orders.
#[derive(Debug)]
pub(crate) struct Filling {
    /// The name of the database.
    pub(crate) name: &'static str,
    /// The number of orders.
    pub(crate) orders: u64,
    /// Every `step`-th order is of `user-1`.
    pub(crate) step: u64,
}

#[derive(Debug)]
pub(crate) struct Postgres(Box<test_servers::Postgres>);

impl Postgres {
    /// Starts it, with the template.
    pub(crate) fn start(directory: Option<&Path>) -> Result<Self, Failure> {
        let settings = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let options = ServerOptions { durable: true, settings, directory: directory.map(Path::to_owned) };
        let server = test_servers::Postgres::start(&options)?;
        server.create_database(TEMPLATE)?;
        child::prepare(&server.url(TEMPLATE))?;
        for script in pgbench::NEEDS {
            server.sql(TEMPLATE, script)?;
        }
        server.sql(TEMPLATE, "VACUUM ANALYZE stock")?;
        Ok(Self(Box::new(server)))
    }

    pub(super) fn begin_anew(&self) -> Result<(), Failure> {
        self.begin_from(TEMPLATE)
    }

    /// Creates the database of a round as a copy of another.
    pub(crate) fn begin_from(&self, template: &str) -> Result<(), Failure> {
        self.0.sql("postgres", &format!("DROP DATABASE IF EXISTS {ROUND} WITH (FORCE)"))?;
        self.0.create_database_from(ROUND, template)?;
        self.0.sql("postgres", "CHECKPOINT")?;
        Ok(())
    }

    /// The URL of the database of the round.
    pub(crate) fn url(&self) -> String {
        self.0.url(ROUND)
    }

    /// Creates a database with orders. `texts` are replaced in the SQL.
    pub(crate) fn fill(&self, filling: &Filling, texts: &[(&str, String)]) -> Result<(), Failure> {
        let Filling { name, orders, step } = filling;
        self.0.create_database_from(name, TEMPLATE)?;
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let texts = texts.iter().map(|(name, text)| (*name, quoted(text)));
        let script = [("orders", orders.to_string()), ("step", step.to_string())]
            .into_iter()
            .chain(texts)
            .fold(String::from(FILL), |script, (name, value)| script.replace(&format!(":{name}"), &value));
        self.0.sql(name, &script)?;
        Ok(())
    }

    /// The URL of a database.
    pub(crate) fn url_of(&self, name: &str) -> String {
        self.0.url(name)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.pid()
    }

    pub(super) fn log(&self) -> Result<u64, Failure> {
        let bytes = self.0.sql("postgres", "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint")?;
        Ok(bytes.trim().parse()?)
    }
}
