//! A JSON-like document as it was written, so that everything wrong in it can be told at once, with its place.
//!
//! Serde stops at the first error and does not say where. A [`Document`] takes any form, and the readers built on it
//! ([`Request::read`](crate::pricing::Request::read), [`Promotion::read`](super::Promotion::read)) walk it with a
//! JSON pointer in hand.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use rust_decimal::Decimal;
use serde::de::{Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::problem::{Findings, ProblemKind};
use crate::money::{Amount, Currency, Money, MoneyError};

/// A document of any form, not yet read.
///
/// ```
/// use commerce_core::pricing::{Document, Request};
///
/// let document: Document = serde_json::from_str(r#"{ "currency": "EUR", "lines": [{ "id": "" }] }"#)?;
/// let problems = Request::read(&document).unwrap_err();
/// assert_eq!(problems.as_slice()[0].to_string(), "/at: is required");
/// assert_eq!(problems.as_slice()[1].pointer, "/lines/0/id");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Document(Node);

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Null,
    Bool(bool),
    Number(Amount),
    /// A number with more digits than a binary float keeps.
    LongNumber,
    Text(String),
    List(Vec<Document>),
    Map(Vec<(String, Document)>),
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor).map(Self)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Number(Amount::new(number.into())))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Number(Amount::new(number.into())))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Node, E> {
        Ok(Amount::deserialize(IntoDeserializer::<E>::into_deserializer(number)).map_or(Node::LongNumber, Node::Number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Node, E> {
        Ok(Node::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_element()? {
            entries.push(entry);
        }
        Ok(Node::List(entries))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = access.next_entry()? {
            fields.push(field);
        }
        Ok(Node::Map(fields))
    }
}

impl Document {
    /// The same document with a text in a field that is absent or null. What is no object stays as it is.
    #[must_use]
    pub fn with_default(mut self, field: &str, text: &str) -> Self {
        if let Node::Map(entries) = &mut self.0 {
            let value = Self(Node::Text(text.to_owned()));
            match entries.iter_mut().find(|(name, _)| name == field) {
                Some((_, given @ Self(Node::Null))) => *given = value,
                Some(_) => {}
                None => entries.push((field.to_owned(), value)),
            }
        }
        self
    }

    /// The document with a JSON merge patch (RFC 7396) applied: what the patch does not name stays, null takes away, objects
    /// are merged, everything else is replaced.
    ///
    /// What would not be read of the patch alone is not forgotten: names that stand twice in an object stand twice in the
    /// result, and a null at the top stays where there was nothing, so that a name nobody knows is told.
    ///
    /// ```
    /// use commerce_core::promotion::Document;
    ///
    /// let read = serde_json::from_str::<Document>;
    /// let patched = read(r#"{ "code": "TEN", "effect": { "type": "percent_off", "percent": 10 } }"#)?
    ///     .patched(read(r#"{ "code": null, "effect": { "percent": 20 } }"#)?);
    /// assert_eq!(patched, read(r#"{ "effect": { "type": "percent_off", "percent": 20 } }"#)?);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn patched(self, patch: Self) -> Self {
        self.merged(patch, true)
    }

    fn merged(self, patch: Self, is_top: bool) -> Self {
        let changes = match patch {
            Self(Node::Map(changes)) if changes.len() <= MAX_FIELDS => changes,
            whole => return whole,
        };
        let mut entries = if let Node::Map(entries) = self.0 { entries } else { Vec::new() };
        let mut named: Vec<String> = Vec::with_capacity(changes.len());
        for (name, change) in changes {
            let place = entries.iter().position(|(known, _)| *known == name).filter(|_| !named.contains(&name));
            let before = place.map(|place| entries.remove(place).1);
            if change.0 != Node::Null || (is_top && before.is_none()) {
                entries.push((name.clone(), before.unwrap_or(Self(Node::Null)).merged(change, false)));
            }
            named.push(name);
        }
        Self(Node::Map(entries))
    }

    /// The fields of an object, to be taken one by one.
    pub(crate) fn fields(&self, findings: &mut Findings) -> Option<Fields<'_>> {
        let Node::Map(entries) = &self.0 else {
            return findings.note(ProblemKind::Type { expected: "an object" });
        };
        if entries.len() > MAX_FIELDS {
            return findings.note(ProblemKind::TooMany { limit: MAX_FIELDS });
        }
        Some(Fields { entries, read: Vec::new() })
    }

    /// The entries of a list, each read; `None` where one of them cannot be.
    pub(crate) fn list<T>(
        &self,
        findings: &mut Findings,
        limit: usize,
        mut read: impl FnMut(&Self, &mut Findings) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Node::List(entries) = &self.0 else {
            return findings.note(ProblemKind::Type { expected: "a list" });
        };
        if entries.len() > limit {
            return findings.note(ProblemKind::TooMany { limit });
        }
        let read_all: Vec<Option<T>> = entries
            .iter()
            .enumerate()
            .map(|(index, entry)| findings.entry(index, |findings| read(entry, findings)))
            .collect();
        read_all.into_iter().collect()
    }

    /// A text of at most `limit` characters.
    pub(crate) fn text(&self, findings: &mut Findings, limit: usize) -> Option<&str> {
        let Node::Text(text) = &self.0 else {
            return findings.note(ProblemKind::Type { expected: "a text" });
        };
        if text.chars().nth(limit).is_some() {
            return findings.note(ProblemKind::TooLong { limit });
        }
        Some(text)
    }

    /// A text that says something: 1 to `limit` characters.
    pub(crate) fn label(&self, findings: &mut Findings, limit: usize) -> Option<String> {
        match self.text(findings, limit)?.trim() {
            "" => findings.note(ProblemKind::Empty),
            label => Some(label.to_owned()),
        }
    }

    /// A text that parses.
    pub(crate) fn parsed<T: FromStr>(&self, findings: &mut Findings, expected: &'static str) -> Option<T> {
        match self.text(findings, MAX_PARSED)?.parse() {
            Ok(value) => Some(value),
            Err(_) => findings.note(ProblemKind::Invalid { expected }),
        }
    }

    pub(crate) fn bool(&self, findings: &mut Findings) -> Option<bool> {
        let Node::Bool(value) = self.0 else {
            return findings.note(ProblemKind::Type { expected: "true or false" });
        };
        Some(value)
    }

    /// A decimal figure, as a text or a number.
    pub(crate) fn decimal(&self, findings: &mut Findings) -> Option<Decimal> {
        let amount = match &self.0 {
            Node::Number(amount) => Some(*amount),
            Node::Text(text) => Amount::deserialize(text_deserializer(text)).ok(),
            Node::LongNumber => {
                return findings.note(ProblemKind::Type { expected: "written as a text, having so many digits" });
            }
            Node::Null | Node::Bool(_) | Node::List(_) | Node::Map(_) => None,
        };
        match amount {
            Some(amount) => Some(amount.decimal()),
            None => findings.note(ProblemKind::Type { expected: "a decimal figure such as \"59.98\"" }),
        }
    }

    /// A whole number that the target takes.
    pub(crate) fn whole<T: TryFrom<i64>>(&self, findings: &mut Findings, expected: &'static str) -> Option<T> {
        let Node::Number(amount) = &self.0 else {
            return findings.note(ProblemKind::Type { expected });
        };
        let figure = amount.decimal().normalize();
        let whole = (figure.scale() == 0).then(|| i64::try_from(figure.mantissa()).ok()).flatten();
        match whole.and_then(|whole| T::try_from(whole).ok()) {
            Some(value) => Some(value),
            None => findings.note(ProblemKind::OutOfRange { expected }),
        }
    }

    /// An amount of money: zero or more, with no more decimals than the currency has.
    pub(crate) fn money(&self, findings: &mut Findings, currency: Currency) -> Option<Money> {
        match Money::from_decimal(self.decimal(findings)?, currency) {
            Ok(money) => Some(money),
            Err(MoneyError::TooManyDecimals { .. }) => findings.note(ProblemKind::TooManyDecimals),
            Err(_) => findings.note(ProblemKind::TooLarge),
        }
    }
}

/// No object has more fields.
const MAX_FIELDS: usize = 50;

/// No text that is parsed to a value is longer.
const MAX_PARSED: usize = 64;

fn text_deserializer(text: &str) -> serde::de::value::StrDeserializer<'_, serde::de::value::Error> {
    text.into_deserializer()
}

