//! Pricing: the parser of requests, the evaluator, and the stored form of quotes.
//!
//! What is refused says where, and what is accepted keeps the invariants of pricing.

use std::fmt::Debug;
use std::time::Duration;

use commerce_core::pricing::{PROVEN_CANDIDATES, PROVEN_LINES, PricingError, Quote, Request, Selection, price};
use commerce_core::problem::{Findings, MAX_PROBLEMS};
use commerce_http::dto::pricing::read_request;
use commerce_http::dto::promotion::PromotionDto;
use commerce_http::dto::quote::QuoteDto;
use commerce_http::dto::{Fault, Refused};
use commerce_testkit::fuzz::{self, Mutate, Target, fuzz};
use commerce_testkit::invariants;
use proptest::test_runner::{TestCaseError, TestCaseResult};
use proptest::{prop_assert, prop_assert_eq};
use serde_json::Value;

use super::{corpus, tune};

/// A request that takes longer than this has sent the search astray. It is far more than any takes, with the checks of a debug
/// build: this is no measurement.
const LONGEST: Duration = Duration::from_secs(60);

/// Whether an input is taken, or what it breaks.
type Trial = fn(&[u8]) -> Result<bool, TestCaseError>;

#[test]
fn no_request_breaks_pricing() {
    run(("pricing", cases()), tune::request, Some(LONGEST), answer);
}

/// Reading alone is as quick as that of any other document.
#[test]
fn no_request_of_pricing_breaks_its_reader() {
    run(("pricing", cases()), tune::request, None, |input| Ok(read_request(input).is_ok()));
}

#[test]
fn no_stored_quote_breaks_its_reader() {
    let requests = cases().into_iter().filter_map(|request| read_request(&request).ok());
    let quotes = requests.filter_map(|request| price(&request).ok());
    let quotes = quotes.map(|quote| serde_json::to_vec(&quote).expect("a quote is written")).collect();
    run(("quotes", quotes), fuzz::json, None, read_back);
}

fn run((parser, seeds): (&str, Vec<Vec<u8>>), mutate: Mutate, limit: Option<Duration>, trial: Trial) {
    let target = Target { corpus: &corpus(parser), seeds, mutate, limit };
    fuzz(target, |input| trial(input).unwrap_or_else(|broken| panic!("{broken:?}")));
}

/// The requests of the gathered cases.
fn cases() -> Vec<Vec<u8>> {
    let cases: Value = serde_json::from_str(include_str!("../data/pricing.json")).expect("the cases are JSON");
    let cases = cases["cases"].as_array().expect("a list of cases");
    cases.iter().map(|case| case["request"].to_string().into_bytes()).collect()
}

/// Reads and prices a request.
fn answer(input: &[u8]) -> Result<bool, TestCaseError> {
    let request = match read_request(input) {
        Ok(request) => request,
        Err(Refused::NotJson(_)) => return Ok(false),
        Err(Refused::Invalid(faults)) => return check_faults(input, &faults).map(|()| false),
    };
    for promotion in &request.promotions {
        let mut findings = Findings::default();
        let read = PromotionDto::from(promotion).into_domain(request.currency, &mut findings);
        let read = findings.finish(read).map_err(|problems| TestCaseError::fail(problems.to_string()))?;
        prop_assert_eq!(&read.with_usage(*promotion.usage()), promotion);
    }
    match price(&request) {
        Ok(quote) => check_priced(&request, &quote).map(|()| true),
        Err(PricingError::Overflow) => Ok(false),
        Err(other) => Err(TestCaseError::fail(format!("what was read is sound, but: {other}"))),
    }
}

/// What is refused says where, and the place is in the document, or its last step is what is missing.
fn check_faults(input: &[u8], faults: &[Fault]) -> TestCaseResult {
    prop_assert!(!faults.is_empty() && faults.len() <= MAX_PROBLEMS);
    let document = serde_json::from_slice::<Value>(input).ok();
    for fault in faults {
        let pointer = fault.pointer();
        prop_assert!(pointer.is_empty() || pointer.starts_with('/'), "{} is no pointer", pointer);
        if let Some(document) = &document {
            let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
            prop_assert!(document.pointer(parent).is_some(), "{} leads nowhere", pointer);
        }
    }
    Ok(())
}

fn check_priced(request: &Request, quote: &Quote) -> TestCaseResult {
    invariants::check_quote(request, quote)?;
    prop_assert_eq!(&price(request), &Ok(quote.clone()), "the same request has the same quote");
    survives(quote)?;
    prop_assert!(serde_json::to_string(&QuoteDto::from(quote)).is_ok());
    let other = match request.selection {
        Selection::Best => Selection::Priority,
        Selection::Priority => Selection::Best,
    };
    let other = price(&Request { selection: other, ..request.clone() });
    match (&other, request.selection) {
        (Ok(best), Selection::Priority) => check_best(request, best, quote),
        (Ok(plain), Selection::Best) => check_best(request, quote, plain),
        // The priorities may cost more than there is; the best then costs less.
        (Err(PricingError::Overflow), Selection::Best) => Ok(()),
        (Err(error), _) => Err(TestCaseError::fail(error.to_string())),
    }
}

fn check_best(request: &Request, best: &Quote, plain: &Quote) -> TestCaseResult {
    invariants::check_quote(request, best)?;
    prop_assert!(best.total.minor() <= plain.total.minor(), "the best costs more than the priorities");
    if request.promotions.len() <= PROVEN_CANDIDATES && request.lines.len() <= PROVEN_LINES {
        prop_assert_eq!(best.proven_best, Some(true));
    }
    Ok(())
}

/// Reads a stored quote that may be no one's, and shows what was taken.
fn read_back(input: &[u8]) -> Result<bool, TestCaseError> {
    match serde_json::from_slice::<Quote>(input) {
        Ok(quote) => {
            prop_assert!(serde_json::to_string(&QuoteDto::from(&quote)).is_ok());
            Ok(true)
        }
        Err(_) => Ok(false),
    }
}

/// What is written and read is the same.
fn survives<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + Debug>(value: &T) -> TestCaseResult {
    let text = serde_json::to_string(value).expect("it is written");
    let read: T = serde_json::from_str(&text).map_err(|error| TestCaseError::fail(format!("{error}: {text}")))?;
    prop_assert_eq!(&read, value);
    Ok(())
}
