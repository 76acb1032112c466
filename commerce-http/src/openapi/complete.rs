//! What follows from the table of routes and is common to operations: ids, security, headers and problems.

use std::collections::BTreeMap;

use http::StatusCode;
use utoipa::openapi::header::Header;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{AllOf, AllOfBuilder, SchemaType};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    Components, Content, HeaderBuilder, Object, ObjectBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder, Schema,
    Type,
};

use super::{examples, links, problems};
use crate::dto::schema;
use crate::route::{Access, Route, RouteGroup};
use crate::routes::ROUTES;

/// Headers of answers: name, whether it is a number, description.
const HEADERS: [(&str, bool, &str); 6] = [
    ("ETag", false, "The version, for `If-Match`."),
    ("Location", false, "The path of what was created."),
    ("Idempotent-Replayed", false, "`true` if this is the first answer to the key, again."),
    ("X-Request-Id", false, "The id of the request: the caller's own, or a new one."),
    ("Retry-After", true, "The seconds after which a repetition may succeed."),
    ("WWW-Authenticate", false, "The scheme of the token."),
];
/// How to get a token.
const TOKEN: &str = "A JSON Web Token of the shop, without `Bearer`. With a development key or a shared secret, \
                     `commerce token --sub alice --role customer` prints one.";
/// The documents that are answered with an `ETag`, and the operations whose answer has one but no document.
const TAGGED: [&str; 11] = [
    "Cart",
    "CodeCheck",
    "Customer",
    "Order",
    "Product",
    "Promotion",
    "Stock",
    "Variants",
    "WebhookEndpoint",
    "removeCartItem",
    "removeCartPromotion",
];
/// The operations that answer with a `Location`.
const LOCATED: [&str; 9] = [
    "createCheckout",
    "createOrder",
    "createPayment",
    "createPaymentMethod",
    "createProduct",
    "createPromotion",
    "createReturn",
    "createWebhookEndpoint",
    "openCart",
];

/// The statuses of problems that are the same for many operations.
const SHARED: [u16; 12] = [400, 401, 403, 404, 408, 412, 413, 414, 415, 431, 500, 501];
/// The answer to a conditional read.
const NOT_MODIFIED: &str = "NotModified";

/// Completes the generated document.
pub(super) fn complete(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    let bearer =
        HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").description(Some(TOKEN)).build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    let cookie = ApiKey::Cookie(ApiKeyValue::with_description("session", "The same token as a cookie, for browsers."));
    components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    components.headers = HEADERS.iter().map(header).collect();
    let problem = problem("Any other problem.", Ref::from_schema_name("Problem"));
    components.responses.insert("Problem".to_owned(), RefOr::T(problem));
    let mut known = ResponseBuilder::new().description("The caller has the current version already.").build();
    add_headers(&mut known, ["ETag", "X-Request-Id"]);
    components.responses.insert(NOT_MODIFIED.to_owned(), RefOr::T(known));
    refer_to_entries(components);
    open_parts(components);
    // Labels of promotions may have any characters.
    let others = components.schemas.iter_mut().filter(|(name, _)| !name.contains("Promotion"));
    others.for_each(|(_, schema)| describe_texts(schema));
    examples::describe(components);
    links::describe(components);
    for route in ROUTES {
        if let Some(operation) = operation(&mut document.paths.paths, route) {
            complete_operation(operation, route, components);
        }
    }
}

fn header((name, is_number, description): &(&str, bool, &str)) -> (String, RefOr<Header>) {
    let schema = Object::with_type(if *is_number { Type::Integer } else { Type::String });
    let header = HeaderBuilder::new().schema(Some(schema)).description(Some(*description)).build();
    ((*name).to_owned(), RefOr::T(header))
}

/// Replaces the copies of documents in lists by references.
fn refer_to_entries(components: &mut Components) {
    for (name, schema) in &mut components.schemas {
        if let (Some(entry), RefOr::T(Schema::Object(list))) = (name.strip_prefix("List_"), schema)
            && let Some(RefOr::T(Schema::Array(items))) = list.properties.get_mut("items")
        {
            items.items =
                utoipa::openapi::schema::ArrayItems::RefOrSchema(Box::new(Ref::from_schema_name(entry).into()));
        }
    }
}

