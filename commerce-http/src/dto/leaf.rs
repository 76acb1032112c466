//! The values in documents, and their conversion to values of the engine. Problems are collected with their positions.
//!
//! Required fields are `Option`s too, so that all missing ones are reported together.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use commerce_core::Quantity;
use commerce_core::money::{Amount, Currency, Money, MoneyError};
use commerce_core::problem::{Findings, ProblemKind, Read};
use commerce_core::promotion::{MAX_LABEL, Percent};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Number, Value};

use super::scalar::Scalar;

pub(super) const A_PROMOTION_ID: &str = "a promotion id of 1 to 64 characters";
pub(super) const A_SKU: &str = "a SKU of 1 to 64 characters";
pub(super) const A_CATEGORY: &str = "a category of 1 to 64 characters";
const A_QUANTITY: &str = "a whole number from 1 to 1000000";
const A_COUNT: &str = "a whole number of zero or more";
/// The maximum length of a text that is parsed.
const MAX_PARSED: usize = 64;

/// A decimal number: a string, or a number with at most 15 digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct DecimalDto(Value);

impl<'de> Deserialize<'de> for DecimalDto {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Scalar::deserialize(deserializer).map(|value| Self(value.0))
    }
}

/// A decimal number, or what is wrong with the value.
#[derive(Clone, Debug)]
pub(crate) struct Decimal(pub(super) Result<Amount, String>);

impl Decimal {
    pub(super) fn money(self, currency: Read<Currency>, f: &mut Findings) -> Read<Money> {
        let amount = f.value("", self.0)?;
        f.coded("", "invalid_amount", amount.in_currency(currency?))
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Scalar::deserialize(deserializer)?.0;
        if value.is_string() || value.is_number() {
            return Ok(Self(Amount::deserialize(value).map_err(|error| error.to_string())));
        }
        Ok(Self(Err("must be a decimal amount such as \"59.98\"".to_owned())))
    }
}

impl From<Money> for DecimalDto {
    fn from(money: Money) -> Self {
        Self(Amount::from(money).to_string().into())
    }
}

impl From<Percent> for DecimalDto {
    fn from(percent: Percent) -> Self {
        Self(percent.to_string().into())
    }
}

impl DecimalDto {
    pub(super) fn decimal(self, findings: &mut Findings) -> Read<rust_decimal::Decimal> {
        let is_number = self.0.is_number();
        match Amount::deserialize(self.0) {
            Ok(amount) => Some(amount.decimal()),
            Err(_) if is_number => {
                findings.note(ProblemKind::Type { expected: "written as a text, having so many digits" })
            }
            Err(_) => findings.note(ProblemKind::Type { expected: "a decimal figure such as \"59.98\"" }),
        }
    }

    /// An amount with at most the decimals of the currency.
    pub(super) fn money(self, currency: Currency, findings: &mut Findings) -> Read<Money> {
        match Money::from_decimal(self.decimal(findings)?, currency) {
            Ok(money) => Some(money),
            Err(MoneyError::TooManyDecimals { .. }) => findings.note(ProblemKind::TooManyDecimals),
            Err(_) => findings.note(ProblemKind::TooLarge),
        }
    }
}

/// Reads all fields before it builds a value, so that all problems are found. With `new(a, b), set(c, d)` it gives the
/// fields `a` and `b` to the constructor and sets `c` and `d`.
macro_rules! all {
    ($target:ident { $($field:ident: $value:expr),* $(,)? }, $new:ident($($given:ident),*), set($($set:ident),*) $(,)?) => {{
        $(let $field = $value;)*
        (move || {
            let mut built = $target::$new($($given?),*);
            $(built.$set = $set?;)*
            Some(built)
        })()
    }};
    ($target:ident { $($field:ident: $value:expr),* $(,)? }) => {{
        $(let $field = $value;)*
        (move || Some($target { $($field: $field?),* }))()
    }};
}
pub(crate) use all;

