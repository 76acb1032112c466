//! The table of routes, and a file of handlers for each noun of it.
//!
//! Everything that knows a route knows it from here: the router, `Allow`, the labels of the metrics, and the test that holds
//! the `OpenAPI` document equal to the table.

pub(crate) mod carts;
pub(crate) mod categories;
pub(crate) mod checkouts;
pub(crate) mod history;
pub(crate) mod inventory;
pub(crate) mod orders;
pub(crate) mod payments;
pub(crate) mod products;
pub(crate) mod promos;
pub(crate) mod promotions;
pub(crate) mod quotes;
pub(crate) mod returns;
pub(crate) mod system;
pub(crate) mod tasks;

use std::sync::LazyLock;

use crate::route::{Route, Router, routes};

/// Finds the route of a request.
pub(crate) static ROUTER: LazyLock<Router> = LazyLock::new(|| Router::of(ROUTES));

/// Every route there is.
pub(crate) static ROUTES: &[Route] = routes! {
    Shop POST "/carts" carts::open;
    Shop GET "/carts/{id}" carts::show;
    Shop GET "/carts/{id}/history" history::of_cart;
    Shop POST "/carts/{id}/items" carts::add_item;
    Shop PATCH "/carts/{id}/items/{item_id}" carts::set_quantity;
    Shop DELETE "/carts/{id}/items/{item_id}" carts::remove_item;
    Shop POST "/carts/{id}/promotions" promotions::add;
    Shop DELETE "/carts/{id}/promotions/{code}" promotions::remove;

    Shop POST "/checkouts" checkouts::create;

    Shop POST "/orders" orders::create;
    Shop GET "/orders" orders::list;
    Shop GET "/users/{user_id}/orders" orders::list_of_user;
    Shop GET "/orders/{id}" orders::show;
    Shop PATCH "/orders/{id}" orders::update;
    Shop DELETE "/orders/{id}" orders::delete;
    Shop GET "/orders/{id}/events" orders::events;
    Shop PUT "/orders/{id}/status" orders::set_status;
    Shop POST "/orders/{id}/cancel" orders::cancel;
    Shop PUT "/orders/{id}/shipping" orders::set_shipping;

    Shop POST "/orders/{id}/returns" returns::create;
    Shop GET "/returns" returns::list;
    Shop GET "/returns/{id}" returns::show;
    Shop POST "/returns/{id}/approve" returns::approve;
    Shop POST "/returns/{id}/reject" returns::reject;
    Shop POST "/returns/{id}/receive" returns::receive;

    Shop GET "/payments/{id}" payments::show;
    Shop POST "/payments/{id}/confirm" payments::confirm;
    Shop POST "/payments/{id}/refunds" payments::refund;

    Shop GET "/promos" promos::list;
    Shop POST "/promos" promos::create;
    Shop POST "/promos/validate" promos::validate;
    Shop GET "/promos/{id}" promos::show;
    Shop PATCH "/promos/{id}" promos::update;
    Shop DELETE "/promos/{id}" promos::end;
    Shop GET "/promos/{id}/history" history::of_promotion;
    Shop GET "/promos/{id}/redemptions" promos::redemptions;

    Shop POST "/quotes" quotes::create;

    Shop GET "/products" products::list;
    Shop POST "/products" products::create;
    Shop GET "/products/{id}" products::show;
    Shop PUT "/products/{id}" products::replace;
    Shop GET "/products/{id}/history" history::of_product;
    Shop GET "/products/{id}/variants" products::variants;
    Shop GET "/products/{id}/inventory" inventory::of_product;
    Shop GET "/categories" categories::list;
    Shop POST "/categories" categories::create;
    Shop PUT "/categories/{id}" categories::rename;
    Shop GET "/categories/{id}/history" history::of_category;

    Shop GET "/inventory" inventory::list;
    Shop GET "/inventory/{sku}" inventory::show;
    Shop PUT "/inventory/{sku}" inventory::set;
    Shop POST "/inventory/{sku}/adjustments" inventory::adjust;

    Shop GET "/tasks" tasks::list;
    Shop GET "/tasks/{kind}/{subject}" tasks::show;
    Shop POST "/tasks/{kind}/{subject}/retry" tasks::retry;
    Shop DELETE "/tasks/{kind}/{subject}" tasks::delete;

    System GET "/healthz" system::healthz;
    System GET "/readyz" system::readyz;
    System GET "/metrics" system::metrics;
    System GET "/openapi.json" system::openapi_json;
    System GET "/docs" system::docs;
    Asset GET "/docs/" system::docs_page;
    Asset GET "/docs/{*file}" system::docs_file;
};
