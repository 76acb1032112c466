//! What the engine says of promotions that did not apply, and of documents it does not take.

use commerce_core::pricing::{MAX_CODES, MAX_LINES, MAX_PROMOTIONS, Quote, price};
use commerce_core::problem::MAX_PROBLEMS;
use commerce_http::dto::Refused;
use commerce_http::dto::pricing::read_request;
use commerce_http::dto::quote::QuoteDto;
use serde_json::{Value, json};

/// Two mugs at 10.00 and a shirt at 25.50: 45.50 in all.
fn request(changes: &Value) -> Value {
    let mut request = json!({
        "currency": "USD",
        "at": "2026-01-15T12:00:00Z",
        "lines": [
            { "id": "1", "sku": "MUG", "quantity": 2, "unit_price": "10.00", "categories": ["kitchen"] },
            { "id": "2", "sku": "SHIRT", "quantity": 1, "unit_price": "25.50", "categories": ["clothes"] },
        ],
    });
    for (name, value) in changes.as_object().expect("an object of changes") {
        request[name] = value.clone();
    }
    request
}

fn quote(changes: &Value) -> Quote {
    let request = read_request(request(changes).to_string().as_bytes()).expect("a good request");
    price(&request).expect("a price")
}

fn written(quote: &Quote) -> Value {
    serde_json::to_value(QuoteDto::from(quote)).expect("a quote is written")
}

/// Prices the cart with one promotion of these fields, and gives what is said of it.
fn explained(fields: &Value) -> Value {
    let mut promotion = json!({ "id": "p", "effect": { "type": "amount_off", "target": "order", "amount": "5.00" } });
    for (name, value) in fields.as_object().expect("an object of fields") {
        promotion[name] = value.clone();
    }
    let quote = quote(&json!({ "promotions": [promotion], "shipping": { "method": "post", "amount": "5.00" } }));
    let mut written = written(&quote);
    let mut outcome = written["explanation"][0].take();
    outcome.as_object_mut().expect("an outcome").remove("promotion_id");
    outcome
}

/// What is said of a condition that does not hold.
#[track_caller]
fn check_gap(condition: &Value, gap: &Value) {
    let outcome = explained(&json!({ "conditions": [condition] }));
    assert_eq!(outcome["outcome"], "not_met");
    assert_eq!(outcome["unmet"], json!([gap]));
    assert_eq!(outcome["message"], gap["message"]);
}

#[test]
fn a_spend_that_is_too_low_is_told_with_the_missing_amount() {
    check_gap(
        &json!({ "type": "min_spend", "amount": "60.00" }),
        &json!({ "type": "min_spend", "required": "60.00", "missing": "14.50",
                 "message": "Spend 14.50 USD more to reach 60.00 USD." }),
    );
}

#[test]
fn a_spend_on_some_lines_is_told_with_their_names() {
    check_gap(
        &json!({ "type": "min_spend", "amount": "30", "filter": { "categories": ["kitchen"] } }),
        &json!({ "type": "min_spend", "required": "30.00", "missing": "10.00", "filter": { "categories": ["kitchen"] },
                 "message": "Spend 10.00 USD more on kitchen to reach 30.00 USD." }),
    );
}

#[test]
fn too_few_units_are_told_with_the_missing_number() {
    check_gap(
        &json!({ "type": "min_quantity", "quantity": 3, "filter": { "skus": ["MUG"] } }),
        &json!({ "type": "min_quantity", "required": 3, "missing": 1, "filter": { "skus": ["MUG"] },
                 "message": "Add 1 more item of MUG." }),
    );
}

#[test]
fn a_product_that_is_not_there_is_named() {
    check_gap(
        &json!({ "type": "contains", "filter": { "skus": ["HAT"] } }),
        &json!({ "type": "contains", "filter": { "skus": ["HAT"] }, "message": "Add an item of HAT." }),
    );
}

