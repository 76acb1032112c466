//! Examples of the documents that are sent and answered, by schema. A test plays them: its requests are taken, and the answers
//! are these.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{Components, Content, Ref, RefOr};

use super::complete::document_name;

const EXAMPLES: &str = include_str!("examples.json");

/// Reads the examples.
pub(super) fn read() -> BTreeMap<String, Value> {
    serde_json::from_str(EXAMPLES).unwrap_or_default()
}

/// Adds the examples for operations to refer to.
pub(super) fn describe(components: &mut Components) {
    let example = |(name, value)| (name, RefOr::T(ExampleBuilder::new().value(Some(value)).build()));
    components.examples = read().into_iter().map(example).collect();
}

/// Refers to the examples of the body and of the answers.
pub(super) fn refer(operation: &mut Operation, components: &Components) {
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        body.content.values_mut().for_each(|content| refer_to_example(content, components));
    }
    for answer in operation.responses.responses.values_mut() {
        if let RefOr::T(answer) = answer {
            answer.content.values_mut().for_each(|content| refer_to_example(content, components));
        }
    }
}

fn refer_to_example(content: &mut RefOr<Content>, components: &Components) {
    let name = document_name(content).filter(|name| components.examples.contains_key(*name)).map(str::to_owned);
    if let (RefOr::T(content), Some(name)) = (content, name) {
        let example = Ref::new(format!("#/components/examples/{name}"));
        content.examples.insert(name, RefOr::Ref(example));
    }
}
