//! `MariaDB`.

use std::fmt::Write;
use std::path::Path;

use test_servers::ServerOptions;

use crate::{Failure, child};

/// The settings that differ from those of a fresh installation.
pub(crate) const SETTINGS: [(&str, &str); 3] =
    [("max-connections", "400"), ("innodb-buffer-pool-size", "512M"), ("innodb-log-file-size", "4G")];

const TEMPLATE: &str = "shop";
const ROUND: &str = "round";

#[derive(Debug)]
pub(crate) struct MariaDb(Box<test_servers::MariaDb>);

impl MariaDb {
    pub(super) fn start(directory: Option<&Path>) -> Result<Self, Failure> {
        let settings = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let options = ServerOptions { durable: true, settings, directory: directory.map(Path::to_owned) };
        let server = test_servers::MariaDb::start(&options)?;
        server.create_database(TEMPLATE)?;
        child::prepare(&server.url(TEMPLATE))?;
        Ok(Self(Box::new(server)))
    }

    /// `MariaDB` has no command that copies a database, so this copies its tables.
    pub(super) fn begin_anew(&self) -> Result<(), Failure> {
        let tables = "SELECT table_name FROM tables WHERE table_schema = 'shop' AND table_type = 'BASE TABLE'";
        let tables = self.0.sql("information_schema", tables)?;
        let mut script = format!("DROP DATABASE IF EXISTS {ROUND}; CREATE DATABASE {ROUND}; USE {ROUND};");
        for table in tables.lines() {
            write!(script, "CREATE TABLE {table} LIKE {TEMPLATE}.{table};")?;
            write!(script, "INSERT INTO {table} SELECT * FROM {TEMPLATE}.{table};")?;
        }
        script.push_str("CREATE SEQUENCE event_positions START WITH 1000000;");
        self.0.sql(TEMPLATE, &script)?;
        Ok(())
    }

    pub(super) fn url(&self) -> String {
        self.0.url(ROUND)
    }

    pub(super) fn pid(&self) -> u32 {
        self.0.pid()
    }

    pub(super) fn log(&self) -> Result<u64, Failure> {
        let status = "SELECT variable_value FROM global_status WHERE variable_name = 'INNODB_OS_LOG_WRITTEN'";
        Ok(self.0.sql("information_schema", status)?.trim().parse()?)
    }
}
