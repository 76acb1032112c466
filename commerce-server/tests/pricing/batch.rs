//! Requests in files: one document, or JSON lines; and everything wrong in them.

use commerce_core::pricing::Quote;
use commerce_server::cli::price_all;

const GOOD: &str = r#"{ "currency": "EUR", "at": "2026-01-15T12:00:00Z", "lines": [] }"#;

/// The totals, or all that is wrong.
fn totals(text: &str) -> Result<Vec<String>, Vec<String>> {
    let total = |quote: &Quote| quote.total.to_string();
    price_all(text).map(|quotes| quotes.iter().map(total).collect())
}

#[track_caller]
fn check_flaws(text: &str, flaws: &[&str]) {
    assert_eq!(totals(text), Err(flaws.iter().map(ToString::to_string).collect()));
}

#[test]
fn a_document_over_several_lines_is_one_request() {
    assert_eq!(totals(&GOOD.replace(", ", ",\n")), Ok(vec!["0.00 EUR".to_owned()]));
}

#[test]
fn every_line_is_a_request_and_blank_ones_are_passed_over() {
    let text = format!("\n{GOOD}\r\n\n  {}\n", GOOD.replace("EUR", "JPY"));
    assert_eq!(totals(&text), Ok(vec!["0.00 EUR".to_owned(), "0 JPY".to_owned()]));
}

#[test]
fn everything_wrong_is_told_with_its_line_and_place() {
    let bad = GOOD.replace("[]", r#"[{ "id": "1", "sku": "A", "quantity": 1, "unit_price": "1.001" }]"#);
    let many = r#"[{ "id": "1", "sku": "A", "quantity": 1000000, "unit_price": "92233720368547758.07" }]"#;
    check_flaws(
        &format!("{GOOD}\n{bad}\n{{ \"lines\": }}\n[]\n{}", GOOD.replace("[]", many)),
        &[
            "line 2: /lines/0/unit_price: has more decimals than its currency",
            "line 3: cannot be read: expected value at line 1 column 12",
            "line 4: the document must be an object",
            "line 5: the amounts are too large to add up",
        ],
    );
}

#[test]
fn a_broken_document_is_told_with_its_own_place() {
    check_flaws("{\n \"lines\": [,] }", &["cannot be read: expected value at line 2 column 12"]);
    check_flaws(" \n", &["cannot be read: EOF while parsing a value at line 2 column 0"]);
    check_flaws(r#"{ "currency": "EUR", "at": "2026-01-15T12:00:00Z" }"#, &["/lines: is required"]);
}
