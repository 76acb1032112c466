//! How a database behind a network is used.

use std::num::NonZeroU16;

use clap::Args;
#[cfg(feature = "_network")]
use commerce_diesel::DatabaseOptions;
use serde::Deserialize;

use super::{ConfigError, Database, DurationText, refused};

/// What was said of the connections to a database; what was not is as [`commerce_diesel`] has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Args, Deserialize)]
#[command(next_help_heading = "Connections to PostgreSQL or MySQL")]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Connections {
    /// Of the connections that a process holds, how many write [default: 2].
    #[arg(long = "database-writers", global = true, value_name = "N", env = "COMMERCE_DATABASE_WRITERS")]
    writers: Option<NonZeroU16>,

    /// Of the connections that a process holds, how many read [default: 8].
    #[arg(long = "database-readers", global = true, value_name = "N", env = "COMMERCE_DATABASE_READERS")]
    readers: Option<NonZeroU16>,

    /// How long it may take to connect [default: 5s].
    #[arg(long = "database-connect-timeout", global = true, value_name = "SPAN")]
    #[arg(env = "COMMERCE_DATABASE_CONNECT_TIMEOUT")]
    connect_timeout: Option<DurationText>,

    /// How long the database may take for one statement [default: 10s].
    #[arg(long = "database-statement-timeout", global = true, value_name = "SPAN")]
    #[arg(env = "COMMERCE_DATABASE_STATEMENT_TIMEOUT")]
    statement_timeout: Option<DurationText>,
}

impl Connections {
    pub(super) fn check(&self, database: &Database) -> Result<(), ConfigError> {
        if !database.is_a_server() && *self != Self::default() {
            let problem = "only a database behind a network has connections to set; SQLite is a file";
            return Err(refused("connections", problem));
        }
        let no_time = Some(DurationText::seconds(0));
        if self.connect_timeout == no_time || self.statement_timeout == no_time {
            return Err(refused("connections", "no database answers within no time; a time-out is at least 1s"));
        }
        Ok(())
    }

    /// As the stores take it.
    #[cfg(feature = "_network")]
    pub(crate) fn options(&self) -> DatabaseOptions {
        let usual = DatabaseOptions::default();
        let count = |own: Option<NonZeroU16>, usual| own.map_or(usual, |own| own.get().into());
        let time = |own: Option<DurationText>, usual| own.map_or(usual, DurationText::duration);
        DatabaseOptions {
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
