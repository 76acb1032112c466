//! The `OpenAPI` 3.1 document, generated from the table of routes, the handlers and the shapes.

mod complete;
mod examples;
mod links;
mod problems;

use std::sync::LazyLock;

use bytes::Bytes;
use utoipa::OpenApi as _;

use crate::problem::ProblemShape;
use crate::routes::{Shop, system};

/// The serialized document.
pub(crate) static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(openapi()));

/// The whole API.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "commerce",
        contact(name = "commerce"),
        description = "Carts, promotions, orders, payments, returns and stock of a shop. Every route of `/v1` answers under `/api/v1` too."
    ),
    servers((url = "/", description = "The server of this document.")),
    tags(
        (name = "carts", description = "Carts and the promotion codes in them."),
        (name = "orders", description = "Placing orders, and their states, shipments and histories."),
        (name = "payments", description = "Payments of orders, and refunds."),
        (name = "returns", description = "Returns of units of orders."),
        (name = "catalog", description = "Products, their variants and their categories."),
        (name = "promotions", description = "Promotions of the shop, their codes and their redemptions."),
        (name = "quotes", description = "Prices of any request."),
        (name = "customers", description = "The shop's facts about users."),
        (name = "webhooks", description = "Where events of the shop are sent."),
        (name = "inventory", description = "Stock by SKU."),
        (name = "events", description = "Everything that happened, in order."),
        (name = "inbox", description = "Events of other systems, and the dead letters among them."),
        (name = "tasks", description = "Work that the shop does later, such as refunds."),
        (name = "system", description = "For operators and developers.")
    ),
    nest((path = "/v1", api = Shop)),
    paths(system::healthz, system::readyz, system::metrics, system::openapi_json, system::asyncapi_json, system::docs),
    components(schemas(ProblemShape<'_>))
)]
struct Interface;

/// The `OpenAPI` 3.1 document of the API, as JSON.
///
/// ```
/// let document = commerce_http::openapi();
/// assert!(document.contains("\"/v1/orders/{id}\""));
/// ```
pub fn openapi() -> String {
    let mut document = Interface::openapi();
    complete::complete(&mut document);
    document.to_json().unwrap_or_default()
}

#[cfg(test)]
#[path = "../tests/unit/openapi.rs"]
mod tests;
