//! The query of a request.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use commerce_core::metadata::Metadata;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use crate::json;
use crate::problem::Problem;

/// The maximum number of parameters.
const MAX_PARAMETERS: usize = 100;

/// The parameters of a query. The first of repeated parameters counts. Unknown ones are ignored.
#[derive(Debug)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn read(text: Option<&str>) -> Result<Self, Problem> {
        let pairs = text.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        if pairs.clone().nth(MAX_PARAMETERS).is_some() {
            return Err(Problem::bad_request("malformed_query", "The query has more than 100 parameters."));
        }
        let pairs = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(name)?, decode(value)?))
        });
        let pairs: Option<Vec<_>> = pairs.collect();
        pairs.map(Self).ok_or_else(|| Problem::bad_request("malformed_query", "The query is not UTF-8."))
    }

    /// The text of a parameter, trimmed. An empty one is treated as absent.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    pub(crate) fn get<T: FromStr<Err: Display>>(&self, name: &'static str) -> Result<Option<T>, Problem> {
        self.parsed(name, str::parse)
    }

    /// The [keys](Metadata::lookup_key) of the parameters `metadata.KEY=VALUE`.
    pub(crate) fn metadata(&self) -> Result<Vec<String>, Problem> {
        let entries = self.0.iter().filter_map(|(name, value)| Some((name.strip_prefix("metadata.")?, value)));
        let metadata = Metadata::new(entries.map(|(key, value)| (key.to_owned(), value.as_str().into())));
        let invalid = |problems| Problem::invalid_parameter("metadata", "invalid_parameter", problems);
        Ok(metadata.map_err(invalid)?.lookup_keys().collect())
    }

    pub(crate) fn flag(&self, name: &'static str) -> Result<Option<bool>, Problem> {
        self.parsed(name, |text| text.parse().map_err(|_| "must be true or false"))
    }

    pub(crate) fn word<T: DeserializeOwned>(&self, name: &'static str) -> Result<Option<T>, Problem> {
        self.parsed(name, json::word)
    }

    pub(crate) fn parsed<T, E: Display>(
        &self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Problem> {
        let parsed = self.text(name).map(parse).transpose();
        parsed.map_err(|error| Problem::invalid_parameter(name, "invalid_parameter", error))
    }

    /// An instant. A space is read as a plus sign that was not encoded.
    pub(crate) fn instant(&self, name: &'static str) -> Result<Option<DateTime<Utc>>, Problem> {
        self.parsed(name, |text| {
            let instant = DateTime::parse_from_rfc3339(&text.replace(' ', "+"));
            instant.map(|instant| instant.to_utc()).map_err(|_| "must be an instant such as 2026-02-16T12:00:00Z")
        })
    }
}

fn decode(text: &str) -> Option<String> {
    let spaced = if text.contains('+') { Cow::Owned(text.replace('+', " ")) } else { Cow::Borrowed(text) };
    percent_decode_str(&spaced).decode_utf8().ok().map(Cow::into_owned)
}
