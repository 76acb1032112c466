//! The `OpenAPI` document.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use commerce_http::openapi;
use serde_json::{Value, json};

fn document() -> Value {
    serde_json::from_str(&openapi()).unwrap()
}

fn each_operation(document: &Value, mut visit: impl FnMut(&str, &str, &Value)) {
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            visit(method, path, operation);
        }
    }
}

#[test]
fn parameters_of_a_path_are_described() {
    each_operation(&document(), |method, path, operation| {
        let named = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let described = parameters.iter().filter(|parameter| parameter["in"] == "path");
        let described = described.filter_map(|parameter| parameter["name"].as_str());
        assert!(named.eq(described), "{method} {path}");
    });
}

#[test]
fn what_a_request_needs_is_described() {
    let document = document();
    let required = |name: &str| document["components"]["schemas"][name]["required"].clone();
    assert_eq!(required("NewOrder"), json!(["shipping_address"]));
    assert_eq!(required("CheckOut"), json!(["cart_id", "shipping_address"]));
    assert_eq!(required("Address"), json!(["line1", "city", "postal_code", "country"]));
    assert_eq!(required("NewOrderItem"), json!(["quantity"]));
    assert_eq!(required("NewProduct"), json!(["name", "variants"]));
    assert_eq!(required("NewReturn"), json!(["items"]));
    assert_eq!(required("Problem"), json!(["type", "title", "status", "detail", "code", "error", "request_id"]));
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
}

#[test]
fn every_schema_is_used() {
    let document = document();
    let text = document.to_string();
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(text.contains(&format!("#/components/schemas/{name}\"")), "{name}");
    }
}

/// Of two types with one name, a schema is generated for one, without a word.
#[test]
fn no_two_types_have_the_schema_of_one_name() {
    let mut names = BTreeSet::new();
    for text in sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))) {
        let values = text.lines().filter_map(|line| line.trim_start().split_once("Schema \""));
        for (name, _) in values {
            assert!(names.insert(name.to_owned()), "{name}");
        }
        for (at, _) in text.match_indices("ToSchema)]").chain(text.match_indices("shape! {")) {
            let item = text[at..].split("{\n").find(|part| part.contains("struct ") || part.contains("enum "));
            let Some(name) = item.and_then(name_of_schema) else { continue };
            assert!(names.insert(name.clone()), "{name}");
        }
    }
    assert!(names.len() > 80, "{names:?}");
}

/// The name that a declaration gives to its schema: `#[schema(as = Name)]`, or that of the type.
fn name_of_schema(item: &str) -> Option<String> {
    let word = |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').next().map(str::to_owned);
    let named = item.split_once("schema(as = ").map(|(_, rest)| rest);
    named
        .or_else(|| item.split_once("struct ").or_else(|| item.split_once("enum ")).map(|(_, rest)| rest))
        .and_then(word)
        .filter(|name| !name.is_empty())
}

fn sources(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![fs::read_to_string(path).unwrap()] })
        .collect()
}

#[test]
fn operations_have_ids_of_their_own_and_are_described() {
    let mut ids = BTreeSet::new();
    each_operation(&document(), |method, path, operation| {
        let id = operation["operationId"].as_str().unwrap().to_owned();
        assert!(ids.insert(id.clone()), "{id} is not of {method} {path} alone");
        assert!(operation["security"].is_array(), "{id}");
        assert!(operation["summary"].is_string(), "{id}");
        for (status, response) in operation["responses"].as_object().unwrap() {
            let is_described = response["description"].as_str().is_some_and(|text| !text.is_empty());
            assert!(is_described || response["$ref"].is_string(), "{id} {status}");
        }
    });
    for id in ["createOrder", "listOrders", "getOrder", "getHealth"] {
        assert!(ids.contains(id), "{id}");
    }
}

#[test]
fn who_may_use_an_operation_is_described() {
    let document = document();
    let (bearer, session) = (json!({ "bearer": [] }), json!({ "session": [] }));
    let security = |path: &str, method: &str| document["paths"][path][method]["security"].clone();
    assert_eq!(security("/v1/orders", "post"), json!([bearer, session]));
    assert_eq!(security("/v1/products", "get"), json!([{}, bearer, session]));
    assert_eq!(security("/healthz", "get"), json!([]));
    assert_eq!(security("/v1/webhooks/payments/{processor}", "post"), json!([]));
    assert_eq!(document["paths"]["/v1/promos"]["post"]["x-roles"], json!(["admin"]));
    assert_eq!(document["paths"]["/v1/orders"]["post"]["x-roles"], Value::Null);
}

#[test]
fn every_post_that_changes_something_takes_a_key() {
    each_operation(&document(), |method, path, operation| {
        let keyed = operation["parameters"].to_string().contains("Idempotency-Key");
        // Two of these change nothing, a task that is due already stays due, and events are replayed from the same place again. A test
        // is sent each time. Events of processors have ids of their own.
        let unkeyed = [
            "/v1/quotes",
            "/v1/promos/validate",
            "/v1/dead-letters/{id}/retry",
            "/v1/inbox/{source}",
            "/v1/tasks/{kind}/{subject}/retry",
            "/v1/webhook-endpoints/{id}/replay",
            "/v1/webhook-endpoints/{id}/test",
        ];
        let changes = method == "post" && !unkeyed.contains(&path) && !path.starts_with("/v1/webhooks/");
        assert_eq!(keyed, changes, "{method} {path}");
    });
}
