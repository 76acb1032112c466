//! The `AsyncAPI` 3 document: the events that leave the shop, with a JSON Schema for each type. It is made of the schemas of the
//! [`openapi`](crate::openapi()) document.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use bytes::Bytes;
use commerce_core::event::published_types;
use commerce_core::order::OrderEvent;
use commerce_core::stock::StockEvent;
use commerce_core::task::TaskEvent;
use serde_json::{Map, Value, json};

/// The serialized document.
pub(crate) static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(asyncapi()));

const PREFIX: &str = "#/components/schemas/";
const MEDIA_TYPE: &str = "application/cloudevents+json";

/// The members of the data of stock events that are always there, besides `sku`.
const OF_STOCK: [(&str, &[&str]); 4] = [
    ("stock.set", &["on_hand"]),
    ("stock.adjusted", &["delta", "reason"]),
    ("stock.low", &["available"]),
    ("stock.out", &["available"]),
];

/// The `AsyncAPI` 3 document of the events, as JSON.
///
/// ```
/// let document = commerce_http::asyncapi();
/// assert!(document.contains("\"#/components/schemas/order.paid\""));
/// ```
pub fn asyncapi() -> String {
    let openapi: Value = serde_json::from_str(&crate::openapi()).unwrap_or_default();
    let known = &openapi["components"]["schemas"];
    let mut schemas: Map<String, Value> =
        published_types().map(|name| (name.to_owned(), schema(known, name))).collect();
    add_reached(&mut schemas, known);
    let refer = |kind: &str, name: &str| json!({ "$ref": format!("#/{kind}/{name}") });
    let message =
        |name: &str| json!({ "name": name, "contentType": MEDIA_TYPE, "payload": refer("components/schemas", name) });
    let messages: Map<String, Value> = published_types().map(|name| (name.to_owned(), message(name))).collect();
    let of_channel: Map<String, Value> =
        published_types().map(|name| (name.to_owned(), refer("components/messages", name))).collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "commerce events",
            "version": openapi["info"]["version"],
            "description": "The events of a shop, as CloudEvents 1.0. Those with the same `subject` come in the order of `sequence`, at least once."
        },
        "defaultContentType": MEDIA_TYPE,
        "channels": { "events": { "description": "Every event of the shop.", "messages": of_channel } },
        "operations": { "tell": { "action": "send", "channel": refer("channels", "events") } },
        "components": { "messages": messages, "schemas": schemas }
    })
    .to_string()
}

/// The schema of events of a type.
fn schema(known: &Value, name: &str) -> Value {
    let mut schema = known["Event"].clone();
    schema["description"] = format!("The event `{name}`.").into();
    schema["properties"]["type"] = json!({ "type": "string", "const": name });
    schema["properties"]["data"] = data(name);
    schema
}

fn data(name: &str) -> Value {
    let refer = |to: &str| json!({ "$ref": format!("{PREFIX}{to}") });
    if OrderEvent::TYPES.contains(&name) {
        return refer("EventData");
    }
    if TaskEvent::TYPES.contains(&name) {
        return refer("TaskEventData");
    }
    if StockEvent::TYPES.contains(&name) {
        let members = OF_STOCK.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, members)| members);
        return json!({ "allOf": [refer("StockEventData"), { "required": members }] });
    }
    refer("DocumentEventData")
}

/// Adds the schemas that others refer to.
fn add_reached(schemas: &mut Map<String, Value>, known: &Value) {
    loop {
        let mut names = BTreeSet::new();
        schemas.values().for_each(|schema| note_references(schema, &mut names));
        names.retain(|name| !schemas.contains_key(name));
        if names.is_empty() {
            return;
        }
        for name in names {
            let schema = known[&name].clone();
            schemas.insert(name, schema);
        }
    }
}

fn note_references(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            let reference = members.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix(PREFIX));
            names.extend(reference.map(str::to_owned));
            members.values().for_each(|member| note_references(member, names));
        }
        Value::Array(entries) => entries.iter().for_each(|entry| note_references(entry, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
