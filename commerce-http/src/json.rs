//! Reading JSON bodies with precise errors.

pub(crate) mod tree;

use std::fmt::{self, Display};
use std::rc::Rc;

use commerce_core::problem::{Findings, Problems, Read};
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, DeserializeOwned, Deserializer, Expected, IntoDeserializer, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::Value;
use serde_json::value::RawValue;

use self::tree::Tree;
use crate::dto::{Fault, Refused};
use crate::problem::Problem;

/// The number of significant digits that a binary float preserves.
const EXACT_DIGITS: usize = 15;

/// Reads a document.
///
/// A text that is not JSON is malformed (400). JSON of a wrong form is invalid (422), with a pointer. The pointer is found by
/// reading the text again, so that valid documents are read only once.
pub(crate) fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, Problem> {
    Ok(parse(text)?)
}

/// Like [`read`], with an error that is not a problem yet.
pub(crate) fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, Refused> {
    match serde_json::from_slice(text) {
        Ok(value) if !has_inexact_number(text) => Ok(value),
        _ => read_closely(text),
    }
}

/// Whether a number in the text could change when it becomes binary floating point. Most texts have no such digits.
fn has_inexact_number(text: &[u8]) -> bool {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'-' | b'0'..=b'9')) {
        let (_, from) = rest.split_at(at);
        let is_string = from.first() == Some(&b'"');
        let length = if is_string { string_length(from) } else { number_length(from) };
        let (token, after) = from.split_at(length);
        if !is_string && is_inexact(token) {
            return true;
        }
        rest = after;
    }
    false
}

/// The length of the string that a text begins with, with its quotes.
fn string_length(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = text.get(at).filter(|byte| **byte != b'"') {
        at += if *byte == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(text.len())
}

fn number_length(text: &[u8]) -> usize {
    let end = text.iter().position(|byte| !matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9'));
    end.unwrap_or(text.len())
}

/// Whether a token is a number that binary floating point would change without a trace: it becomes zero or infinite, or loses
/// digits until few are left. Of a number that keeps more than [`EXACT_DIGITS`], the value itself tells.
fn is_inexact(token: &[u8]) -> bool {
    let is_number = token.first().is_some_and(|byte| matches!(byte, b'-' | b'0'..=b'9'));
    let Some(number) = str::from_utf8(token).ok().filter(|_| is_number) else { return false };
    let figure = number.split(['e', 'E']).next().unwrap_or_default();
    let is_whole = figure.len() == number.len() && !figure.contains('.');
    if is_whole || significant_digits(figure) == 0 {
        return false;
    }
    let float: f64 = number.parse().unwrap_or(f64::INFINITY);
    let loses_digits = || significant_digits(&float.to_string()) <= EXACT_DIGITS;
    !float.is_normal() || (significant_digits(figure) > EXACT_DIGITS && loses_digits())
}

fn significant_digits(figure: &str) -> usize {
    let zeros = |char: char| !matches!(char, '1'..='9');
    figure.trim_matches(zeros).bytes().filter(u8::is_ascii_digit).count()
}

fn read_closely<T: DeserializeOwned>(text: &[u8]) -> Result<T, Refused> {
    let text: &RawValue = serde_json::from_slice(text).map_err(Refused::NotJson)?;
    let document = Node { value: Tree::read(text), place: Rc::default() };
    T::deserialize(document).map_err(|misfit| Refused::Invalid(vec![misfit.fault()]))
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NotJson(error) => {
                let place = format!("The body is not JSON: line {}, column {}.", error.line(), error.column());
                Self::bad_request("malformed_json", place)
            }
            Refused::Invalid(faults) => Self::invalid(faults),
        }
    }
}

/// One of the names of a type.
pub(crate) fn word<T: DeserializeOwned>(text: &str) -> Result<T, impl Display + use<T>> {
    T::deserialize(IntoDeserializer::<Misfit>::into_deserializer(text))
}

/// A value, or all problems that were found in it.
pub(crate) fn checked<T>(read: impl FnOnce(&mut Findings) -> Read<T>) -> Result<T, Problem> {
    let mut findings = Findings::default();
    let value = read(&mut findings);
    findings.finish(value).map_err(refused)
}

/// The problems of values, with their paths.
pub(crate) fn refused(problems: Problems) -> Problem {
    Refused::from(problems).into()
}

pub(crate) fn member(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// An error in the form of a document. Serde determines the error, this module its message.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Misfit {
    pointer: Option<String>,
    /// The affected member, if it is not the value itself.
    member: Option<String>,
    code: &'static str,
    message: String,
    /// Whether the message contains the expected type.
    names_type: bool,
}

impl Misfit {
    fn new(code: &'static str, message: impl Display) -> Self {
        Self { pointer: None, member: None, code, message: message.to_string(), names_type: false }
    }

    fn of_type(code: &'static str, expected: &dyn Expected) -> Self {
        Self { names_type: true, ..Self::new(code, format_args!("must be {expected}")) }
    }

    fn of_member(name: &str, code: &'static str, message: &str) -> Self {
        Self { member: Some(name.to_owned()), ..Self::new(code, message) }
    }

    /// Adds the position and the JSON name of the type, unless an inner value has added them.
    fn within(self, place: &Place, name: Option<&str>) -> Self {
        if self.pointer.is_some() {
            return self;
        }
        let name = name.filter(|_| self.names_type);
        let message = name.map_or(self.message, |name| format!("must be {name}"));
        Self { pointer: Some(place.pointer()), message, ..self }
    }

