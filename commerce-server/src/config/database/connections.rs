//! How a database behind a network is used.

use std::num::NonZeroU16;

#[cfg(feature = "_network")]
use commerce_diesel::DatabaseOptions;
use serde::Deserialize;

use super::super::flags::DatabaseFlags;
use super::super::{ConfigError, DurationText};
use super::Database;

/// What was said of the connections to a database; what was not is as [`commerce_diesel`] has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Connections {
    writers: Option<NonZeroU16>,
    readers: Option<NonZeroU16>,
    connect_timeout: Option<DurationText>,
    statement_timeout: Option<DurationText>,
}

/// The `[connections]` of a file.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct ConnectionsSection {
    writers: Option<NonZeroU16>,
    readers: Option<NonZeroU16>,
    connect_timeout: Option<DurationText>,
    statement_timeout: Option<DurationText>,
}

impl Connections {
    /// Settles flags over a file.
    pub(in crate::config) fn merge(
        flags: &DatabaseFlags,
        file: ConnectionsSection,
        database: &Database,
    ) -> Result<Self, ConfigError> {
        let connections = Self {
            writers: flags.writers.or(file.writers),
            readers: flags.readers.or(file.readers),
            connect_timeout: flags.connect_timeout.or(file.connect_timeout),
            statement_timeout: flags.statement_timeout.or(file.statement_timeout),
        };
        if !database.is_a_server() && connections != Self::default() {
            return Err(refused("only a database behind a network has connections to set; SQLite is a file"));
        }
        let no_time = Some(DurationText::seconds(0));
        if connections.connect_timeout == no_time || connections.statement_timeout == no_time {
            return Err(refused("no database answers within no time; a time-out is at least 1s"));
        }
        Ok(connections)
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

fn refused(problem: &str) -> ConfigError {
    ConfigError::Value { key: "connections", problem: problem.to_owned() }
}

#[cfg(all(test, feature = "_network"))]
mod tests {
    use super::*;

    #[test]
    fn the_help_tells_what_is_built_in() {
        let help = crate::config::flags::command().render_long_help().to_string();
        let DatabaseOptions { writers, readers, connect_timeout, statement_timeout, .. } =
            Connections::default().options();
        for words in [
            format!("how many write [default: {writers}]"),
            format!("how many read [default: {readers}]"),
            format!("to connect [default: {}s]", connect_timeout.as_secs()),
            format!("for one statement [default: {}s]", statement_timeout.as_secs()),
        ] {
            assert!(help.contains(&words), "{words}: {help}");
        }
    }
}
