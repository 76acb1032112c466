//! Metadata: what is refused, and what is kept.

use alloc::format;

use serde_json::json;

use super::*;

#[track_caller]
fn refused(entries: Value, expected: &str) {
    let Value::Object(entries) = entries else { panic!("an object") };
    assert_eq!(Metadata::new(entries).unwrap_err().to_string(), expected);
}

fn many(count: usize) -> impl Iterator<Item = (String, Value)> {
    (0..count).map(|n| (format!("k{n}"), n.into()))
}

#[test]
fn everything_wrong_is_told_at_once() {
    let scalar = "must be a string, a number, true or false";
    refused(json!({ "a": null, "b": {}, "c": [1] }), &format!("/a: {scalar}; /b: {scalar}; /c: {scalar}"));
    let key = "must be named by 1 to 40 of the characters A-Z a-z 0-9 _ . -";
    refused(json!({ "": 1, "a b": 1, "é": 1 }), &format!("/: {key}; /a b: {key}; /é: {key}"));
    refused(json!({ "a~/b": 1 }), &format!("/a~0~1b: {key}"));
    refused(json!({ "k".repeat(41): 1 }), &format!("/{}: {key}", "k".repeat(41)));
    refused(
        json!({ "a": "é".repeat(251), "b": "\u{0}" }),
        "/a: is longer than 500 bytes; /b: must be without control characters",
    );
    let number = "must be a whole number of 64 bits or a number of at most 15 digits; write any other as a string";
    refused(
        json!({ "a": u64::MAX, "b": 0.123_456_789_012_345_6, "c": 1e300 }),
        &format!("/a: {number}; /b: {number}; /c: {number}"),
    );
    let twice = [("a".into(), json!(1)), ("a".into(), json!(2))];
    assert_eq!(Metadata::new(twice).unwrap_err().to_string(), "/a: occurs twice");
    assert_eq!(Metadata::new(many(51)).unwrap_err().to_string(), ": has more than 50 entries");
}

#[test]
fn what_is_at_its_limit_is_taken() {
    assert!(Metadata::new(many(50)).is_ok());
    let entries =
        [("k".repeat(40), json!("é".repeat(250))), ("n".into(), json!(i64::MIN)), ("d".into(), json!(0.000_01))];
    assert_eq!(Metadata::new(entries.clone()).unwrap().iter().count(), 3);
}

#[test]
fn a_number_that_is_whole_is_kept_as_one() {
    let metadata =
        Metadata::new([("a".into(), json!(1.0)), ("b".into(), json!(-0.0)), ("c".into(), json!(1.50))]).unwrap();
    assert_eq!(serde_json::to_string(&metadata).unwrap(), r#"{"a":1,"b":0,"c":1.5}"#);
    let keys: Vec<_> = metadata.lookup_keys().collect();
    assert_eq!(keys, ["metadata:a=1", "metadata:b=0", "metadata:c=1.5"]);
}

#[test]
fn a_patch_sets_and_removes() {
    let patch = |entries: Value| {
        let entries = entries.as_object().cloned().unwrap_or_default();
        MetadataPatch::read(entries, &mut Findings::default())
    };
    let metadata = Metadata::new(many(50)).unwrap();
    let full = metadata.clone();
    assert_eq!(metadata.patched(&patch(json!({ "one_more": 1 })).unwrap()), Err(MetadataError::TooManyEntries));
    assert_eq!(metadata, full);
    let other = patch(json!({ "k0": null, "k1": "new", "one_more": true, "unknown": null })).unwrap();
    let metadata = metadata.patched(&other).unwrap();
    assert_eq!(metadata.iter().count(), 50);
    let entry = |key: &str| metadata.get(key).cloned();
    assert_eq!((entry("k0"), entry("k1"), entry("one_more")), (None, Some(json!("new")), Some(json!(true))));
    assert_eq!(patch(json!({ "a": null, "b": [] })), None);
}

#[test]
fn limits_do_not_apply_to_what_is_stored() {
    let stored = json!({ "an old key": "x".repeat(501), "n": u64::MAX });
    let metadata: Metadata = serde_json::from_value(stored.clone()).unwrap();
    assert_eq!(serde_json::to_value(&metadata).unwrap(), stored);
}
