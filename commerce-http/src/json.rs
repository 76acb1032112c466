//! Reading a JSON body, and saying precisely what is wrong with one.

use commerce_core::problem::Problems;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_path_to_error::Segment;

use crate::dto::{Fault, Refused};
use crate::problem::Problem;

/// Reads a document.
///
/// A document that is not JSON is malformed (400); one that is JSON and not what is wanted is invalid (422), with a pointer
/// to the place. The place is only looked for once something is wrong: reading costs nothing extra.
pub(crate) fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, Problem> {
    Ok(parse(text)?)
}

/// As [`read`], before there is a problem for a client.
pub(crate) fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, Refused> {
    serde_json::from_slice(text).or_else(|error| parse_closely(text, error))
}

fn parse_closely<T: DeserializeOwned>(text: &[u8], error: serde_json::Error) -> Result<T, Refused> {
    // What is skipped is not looked at as closely as what is read, so the encoding is checked by itself.
    if str::from_utf8(text).is_err() {
        return Err(Refused::NotJson(error));
    }
    serde_json::from_slice::<IgnoredAny>(text).map_err(Refused::NotJson)?;
    let mut reader = serde_json::Deserializer::from_slice(text);
    match serde_path_to_error::deserialize::<_, T>(&mut reader) {
        Ok(_) => Err(Refused::NotJson(error)),
        Err(error) => Err(Refused::Invalid(vec![fault(&error)])),
    }
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

/// The problems of values that were walked with their path in hand.
pub(crate) fn refused(problems: Problems) -> Problem {
    Refused::from(problems).into()
}

fn fault(error: &serde_path_to_error::Error<serde_json::Error>) -> Fault {
    let mut pointer = pointer(error.path());
    let text = error.inner().to_string();
    let words = text.rsplit_once(" at line ").map_or(text.as_str(), |(words, _)| words);
    if let Some(name) = quoted(words, "missing field `") {
        push(&mut pointer, name);
        return Fault::at(pointer, "required", "is required");
    }
    if let Some(name) = quoted(words, "duplicate field `") {
        push(&mut pointer, name);
        return Fault::at(pointer, "duplicate", "is there twice");
    }
    if words == "recursion limit exceeded" {
        return Fault::at(pointer, "too_deep", "is nested too deep");
    }
    if words.starts_with("unknown field `") {
        return Fault::at(pointer, "unknown_field", "is not a field that is read here");
    }
    match words.rsplit_once(", expected ") {
        Some((_, expected)) if words.starts_with("invalid type: ") => {
            Fault::at(pointer, "wrong_type", format_args!("must be {}", plain(expected)))
        }
        Some((_, expected)) => Fault::at(pointer, "invalid", format_args!("must be {}", plain(expected))),
        None => Fault::at(pointer, "invalid", words),
    }
}

/// What a program calls `i64` people call a whole number.
fn plain(expected: &str) -> &str {
    match expected {
        "i64" | "u64" | "u32" | "u16" => "a whole number",
        other => other.strip_prefix("struct ").map_or(other, |_| "an object"),
    }
}

fn quoted<'a>(words: &'a str, prefix: &str) -> Option<&'a str> {
    words.strip_prefix(prefix)?.split('`').next()
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => push(&mut pointer, &index.to_string()),
            Segment::Map { key } => push(&mut pointer, key),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

fn push(pointer: &mut String, token: &str) {
    pointer.push('/');
    pointer.push_str(&token.replace('~', "~0").replace('/', "~1"));
}