#[test]
fn segments_wanted_are_named() {
    check_gap(
        &json!({ "type": "segment", "any": ["vip", "staff"] }),
        &json!({ "type": "segment", "any": ["vip", "staff"], "message": "Only for customers of: vip, staff." }),
    );
}

#[test]
fn another_order_number_is_told() {
    check_gap(
        &json!({ "type": "nth_order", "n": 3 }),
        &json!({ "type": "nth_order", "n": 3, "completed_orders": 0,
                 "message": "Only for order number 3; this is number 1." }),
    );
}

#[test]
fn another_day_of_the_week_is_told() {
    // The request is of a Thursday.
    check_gap(
        &json!({ "type": "weekday", "any": ["mon", "Saturday"] }),
        &json!({ "type": "weekday", "any": ["mon", "sat"], "message": "Only on: Mon, Sat." }),
    );
    let held = explained(&json!({ "conditions": [{ "type": "weekday", "any": ["thu"] }] }));
    assert_eq!(held["outcome"], "applied");
    let refused = |conditions: Value| {
        let promotion = json!({ "id": "p", "effect": { "type": "free_shipping" }, "conditions": conditions });
        let request = request(&json!({ "promotions": [promotion] }));
        read_request(request.to_string().as_bytes()).unwrap_err().to_string()
    };
    let day = |any: Value| json!({ "type": "weekday", "any": any });
    let at = "/promotions/0/conditions";
    assert_eq!(refused(json!([day(json!(["someday"]))])), format!("{at}/0/any/0: must be a day such as \"mon\""));
    assert_eq!(refused(json!([day(json!([]))])), format!("{at}/0/any: must not be empty"));
    let contradiction = format!("{at}/1: can never hold together with the conditions before it");
    assert_eq!(refused(json!([day(json!(["mon"])), day(json!(["tue", "wed"]))])), contradiction);
}

#[test]
fn another_shipping_method_is_told() {
    check_gap(
        &json!({ "type": "shipping_method", "any": ["express"] }),
        &json!({ "type": "shipping_method", "any": ["express"], "chosen": "post",
                 "message": "Only with shipping by: express." }),
    );
}

#[test]
fn alternatives_are_told_each_with_its_gap() {
    check_gap(
        &json!({ "type": "any", "conditions": [
            { "type": "min_quantity", "quantity": 5 },
            { "type": "all", "conditions": [{ "type": "min_spend", "amount": "50.00" }, { "type": "first_order" }] },
        ] }),
        &json!({ "type": "any", "message": "One of: Add 2 more items. Spend 4.50 USD more to reach 50.00 USD.", "unmet": [
            { "type": "min_quantity", "required": 5, "missing": 2 },
            { "type": "all", "unmet": [{ "type": "min_spend", "required": "50.00", "missing": "4.50" }] },
        ] }),
    );
}

#[test]
fn what_must_not_be_is_told() {
    check_gap(
        &json!({ "type": "not", "condition": { "type": "first_order" } }),
        &json!({ "type": "not", "condition": { "type": "first_order" },
                 "message": "Not for a cart or customer like this." }),
    );
}

#[test]
fn conditions_that_all_must_hold_are_told_side_by_side() {
    let outcome = explained(&json!({ "conditions": [
        { "type": "all", "conditions": [{ "type": "min_spend", "amount": "50" }, { "type": "segment", "any": ["vip"] }] },
        { "type": "min_quantity", "quantity": 9 },
    ] }));
    let types: Vec<&Value> = outcome["unmet"].as_array().expect("a list").iter().map(|gap| &gap["type"]).collect();
    assert_eq!(types, ["min_spend", "segment", "min_quantity"]);
}

