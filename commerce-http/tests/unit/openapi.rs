use std::collections::BTreeSet;

use super::*;
use crate::route::RouteGroup;
use crate::routes::ROUTES;

#[test]
fn routes_and_document_are_equal() {
    let mut document = Interface::openapi();
    let methods = ["GET", "PUT", "POST", "DELETE", "PATCH"];
    let documented: BTreeSet<_> = document
        .paths
        .paths
        .iter_mut()
        .flat_map(|(path, item)| {
            let item = [&item.get, &item.put, &item.post, &item.delete, &item.patch];
            methods
                .iter()
                .zip(item)
                .filter(|(_, operation)| operation.is_some())
                .map(|(method, _)| format!("{method} {path}"))
                .collect::<Vec<_>>()
        })
        .collect();
    let prefix = |part| if part == RouteGroup::Shop { "/v1" } else { "" };
    let routed = ROUTES.iter().filter(|route| route.part != RouteGroup::Asset);
    let routed = routed.map(|route| format!("{} {}{}", route.method, prefix(route.part), route.path)).collect();
    assert_eq!(documented, routed);
}
