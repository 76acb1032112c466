//! The cases of the pricing rules, gathered from the public test suites of other engines: every one, on every field.

use commerce_core::money::{Amount, Currency, Money};
use commerce_core::pricing::{Quote, price};
use commerce_http::dto::pricing::read_request;
use commerce_http::dto::quote::QuoteDto;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Cases {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    area: String,
    request: Value,
    expect: Value,
}

fn cases(is_wanted: impl Fn(&str) -> bool) -> Vec<Case> {
    let cases: Cases = serde_json::from_str(include_str!("../data/pricing.json")).expect("the cases are JSON");
    cases.cases.into_iter().filter(|case| is_wanted(&case.area)).collect()
}

/// Runs all cases before failing, and names every one that differs.
#[track_caller]
fn check(cases: &[Case], expected: usize, answer: impl Fn(&Value) -> Value) {
    assert_eq!(cases.len(), expected, "the number of cases");
    let failures: Vec<String> = cases
        .iter()
        .map(|case| (case, answer(&case.request)))
        .filter(|(case, answer)| *answer != sorted(case.expect.clone()))
        .map(|(case, answer)| format!("{}: expected {}, got {answer}", case.id, case.expect))
        .collect();
    assert!(failures.is_empty(), "{} of {} differ:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

/// Lists whose order the cases leave open, in one order.
fn sorted(mut answer: Value) -> Value {
    for field in ["applied", "rejected"] {
        if let Some(list) = answer.get_mut(field).and_then(Value::as_array_mut) {
            list.sort_by_key(Value::to_string);
        }
    }
    answer
}

fn answer_to(request: &Value) -> Value {
    let quote = match read_request(request.to_string().as_bytes()) {
        Ok(request) => price(&request).expect("the request has a price"),
        Err(refused) => return json!(refused.to_string()),
    };
    let read_back: Quote = serde_json::from_str(&serde_json::to_string(&quote).expect("a quote is written"))
        .expect("what was written is read");
    assert_eq!(read_back, quote, "a quote survives being stored");
    let written = serde_json::to_value(QuoteDto::from(&quote)).expect("a quote is written");
    sorted(json!({
        "subtotal": written["subtotal"],
        "discount": written["discount"],
        "shipping": written["shipping"],
        "shipping_discount": written["shipping_discount"],
        "tax": written["tax"],
        "total": written["total"],
        "lines": fields(&written["lines"], &["id", "discount"]),
        "applied": written["applied"],
        "rejected": fields(&written["rejected"], &["code", "reason"]),
    }))
}

/// The entries of a list, with some of their fields.
fn fields(list: &Value, names: &[&str]) -> Value {
    let pick = |entry: &Value| names.iter().map(|name| ((*name).to_owned(), entry[*name].clone())).collect();
    list.as_array().expect("a list").iter().map(|entry| Value::Object(pick(entry))).collect()
}

#[derive(Deserialize)]
struct Allocation {
    amount: Amount,
    currency: Currency,
    ratios: Vec<Amount>,
}

fn parts_of(request: &Value) -> Value {
    let Allocation { amount, currency, ratios } = serde_json::from_value(request.clone()).expect("an allocation");
    let ratios: Vec<Decimal> = ratios.into_iter().map(Amount::decimal).collect();
    let amount: Money = amount.in_currency(currency).expect("an amount of the currency");
    let parts = amount.allocate(&ratios).expect("the weights are good");
    json!({ "parts": parts.into_iter().map(Amount::from).collect::<Vec<_>>() })
}

#[test]
fn every_quote_case_is_answered_to_the_minor_unit() {
    check(&cases(|area| area != "allocation"), 99, answer_to);
}

#[test]
fn every_allocation_case_is_answered_to_the_minor_unit() {
    check(&cases(|area| area == "allocation"), 47, parts_of);
}