#[test]
fn dates_and_limits_are_told_before_conditions() {
    let never = json!([{ "type": "segment", "any": ["nobody"] }]);
    let told = |fields: Value| explained(&fields)["outcome"].clone();
    assert_eq!(told(json!({ "conditions": never, "starts_at": "2026-01-15T12:00:01Z" })), "not_started");
    assert_eq!(told(json!({ "conditions": never, "ends_at": "2026-01-15T12:00:00Z" })), "expired");
    assert_eq!(told(json!({ "conditions": never, "max_uses": 3, "used": 3 })), "limited");
    assert_eq!(told(json!({ "starts_at": "2026-01-15T12:00:00Z" })), "applied");
    assert_eq!(told(json!({ "ends_at": "2026-01-15T12:00:01Z" })), "applied");
    assert_eq!(told(json!({ "max_uses": 3, "used": 2 })), "applied");
}

#[test]
fn the_limit_that_is_reached_is_named() {
    let limit = |fields: Value| explained(&fields)["limit"].clone();
    assert_eq!(limit(json!({ "max_uses": 0 })), "uses");
    assert_eq!(limit(json!({ "max_uses_per_customer": 1, "used_by_customer": 1 })), "uses_per_customer");
    assert_eq!(limit(json!({ "budget": "100.00", "budget_used": "100.00" })), "budget");
}

#[test]
fn the_last_use_gets_what_is_left_of_the_budget() {
    let outcome = explained(&json!({ "budget": "100.00", "budget_used": "97.00" }));
    assert_eq!((&outcome["outcome"], &outcome["amount"]), (&json!("applied"), &json!("3.00")));
    assert_eq!(outcome["lines"], json!([{ "id": "1", "amount": "1.32" }, { "id": "2", "amount": "1.68" }]));
}

#[test]
fn a_promotion_without_effect_says_why() {
    let reason = |effect: Value| explained(&json!({ "effect": effect }))["reason"].clone();
    let percent_of =
        |filter: Value| json!({ "type": "percent_off", "target": "items", "percent": "10", "filter": filter });
    assert_eq!(reason(percent_of(json!({ "skus": ["HAT"] }))), "nothing_matches");
    assert_eq!(reason(json!({ "type": "fixed_price", "target": "order", "amount": "45.50" })), "nothing_to_take_off");
    let three_for_two = json!({ "type": "buy_get", "buy": { "quantity": 2, "filter": { "skus": ["MUG"] } },
                                "get": { "quantity": 1, "percent": "100", "filter": { "skus": ["MUG"] } } });
    assert_eq!(reason(three_for_two), "too_few_units");
    let free = json!({ "id": "free", "priority": 1, "effect": { "type": "percent_off", "target": "order", "percent": "100" } });
    let late = json!({ "id": "late", "effect": { "type": "percent_off", "target": "order", "percent": "10" } });
    let quote = quote(&json!({ "promotions": [free, late] }));
    assert_eq!(written(&quote)["explanation"][1]["reason"], "nothing_left");
}

fn percent_off_order(id: &str, percent: &str, extra: &Value) -> Value {
    let mut promotion = json!({ "id": id, "effect": { "type": "percent_off", "target": "order", "percent": percent } });
    for (name, value) in extra.as_object().expect("an object of fields") {
        promotion[name] = value.clone();
    }
    promotion
}

#[test]
fn a_beaten_promotion_says_by_whom_and_by_how_much() {
    let exclusive = percent_off_order("alone", "20", &json!({ "exclusive": true }));
    let other = percent_off_order("other", "10", &json!({ "code": "OTHER" }));
    let quote = quote(&json!({ "promotions": [exclusive, other], "codes": ["OTHER"] }));
    let written = written(&quote);
    assert_eq!(written["applied"], json!(["alone"]));
    assert_eq!(written["rejected"], json!([]));
    let beaten = json!({ "promotion_id": "other", "code": "OTHER", "outcome": "beaten", "by": ["alone"],
        "would_save": "4.55", "by_amount": "4.55",
        "message": "Would take 4.55 USD off alone, but is beaten by alone, which gives 4.55 USD more." });
    assert_eq!(written["explanation"][1], beaten);
}

