//! The `OpenAPI` document is true: every answer of every test is checked against it, and the body of every request that was
//! accepted.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

use crate::shop::{Ask, Reply, Shop, path_of, text};

/// The document, in which no object has members that are not described.
pub(crate) static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let mut document: Value = serde_json::from_str(&commerce_http::openapi()).unwrap();
    let mut parts = BTreeSet::new();
    note_parts(&document, false, &mut parts);
    for (name, schema) in document["components"]["schemas"].as_object_mut().unwrap() {
        let is_object = ["properties", "allOf", "oneOf"].iter().any(|form| schema.get(form).is_some());
        if is_object && !parts.contains(name) && name != "Problem" {
            schema["unevaluatedProperties"] = false.into();
        }
    }
    document
});
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// Collects the schemas whose members are a part of the members of another one.
fn note_parts(value: &Value, is_choice: bool, parts: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref").filter(|_| is_choice) {
                parts.insert(reference.rsplit('/').next().unwrap().to_owned());
            }
            for (name, member) in members {
                note_parts(member, is_choice && name == "oneOf" || name == "allOf", parts);
            }
        }
        Value::Array(entries) => entries.iter().for_each(|entry| note_parts(entry, is_choice, parts)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The operation of a request, and its path in the document.
pub(crate) fn operation(method: &Method, path: &str) -> Option<(&'static str, &'static Value)> {
    let path = path.split('?').next().unwrap();
    let path = path.strip_prefix("/api").unwrap_or(path);
    // The routes for operators answer with and without the prefix.
    let bare = path.strip_prefix("/v1").filter(|bare| DOCUMENT["paths"].get(bare).is_some());
    let path = bare.unwrap_or(path);
    let fits = |template: &str| {
        let (mut given, mut named) = (path.split('/'), template.split('/'));
        given.by_ref().zip(named.by_ref()).all(|(one, other)| one == other || other.starts_with('{') && !one.is_empty())
            && path.split('/').count() == template.split('/').count()
    };
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let mut found: Vec<_> = paths.iter().filter(|(template, _)| fits(template)).collect();
    found.sort_by_key(|(template, _)| template.matches('{').count());
    let (template, item) = found.first()?;
    let method = if method == Method::HEAD { Method::GET } else { method.clone() };
    Some((template, item.get(method.as_str().to_lowercase())?))
}

/// The validator of a schema of the document.
fn validator(name: &str, schema: &Value) -> Arc<Validator> {
    let mut validators = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
    let make = || {
        let whole = json!({ "allOf": [schema], "components": { "schemas": DOCUMENT["components"]["schemas"] } });
        let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
        Arc::new(options.build(&whole).unwrap())
    };
    Arc::clone(validators.entry(name.to_owned()).or_insert_with(make))
}

#[track_caller]
fn check_json(name: &str, schema: &Value, text: &[u8]) {
    let value: Value = serde_json::from_slice(text).unwrap_or_else(|_| panic!("{name} is not JSON"));
    let problems: Vec<_> = validator(name, schema)
        .iter_errors(&value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(problems.is_empty(), "{name} is not as the document says:\n{}\n{value}", problems.join("\n"));
}

/// Checks an answer and, if the request was accepted, its body, against the document.
#[track_caller]
pub(crate) fn check(ask: &Ask, reply: &Reply) {
    let Some((path, operation)) = operation(&ask.method, &ask.path) else {
        let known = ["route_not_found", "method_not_allowed"];
        let code = reply.json()["code"].clone();
        let is_page = ask.path == "/" || ask.path.starts_with("/docs/");
        assert!(known.iter().any(|known| code == *known) || is_page, "{} {} is not described", ask.method, ask.path);
        return;
    };
    let name = format!("{} {path} {}", ask.method, reply.status);
    check_answer(&name, operation, ask, reply);
    if reply.status.is_success() {
        check_request(&name, operation, ask);
        check_caller(&name, operation, ask);
    }
}

fn check_answer(name: &str, operation: &Value, ask: &Ask, reply: &Reply) {
    let status = reply.status.as_str();
    let other = &DOCUMENT["components"]["responses"]["Problem"];
    let described = operation["responses"].get(status).unwrap_or(if status >= "500" { other } else { &Value::Null });
    let component = described["$ref"].as_str().and_then(|reference| DOCUMENT.pointer(&reference[1..]));
    let described = component.unwrap_or(described);
    assert!(described.is_object(), "{name} is not described: {}", String::from_utf8_lossy(&reply.body));
    check_headers(name, described, reply);
    let Some(content) = described["content"].as_object().filter(|_| ask.method != Method::HEAD) else {
        assert!(reply.body.is_empty(), "{name} has a body");
        return;
    };
    if reply.header("content-encoding").is_empty() {
        let schema = content.get(reply.header("content-type"));
        let schema = schema.unwrap_or_else(|| panic!("{name} is of the type {}", reply.header("content-type")));
        if reply.header("content-type").ends_with("json") {
            check_json(name, &schema["schema"], &reply.body);
        }
    }
}

fn check_headers(name: &str, described: &Value, reply: &Reply) {
    let described = described["headers"].as_object().unwrap_or_else(|| panic!("{name} has no headers"));
    for header in ["ETag", "Location", "Retry-After", "WWW-Authenticate", "Idempotent-Replayed", "X-Request-Id"] {
        let (is_sent, is_described) = (reply.headers.contains_key(header), described.contains_key(header));
        let may_lack = ["Idempotent-Replayed", "Retry-After"].contains(&header);
        let may_come = header == "Retry-After" && reply.status.is_server_error();
        let is_true = is_sent == is_described || is_described && may_lack || is_sent && may_come;
        assert!(is_true, "{name}: {header} is sent: {is_sent}, described: {is_described}");
    }
}

fn check_request(name: &str, operation: &Value, ask: &Ask) {
    let described = &operation["requestBody"];
    if ask.body.is_empty() || described.is_null() {
        assert_ne!(described["required"], true, "{name} took a request without a body");
        return;
    }
    let essence = ask.value("content-type").and_then(|given| given.split(';').next()).unwrap_or_default();
    let schema = &described["content"][essence.to_lowercase()];
    let schema = if schema.is_null() { &described["content"]["application/json"] } else { schema };
    assert!(schema.is_object(), "{name} took a body");
    check_json(&format!("the request to {name}"), &schema["schema"], &ask.body);
}

/// A caller whose request was carried out is one of those that the document names.
fn check_caller(name: &str, operation: &Value, ask: &Ask) {
    let token = ask.value("authorization").or_else(|| ask.value("cookie"));
    let security = operation["security"].as_array().unwrap();
    let is_public = security.is_empty() || security.contains(&json!({}));
    let claims = token.and_then(|token| URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok());
    let Some(claims) = claims.and_then(|claims| serde_json::from_slice::<Value>(&claims).ok()) else {
        assert!(is_public, "{name} needs no token");
        return;
    };
    if let Some(roles) = operation["x-roles"].as_array() {
        let given = claims["roles"].as_array().unwrap();
        assert!(given.iter().any(|role| roles.contains(role)), "{name} is open to {given:?}");
    }
}

/// A body that the operation takes.
fn body(id: &str) -> Value {
    let product = json!({ "name": "Cup", "variants": [] });
    match id {
        "updateOrder" | "setOrderStatus" => json!({ "status": "shipped" }),
        "setOrderShipping" => json!({ "provider": "Post", "method": "parcel" }),
        "createRefund" | "refundPayment" | "rejectReturn" => json!({ "reason": "broken" }),
        "createPromotion" => json!({ "effect": { "type": "free_shipping" } }),
        "createQuote" => json!({ "currency": "USD", "at": "2026-01-15T12:00:00Z", "lines": [] }),
        "createProduct" | "replaceProduct" => product,
        "createWebhookEndpoint" => json!({ "url": "https://erp.example.com/events" }),
        "createCategory" => json!({ "id": "cups", "name": "Cups" }),
        "replaceCategory" => json!({ "name": "Cups" }),
        "setInventory" => json!({ "on_hand": 1 }),
        "adjustInventory" => json!({ "delta": 1, "reason": "found" }),
        _ => json!({}),
    }
}

#[tokio::test]
async fn roles_that_are_not_named_are_refused() {
    let shop = Shop::open().await;
    let order = shop.delivered_order(1).await;
    let path = format!("{}/returns", path_of(&order));
    let items = json!({ "items": [{ "item_id": order["items"][0]["id"], "quantity": 1 }] });
    let returned = shop.ann().post(&path, &items).send().await.expect(201);
    let (paths, mut asked) = (DOCUMENT["paths"].as_object().unwrap(), 0);
    for (path, method, operation) in
        paths.iter().flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |(name, op)| (path, name, op)))
    {
        let Some(roles) = operation["x-roles"].as_array() else { continue };
        let id = match path.split('/').nth(2).unwrap() {
            "orders" => &order["id"],
            "payments" => &order["payment"]["id"],
            "dead-letters" | "returns" | "webhook-endpoints" | "webhooks" => &returned["id"],
            _ => &json!("MUG"),
        };
        let path = path.replace("{id}", text(id)).replace("{refund_id}", "01890000-0000-7000-8000-00000000ffff");
        let path = path.replace(['{', '}'], "");
        let method: Method = method.to_uppercase().parse().unwrap();
        for (role, client) in [
            ("customer", shop.ann()),
            ("support", shop.support()),
            ("service", shop.service()),
            ("admin", shop.admin()),
        ] {
            if !roles.contains(&role.into()) {
                let ask = client.ask(method.clone(), &path).json(&body(text(&operation["operationId"])));
                ask.send().await.problem(403, "forbidden");
                asked += 1;
            }
        }
    }
    assert!(asked > 50, "{asked}");
}
