//! The `OpenAPI` 3.1 document, generated from the handlers and the shapes.

use std::sync::LazyLock;

use bytes::Bytes;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi as _};

use crate::problem::ProblemShape;
use crate::routes::{Shop, system};

/// The document as it is served: the same for everybody and for as long as the process lives.
pub(crate) static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(openapi()));

/// The whole interface.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "commerce",
        description = "Carts, promotions, orders, payments, returns and stock of a shop. Every route of `/v1` answers under `/api/v1` too."
    ),
    nest((path = "/v1", api = Shop)),
    paths(system::healthz, system::readyz, system::metrics, system::openapi_json, system::docs),
    components(schemas(ProblemShape<'_>)),
    modifiers(&Everywhere)
)]
struct Interface;

/// The `OpenAPI` 3.1 document of the interface, as JSON.
///
/// ```
/// let document = commerce_http::openapi();
/// assert!(document.contains("\"/v1/orders/{id}\""));
/// ```
pub fn openapi() -> String {
    Interface::openapi().to_json().unwrap_or_default()
}

/// What holds of every operation: how a caller says who they are, and what an error looks like.
struct Everywhere;

impl Modify for Everywhere {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        let cookie = ApiKey::Cookie(ApiKeyValue::new("session"));
        components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
        for (path, item) in &mut document.paths.paths {
            let shop = path.starts_with("/v1/");
            operations(item).for_each(|operation| complete(operation, shop));
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch].into_iter().flatten()
}

fn complete(operation: &mut Operation, shop: bool) {
    let problem = Content::new(Some(Ref::from_schema_name("Problem")));
    let response = ResponseBuilder::new().description("A problem.").content("application/problem+json", problem);
    operation.responses.responses.insert("default".to_owned(), RefOr::T(response.build()));
    if shop {
        let schemes = ["bearer", "session"].map(|scheme| SecurityRequirement::new(scheme, [""; 0]));
        operation.security = Some(schemes.into());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::*;
    use crate::route::RouteGroup;
    use crate::routes::ROUTES;

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
    fn routes_and_document_are_equal() {
        let mut documented = BTreeSet::new();
        each_operation(&document(), |method, path, _| {
            documented.insert(format!("{} {path}", method.to_uppercase()));
        });
        let prefix = |part| if part == RouteGroup::Shop { "/v1" } else { "" };
        let routed = ROUTES.iter().filter(|route| route.part != RouteGroup::Asset);
        let routed = routed.map(|route| format!("{} {}{}", route.method, prefix(route.part), route.path)).collect();
        assert_eq!(documented, routed);
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
}
