//! Units that are bought and given: each serves once, over all promotions that ask for units.

use commerce_core::pricing::price;
use commerce_http::dto::pricing::read_request;
use commerce_http::dto::quote::QuoteDto;
use serde_json::{Value, json};

/// Lines of SKU, units and price.
type Lines<'a> = &'a [(&'a str, u32, &'a str)];

fn buy_get(id: &str, buy: &Value, get: &Value) -> Value {
    json!({ "id": id, "effect": { "type": "buy_get", "buy": buy, "get": get, "max_applications": 1 } })
}

/// Some units of one SKU, or of any.
fn units(quantity: u32, sku: Option<&str>) -> Value {
    let mut units = json!({ "quantity": quantity });
    if let Some(sku) = sku {
        units["filter"] = json!({ "skus": [sku] });
    }
    units
}

fn free(quantity: u32, sku: Option<&str>) -> Value {
    let mut free = units(quantity, sku);
    free["percent"] = json!("100");
    free
}

/// What a shop takes off, and what became of every promotion.
#[track_caller]
fn check(lines: Lines<'_>, selection: &str, promotions: &[Value], discount: &str, outcomes: &[&str]) {
    let line = |(sku, quantity, price): &(&str, u32, &str)| json!({ "id": sku, "sku": sku, "quantity": quantity, "unit_price": price });
    let request = json!({
        "currency": "EUR", "at": "2026-01-15T12:00:00Z", "selection": selection,
        "lines": lines.iter().map(line).collect::<Vec<_>>(), "promotions": promotions,
    });
    let request = read_request(request.to_string().as_bytes()).expect("the request is one");
    let quote = price(&request).expect("it has a price");
    let quote = serde_json::to_value(QuoteDto::from(&quote)).expect("a quote is written");
    let explained = quote["explanation"].as_array().expect("a list");
    let found: Vec<_> = explained.iter().filter_map(|one| one["outcome"].as_str()).collect();
    assert_eq!((quote["discount"].as_str(), found.as_slice()), (Some(discount), outcomes), "{quote}");
}

#[test]
fn freed_units_do_not_hide_those_that_can_be_bought() {
    let many = buy_get("many", &units(50, None), &free(1000, None));
    let more = buy_get("more", &units(10, None), &free(20, None));
    check(&[("MUG", 1080, "2.50")], "priority", &[many, more], "2550.00", &["applied", "applied"]);
}

#[test]
fn a_unit_that_was_bought_or_given_serves_no_other() {
    let one = |id| buy_get(id, &units(1, None), &free(1, None));
    check(&[("MUG", 3, "2.50")], "priority", &[one("first"), one("second")], "2.50", &["applied", "no_effect"]);
    check(&[("MUG", 4, "2.50")], "priority", &[one("first"), one("second")], "5.00", &["applied", "applied"]);
}

#[test]
fn a_unit_that_can_only_be_bought_is_bought_once() {
    let gift = |id, sku| buy_get(id, &units(1, Some("MUG")), &free(1, Some(sku)));
    let gifts = [gift("tea", "TEA"), gift("pot", "POT")];
    let goods = |mugs| [("MUG", mugs, "8.00"), ("TEA", 1, "3.00"), ("POT", 1, "20.00")];
    check(&goods(1), "priority", &gifts, "3.00", &["applied", "no_effect"]);
    check(&goods(2), "priority", &gifts, "23.00", &["applied", "applied"]);
    check(&goods(1), "best", &gifts, "20.00", &["beaten", "applied"]);
}

#[test]
fn units_that_serve_elsewhere_leave_dearer_ones_to_be_free() {
    let goods = [("MUG", 2, "1.00"), ("POT", 2, "10.00")];
    let mugs = buy_get("mugs", &units(1, Some("MUG")), &free(1, Some("MUG")));
    let any = buy_get("any", &units(1, None), &free(1, None));
    for selection in ["priority", "best"] {
        check(&goods, selection, &[mugs.clone(), any.clone()], "11.00", &["applied", "applied"]);
    }
}

#[test]
fn other_promotions_change_the_price_of_units_and_not_whom_they_serve() {
    let some = json!({ "id": "some", "effect": { "type": "percent_off", "target": "items", "percent": "10", "max_quantity": 3 } });
    let one = |id| buy_get(id, &units(1, None), &free(1, None));
    let promotions = [one("first"), some, one("second"), one("third")];
    let outcomes = ["applied", "applied", "applied", "no_effect"];
    // 10.00 free, then 10 % of the free unit and of two others, one of which is the next free unit.
    check(&[("MUG", 5, "10.00")], "priority", &promotions, "21.00", &outcomes);
}
