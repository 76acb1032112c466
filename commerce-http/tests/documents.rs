//! The form of a document: the first flaw is told with its place.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use commerce_http::dto::{Refused, read};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(rename = "a/b")]
    _quantity: Option<u32>,
    #[serde(default)]
    _inner: Vec<Self>,
}

#[track_caller]
fn check(text: &str, pointer: &str, code: &str, message: &str) {
    let Err(Refused::Invalid(faults)) = read::<Line>(text.as_bytes()) else { panic!("{text} is taken") };
    let [fault] = faults.as_slice() else { panic!("{faults:?}") };
    let place = if pointer.is_empty() { "the document".to_owned() } else { format!("{pointer}:") };
    assert_eq!((fault.pointer(), fault.code()), (pointer, code), "{text}");
    assert_eq!(fault.to_string(), format!("{place} {message}"), "{text}");
}

#[test]
fn the_place_and_the_type_are_named() {
    check("[]", "", "wrong_type", "must be an object");
    check(r#"{ "_inner": [{}, { "a/b": "1" }] }"#, "/_inner/1/a~1b", "wrong_type", "must be a whole number");
    check(r#"{ "a/b": -1 }"#, "/a~1b", "invalid", "must be a whole number");
    check(r#"{ "_inner": [{ "c~": 1 }] }"#, "/_inner/0/c~0", "unknown_field", "is not a known field");
    check(r#"{ "a/b": 1, "a/b": 1 }"#, "/a~1b", "duplicate", "occurs twice");
    check(r#"{ "_inner": {} }"#, "/_inner", "wrong_type", "must be an array");
}

#[test]
fn depth_is_limited() {
    let text = format!("{}{}", r#"{ "_inner": ["#.repeat(1000), "]}".repeat(1000));
    check(&text, &"/_inner/0".repeat(64), "too_deep", "is nested too deep");
}
