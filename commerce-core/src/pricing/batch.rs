//! Requests in a text, as files and pipes bring them: one JSON object, or JSON lines.

use alloc::vec::Vec;
use core::fmt;

use super::{Document, PricingError, Problem, Quote, Request, price};

/// Prices the requests of a text: all of it is one document, or every line that is not blank is one (JSON lines).
///
/// What is between the lines is decided here, what is in a document by `parse`: the core knows no parser.
///
/// ```
/// use commerce_core::pricing::price_all;
///
/// let requests = r#"
///     { "currency": "EUR", "at": "2026-01-15T12:00:00Z", "lines": [] }
///     { "currency": "EUR", "at": "2026-01-15T12:00:00Z", "lines": [{ "id": "1", "sku": "MUG", "quantity": 0 }] }
/// "#;
/// let flaws = price_all(requests, |json| serde_json::from_str(json)).unwrap_err();
/// let told: Vec<String> = flaws.iter().map(ToString::to_string).collect();
/// assert_eq!(told, ["line 3: /lines/0/quantity: must be a whole number from 1 to 1000000",
///                   "line 3: /lines/0/unit_price: is required"]);
/// ```
///
/// # Errors
/// Everything wrong in any of the requests; there are quotes only if all have one.
pub fn price_all<E>(
    text: &str,
    mut parse: impl FnMut(&str) -> Result<Document, E>,
) -> Result<Vec<Quote>, Vec<BatchError<E>>> {
    let mut batch = Batch { quotes: Vec::new(), flaws: Vec::new() };
    match parse(text) {
        Err(_) if is_json_lines(text) => {
            for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
                batch.add(Some(number), parse(line));
            }
        }
        whole => batch.add(None, whole),
    }
    if batch.flaws.is_empty() { Ok(batch.quotes) } else { Err(batch.flaws) }
}

/// Whether a text that is not one document is meant as JSON lines: its first line looks whole, and is not the only one.
fn is_json_lines(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first_is_whole = lines.next().is_some_and(|first| first.starts_with('{') && first.ends_with('}'));
    first_is_whole && lines.next().is_some()
}

/// What is wrong with a request of a text. It prints as one line, with the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchError<E> {
    /// The line of the text, from 1; `None` where all of the text is the request.
    pub line: Option<usize>,
    /// What is wrong.
    pub wrong: LineError<E>,
}

/// How a request can be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineError<E> {
    /// It is no document. Places in the parser's words count from the start of the document.
    Unreadable(E),
    /// It breaks a rule at a place.
    Invalid(Problem),
    /// Its amounts are too large to add up.
    Overflow,
}

impl<E: fmt::Display> fmt::Display for BatchError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        match &self.wrong {
            LineError::Unreadable(error) => write!(f, "cannot be read: {error}"),
            LineError::Invalid(Problem { pointer, kind }) if pointer.is_empty() => write!(f, "the request {kind}"),
            LineError::Invalid(problem) => write!(f, "{problem}"),
            LineError::Overflow => write!(f, "{}", PricingError::Overflow),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for BatchError<E> {}

/// What became of the requests so far.
struct Batch<E> {
    quotes: Vec<Quote>,
    flaws: Vec<BatchError<E>>,
}

impl<E> Batch<E> {
    fn add(&mut self, line: Option<usize>, document: Result<Document, E>) {
        let mut flawed = |wrong| self.flaws.push(BatchError { line, wrong });
        let document = match document {
            Ok(document) => document,
            Err(error) => return flawed(LineError::Unreadable(error)),
        };
        match Request::read(&document).map_err(PricingError::Invalid).and_then(|request| price(&request)) {
            Ok(quote) => self.quotes.push(quote),
            Err(PricingError::Invalid(problems)) => problems.into_iter().map(LineError::Invalid).for_each(flawed),
            Err(PricingError::Overflow) => flawed(LineError::Overflow),
        }
    }
}
