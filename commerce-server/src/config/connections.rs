//! The connections to a database server.

use std::num::NonZeroU16;

use clap::Args;
#[cfg(feature = "_network")]
use commerce_diesel::DatabaseOptions;
use serde::Deserialize;

use super::{ConfigError, Database, DurationText, refused, whole};

/// The configured options. The defaults are those of [`commerce_diesel`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Args, Deserialize)]
#[command(next_help_heading = "Connections to PostgreSQL or MySQL")]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Connections {
    /// Connections of the process that write [default: 2].
    #[arg(long = "database-writers", global = true, value_name = "N", value_parser = whole::<NonZeroU16>, env = "COMMERCE_DATABASE_WRITERS")]
    writers: Option<NonZeroU16>,

    /// Connections of the process that read [default: 8].
    #[arg(long = "database-readers", global = true, value_name = "N", value_parser = whole::<NonZeroU16>, env = "COMMERCE_DATABASE_READERS")]
    readers: Option<NonZeroU16>,

    /// The time-out for connecting [default: 5s].
    #[arg(long = "database-connect-timeout", global = true, value_name = "SPAN")]
    #[arg(env = "COMMERCE_DATABASE_CONNECT_TIMEOUT")]
    connect_timeout: Option<DurationText>,

    /// The time-out of a statement [default: 10s].
    #[arg(long = "database-statement-timeout", global = true, value_name = "SPAN")]
    #[arg(env = "COMMERCE_DATABASE_STATEMENT_TIMEOUT")]
    statement_timeout: Option<DurationText>,
}

impl Connections {
    pub(super) fn check(&self, database: &Database) -> Result<(), ConfigError> {
        if !database.is_a_server() && *self != Self::default() {
            let problem = "only a database server has connections to set; SQLite is a file";
            return Err(refused("connections", problem));
        }
        let no_time = Some(DurationText::seconds(0));
        if self.connect_timeout == no_time || self.statement_timeout == no_time {
            return Err(refused("connections", "a time-out must be at least 1s"));
        }
        Ok(())
    }

    /// The options of the store.
    #[cfg(feature = "_network")]
    pub(crate) fn options(&self, create: bool) -> DatabaseOptions {
        let usual = DatabaseOptions::default();
        let count = |own: Option<NonZeroU16>, usual| own.map_or(usual, |own| own.get().into());
        let time = |own: Option<DurationText>, usual| own.map_or(usual, DurationText::duration);
        DatabaseOptions {
            create,
            writers: count(self.writers, usual.writers),
            readers: count(self.readers, usual.readers),
            connect_timeout: time(self.connect_timeout, usual.connect_timeout),
            statement_timeout: time(self.statement_timeout, usual.statement_timeout),
            ..usual
        }
    }
}

#[cfg(all(test, feature = "_network"))]
#[path = "../../tests/unit/connections.rs"]
mod tests;