/// A required field.
pub(super) fn required<V, T>(
    findings: &mut Findings,
    name: &'static str,
    value: Option<V>,
    read: impl FnOnce(V, &mut Findings) -> Read<T>,
) -> Read<T> {
    findings.field(name, |findings| match value {
        Some(value) => read(value, findings),
        None => findings.note(ProblemKind::Required),
    })
}

/// An optional field. `Some(None)` if it is absent, `None` if it is invalid.
pub(super) fn optional<V, T>(
    findings: &mut Findings,
    name: &'static str,
    value: Option<V>,
    read: impl FnOnce(V, &mut Findings) -> Read<T>,
) -> Read<Option<T>> {
    match value {
        Some(value) => findings.field(name, |findings| read(value, findings)).map(Some),
        None => Some(None),
    }
}

/// A field with a default.
pub(super) fn usual<V, T: Default>(
    findings: &mut Findings,
    name: &'static str,
    value: Option<V>,
    read: impl FnOnce(V, &mut Findings) -> Read<T>,
) -> Read<T> {
    optional(findings, name, value, read).map(Option::unwrap_or_default)
}

/// The entries of a list. `None` if one of them is invalid.
pub(super) fn list<V, T>(
    limit: usize,
    read: impl Fn(V, &mut Findings) -> Read<T>,
) -> impl FnOnce(Vec<V>, &mut Findings) -> Read<Vec<T>> {
    move |entries, findings| {
        if entries.len() > limit {
            return findings.note(ProblemKind::TooMany { limit });
        }
        findings.list(entries, read)
    }
}

/// A text with at most `limit` characters.
pub(super) fn text(limit: usize) -> impl Fn(String, &mut Findings) -> Read<String> {
    move |text, findings| match text.chars().nth(limit) {
        Some(_) => findings.note(ProblemKind::TooLong { limit }),
        None => Some(text),
    }
}

/// A text with 1 to `limit` characters, not blank.
pub(super) fn label(limit: usize) -> impl Fn(String, &mut Findings) -> Read<String> {
    move |given, findings| match text(limit)(given, findings)?.trim() {
        "" => findings.note(ProblemKind::Empty),
        label => Some(label.to_owned()),
    }
}

/// A text that is parsed.
pub(super) fn parsed<T: FromStr>(expected: &'static str) -> impl Fn(String, &mut Findings) -> Read<T> {
    move |given, findings| match text(MAX_PARSED)(given, findings)?.parse() {
        Ok(value) => Some(value),
        Err(_) => findings.note(ProblemKind::Invalid { expected }),
    }
}

pub(super) fn currency(text: String, findings: &mut Findings) -> Read<Currency> {
    parsed("an ISO 4217 currency code")(text, findings)
}

pub(super) fn instant(text: String, findings: &mut Findings) -> Read<DateTime<Utc>> {
    parsed("an instant such as \"2026-01-15T12:00:00Z\"")(text, findings)
}

pub(super) fn name(text: String, findings: &mut Findings) -> Read<String> {
    label(MAX_LABEL)(text, findings)
}

pub(super) fn quantity(number: Number, findings: &mut Findings) -> Read<Quantity> {
    whole(A_QUANTITY)(number, findings)
}

pub(super) fn count<T: TryFrom<i64>>(number: Number, findings: &mut Findings) -> Read<T> {
    whole(A_COUNT)(number, findings)
}

/// A whole number in the range of the target type. `1.0` is accepted.
pub(super) fn whole<T: TryFrom<i64>>(expected: &'static str) -> impl Fn(Number, &mut Findings) -> Read<T> {
    move |number, findings| {
        let whole = number.as_i64().or_else(|| {
            let figure = Amount::deserialize(number).ok()?.decimal().normalize();
            i64::try_from(figure.mantissa()).ok().filter(|_| figure.scale() == 0)
        });
        match whole.and_then(|whole| T::try_from(whole).ok()) {
            Some(value) => Some(value),
            None => findings.note(ProblemKind::OutOfRange { expected }),
        }
    }
}
