//! The `OpenAPI` document in the form of a contract.

use std::collections::BTreeMap;

use commerce_core::money::Currency;
use serde_json::{Map, Value, json};

use super::Inner;
use super::settings::{Amounts, KeyRule, Lists};
use super::shape::{AMOUNTS, Member, OWN_SCHEMAS, Object, Shape};

/// The currency of examples that name none.
const USUAL: Currency = Currency::USD;
const EXPRESSION: &str = "$response.body#";

/// The document of a contract, from the one within.
pub(super) fn translated(mut document: Value, contract: &Inner) -> Value {
    let text = contract.prefixes.iter().map(|prefix| format!("`{prefix}/`")).collect::<Vec<_>>().join(", ");
    document["info"]["description"] =
        format!("Carts, promotions, orders, payments, returns and stock of a shop. Every route answers under {text}.")
            .into();
    links(&mut document, contract);
    paths(&mut document["paths"], contract);
    let components = &mut document["components"];
    each(&mut components["examples"], |name, example| {
        let value = example["value"].take();
        example["value"] = example_of(name, value, contract);
    });
    each(&mut components["schemas"], |name, schema| schema_of(name, schema, contract));
    own_forms(&mut components["schemas"]);
    document
}

fn each(object: &mut Value, mut change: impl FnMut(&str, &mut Value)) {
    object.as_object_mut().into_iter().flatten().for_each(|(name, value)| change(name, value));
}

fn paths(paths: &mut Value, contract: &Inner) {
    let Some(known) = paths.as_object_mut().map(std::mem::take) else { return };
    let renamed = known.into_iter().map(|(path, mut item)| {
        each(&mut item, |_, operation| operation_of(operation, contract));
        (contract.path(&path).unwrap_or(path), item)
    });
    *paths = renamed.collect::<Map<_, _>>().into();
}

fn operation_of(described: &mut Value, contract: &Inner) {
    let id = described["operationId"].as_str().unwrap_or_default().to_owned();
    let Some(operation) = contract.operations.get(&id) else { return };
    let generates = contract.settings.idempotency_key == Some(KeyRule::Generated);
    for parameter in described.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        let member = operation.parameters.inner(parameter["name"].as_str().unwrap_or_default());
        if let Some(member) = member.filter(|_| parameter["in"] == "query") {
            parameter["name"] = member.outer.as_str().into();
        } else if generates && parameter["name"] == "Idempotency-Key" {
            parameter["required"] = false.into();
        }
    }
    if operation.answer.as_ref().is_some_and(|answer| is_bare(answer, contract)) {
        each(&mut described["responses"], |status, answer| {
            if status.starts_with('2') {
                answer["headers"]["Link"] = next_page();
            }
        });
    }
    let Some(picks) = contract.settings.picks.get(&id) else { return };
    each(&mut described["responses"], |_, answer| {
        if let Some(schema) = answer.pointer_mut("/content/application~1json/schema") {
            let picked: Map<_, _> = picks.keys().map(|name| (name.clone(), json!({ "type": "string" }))).collect();
            *schema = json!({ "allOf": [schema.take(), { "type": "object", "properties": picked }] });
        }
    });
}

/// The header that has the next page of a list without an object around it.
fn next_page() -> Value {
    json!({
        "description": "The next page, if there is one: `<PATH?QUERY>; rel=\"next\"`.",
        "schema": { "type": "string" },
    })
}

/// Changes the expressions of links, and the bodies that they are in.
fn links(document: &mut Value, contract: &Inner) {
    each(&mut document["components"]["links"], |name, link| {
        let answer = Shape::named(name.rsplit_once('_').map_or(name, |(document, _)| document));
        let id = link["operationId"].as_str().unwrap_or_default();
        let body = contract.operations.get(id).and_then(|operation| operation.body.as_ref());
        if let Some(body) = body.filter(|_| link.get("requestBody").is_some()) {
            link["requestBody"] = shown(body, link["requestBody"].clone(), contract);
        }
        expressions(link, &answer, contract);
    });
}