    fn fault(self) -> Fault {
        let pointer = self.pointer.unwrap_or_default();
        Fault::at(self.member.map_or(pointer.clone(), |name| member(&pointer, &name)), self.code, self.message)
    }
}

impl de::Error for Misfit {
    fn custom<T: Display>(message: T) -> Self {
        let message = message.to_string();
        let is_of_uuid = message.starts_with("UUID parsing failed"); // its reasons are about forms that nobody meant
        Self::new("invalid", if is_of_uuid { "must be a UUID" } else { &message })
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::of_type("wrong_type", expected)
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::of_type("invalid", expected)
    }

    fn unknown_variant(_: &str, known: &'static [&'static str]) -> Self {
        Self::new("invalid", format_args!("must be one of: {}", known.join(", ")))
    }

    fn unknown_field(name: &str, _: &'static [&'static str]) -> Self {
        Self::of_member(name, "unknown_field", "is not a known field")
    }

    fn missing_field(name: &'static str) -> Self {
        Self::of_member(name, "required", "is required")
    }

    fn duplicate_field(name: &'static str) -> Self {
        Self::of_member(name, "duplicate", "occurs twice")
    }
}

/// A JSON value and its position.
#[derive(Debug)]
struct Node<'a> {
    value: Tree<'a>,
    place: Rc<Place>,
}

/// A position in a document.
#[derive(Debug, Default)]
enum Place {
    #[default]
    Document,
    Member(Rc<Self>, String),
    Element(Rc<Self>, usize),
}

impl Place {
    fn pointer(&self) -> String {
        match self {
            Self::Document => String::new(),
            Self::Member(object, name) => member(&object.pointer(), name),
            Self::Element(list, at) => format!("{}/{at}", list.pointer()),
        }
    }
}

impl<'a> Node<'a> {
    /// Visits the value. `name` is the JSON name of the expected type.
    fn visit<V: Visitor<'a>>(self, visitor: V, name: Option<&str>) -> Result<V::Value, Misfit> {
        let Self { value, place } = self;
        let visited = match value {
            Tree::Object(members) => {
                let node = |(name, value): (String, _)| {
                    let place = Place::Member(Rc::clone(&place), name.clone()).into();
                    (name, Node { value, place })
                };
                visitor.visit_map(MapDeserializer::new(members.into_iter().map(node)))
            }
            Tree::List(elements) => {
                let node = |(at, value)| Node { value, place: Place::Element(Rc::clone(&place), at).into() };
                visitor.visit_seq(SeqDeserializer::new(elements.into_iter().enumerate().map(node)))
            }
            Tree::Scalar(text) => visit_scalar(text, visitor),
            Tree::TooDeep => Err(Misfit::new("too_deep", "is nested too deep")),
            Tree::TooMany => Err(Misfit::new("too_many", "comes after too many objects and lists")),
        };
        visited.map_err(|misfit| misfit.within(&place, name))
    }
}

fn visit_scalar<'a, V: Visitor<'a>>(text: &str, visitor: V) -> Result<V::Value, Misfit> {
    if is_inexact(text.as_bytes()) {
        return Err(Misfit::new(
            "out_of_range",
            "has too many digits or too small an exponent for a JSON number; write it as a string",
        ));
    }
    let value = serde_json::from_str(text).map_err(|_| Misfit::new("invalid", "is not a value that can be read"))?;
    match value {
        Value::Bool(value) => visitor.visit_bool(value),
        Value::String(text) => visitor.visit_string(text),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => visitor.visit_u64(number),
            (None, Some(number)) => visitor.visit_i64(number),
            (None, None) => match whole(&number) {
                Some(number) => visitor.visit_i64(number),
                None => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
            },
        },
        Value::Null | Value::Array(_) | Value::Object(_) => visitor.visit_unit(),
    }
}

/// A number such as `1.0` or `1e3` as an integer, which it also is in JSON Schema.
fn whole(number: &serde_json::Number) -> Option<i64> {
    number.as_f64()?.to_string().parse().ok()
}

macro_rules! named {
    ($($method:ident $name:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            self.visit(visitor, Some($name))
        }
    )*};
}

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = Misfit;

    named! {
        deserialize_bool "true or false";
        deserialize_i32 "a whole number";
        deserialize_i64 "a whole number";
        deserialize_u32 "a whole number";
        deserialize_u64 "a whole number";
        deserialize_str "a string";
        deserialize_string "a string";
        deserialize_seq "an array";
        deserialize_map "an object";
    }

    /// A derived type would also accept a list of its fields.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        if matches!(self.value, Tree::List(_)) {
            return Err(Misfit::of_type("wrong_type", &"an object").within(&self.place, None));
        }
        self.visit(visitor, Some("an object"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.visit(visitor, None)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if matches!(self.value, Tree::Scalar("null")) { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let place = Rc::clone(&self.place);
        let word: String = Deserialize::deserialize(self)?;
        visitor.visit_enum(word.into_deserializer()).map_err(|misfit: Misfit| misfit.within(&place, None))
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u8 u16 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct identifier
    }
}

impl<'de> IntoDeserializer<'de, Misfit> for Node<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// The members of an object in their order, with repeated ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members<T>(pub(crate) Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Members<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self(Vec::new()))
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut access: A) -> Result<Self, A::Error> {
        while let Some(member) = access.next_entry()? {
            self.0.push(member);
        }
        Ok(self)
    }
}