/// The fields of an object. Those nobody asks for are told as unknown by [`Fields::finish`].
#[derive(Debug)]
pub(crate) struct Fields<'d> {
    entries: &'d [(String, Document)],
    read: Vec<&'static str>,
}

impl<'d> Fields<'d> {
    /// Reads a field that must be there.
    pub(crate) fn required<T>(
        &mut self,
        findings: &mut Findings,
        name: &'static str,
        read: impl FnOnce(&'d Document, &mut Findings) -> Option<T>,
    ) -> Option<T> {
        match self.optional(findings, name, read)? {
            Some(value) => Some(value),
            None => findings.field(name, |findings| findings.note(ProblemKind::Required)),
        }
    }

    /// Reads a field that may be absent or null: `Some(None)` then, `None` where it cannot be read.
    #[expect(
        clippy::option_option,
        reason = "the outer one is whether it can be read, the inner one whether it is there"
    )]
    pub(crate) fn optional<T>(
        &mut self,
        findings: &mut Findings,
        name: &'static str,
        read: impl FnOnce(&'d Document, &mut Findings) -> Option<T>,
    ) -> Option<Option<T>> {
        self.read.push(name);
        match self.entries.iter().find(|(key, _)| key == name) {
            None | Some((_, Document(Node::Null))) => Some(None),
            Some((_, document)) => findings.field(name, |findings| read(document, findings)).map(Some),
        }
    }

    /// Reads a field that has a default.
    pub(crate) fn defaulted<T: Default>(
        &mut self,
        findings: &mut Findings,
        name: &'static str,
        read: impl FnOnce(&'d Document, &mut Findings) -> Option<T>,
    ) -> Option<T> {
        self.optional(findings, name, read).map(Option::unwrap_or_default)
    }

    /// Passes over a field that is not needed.
    pub(crate) fn ignore(&mut self, name: &'static str) {
        self.read.push(name);
    }

    /// Tells fields that were not asked for, and those that stand twice.
    pub(crate) fn finish(self, findings: &mut Findings) {
        for (index, (key, _)) in self.entries.iter().enumerate() {
            let twice = self.entries.iter().take(index).any(|(earlier, _)| earlier == key);
            let known = self.read.iter().any(|name| name == key);
            findings.field(key, |findings| {
                findings.require(known, ProblemKind::UnknownField);
                findings.require(!twice, ProblemKind::Duplicate);
            });
        }
    }
}