/// Opens the documents that another one contains with members of its own.
fn open_parts(components: &mut Components) {
    let closed = components.schemas.clone();
    let parts = components.schemas.values_mut().filter_map(|schema| match schema {
        RefOr::T(Schema::AllOf(whole)) => Some(&mut whole.items),
        RefOr::T(_) | RefOr::Ref(_) => None,
    });
    for part in parts.flatten() {
        if let RefOr::Ref(reference) = part
            && let Some(RefOr::T(Schema::Object(object))) = closed.get(name_of(reference))
            && object.additional_properties.is_some()
        {
            let mut open = object.clone();
            open.additional_properties = None;
            *part = open.into();
        }
    }
}

/// Describes the characters of texts of limited length.
fn describe_texts(schema: &mut RefOr<Schema>) {
    let RefOr::T(Schema::Object(object)) = schema else { return };
    let is_text = match &object.schema_type {
        SchemaType::Type(of) => *of == Type::String,
        SchemaType::Array(types) => types.contains(&Type::String) && !types.contains(&Type::Number),
        SchemaType::AnyValue => false,
    };
    if let Some(limit) = object.max_length.filter(|_| is_text && object.pattern.is_none()) {
        object.pattern = Some(schema::characters(limit).to_owned());
    }
    object.properties.values_mut().for_each(describe_texts);
}

fn name_of(reference: &Ref) -> &str {
    reference.ref_location.rsplit('/').next().unwrap_or_default()
}

fn operation<'d>(paths: &'d mut BTreeMap<String, PathItem>, route: &Route) -> Option<&'d mut Operation> {
    let prefix = if route.part == RouteGroup::Shop { "/v1" } else { "" };
    let item = paths.get_mut(&format!("{prefix}{}", route.path))?;
    match route.method.as_str() {
        "GET" => item.get.as_mut(),
        "PUT" => item.put.as_mut(),
        "POST" => item.post.as_mut(),
        "DELETE" => item.delete.as_mut(),
        "PATCH" => item.patch.as_mut(),
        _ => None,
    }
}

fn complete_operation(operation: &mut Operation, route: &Route, components: &mut Components) {
    operation.operation_id = Some(route.id.to_owned());
    operation.security = Some(security(route));
    operation.description = Some(describe_access(operation, route));
    require_values(operation);
    let keyed = problems::takes(operation, "Idempotency-Key").is_some();
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response {
            succeed(response, status, keyed, route.id, components);
        }
    }
    if problems::takes(operation, "If-None-Match").is_some() {
        operation.responses.responses.insert("304".to_owned(), Ref::from_response_name(NOT_MODIFIED).into());
    }
    examples::refer(operation, components);
    links::refer(operation, route);
    let found = problems::of(operation, route);
    let found = found.into_iter().map(|(status, codes)| (status.to_string(), shared(status, &codes, components)));
    operation.responses.responses.extend(found);
    operation.responses.responses.insert("default".to_owned(), Ref::from_response_name("Problem").into());
}

/// Who may use an operation, as a text and, where it depends on the role, as `x-roles`.
fn describe_access(operation: &mut Operation, route: &Route) -> String {
    let Access::Holder(permission) = route.access else {
        let text = match route.access {
            Access::User => "For users.",
            Access::Signer => "For the payment processor, which signs the body.",
            Access::Anyone | Access::Holder(_) => "For everyone.",
        };
        return text.to_owned();
    };
    let roles: Vec<&str> = permission.roles().iter().map(|role| role.name()).collect();
    let text = format!("For {}.", roles.join(", "));
    operation.extensions.get_or_insert_default().insert("x-roles".to_owned(), roles.into());
    text
}

/// The system routes and those of webhooks need no token. A token changes what the catalog shows.
fn security(route: &Route) -> Vec<SecurityRequirement> {
    let schemes = ["bearer", "session"].map(|scheme| SecurityRequirement::new(scheme, [""; 0]));
    let guest = matches!(route.access, Access::Anyone).then(SecurityRequirement::default);
    if route.part == RouteGroup::Shop && route.access.takes_token() {
        guest.into_iter().chain(schemes).collect()
    } else {
        Vec::new()
    }
}

