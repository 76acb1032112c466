//! Links from the answers to requests that create or change something to what can be done next.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::openapi::link::{Link, LinkBuilder};
use utoipa::openapi::path::Operation;
use utoipa::openapi::{Components, Ref, RefOr};

use super::complete::document_name;
use super::examples;
use crate::route::Route;
use crate::routes::ROUTES;

/// A document, a path below which routes are about it or a part of it, and where the parameters of the path are in the document.
type Row = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const LINKS: [Row; 18] = [
    ("Cart", "/carts/{id}", &[("id", "/id")]),
    ("Cart", "/carts/{id}/items/{item_id}", &[("id", "/id"), ("item_id", "/items/0/id")]),
    ("Cart", "/checkouts", &[]),
    ("Category", "/categories/{id}", &[("id", "/id")]),
    ("Customer", "/customers/{id}", &[("id", "/id")]),
    ("List_Task", "/tasks/{kind}/{subject}", &[("kind", "/items/0/kind"), ("subject", "/items/0/subject")]),
    ("Order", "/orders/{id}", &[("id", "/id")]),
    ("Order", "/payments/{id}", &[("id", "/payment/id")]),
    ("Order", "/users/{user_id}/orders", &[("user_id", "/user_id")]),
    ("Payment", "/orders/{id}", &[("id", "/order_id")]),
    ("Payment", "/payments/{id}", &[("id", "/id")]),
    ("Product", "/inventory/{sku}", &[("sku", "/variants/0/sku")]),
    ("Product", "/products/{id}", &[("id", "/id")]),
    ("Promotion", "/promos/{id}", &[("id", "/id")]),
    ("Return", "/returns/{id}", &[("id", "/id")]),
    ("SavedPaymentMethod", "/payment-methods/{id}", &[("id", "/id")]),
    ("Stock", "/inventory/{sku}", &[("sku", "/sku")]),
    ("WebhookEndpoint", "/webhook-endpoints/{id}", &[("id", "/id")]),
];

/// Bodies with a member from the answer: the answer, the operation, the example of its body, the member, and where it is in the
/// answer.
const BODIES: [[&str; 5]; 2] = [
    ["Cart", "createCheckout", "CheckOut", "/cart_id", "/id"],
    ["Order", "createReturn", "NewReturn", "/items/0/item_id", "/items/0/id"],
];

/// Adds the links for answers to refer to.
pub(super) fn describe(components: &mut Components) {
    let examples = examples::read();
    for (document, route, parameters) in targets() {
        let body = body(document, route, &examples);
        let named = parameters.iter().map(|(name, place)| ((*name).to_owned(), expression(place)));
        let link = LinkBuilder::new().operation_id(route.id).request_body(body);
        let link: Link = named.fold(link, |link, (name, value)| link.parameter(name, value)).build();
        components.links.insert(name(document, route), RefOr::T(link));
    }
}

/// Refers to the links of the answers of a request that was carried out.
pub(super) fn refer(operation: &mut Operation, route: &Route) {
    for answer in operation.responses.responses.values_mut() {
        let RefOr::T(answer) = answer else { continue };
        let Some(document) = answer.content.values().find_map(document_name) else { continue };
        let next = targets().filter(|(linked, ..)| *linked == document);
        let next = next.filter(|_| matches!(route.method.as_str(), "POST" | "PUT") || document == "List_Task");
        let links = next.map(|(document, target, _)| {
            let link = Ref::new(format!("#/components/links/{}", name(document, target)));
            (target.id.to_owned(), RefOr::Ref(link))
        });
        answer.links = links.collect();
    }
}

/// The operations that a document leads to, with their parameters.
fn targets() -> impl Iterator<Item = (&'static str, &'static Route, &'static [(&'static str, &'static str)])> {
    LINKS.iter().flat_map(|(document, path, parameters)| {
        let below = move |route: &&Route| route.path.strip_prefix(path).is_some_and(|rest| !rest.contains('{'));
        ROUTES.iter().filter(below).map(move |route| (*document, route, *parameters))
    })
}

fn name(document: &str, route: &Route) -> String {
    format!("{document}_{}", route.id)
}

fn expression(place: &str) -> Value {
    format!("$response.body#{place}").into()
}

/// The example of the body with its member from the answer.
fn body(document: &str, route: &Route, examples: &BTreeMap<String, Value>) -> Option<Value> {
    let mut rows = BODIES.iter().filter(|[from, to, ..]| *from == document && *to == route.id);
    let [.., example, member, place] = rows.next()?;
    let mut body = examples.get(*example)?.clone();
    *body.pointer_mut(member)? = expression(place);
    Some(body)
}
