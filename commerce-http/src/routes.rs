//! The table of routes, and the handlers, in one file per noun.
//!
//! The router, `Allow`, the labels of the metrics, and the test that compares the `OpenAPI` document with the table use this
//! table.

pub(crate) mod carts;
pub(crate) mod categories;
pub(crate) mod checkouts;
pub(crate) mod customers;
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

pub(crate) static ROUTER: LazyLock<Router> = LazyLock::new(|| Router::of(ROUTES));

routes! {
    Shop {
        POST "/carts" carts::open;
        GET "/carts" carts::list;
        GET "/carts/{id}" carts::show;
        PATCH "/carts/{id}" carts::update;
        GET "/carts/{id}/history" history::of_cart;
        POST "/carts/{id}/refresh" carts::refresh;
        POST "/carts/{id}/items" carts::add_item;
        PATCH "/carts/{id}/items/{item_id}" carts::change_item;
        DELETE "/carts/{id}/items/{item_id}" carts::remove_item;
        POST "/carts/{id}/promotions" promotions::add;
        DELETE "/carts/{id}/promotions/{code}" promotions::remove;

        POST "/checkouts" checkouts::create;

        POST "/orders" orders::create;
        GET "/orders" orders::list;
        GET "/users/{user_id}/orders" orders::list_of_user;
        GET "/orders/{id}" orders::show;
        PATCH "/orders/{id}" orders::update;
        DELETE "/orders/{id}" orders::delete;
        GET "/orders/{id}/events" orders::events;
        PUT "/orders/{id}/status" orders::set_status;
        POST "/orders/{id}/cancel" orders::cancel;
        PUT "/orders/{id}/shipping" orders::set_shipping;

        POST "/orders/{id}/returns" returns::create;
        GET "/returns" returns::list;
        GET "/returns/{id}" returns::show;
        POST "/returns/{id}/approve" returns::approve;
        POST "/returns/{id}/reject" returns::reject;
        POST "/returns/{id}/receive" returns::receive;

        GET "/payments/{id}" payments::show;
        POST "/payments/{id}/confirm" payments::confirm;
        POST "/payments/{id}/refunds" payments::refund;

        GET "/promos" promos::list;
        POST "/promos" promos::create;
        POST "/promos/validate" promos::validate;
        GET "/promos/{id}" promos::show;
        PATCH "/promos/{id}" promos::update;
        DELETE "/promos/{id}" promos::end;
        GET "/promos/{id}/history" history::of_promotion;
        GET "/promos/{id}/redemptions" promos::redemptions;

        POST "/quotes" quotes::create;

        GET "/products" products::list;
        POST "/products" products::create;
        GET "/products/{id}" products::show;
        PUT "/products/{id}" products::replace;
        GET "/products/{id}/history" history::of_product;
        GET "/products/{id}/variants" products::variants;
        GET "/products/{id}/inventory" inventory::of_product;
        GET "/categories" categories::list;
        POST "/categories" categories::create;
        PUT "/categories/{id}" categories::rename;
        GET "/categories/{id}/history" history::of_category;

        GET "/customers" customers::list;
        GET "/customers/{id}" customers::show;
        PUT "/customers/{id}" customers::replace;
        DELETE "/customers/{id}" customers::delete;
        GET "/customers/{id}/history" customers::history;

        GET "/inventory" inventory::list;
        GET "/inventory/{sku}" inventory::show;
        PUT "/inventory/{sku}" inventory::set;
        POST "/inventory/{sku}/adjustments" inventory::adjust;

        GET "/tasks" tasks::list;
        GET "/tasks/{kind}/{subject}" tasks::show;
        POST "/tasks/{kind}/{subject}/retry" tasks::retry;
        DELETE "/tasks/{kind}/{subject}" tasks::delete;
    }
    System GET "/healthz" system::healthz;
    System GET "/readyz" system::readyz;
    System GET "/metrics" system::metrics;
    System GET "/openapi.json" system::openapi_json;
    System GET "/docs" system::docs;
    Asset GET "/" system::home;
    Asset GET "/docs/" system::docs_page;
    Asset GET "/docs/{*file}" system::docs_file;
}