/// Completes the answer to a request that was carried out: its description and its headers.
fn succeed(response: &mut Response, status: &str, keyed: bool, id: &str, components: &Components) {
    let document = response.content.values().find_map(document_name).map(str::to_owned);
    if response.description.is_empty() {
        let schema = document.as_ref().and_then(|name| components.schemas.get(name));
        response.description = schema.and_then(description).unwrap_or_else(|| "Done.".to_owned());
    }
    let tagged = TAGGED.contains(&document.as_deref().unwrap_or(id));
    let located = status == "201" && LOCATED.contains(&id) || status == "308";
    let sent = [("ETag", tagged), ("Location", located), ("Idempotent-Replayed", keyed), ("X-Request-Id", true)];
    add_headers(response, sent.into_iter().filter_map(|(name, is_sent)| is_sent.then_some(name)));
}

fn add_headers(response: &mut Response, names: impl IntoIterator<Item = &'static str>) {
    let header = |name: &str| (name.to_owned(), RefOr::Ref(Ref::new(format!("#/components/headers/{name}"))));
    response.headers.extend(names.into_iter().map(header));
}

pub(super) fn document_name(content: &RefOr<Content>) -> Option<&str> {
    match content {
        RefOr::T(Content { schema: Some(RefOr::Ref(schema)), .. }) => Some(name_of(schema)),
        RefOr::T(_) | RefOr::Ref(_) => None,
    }
}

fn description(schema: &RefOr<Schema>) -> Option<String> {
    match schema {
        RefOr::T(Schema::Object(Object { description, .. }) | Schema::AllOf(AllOf { description, .. })) => {
            description.clone()
        }
        RefOr::T(_) | RefOr::Ref(_) => None,
    }
}

/// The answer to a request that was refused. Those that many operations have are one component.
fn shared(status: u16, codes: &[&str], components: &mut Components) -> RefOr<Response> {
    let refusal = RefOr::T(refusal(status, codes));
    let name = reason(status).replace(' ', "");
    let is_shared =
        SHARED.contains(&status) && *components.responses.entry(name.clone()).or_insert(refusal.clone()) == refusal;
    if is_shared { Ref::from_response_name(name).into() } else { refusal }
}

fn reason(status: u16) -> &'static str {
    StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default()
}

/// The answer to a request that was refused with one of the codes.
fn refusal(status: u16, codes: &[&str]) -> Response {
    let code = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(codes.iter().copied()));
    let coded = ObjectBuilder::new().schema_type(SchemaType::AnyValue).property("code", code);
    let schema = AllOfBuilder::new().item(Ref::from_schema_name("Problem")).item(coded);
    let mut response = problem(&format!("{}: `{}`.", reason(status), codes.join("`, `")), schema);
    match status {
        401 => add_headers(&mut response, ["WWW-Authenticate"]),
        429 | 503 => add_headers(&mut response, ["Retry-After"]),
        _ => {}
    }
    response
}

fn problem(description: &str, schema: impl Into<RefOr<Schema>>) -> Response {
    let content = Content::new(Some(schema));
    let response = ResponseBuilder::new().description(description).content("application/problem+json", content);
    let mut response = response.build();
    add_headers(&mut response, ["X-Request-Id"]);
    response
}

/// A parameter or a body that is absent is not null.
fn not_null(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(Object { schema_type: SchemaType::Array(types), .. })) => {
            types.retain(|one| *one != Type::Null);
        }
        RefOr::T(Schema::OneOf(choice)) if choice.items.len() == 2 => {
            if let Some(RefOr::Ref(given)) = choice.items.iter().find(|item| matches!(item, RefOr::Ref(_))) {
                *schema = RefOr::Ref(given.clone());
            }
        }
        RefOr::T(_) | RefOr::Ref(_) => {}
    }
}

fn require_values(operation: &mut Operation) {
    let parameters = operation.parameters.iter_mut().flatten().filter_map(|parameter| match parameter {
        RefOr::T(parameter) => parameter.schema.as_mut(),
        RefOr::Ref(_) => None,
    });
    parameters.for_each(not_null);
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        let contents = body.content.values_mut().filter_map(|content| match content {
            RefOr::T(content) => content.schema.as_mut(),
            RefOr::Ref(_) => None,
        });
        contents.for_each(not_null);
    }
}
