//! Log settings.

use std::str::FromStr;

use clap::ValueEnum;
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{LevelFilter, ParseError};

/// What is not logged at any level: the client of `RabbitMQ` logs whole messages that the broker returns, with the addresses in them.
const SILENCED: &str = "lapin=off,lapin::returned_messages=off";

/// The format of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    /// Text on a terminal, otherwise JSON.
    #[default]
    Auto,
    /// One JSON object per line.
    Json,
    /// Lines for people.
    Text,
}

/// Why a level is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogLevelError {
    #[error("{0:?} is not a level: it is off, error, warn, info, debug, trace, or MODULE=LEVEL")]
    NotALevel(String),
    #[error(transparent)]
    Malformed(#[from] ParseError),
}

/// A level, or levels by module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogLevel(String);

impl LogLevel {
    pub(crate) fn filter(&self) -> EnvFilter {
        EnvFilter::new(format!("{},{SILENCED}", self.0))
    }
}

impl Default for LogLevel {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

impl FromStr for LogLevel {
    type Err = LogLevelError;

    fn from_str(text: &str) -> Result<Self, LogLevelError> {
        // The parser takes any word for the name of a module.
        let is_level = |part: &&str| part.contains(['=', '[']) || part.parse::<LevelFilter>().is_ok();
        if let Some(word) = text.split(',').map(str::trim).find(|part| !is_level(part)) {
            return Err(LogLevelError::NotALevel(word.to_owned()));
        }
        Ok(EnvFilter::builder().parse(text).map(|_| Self(text.to_owned()))?)
    }
}

impl<'de> Deserialize<'de> for LogLevel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(Error::custom)
    }
}

#[cfg(test)]
#[path = "../../tests/unit/logs.rs"]
mod tests;