#[test]
fn an_exclusive_promotion_that_does_not_qualify_makes_way() {
    let conditions = json!([{ "type": "min_spend", "amount": "100.00" }]);
    let exclusive = percent_off_order("alone", "20", &json!({ "exclusive": true, "conditions": conditions }));
    let quote = quote(&json!({ "promotions": [exclusive, percent_off_order("other", "10", &json!({}))] }));
    let written = written(&quote);
    assert_eq!(written["applied"], json!(["other"]));
    assert_eq!(written["explanation"][0]["unmet"][0]["missing"], "54.50");
}

#[test]
fn the_first_of_a_group_beats_the_others() {
    let of_group =
        |id, percent, priority| percent_off_order(id, percent, &json!({ "group": "season", "priority": priority }));
    let promotions = json!([of_group("second", "20", 1), of_group("first", "10", 2)]);
    let plain = written(&quote(&json!({ "promotions": promotions })));
    assert_eq!(plain["applied"], json!(["first"]));
    assert_eq!(plain["explanation"][0]["by"], json!(["first"]));
    assert_eq!(plain["explanation"][0]["by_amount"], "-4.55");
    let best = quote(&json!({ "promotions": promotions, "selection": "best" }));
    let best = written(&best);
    assert_eq!(best["applied"], json!(["second"]));
    assert_eq!((&best["explanation"][1]["by_amount"], &best["proven_best"]), (&json!("4.55"), &json!(true)));
}

/// A discount that would leave too little for a greater one is passed over.
#[test]
fn the_best_combination_leaves_out_what_would_cost_more() {
    let small = json!({ "id": "small", "priority": 9,
        "effect": { "type": "amount_off", "target": "order", "amount": "1.00" } });
    let great = json!({ "id": "great", "conditions": [{ "type": "min_spend", "amount": "45.00" }],
        "effect": { "type": "amount_off", "target": "order", "amount": "20.00" } });
    let promotions = json!([small, great]);
    assert_eq!(quote(&json!({ "promotions": promotions })).total.to_string(), "44.50 USD");
    let best = quote(&json!({ "promotions": promotions, "selection": "best" }));
    assert_eq!(best.total.to_string(), "25.50 USD");
    let written = written(&best);
    assert_eq!(
        (&written["explanation"][0]["by"], &written["explanation"][0]["by_amount"]),
        (&json!(["great"]), &json!("19.00"))
    );
}

/// The highest tier is reached without the small discount only.
#[test]
fn the_best_combination_looks_at_every_tier() {
    let small = json!({ "id": "small", "priority": 9,
        "effect": { "type": "amount_off", "target": "order", "amount": "1.00" } });
    let tiers = json!([{ "min_spend": "0", "percent": "1" }, { "min_spend": "45.00", "percent": "50" }]);
    let tiered = json!({ "id": "tiered", "effect": { "type": "tiered_percent", "tiers": tiers } });
    let best = quote(&json!({ "promotions": [small, tiered], "selection": "best" }));
    assert_eq!(best.total.to_string(), "22.75 USD");
}

/// Promotions on lines work before those on shipping, but a tie goes to the higher priority.
#[test]
fn of_equal_combinations_the_one_of_higher_priority_is_best() {
    let of_group = |id: &str, target: &str, priority: i64| {
        json!({ "id": id, "priority": priority, "group": "one",
            "effect": { "type": "amount_off", "target": target, "amount": "5.00" } })
    };
    let shipping = json!({ "method": "post", "amount": "9.00" });
    let applied = |order: i64, fee: i64| {
        let promotions = json!([of_group("order", "order", order), of_group("fee", "shipping", fee)]);
        let quote = quote(&json!({ "promotions": promotions, "selection": "best", "shipping": shipping }));
        let ids: Vec<String> = quote.applied().map(|one| one.promotion_id.to_string()).collect();
        ids
    };
    assert_eq!(applied(1, 5), ["fee"]);
    assert_eq!(applied(5, 1), ["order"]);
    assert_eq!(applied(1, 1), ["order"]);
}