fn expressions(value: &mut Value, answer: &Shape, contract: &Inner) {
    match value {
        Value::String(text) => {
            if let Some(pointer) = text.strip_prefix(EXPRESSION) {
                let outer = match pointer.strip_prefix("/items").filter(|_| is_bare(answer, contract)) {
                    Some(rest) => {
                        contract.shapes.entries(answer).map(|entry| contract.shapes.pointer(entry, None, rest))
                    }
                    None => Some(contract.shapes.pointer(answer, None, pointer)),
                };
                *text = format!("{EXPRESSION}{}", outer.unwrap_or_default());
            }
        }
        Value::Array(entries) => entries.iter_mut().for_each(|entry| expressions(entry, answer, contract)),
        Value::Object(members) => members.values_mut().for_each(|member| expressions(member, answer, contract)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether pages of this form are written as their entries alone.
fn is_bare(shape: &Shape, contract: &Inner) -> bool {
    contract.settings.lists == Some(Lists::Array) && contract.shapes.entries(shape).is_some()
}

fn example_of(name: &str, value: Value, contract: &Inner) -> Value {
    let shape = Shape::named(name);
    match contract.shapes.entries(&shape).filter(|_| is_bare(&shape, contract)) {
        Some(entries) => shown(entries, value["items"].clone(), contract),
        None => shown(&shape, value, contract),
    }
}

/// A document as it leaves.
fn shown(shape: &Shape, value: Value, contract: &Inner) -> Value {
    let written = contract.translated_out(shape, value.to_string().as_bytes(), USUAL);
    written.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or(value)
}

/// The events of the feed have the same form in all contracts, which is not that of other answers.
fn own_forms(schemas: &mut Value) {
    let Some(schemas) = schemas.as_object_mut() else { return };
    schemas.retain(|name, _| {
        !OWN_SCHEMAS.contains(&name.as_str()) || ["Event", "EventList", "EventPayload"].contains(&name.as_str())
    });
    let text = "What the event is about. `/asyncapi.json` describes it.";
    schemas.insert("EventPayload".to_owned(), json!({ "type": "object", "description": text }));
}

fn schema_of(name: &str, schema: &mut Value, contract: &Inner) {
    let known = Shape::named(name);
    if OWN_SCHEMAS.contains(&name) {
        return;
    }
    if AMOUNTS.contains(&name) {
        amount(schema, contract);
    } else if is_bare(&known, contract) {
        let entries = schema.pointer_mut("/properties/items").map(Value::take).unwrap_or_default();
        *schema = entries;
    } else {
        form(schema, contract.shapes.get(name).unwrap_or(&Shape::Same), contract);
    }
}

fn amount(schema: &mut Value, contract: &Inner) {
    let usual = schema["description"].take();
    *schema = match contract.settings.amounts {
        Some(Amounts::Number) => json!({
            "type": "number", "description": "An amount in major units, with all its digits.",
        }),
        Some(Amounts::MinorUnits) => json!({
            "type": "integer", "description": "An amount in the smallest unit of its currency.", "examples": [999],
        }),
        Some(Amounts::String) | None => {
            schema["description"] = usual;
            schema.take()
        }
    };
}

/// Changes the names and words of a schema.
fn form(schema: &mut Value, shape: &Shape, contract: &Inner) {
    match shape {
        Shape::Object(object) => {
            members(schema, object, contract);
            callers(schema, object);
        }
        Shape::List(entry) => {
            if let Some(items) = schema.get_mut("items") {
                form(items, entry, contract);
            }
            choices(schema, |part| form(part, shape, contract));
        }
        Shape::Words(words) => {
            for list in ["enum", "examples"] {
                for word in schema.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                    let outer = word.as_str().and_then(|word| words.outer(word)).map(Value::from);
                    *word = outer.unwrap_or_else(|| word.take());
                }
            }
        }
        Shape::Same | Shape::Amount | Shape::Named(_) => {}
    }
}

fn members(schema: &mut Value, object: &Object, contract: &Inner) {
    choices(schema, |part| members(part, object, contract));
    let outer = |name: &str| object.inner(name).map_or_else(|| name.to_owned(), |member| member.outer.clone());
    let count =
        |name: &str| object.inner(name).map_or_else(|| name.to_owned(), |member| contract.shapes.count(member).0);
    let (mut named, mut others) = (BTreeMap::new(), Map::new());
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        let known = std::mem::take(properties).into_iter();
        properties.extend(known.map(|(name, mut property)| {
            let member = object.inner(&name);
            if let Some(member) = member {
                form(&mut property, &member.shape, contract);
            }
            let outer = if property["type"] == "integer" { count(&name) } else { outer(&name) };
            let aliases = member.map(|member| member.aliases.as_slice()).unwrap_or_default();
            others.extend(aliases.iter().map(|alias| (alias.clone(), alias_of(&outer))));
            named.insert(name, outer.clone());
            (outer, property)
        }));
        properties.extend(others);
    }
    aliased(schema, object);
    for name in schema.get_mut("required").and_then(Value::as_array_mut).into_iter().flatten() {
        let inner = name.as_str().unwrap_or_default();
        *name = named.get(inner).cloned().unwrap_or_else(|| outer(inner)).into();
    }
}

fn alias_of(outer: &str) -> Value {
    json!({ "description": format!("Another name of `{outer}` in requests. One of both is given.") })
}

/// A required member that has aliases may be given by one of them.
fn aliased(schema: &mut Value, object: &Object) {
    let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) else { return };
    let has_aliases = |name: &Value| {
        let member = name.as_str().and_then(|name| object.inner(name));
        member.filter(|member| !member.aliases.is_empty())
    };
    let one_of_its_names = |member: &Member| {
        let names = member.aliases.iter().chain([&member.outer]).map(|name| json!({ "required": [name] }));
        json!({ "anyOf": names.collect::<Vec<_>>() })
    };
    let given: Vec<_> = required.iter().filter_map(has_aliases).map(one_of_its_names).collect();
    required.retain(|name| has_aliases(name).is_none());
    if let (false, Some(schema)) = (given.is_empty(), schema.as_object_mut()) {
        let parts = schema.entry("allOf").or_insert_with(|| json!([]));
        parts.as_array_mut().into_iter().for_each(|parts| parts.extend(given.iter().cloned()));
    }
}

/// Adds the members that may name the caller.
fn callers(schema: &mut Value, object: &Object) {
    let text = "The id of the caller. Another one is refused; without it, nothing changes.";
    for name in &object.caller {
        schema["properties"][name] = json!({ "type": "string", "description": text });
    }
}

/// Changes the parts and choices of a schema. Those that are references change with what they refer to.
fn choices(schema: &mut Value, mut change: impl FnMut(&mut Value)) {
    for name in ["allOf", "oneOf", "anyOf"] {
        schema.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten().for_each(&mut change);
    }
}
