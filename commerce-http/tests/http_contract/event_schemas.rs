//! The schemas of events. Every event of every test is checked against that of its type, and the schemas are those of the file that is
//! kept for their consumers.

use std::collections::HashMap;
use std::fs;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use commerce_core::engine::FeedItem;
use commerce_core::publishing::{Envelope, Form, Written};
use commerce_http::dto::event::write;
use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/asyncapi.json");

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(&commerce_http::asyncapi()).unwrap());
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

fn validator(name: &str) -> Arc<Validator> {
    let mut validators = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
    let make = || {
        let schemas = &DOCUMENT["components"]["schemas"];
        assert!(schemas.get(name).is_some(), "{name} has no schema");
        let whole = json!({ "$ref": format!("#/components/schemas/{name}"), "components": { "schemas": schemas } });
        let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
        Arc::new(options.build(&whole).unwrap())
    };
    Arc::clone(validators.entry(name.to_owned()).or_insert_with(make))
}

/// Checks an event against the schema of its type.
pub(crate) fn check(item: &FeedItem) {
    let name = item.event.event_type();
    let event = serde_json::from_slice(&commerce_http::dto::event::cloud_event(item, "urn:test").unwrap()).unwrap();
    let problems: Vec<_> =
        validator(name).iter_errors(&event).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(problems.is_empty(), "{name} is not as its schema says:\n{}\n{event}", problems.join("\n"));
    check_forms(item, &event);
}

/// Checks that the other forms of an event say the same, under the name of a target.
fn check_forms(item: &FeedItem, event: &Value) {
    let written = |envelope| write(item, &Form { source: "urn:test", event_type: "Theirs", envelope }).unwrap();
    let read = |written: &Written| serde_json::from_slice::<Value>(&written.body).unwrap();
    let mut expected = event.clone();
    expected["type"] = json!("Theirs");
    let structured = written(Envelope::CloudEvents);
    assert_eq!((read(&structured), structured.attributes.len()), (expected.clone(), 0));

    let binary = written(Envelope::CloudEventsBinary);
    let mut whole: Value = binary.attributes.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    (whole["datacontenttype"], whole["data"]) = (json!(binary.content_type), read(&binary));
    assert_eq!(whole, expected);

    let sequence: u64 = event["sequence"].as_str().unwrap().parse().unwrap();
    let plain = json!({
        "event_id": event["id"], "event_type": "Theirs", "timestamp": event["time"], "sequence": sequence, "data": event["data"],
    });
    assert_eq!(read(&written(Envelope::Plain)), plain);
}

/// What consumers of the old schema cannot read by the new one.
fn lost(place: &str, old: &Value, new: &Value, found: &mut Vec<String>) {
    let at = |name: &str| format!("{place}/{name}");
    for member in ["$ref", "type", "const", "pattern", "format"] {
        if old.get(member) != new.get(member) {
            found.push(at(member));
        }
    }
    for member in ["required", "enum"] {
        let all = |schema: &Value| schema[member].as_array().cloned().unwrap_or_default();
        let (old, new) = (all(old), all(new));
        found.extend(old.iter().filter(|one| !new.contains(one)).map(|one| format!("{}/{one}", at(member))));
    }
    for (name, old) in old["properties"].as_object().into_iter().flatten() {
        lost(&at(name), old, &new["properties"][name], found);
    }
    for member in ["items", "additionalProperties"] {
        if old[member].is_object() {
            lost(&at(member), &old[member], &new[member], found);
        }
    }
    for member in ["allOf", "oneOf", "anyOf"] {
        for (number, old) in old[member].as_array().into_iter().flatten().enumerate() {
            lost(&format!("{}/{number}", at(member)), old, &new[member][number], found);
        }
    }
}

fn lost_in(old: &Value, new: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (name, old) in old["components"]["schemas"].as_object().unwrap() {
        lost(name, old, &new["components"]["schemas"][name], &mut found);
    }
    found
}

/// `UPDATE_GOLDEN=1` writes the file, if its consumers can read the new events as they read the old ones.
#[test]
fn events_stay_readable_for_their_consumers() {
    let kept = fs::read(FILE).ok().map(|text| serde_json::from_slice::<Value>(&text).unwrap());
    if let Some(kept) = &kept {
        let lost = lost_in(kept, &DOCUMENT);
        assert!(lost.is_empty(), "consumers of events lose:\n{}", lost.join("\n"));
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(FILE, serde_json::to_string_pretty(&*DOCUMENT).unwrap() + "\n").unwrap();
    } else {
        assert!(kept.as_ref() == Some(&DOCUMENT), "schemas were added; write them by UPDATE_GOLDEN=1");
    }
}

#[test]
fn what_is_lost_is_found() {
    let change = |pointer: &str, value: Value| {
        let mut new = DOCUMENT.clone();
        *new["components"]["schemas"].pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
        lost_in(&DOCUMENT, &new)
    };
    assert_eq!(lost_in(&DOCUMENT, &DOCUMENT), [""; 0]);
    for (pointer, value) in [
        ("/order.paid", Value::Null),
        ("/order.paid/required", json!([])),
        ("/order.paid/properties/subject", json!({ "type": "integer" })),
        ("/order.paid/properties/data/$ref", json!("#/components/schemas/TaskEventData")),
        ("/Order/properties/total", Value::Null),
        ("/Phase/enum", json!(["paid"])),
        ("/OrderItem/properties/quantity/type", json!("string")),
        ("/stock.adjusted/properties/data/allOf/1/required", json!([])),
    ] {
        assert_ne!(change(pointer, value), [""; 0], "{pointer}");
    }
    let more = json!({ "type": "string" });
    let mut new = DOCUMENT.clone();
    new["components"]["schemas"]["Order"]["properties"]["color"] = more.clone();
    new["components"]["schemas"]["order.painted"] = more;
    assert_eq!(lost_in(&DOCUMENT, &new), [""; 0], "additions are no loss");
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    let text = DOCUMENT.to_string();
    for part in text.split("\"$ref\":\"#").skip(1) {
        let pointer = part.split('"').next().unwrap();
        assert!(DOCUMENT.pointer(pointer).is_some(), "{pointer}");
    }
}