#[test]
fn a_code_is_rejected_for_the_reason_that_helps() {
    let with_code =
        |conditions: Value| percent_off_order("p", "10", &json!({ "code": "CODE", "conditions": conditions }));
    let spend = json!({ "type": "min_spend", "amount": "90.00" });
    let segment = json!({ "type": "segment", "any": ["vip"] });
    let reason = |conditions: Value| {
        let quote = quote(&json!({ "codes": [" CODE "], "promotions": [with_code(conditions)] }));
        written(&quote)["rejected"].clone()
    };
    assert_eq!(reason(json!([])), json!([]));
    assert_eq!(reason(json!([spend]))[0]["reason"], "min_spend");
    assert_eq!(reason(json!([spend, segment]))[0]["reason"], "not_eligible", "spending more would not help");
    let either = json!([{ "type": "any", "conditions": [spend, segment] }]);
    assert_eq!(reason(either)[0]["reason"], "min_spend", "spending more would help");
}

#[test]
fn a_code_given_twice_is_one_code() {
    let quote = quote(&json!({ "codes": ["NO", " NO", "no"], "code_matching": "ignore_case" }));
    assert_eq!(quote.rejected.len(), 1);
}

#[test]
fn codes_compare_letter_by_letter_unless_the_request_says_otherwise() {
    let promotion = percent_off_order("p", "10", &json!({ "code": "Sömmer" }));
    let applied = |matching: &str| {
        let changes = json!({ "codes": ["SÖMMER"], "promotions": [promotion], "code_matching": matching });
        quote(&changes).applied().count()
    };
    assert_eq!((applied("exact"), applied("ignore_case")), (0, 1));
}

#[test]
fn a_unit_discounted_before_is_not_discounted_below_nothing() {
    // The first mug is free; 8.00 off each then finds one mug at 0.00 and one at 10.00.
    let mugs = json!({ "skus": ["MUG"] });
    let free = json!({ "id": "free", "priority": 1, "effect": { "type": "percent_off", "target": "items", "percent": "100",
        "filter": mugs, "max_quantity": 1 } });
    let each = json!({ "id": "each", "effect": { "type": "amount_off", "target": "items", "allocation": "each",
        "amount": "8.00", "filter": mugs } });
    let quote = quote(&json!({ "promotions": [free, each] }));
    assert_eq!(quote.discount.to_string(), "18.00 USD");
}

#[test]
fn what_comes_off_a_line_comes_off_its_units() {
    // One of two mugs is free, 4.00 off the order then leaves the other at 6.00: 8.00 off each takes these.
    let lines = json!([{ "id": "1", "sku": "MUG", "quantity": 2, "unit_price": "10.00" }]);
    let free = json!({ "id": "free", "priority": 2,
        "effect": { "type": "percent_off", "target": "items", "percent": "100", "max_quantity": 1 } });
    let order = json!({ "id": "order", "priority": 1,
        "effect": { "type": "amount_off", "target": "order", "amount": "4.00" } });
    let each = json!({ "id": "each",
        "effect": { "type": "amount_off", "target": "items", "allocation": "each", "amount": "8.00" } });
    let quote = quote(&json!({ "lines": lines, "promotions": [free, order, each] }));
    let given: Vec<i64> = quote.applied().map(|one| one.amount.minor()).collect();
    assert_eq!((given, quote.total.minor()), (vec![1000, 400, 600], 0));
}

#[test]
fn a_budget_caps_what_units_get() {
    let effect = json!({ "type": "amount_off", "target": "items", "allocation": "each", "amount": "8.00",
        "filter": { "skus": ["MUG"] } });
    assert_eq!(explained(&json!({ "effect": effect, "budget": "5.00" }))["amount"], "5.00");
}

#[test]
fn a_fixed_price_above_the_current_one_does_nothing() {
    let reason = |target: &str| {
        let effect = json!({ "type": "fixed_price", "target": target, "amount": "50.00" });
        explained(&json!({ "effect": effect }))["reason"].clone()
    };
    assert_eq!((reason("order"), reason("items")), (json!("nothing_to_take_off"), json!("nothing_to_take_off")));
}

