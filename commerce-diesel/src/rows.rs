//! Rows of the tables, and the way from the engine's values to them and back.
//!
//! A row borrows what it is written from and owns what was read, so one type serves both ways.

pub(crate) mod document;
pub(crate) mod event;
pub(crate) mod idempotency;
pub(crate) mod order;
pub(crate) mod promotion;
pub(crate) mod stock;
pub(crate) mod table;
pub(crate) mod task;

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use commerce_core::stored::{Stored, VERSION};
use serde::de::value::Error as ValueError;
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Serialize};

use crate::fault::{Answer, Fault};

/// Text in a row.
pub(crate) type CowStr<'a> = Cow<'a, str>;

/// A counter as a column holds it. None gets near the end of the range: each step is a commit.
pub(crate) fn counter(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A size of a list as a column holds it.
pub(crate) fn size(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A counter from a column.
pub(crate) fn read_counter(column: &'static str, count: i64) -> Answer<u64> {
    u64::try_from(count).map_err(|_| Fault::Corrupt(column))
}

/// A typed text from a column.
pub(crate) fn read<'t, T: Deserialize<'t>>(column: &'static str, text: &'t str) -> Answer<T> {
    read_value(column, text)
}

/// A typed value from a column, as it was stored: the limits of the day are for what comes in.
pub(crate) fn read_value<'t, T: Deserialize<'t>>(
    column: &'static str,
    value: impl IntoDeserializer<'t, ValueError>,
) -> Answer<T> {
    T::deserialize(value.into_deserializer()).map_err(|_| Fault::Corrupt(column))
}

/// A typed text from a column that may be empty.
pub(crate) fn read_option<'t, T: Deserialize<'t>>(column: &'static str, text: Option<&'t str>) -> Answer<Option<T>> {
    text.map(|text| read(column, text)).transpose()
}

/// An instant as a column holds it.
pub(crate) fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

/// An instant from a column.
pub(crate) fn read_instant(column: &'static str, micros: i64) -> Answer<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros).ok_or(Fault::Corrupt(column))
}

/// An instant from a column that may be empty.
pub(crate) fn read_instant_option(column: &'static str, micros: Option<i64>) -> Answer<Option<DateTime<Utc>>> {
    micros.map(|micros| read_instant(column, micros)).transpose()
}

/// A document as a column holds it.
///
/// # Errors
/// None that a value of the engine can cause; serializing to text is fallible by type.
pub(crate) fn stored<T: Serialize>(column: &'static str, value: &T) -> Answer<String> {
    serde_json::to_string(&Stored(value)).map_err(|_| Fault::Corrupt(column))
}

/// A document from a column.
pub(crate) fn read_stored<T: DeserializeOwned>(column: &'static str, text: &str) -> Answer<T> {
    serde_json::from_str(text).map(|Stored(value)| value).map_err(|_| unreadable(column, text))
}

fn unreadable(column: &'static str, text: &str) -> Fault {
    #[derive(Deserialize)]
    struct Head {
        v: u64,
    }
    match serde_json::from_str(text) {
        Ok(Head { v }) if v > VERSION => Fault::Newer(column),
        _ => Fault::Corrupt(column),
    }
}
