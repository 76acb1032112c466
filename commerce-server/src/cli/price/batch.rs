//! Requests in a text, as files and pipes bring them: one JSON object, or JSON lines.

use commerce_core::pricing::{Quote, Request, price};

use commerce_http::dto::pricing::read_request;
use commerce_http::dto::{Fault, Refused};

/// Prices the requests of a text: all of it is one document, or every line that is not blank is one (JSON lines).
///
/// ```
/// use commerce_server::cli::price_all;
///
/// let requests = r#"
///     { "currency": "EUR", "at": "2026-01-15T12:00:00Z", "lines": [] }
///     { "currency": "EUR", "at": "2026-01-15T12:00:00Z", "lines": [{ "id": "1", "sku": "MUG", "quantity": 0 }] }
/// "#;
/// assert_eq!(price_all(requests).unwrap_err(), ["line 3: /lines/0/quantity: must be a whole number from 1 to 1000000",
///                                               "line 3: /lines/0/unit_price: is required"]);
/// ```
///
/// # Errors
/// Everything wrong in any of the requests, each as a line with its place; there are quotes only if all have one.
pub fn price_all(text: &str) -> Result<Vec<Quote>, Vec<String>> {
    match read_request(text.as_bytes()) {
        Err(Refused::NotJson(_)) if is_json_lines(text) => price_lines(text),
        request => quote(request).map(|quote| vec![quote]),
    }
}

fn price_lines(text: &str) -> Result<Vec<Quote>, Vec<String>> {
    let (mut quotes, mut flaws) = (Vec::new(), Vec::new());
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        match quote(read_request(line.as_bytes())) {
            Ok(quote) => quotes.push(quote),
            Err(told) => flaws.extend(told.into_iter().map(|flaw| format!("line {number}: {flaw}"))),
        }
    }
    if flaws.is_empty() { Ok(quotes) } else { Err(flaws) }
}

/// Whether a text that is not one document is meant as JSON lines: its first line looks whole, and is not the only one.
fn is_json_lines(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first_is_whole = lines.next().is_some_and(|first| first.starts_with('{') && first.ends_with('}'));
    first_is_whole && lines.next().is_some()
}

fn quote(request: Result<Request, Refused>) -> Result<Quote, Vec<String>> {
    let request = request.map_err(|refused| match refused {
        Refused::Invalid(faults) => faults.iter().map(Fault::to_string).collect(),
        Refused::NotJson(_) => vec![refused.to_string()],
    })?;
    price(&request).map_err(|error| vec![error.to_string()])
}