#[test]
fn a_share_of_a_unit_is_taken_of_its_exact_price() {
    // 1.00 off three units leaves 29.00: a unit costs 9.6666…, and half of it is 4.8333…, not half of 9.67.
    let lines = json!([{ "id": "1", "sku": "A", "quantity": 3, "unit_price": "10.00" }]);
    let first = json!({ "id": "first", "priority": 1, "effect": { "type": "amount_off", "target": "order", "amount": "1.00" } });
    let half = json!({ "id": "half", "effect": { "type": "percent_off", "target": "items", "percent": "50", "max_quantity": 1 } });
    let quote = quote(&json!({ "lines": lines, "promotions": [first, half] }));
    assert_eq!(quote.discount.to_string(), "5.83 USD");
}

#[test]
fn the_dearest_units_of_a_bundle_cost_its_price() {
    let bundle = |amount: &str, quantity: i64| {
        let effect = json!({ "type": "fixed_price", "target": "items", "amount": amount, "bundle_quantity": quantity });
        quote(&json!({ "promotions": [{ "id": "bundle", "effect": effect }] })).discount.to_string()
    };
    assert_eq!(bundle("30.00", 2), "5.50 USD");
    assert_eq!(bundle("40.00", 2), "0.00 USD", "a promotion never raises a price");
    assert_eq!(bundle("1.00", 4), "0.00 USD", "three units are no bundle of four");
}

#[test]
fn an_empty_cart_costs_nothing() {
    let quote = quote(&json!({ "lines": [], "promotions": [percent_off_order("p", "10", &json!({}))] }));
    assert_eq!((quote.total.to_string(), quote.lines.len()), ("0.00 USD".to_owned(), 0));
}

#[test]
fn tax_by_order_is_rounded_once_and_adds_up() {
    let lines = json!([
        { "id": "1", "sku": "A", "quantity": 1, "unit_price": "0.22", "tax_category": "t" },
        { "id": "2", "sku": "B", "quantity": 1, "unit_price": "0.22", "tax_category": "t" },
    ]);
    let tax = json!({ "rates": [{ "tax_category": "t", "rate": "0.20" }] });
    let taxes = |level: &str| {
        let quote = quote(&json!({ "lines": lines, "tax": tax, "tax_level": level }));
        (quote.tax.minor(), quote.lines.iter().map(|line| line.tax.minor()).collect::<Vec<_>>())
    };
    assert_eq!(taxes("line"), (8, vec![4, 4]));
    assert_eq!(taxes("order"), (9, vec![5, 4]));
}

/// Every problem as `pointer: code`.
fn problems(request: &Value) -> Vec<String> {
    match read_request(request.to_string().as_bytes()).expect_err("the request is refused") {
        Refused::Invalid(faults) => {
            faults.iter().map(|fault| format!("{}: {}", fault.pointer(), fault.code())).collect()
        }
        Refused::NotJson(error) => vec![error.to_string()],
    }
}

#[track_caller]
fn check_refused(changes: &Value, expected: &[&str]) {
    assert_eq!(problems(&request(changes)), expected);
}

#[track_caller]
fn check_promotion_refused(fields: &Value, expected: &[&str]) {
    let promotion = percent_off_order("p", "10", fields);
    let expected: Vec<String> = expected.iter().map(|problem| format!("/promotions/0{problem}")).collect();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    check_refused(&json!({ "promotions": [promotion] }), &expected);
}

#[test]
fn every_problem_is_told_with_its_place() {
    let lines = json!([
        { "id": "", "sku": "A", "quantity": 0, "unit_price": "1.001" },
        { "id": "2", "sku": "A", "quantity": 1.5, "unit_price": "-1.00" },
        {},
    ]);
    let codes = json!(["C".repeat(65)]);
    check_refused(
        &json!({ "lines": lines, "at": "yesterday", "currency": "XXX", "codes": codes }),
        &[
            "/currency: invalid",
            "/at: invalid",
            "/lines/0/id: invalid",
            "/lines/0/quantity: out_of_range",
            "/lines/1/quantity: out_of_range",
            "/lines/2/id: required",
            "/lines/2/sku: required",
            "/lines/2/quantity: required",
            "/lines/2/unit_price: required",
            "/codes/0: too_long",
        ],
    );
}

