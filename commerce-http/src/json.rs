//! Reading a JSON body, and saying precisely what is wrong with one.

use std::fmt::{self, Display};

use commerce_core::problem::{Findings, Problems, Read};
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, DeserializeOwned, Deserializer, Expected, IntoDeserializer, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::dto::{Fault, Refused};
use crate::problem::Problem;

const MAX_DEPTH: usize = 128;

/// Reads a document.
///
/// A document that is not JSON is malformed (400); one that is JSON and not of the form wanted is invalid (422), with a pointer
/// to the place. The place is looked for in a second reading, so that reading a good document costs nothing extra.
pub(crate) fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, Problem> {
    Ok(parse(text)?)
}

/// As [`read`], before there is a problem for a client.
pub(crate) fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, Refused> {
    serde_json::from_slice(text).or_else(|_| read_closely(text))
}

fn read_closely<T: DeserializeOwned>(text: &[u8]) -> Result<T, Refused> {
    let text = serde_json::from_slice(text).map_err(Refused::NotJson)?;
    let document = Node { text, pointer: String::new(), depth: 0 };
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

/// A value that was read, or everything that is wrong with it.
pub(crate) fn checked<T>(read: impl FnOnce(&mut Findings) -> Read<T>) -> Result<T, Problem> {
    let mut findings = Findings::default();
    let value = read(&mut findings);
    findings.finish(value).map_err(refused)
}

/// The problems of values that were walked with their path in hand.
pub(crate) fn refused(problems: Problems) -> Problem {
    Refused::from(problems).into()
}

fn member(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Why a document does not have the form wanted. Serde says which of its errors it is; the words are ours.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Misfit {
    pointer: Option<String>,
    /// The member that is meant, where it is not the value itself.
    member: Option<String>,
    code: &'static str,
    message: String,
    /// Whether the message says which type is wanted.
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

    /// Places it, unless it was found further inside. A type is named as JSON names it.
    fn within(self, pointer: &str, name: Option<&str>) -> Self {
        if self.pointer.is_some() {
            return self;
        }
        let name = name.filter(|_| self.names_type);
        let message = name.map_or(self.message, |name| format!("must be {name}"));
        Self { pointer: Some(pointer.to_owned()), message, ..self }
    }

    fn fault(self) -> Fault {
        let pointer = self.pointer.unwrap_or_default();
        Fault::at(self.member.map_or(pointer.clone(), |name| member(&pointer, &name)), self.code, self.message)
    }
}

impl de::Error for Misfit {
    fn custom<T: Display>(message: T) -> Self {
        Self::new("invalid", message)
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

/// A value of a document that is JSON, and its place.
#[derive(Debug)]
struct Node<'a> {
    text: &'a RawValue,
    pointer: String,
    depth: usize,
}

impl<'a> Node<'a> {
    fn inner(&self, name: &str, text: &'a RawValue) -> Self {
        Node { text, pointer: member(&self.pointer, name), depth: self.depth + 1 }
    }

    /// Visits the value; `name` is what the type wanted is called in JSON.
    fn visit<V: Visitor<'a>>(&self, visitor: V, name: Option<&str>) -> Result<V::Value, Misfit> {
        let visited = match self.text.get().as_bytes().first() {
            Some(b'{' | b'[') if self.depth == MAX_DEPTH => Err(Misfit::new("too_deep", "is nested too deep")),
            Some(b'{') => self.visit_members(visitor),
            Some(b'[') => self.visit_elements(visitor),
            _ => self.visit_scalar(visitor),
        };
        visited.map_err(|misfit| misfit.within(&self.pointer, name))
    }

    fn visit_members<V: Visitor<'a>>(&self, visitor: V) -> Result<V::Value, Misfit> {
        let Members(members) = self.parse()?;
        let node = |(name, text): (String, &'a RawValue)| {
            let node = self.inner(&name, text);
            (name, node)
        };
        visitor.visit_map(MapDeserializer::new(members.into_iter().map(node)))
    }

    fn visit_elements<V: Visitor<'a>>(&self, visitor: V) -> Result<V::Value, Misfit> {
        let elements: Vec<&RawValue> = self.parse()?;
        let node = |(at, text): (usize, _)| self.inner(&at.to_string(), text);
        visitor.visit_seq(SeqDeserializer::new(elements.into_iter().enumerate().map(node)))
    }

    fn visit_scalar<V: Visitor<'a>>(&self, visitor: V) -> Result<V::Value, Misfit> {
        match self.parse()? {
            Value::Bool(value) => visitor.visit_bool(value),
            Value::String(text) => visitor.visit_string(text),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => visitor.visit_u64(number),
                (None, Some(number)) => visitor.visit_i64(number),
                (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::Null | Value::Array(_) | Value::Object(_) => visitor.visit_unit(),
        }
    }

    fn parse<T: Deserialize<'a>>(&self) -> Result<T, Misfit> {
        serde_json::from_str(self.text.get()).map_err(|_| Misfit::new("invalid", "is not a value that can be read"))
    }
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

    /// A derived type would take a list of its fields as well.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        if self.text.get().starts_with('[') {
            return Err(Misfit::of_type("wrong_type", &"an object").within(&self.pointer, None));
        }
        self.visit(visitor, Some("an object"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.visit(visitor, None)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if self.text.get() == "null" { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let word: String = Deserialize::deserialize(Node { pointer: self.pointer.clone(), ..self })?;
        visitor.visit_enum(word.into_deserializer()).map_err(|misfit: Misfit| misfit.within(&self.pointer, None))
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u8 u16 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Misfit> for Node<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// The members of an object as they stand, repeated ones too.
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
