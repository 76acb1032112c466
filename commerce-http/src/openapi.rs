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
#[path = "../tests/unit/openapi.rs"]
mod tests;
