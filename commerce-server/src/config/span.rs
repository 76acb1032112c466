//! Spans of time as people write them.

use std::str::FromStr;

use chrono::TimeDelta;
use serde::de::{Deserialize, Deserializer, Error};
use thiserror::Error as ThisError;

/// A span of time: `90s`, `30m`, `24h`, `14d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DurationText {
    seconds: u32,
}

/// The text is not a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ThisError)]
#[error("a span of time is a whole number with s, m, h or d, such as 30m or 14d")]
pub(crate) struct ParseDurationError;

impl DurationText {
    pub(crate) const fn seconds(seconds: u32) -> Self {
        Self { seconds }
    }

    pub(crate) const fn whole_seconds(self) -> u32 {
        self.seconds
    }

    pub(crate) fn delta(self) -> TimeDelta {
        TimeDelta::seconds(self.seconds.into())
    }

    pub(crate) fn duration(self) -> std::time::Duration {
        std::time::Duration::from_secs(self.seconds.into())
    }
}

impl FromStr for DurationText {
    type Err = ParseDurationError;

    fn from_str(text: &str) -> Result<Self, ParseDurationError> {
        let number = text.trim_end_matches(|unit: char| unit.is_ascii_alphabetic());
        let unit: u32 = match text.get(number.len()..) {
            Some("s") => 1,
            Some("m") => 60,
            Some("h") => 3_600,
            Some("d") => 86_400,
            _ => return Err(ParseDurationError),
        };
        let digits = Some(number).filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
        let count: u32 = digits.and_then(|number| number.parse().ok()).ok_or(ParseDurationError)?;
        count.checked_mul(unit).map(Self::seconds).ok_or(ParseDurationError)
    }
}

impl<'de> Deserialize<'de> for DurationText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(Error::custom)
    }
}

#[cfg(test)]
#[path = "../../tests/unit/span.rs"]
mod tests;
