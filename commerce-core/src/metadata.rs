//! Metadata: entries that callers attach to a noun for their own purposes. No rule of the engine reads them.
//!
//! # Invariants
//! * `MET-1`: an entry is a string, a number or a boolean under a key of 1 to [`MAX_KEY`] of the characters `A-Z a-z
//!   0-9 _ . -`.
//! * `MET-2`: a number is stored exactly: a 64-bit integer, or a number of at most 15 digits. `1.0` is the integer 1.
//!
//! Limits are checked on input only, as for all [stored](crate::stored) values.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use crate::money::Amount;
use crate::problem::{Findings, ProblemKind, Problems};

/// The maximum number of entries.
pub const MAX_ENTRIES: usize = 50;
/// The maximum length of a key, in characters.
pub const MAX_KEY: usize = 40;
/// The maximum length of a string, in bytes.
pub const MAX_STRING: usize = 500;
/// The maximum size of the metadata of a cart or an order together with that of its lines, in KiB.
pub const MAX_TOTAL_KIB: usize = 256;
/// What a number or a boolean counts in a [`Metadata::size`], in bytes.
const SCALAR: usize = 8;

/// Entries by key.
///
/// ```
/// use commerce_core::metadata::Metadata;
/// use serde_json::json;
///
/// let metadata = Metadata::new([("channel".into(), json!("app")), ("gift".into(), json!(true))])?;
/// assert_eq!(metadata.get("gift"), Some(&json!(true)));
/// let refused = Metadata::new([("size".into(), json!({ "cm": 9 }))]).unwrap_err();
/// assert_eq!(refused.to_string(), "/size: must be a string, a number, true or false");
/// # Ok::<(), commerce_core::problem::Problems>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Metadata(BTreeMap<String, Value>);

/// A change of [`Metadata`], from a JSON merge patch (RFC 7396).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetadataPatch {
    set: Metadata,
    removed: Vec<String>,
}

impl Metadata {
    /// Checks entries.
    ///
    /// # Errors
    /// Every problem of the entries.
    pub fn new(entries: impl IntoIterator<Item = (String, Value)>) -> Result<Self, Problems> {
        let mut findings = Findings::default();
        let metadata = Self::read(entries, &mut findings);
        findings.finish(metadata)
    }

    /// As [`Metadata::new`], within a larger value.
    pub fn read(entries: impl IntoIterator<Item = (String, Value)>, findings: &mut Findings) -> Option<Self> {
        let (mut known, mut complete) = (BTreeMap::new(), true);
        for (at, (key, value)) in entries.into_iter().enumerate() {
            if at >= MAX_ENTRIES {
                return findings.note(ProblemKind::TooMany { limit: MAX_ENTRIES });
            }
            let entry = findings.key(&key, |findings| match known.get(&key) {
                Some(_) => findings.note(ProblemKind::Duplicate),
                None => read_entry(&key, value, findings),
            });
            complete &= entry.is_some();
            known.extend(entry.map(|value| (key, value)));
        }
        complete.then_some(Self(known))
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// The entries, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The [keys](crate::document::Aggregate::keys) that find documents with these entries.
    pub fn lookup_keys(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(key, value)| match value.as_str() {
            Some(text) => Self::lookup_key(key, text),
            None => Self::lookup_key(key, &value.to_string()),
        })
    }

    /// The key that finds documents with an entry. The value of a number or a boolean is its JSON.
    pub fn lookup_key(key: &str, value: &str) -> String {
        format!("metadata:{key}={value}")
    }

    /// The metadata after a patch.
    ///
    /// # Errors
    /// [`MetadataError::TooManyEntries`].
    pub fn patched(&self, patch: &MetadataPatch) -> Result<Self, MetadataError> {
        let mut patched = self.0.clone();
        patched.retain(|key, _| !patch.removed.contains(key));
        patched.extend(patch.set.0.clone());
        if patched.len() > MAX_ENTRIES { Err(MetadataError::TooManyEntries) } else { Ok(Self(patched)) }
    }

    /// The size of keys and values, in bytes.
    pub fn size(&self) -> usize {
        let entry = |(key, value): (&String, &Value)| key.len().saturating_add(value.as_str().map_or(SCALAR, str::len));
        self.0.iter().map(entry).fold(0, usize::saturating_add)
    }
}

/// Checks the metadata of a cart or an order and that of its lines together.
///
/// # Errors
/// [`MetadataError::TooLarge`].
pub fn check_total<'a>(all: impl IntoIterator<Item = &'a Metadata>) -> Result<(), MetadataError> {
    let total = all.into_iter().map(Metadata::size).fold(0, usize::saturating_add);
    if total > MAX_TOTAL_KIB.saturating_mul(1024) { Err(MetadataError::TooLarge) } else { Ok(()) }
}

impl MetadataPatch {
    /// Checks a patch: null removes the entry of a key, any other value sets it.
    pub fn read(entries: impl IntoIterator<Item = (String, Value)>, findings: &mut Findings) -> Option<Self> {
        let (removed, set): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(_, value)| value.is_null());
        let removed = removed.into_iter().map(|(key, _)| key).collect();
        Some(Self { set: Metadata::read(set, findings)?, removed })
    }
}

/// Why a change of metadata is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum MetadataError {
    #[error("has more than {MAX_ENTRIES} entries")]
    TooManyEntries,
    #[error("is larger than {MAX_TOTAL_KIB} KiB together with that of all lines")]
    TooLarge,
}

impl MetadataError {
    /// The stable code for clients.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooManyEntries => "too_many",
            Self::TooLarge => "too_large",
        }
    }
}

fn read_entry(key: &str, value: Value, findings: &mut Findings) -> Option<Value> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if key.is_empty() || key.len() > MAX_KEY || !key.bytes().all(known) {
        return findings
            .note(ProblemKind::Invalid { expected: "named by 1 to 40 of the characters A-Z a-z 0-9 _ . -" });
    }
    match value {
        Value::Bool(_) => Some(value),
        Value::String(text) => read_string(text, findings),
        Value::Number(number) => exact(number).or_else(|| {
            let expected = "a whole number of 64 bits or a number of at most 15 digits; write any other as a string";
            findings.note(ProblemKind::OutOfRange { expected })
        }),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            findings.note(ProblemKind::Type { expected: "a string, a number, true or false" })
        }
    }
}

fn read_string(text: String, findings: &mut Findings) -> Option<Value> {
    if text.len() > MAX_STRING {
        return findings.note(ProblemKind::TooManyBytes { limit: MAX_STRING });
    }
    if text.chars().any(|char| char.is_control() && !matches!(char, '\n' | '\r' | '\t')) {
        return findings.note(ProblemKind::Invalid { expected: "without control characters" });
    }
    Some(Value::String(text))
}

/// A number that is stored without loss.
fn exact(number: Number) -> Option<Value> {
    if number.is_i64() {
        return Some(Value::Number(number));
    }
    let figure = Amount::deserialize(&number).ok()?.decimal().normalize();
    match i64::try_from(figure.mantissa()) {
        Ok(whole) if figure.scale() == 0 => Some(whole.into()),
        _ => number.is_f64().then_some(Value::Number(number)),
    }
}

#[cfg(test)]
#[path = "../tests/unit/metadata.rs"]
mod tests;
