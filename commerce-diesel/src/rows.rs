//! Rows of the tables, and their conversion from and to the values of the engine.
//!
//! A row that is written borrows its texts; a row that was read owns them. Both have the same type.

pub(crate) mod delivery;
pub(crate) mod document;
pub(crate) mod event;
pub(crate) mod idempotency;
pub(crate) mod order;
pub(crate) mod promotion;
pub(crate) mod sandbox;
pub(crate) mod stock;
pub(crate) mod table;
pub(crate) mod target;
pub(crate) mod task;

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use commerce_core::stored::{Stored, VERSION};
use serde::de::value::Error as ValueError;
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Serialize};

use crate::fault::{Answer, Fault};

pub(crate) type CowStr<'a> = Cow<'a, str>;

/// A counter for a column. Each step is a commit, so it never exceeds the range.
pub(crate) fn counter(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The length of a list, for a column.
pub(crate) fn size(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(crate) fn read_counter(column: &'static str, count: i64) -> Answer<u64> {
    u64::try_from(count).map_err(|_| Fault::Corrupt(column))
}

/// A value with a textual form.
pub(crate) fn read<'t, T: Deserialize<'t>>(column: &'static str, text: &'t str) -> Answer<T> {
    read_value(column, text)
}

/// A value in its stored form. Current limits are not checked: they apply to input.
pub(crate) fn read_value<'t, T: Deserialize<'t>>(
    column: &'static str,
    value: impl IntoDeserializer<'t, ValueError>,
) -> Answer<T> {
    T::deserialize(value.into_deserializer()).map_err(|_| Fault::Corrupt(column))
}

pub(crate) fn read_option<'t, T: Deserialize<'t>>(column: &'static str, text: Option<&'t str>) -> Answer<Option<T>> {
    text.map(|text| read(column, text)).transpose()
}

pub(crate) fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

pub(crate) fn read_instant(column: &'static str, micros: i64) -> Answer<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros).ok_or(Fault::Corrupt(column))
}

pub(crate) fn read_instant_option(column: &'static str, micros: Option<i64>) -> Answer<Option<DateTime<Utc>>> {
    micros.map(|micros| read_instant(column, micros)).transpose()
}

/// The stored form of a document.
///
/// # Errors
/// Serialization fails, which no value of the engine causes.
pub(crate) fn stored<T: Serialize>(column: &'static str, value: &T) -> Answer<String> {
    serde_json::to_string(&Stored(value)).map_err(|_| Fault::Corrupt(column))
}

/// A document from its stored form.
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