#[test]
fn a_document_of_another_form_is_refused_at_its_first_flaw() {
    let line = json!({ "id": "2", "sku": "A", "quantity": 1, "unit_price": "1.00", "colour": "red" });
    check_refused(&json!({ "lines": [line] }), &["/lines/0/colour: unknown_field"]);
    check_refused(&json!({ "lines": ["a line"] }), &["/lines/0: wrong_type"]);
    check_refused(&json!({ "selection": "worst" }), &["/selection: invalid"]);
    check_refused(&json!({ "extra": 1 }), &["/extra: unknown_field"]);
    let twice = br#"{ "currency": "EUR", "currency": "EUR" }"#;
    assert_eq!(read_request(twice).expect_err("refused").to_string(), "/currency: occurs twice");
}

#[test]
fn amounts_are_refused_not_rounded() {
    let line = |price: Value| json!([{ "id": "1", "sku": "A", "quantity": 1, "unit_price": price }]);
    check_refused(&json!({ "lines": line(json!("1.001")) }), &["/lines/0/unit_price: too_many_decimals"]);
    check_refused(&json!({ "lines": line(json!("-1.00")) }), &["/lines/0/unit_price: out_of_range"]);
    check_refused(&json!({ "lines": line(json!("92233720368547758.08")) }), &["/lines/0/unit_price: too_large"]);
    check_refused(&json!({ "lines": line(json!("1e3")) }), &["/lines/0/unit_price: wrong_type"]);
    check_refused(&json!({ "lines": line(json!(null)) }), &["/lines/0/unit_price: required"]);
}

#[test]
fn names_that_stand_twice_are_refused() {
    let line = json!({ "id": "1", "sku": "A", "quantity": 1, "unit_price": "1.00" });
    let promotion = percent_off_order("p", "10", &json!({}));
    check_refused(
        &json!({ "lines": [line, line], "promotions": [promotion, promotion] }),
        &["/lines/1/id: duplicate", "/promotions/1/id: duplicate"],
    );
}

#[test]
fn percentages_are_from_nothing_to_all() {
    for percent in ["-0.01", "100.01", "0.123456789"] {
        let effect = json!({ "type": "percent_off", "target": "order", "percent": percent });
        check_promotion_refused(&json!({ "effect": effect }), &["/effect/percent: out_of_range"]);
    }
}

#[test]
fn effects_and_conditions_must_be_known_and_whole() {
    check_promotion_refused(&json!({ "effect": { "type": "magic" } }), &["/effect/type: invalid"]);
    check_promotion_refused(
        &json!({ "effect": { "type": "amount_off" } }),
        &["/effect/amount: required", "/effect/target: required"],
    );
    check_promotion_refused(
        &json!({ "effect": { "type": "percent_off", "percent": 10, "target": "order", "filter": { "skus": ["A"] } } }),
        &["/effect/filter: unknown_field"],
    );
    check_promotion_refused(
        &json!({ "effect": { "type": "amount_off", "amount": "-1.00", "target": "items" } }),
        &["/effect/allocation: required"],
    );
    check_promotion_refused(&json!({ "conditions": [{ "type": "moon" }] }), &["/conditions/0/type: invalid"]);
    check_promotion_refused(&json!({ "conditions": [{}] }), &["/conditions/0/type: required"]);
}

#[test]
fn filters_must_name_something() {
    check_promotion_refused(
        &json!({ "conditions": [{ "type": "contains", "filter": {} }, { "type": "min_quantity", "quantity": 1, "filter": { "skus": [] } }] }),
        &["/conditions/0/filter: empty", "/conditions/1/filter: empty"],
    );
}

