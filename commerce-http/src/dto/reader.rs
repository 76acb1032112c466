//! From the values of a request, which are plain, to those of the engine.

use std::fmt::Display;
use std::str::FromStr;

use commerce_core::money::{Amount, Currency, Money};
use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use utoipa::ToSchema;

use crate::json::member;
use crate::problem::{Fault, Problem};

/// The most faults that are listed.
const MAX_FAULTS: usize = 100;

/// A value of a request; without one, the reader has noted why.
pub(crate) type Read<T> = Result<T, Noted>;

/// A value was noted as invalid.
#[must_use]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noted;

/// Reads the values of a request and notes every one that is invalid, with its place.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    pointer: String,
    faults: Vec<Fault>,
}

/// Reads every field before it builds a value, so that no invalid one hides another.
macro_rules! all {
    ($target:ident { $($field:ident: $value:expr),* $(,)? }) => {{
        $(let $field = $value;)*
        Ok($target { $($field: $field?),* })
    }};
}
pub(crate) use all;

impl Reader {
    /// Reads a request.
    pub(crate) fn run<T>(read: impl FnOnce(&mut Self) -> Read<T>) -> Result<T, Problem> {
        let mut reader = Self::default();
        read(&mut reader).map_err(|Noted| Problem::invalid(reader.faults))
    }

    /// Notes that a member is invalid; without a name, the value itself.
    pub(crate) fn note(&mut self, name: &str, code: &'static str, message: impl Display) -> Noted {
        if self.faults.len() < MAX_FAULTS {
            let pointer = if name.is_empty() { self.pointer.clone() } else { member(&self.pointer, name) };
            self.faults.push(Fault::at(pointer, code, message));
        }
        Noted
    }

    /// Takes a value, or notes with a code why there is none.
    pub(crate) fn coded<T, E: Display>(&mut self, name: &str, code: &'static str, value: Result<T, E>) -> Read<T> {
        value.map_err(|error| self.note(name, code, error))
    }

    /// Takes a value, or notes why there is none.
    pub(crate) fn value<T, E: Display>(&mut self, name: &str, value: Result<T, E>) -> Read<T> {
        self.coded(name, "invalid", value)
    }

    /// Reads a value from text.
    pub(crate) fn parse<T: FromStr<Err: Display>>(&mut self, name: &str, text: &str) -> Read<T> {
        self.value(name, text.parse())
    }

    /// Reads a value from text that may be left out.
    pub(crate) fn parse_option<T: FromStr<Err: Display>>(
        &mut self,
        name: &str,
        text: Option<impl AsRef<str>>,
    ) -> Read<Option<T>> {
        self.value(name, text.map(|text| text.as_ref().parse()).transpose())
    }

    /// Reads money of a currency.
    pub(crate) fn money(&mut self, name: &str, figure: Decimal, currency: Read<Currency>) -> Read<Money> {
        let amount = self.value(name, figure.0)?;
        self.coded(name, "invalid_amount", amount.in_currency(currency?))
    }

    /// Reads what is within a member.
    pub(crate) fn within<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        let length = self.pointer.len();
        self.pointer = member(&self.pointer, name);
        let value = read(self);
        self.pointer.truncate(length);
        value
    }

    /// Reads every element of a list.
    pub(crate) fn each<I, T>(
        &mut self,
        name: &str,
        elements: Vec<I>,
        mut read: impl FnMut(I, &mut Self) -> Read<T>,
    ) -> Read<Vec<T>> {
        self.within(name, |reader| {
            let elements = elements.into_iter().enumerate();
            let values = elements.map(|(at, element)| reader.within(&at.to_string(), |reader| read(element, reader)));
            values.collect::<Vec<_>>().into_iter().collect()
        })
    }
}

/// A decimal figure of a request: a string, or a number.
#[derive(Clone, Debug, ToSchema)]
#[schema(value_type = String, example = "9.99")]
pub(crate) struct Decimal(pub(crate) Result<Amount, String>);

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            value @ (Value::String(_) | Value::Number(_)) => {
                Ok(Self(Amount::deserialize(value).map_err(|error| error.to_string())))
            }
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                Err(D::Error::invalid_type(Unexpected::Other("value"), &"a decimal amount such as \"59.98\""))
            }
        }
    }
}
