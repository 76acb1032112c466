//! The `OpenAPI` document.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

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
fn every_post_that_changes_something_takes_a_key() {
    each_operation(&document(), |method, path, operation| {
        let keyed = operation["parameters"].to_string().contains("Idempotency-Key");
        // Two of these change nothing, and a task that is due already stays due.
        let unkeyed = ["/v1/quotes", "/v1/promos/validate", "/v1/tasks/{kind}/{subject}/retry"];
        let changes = method == "post" && !unkeyed.contains(&path);
        assert_eq!(keyed, changes, "{method} {path}");
    });
}

#[test]
fn what_is_not_there_yet_is_not_described() {
    let text = openapi();
    assert!(!text.contains("/webhooks"));
}