#[test]
fn conditions_that_never_hold_together_are_refused() {
    let first = json!({ "type": "first_order" });
    check_promotion_refused(
        &json!({ "conditions": [first, { "type": "nth_order", "n": 2 }] }),
        &["/conditions/1: contradiction"],
    );
    check_promotion_refused(
        &json!({ "conditions": [first, { "type": "not", "condition": first }] }),
        &["/conditions/1: contradiction"],
    );
    let either = json!([{ "type": "any", "conditions": [first, { "type": "nth_order", "n": 2 }] }]);
    assert_eq!(
        quote(&json!({ "promotions": [percent_off_order("p", "10", &json!({ "conditions": either }))] }))
            .applied()
            .count(),
        1
    );
}

#[test]
fn conditions_nested_too_deep_are_refused() {
    let nested = |levels: usize| {
        let leaf = json!({ "type": "first_order" });
        (0..levels).fold(leaf, |inner, _| json!({ "type": "all", "conditions": [inner] }))
    };
    let deepest = "/conditions/0".repeat(9);
    check_promotion_refused(&json!({ "conditions": [nested(9)] }), &[&format!("{deepest}: too_deep")]);
    let allowed = percent_off_order("p", "10", &json!({ "conditions": [nested(8)] }));
    assert_eq!(quote(&json!({ "promotions": [allowed] })).applied().count(), 1);
}

#[test]
fn tiers_must_rise_and_dates_be_in_order() {
    let tier = |spend: &str| json!({ "min_spend": spend, "percent": "10" });
    let effect = json!({ "type": "tiered_percent", "tiers": [tier("10.00"), tier("10.00"), tier("5.00")] });
    check_promotion_refused(
        &json!({ "effect": effect, "starts_at": "2026-01-02T00:00:00Z", "ends_at": "2026-01-02T00:00:00Z" }),
        &[
            "/ends_at: ends_before_start",
            "/effect/tiers/1/min_spend: out_of_order",
            "/effect/tiers/2/min_spend: out_of_order",
        ],
    );
}

#[test]
fn lists_and_texts_have_limits() {
    let line = |place: usize| json!({ "id": format!("{place}"), "sku": "A", "quantity": 1, "unit_price": "1.00" });
    let lines: Vec<Value> = (0..=MAX_LINES).map(line).collect();
    check_refused(&json!({ "lines": lines }), &["/lines: too_many"]);
    let promotions: Vec<Value> =
        (0..10_000).map(|place| percent_off_order(&format!("{place}"), "10", &json!({}))).collect();
    assert!(promotions.len() > MAX_PROMOTIONS);
    check_refused(&json!({ "promotions": promotions }), &["/promotions: too_many"]);
    check_refused(&json!({ "codes": vec!["A"; MAX_CODES + 1] }), &["/codes: too_many"]);
    check_refused(&json!({ "codes": ["C".repeat(10_000)] }), &["/codes/0: too_long"]);
}

#[test]
fn the_telling_of_problems_has_a_limit() {
    let lines: Vec<Value> = (0..200).map(|_| json!({})).collect();
    assert_eq!(problems(&request(&json!({ "lines": lines }))).len(), MAX_PROBLEMS);
}

#[test]
fn tax_rates_have_a_range() {
    let rates = |rate: &str| json!({ "rates": [{ "tax_category": "t", "rate": rate }] });
    check_refused(&json!({ "tax": rates("-0.1") }), &["/tax/rates/0/rate: out_of_range"]);
    check_refused(&json!({ "tax": rates("10.01") }), &["/tax/rates/0/rate: out_of_range"]);
}

#[test]
fn a_promotion_names_the_currency_of_its_request_or_none() {
    let promotion = |currency| percent_off_order("p", "10", &json!({ "currency": currency, "budget": "5.00" }));
    assert_eq!(quote(&json!({ "promotions": [promotion("USD")] })).applied().count(), 1);
    check_refused(&json!({ "promotions": [promotion("EUR")] }), &["/promotions/0/currency: currency_mismatch"]);
}
