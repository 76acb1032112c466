//! A fuzzer of pricing: the parser of requests, the evaluator, and the stored form of quotes.
//!
//! Inputs start from the gathered cases and are mutated again and again, as documents and as bytes. Whatever comes out,
//! there is no panic; what is refused says where; what is accepted keeps the invariants of pricing; and nothing takes long.
//!
//! The same seed makes the same inputs. `FUZZ_SEED` sets it, `FUZZ_SECONDS` how long this runs.

#![allow(clippy::expect_used, reason = "a test says what it expects")]

mod mutation;

use std::env;
use std::fmt::Debug;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use commerce_core::pricing::{PROVEN_CANDIDATES, PROVEN_LINES, PricingError, Quote, Request, Selection, price};
use commerce_core::problem::{Findings, MAX_PROBLEMS};
use commerce_http::dto::pricing::read_request;
use commerce_http::dto::promotion::PromotionDto;
use commerce_http::dto::quote::QuoteDto;
use commerce_http::dto::{Fault, Refused};
use commerce_testkit::{Random, invariants};
use proptest::test_runner::{TestCaseError, TestCaseResult};
use proptest::{prop_assert, prop_assert_eq};
use serde_json::Value;

use self::mutation::{Input, below, mutate};

/// A request that takes longer than this has sent the search astray. It is far more than any takes on a busy machine, with
/// the checks of a debug build: this is no measurement.
const LONGEST: Duration = Duration::from_secs(60);

/// So many inputs are kept to be mutated further.
const POOL: usize = 1024;

/// Longer lists are tried, and not kept.
const LARGE: usize = 40;

/// What became of an input.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    NotJson,
    Refused,
    TooLarge,
    Taken,
}

/// What is done with an input.
type Trial = fn(&Input) -> Result<Fate, TestCaseError>;

#[test]
fn no_request_breaks_pricing() {
    fuzz(corpus(), answer);
}

#[test]
fn no_stored_quote_breaks_its_reader() {
    let requests = corpus().into_iter().filter_map(|request| read_request(request.to_string().as_bytes()).ok());
    let quotes = requests.filter_map(|request| price(&request).ok());
    fuzz(quotes.map(|quote| serde_json::to_value(&quote).expect("a quote is written")).collect(), read_back);
}

/// Tries inputs made of a pool until the time is over.
fn fuzz(mut pool: Vec<Value>, try_out: Trial) {
    let number = |name: &str, default: u64| env::var(name).map_or(default, |text| text.parse().expect("a number"));
    let (seed, seconds) = (number("FUZZ_SEED", 0), number("FUZZ_SECONDS", 2));
    eprintln!("FUZZ_SEED={seed} FUZZ_SECONDS={seconds}");
    let mut random = Random::new(seed);
    let gathered = pool.len();
    let mut fates = [0_u64; 4];
    let start = Instant::now();
    while start.elapsed().as_secs() < seconds {
        let input = mutate(&pool, &mut random);
        let fate = survive(&input, try_out);
        let counter = match fate {
            Fate::NotJson => &mut fates[0],
            Fate::Refused => &mut fates[1],
            Fate::TooLarge => &mut fates[2],
            Fate::Taken => &mut fates[3],
        };
        *counter += 1;
        if let (Fate::Taken, Some(document)) = (fate, input.document) {
            keep(&mut pool, gathered, document, &mut random);
        }
    }
    let [not_json, refused, too_large, taken] = fates;
    eprintln!("{taken} taken, {refused} refused, {too_large} too large to add up, {not_json} not JSON");
    assert!(taken > 0 && refused > 0, "the fuzzer tries both sides");
}

/// The requests of the gathered cases.
fn corpus() -> Vec<Value> {
    let cases = include_str!("../data/pricing.json");
    let mut cases: Value = serde_json::from_str(cases).expect("the cases are JSON");
    let cases = cases["cases"].as_array_mut().expect("a list of cases");
    cases.iter_mut().map(|case| case["request"].take()).collect()
}

/// Keeps an input for further mutation; the gathered ones stay. What has grown large is left, for the sake of speed.
fn keep(pool: &mut Vec<Value>, gathered: usize, document: Value, random: &mut Random) {
    let is_large = document
        .as_object()
        .is_some_and(|fields| fields.values().filter_map(Value::as_array).any(|entries| entries.len() > LARGE));
    if is_large {
        return;
    }
    if pool.len() < POOL {
        return pool.push(document);
    }
    let place = gathered + below(POOL - gathered, random);
    if let Some(slot) = pool.get_mut(place) {
        *slot = document;
    }
}

/// Tries an input; if it breaks something, shows it.
fn survive(input: &Input, try_out: Trial) -> Fate {
    let start = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| try_out(input)));
    let took = start.elapsed();
    match outcome {
        Ok(Ok(fate)) if took <= LONGEST => fate,
        Ok(Ok(_)) => show(input, &format!("it took {took:?}")),
        Ok(Err(broken)) => show(input, &broken),
        Err(_) => show(input, &"it panics"),
    }
}

/// Ends the test with an input at hand: printed, and whole in a file.
fn show(input: &Input, what: &dyn Debug) -> ! {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz_pricing.json");
    let kept = fs::write(&file, &input.bytes);
    let text = String::from_utf8_lossy(&input.bytes);
    let beginning: String = text.chars().take(4000).collect();
    panic!("{what:?}\nkept in {}: {kept:?}\n{beginning}", file.display());
}

/// Reads and prices a request.
fn answer(input: &Input) -> Result<Fate, TestCaseError> {
    let request = match read_request(&input.bytes) {
        Ok(request) => request,
        Err(Refused::NotJson(_)) => return Ok(Fate::NotJson),
        Err(Refused::Invalid(faults)) => return check_faults(input, &faults).map(|()| Fate::Refused),
    };
    for promotion in &request.promotions {
        let mut findings = Findings::default();
        let read = PromotionDto::from(promotion).into_domain(request.currency, &mut findings);
        let read = findings.finish(read).map_err(|problems| TestCaseError::fail(problems.to_string()))?;
        prop_assert_eq!(&read.with_usage(*promotion.usage()), promotion);
    }
    match price(&request) {
        Ok(quote) => check_priced(&request, &quote).map(|()| Fate::Taken),
        Err(PricingError::Overflow) => Ok(Fate::TooLarge),
        Err(other) => Err(TestCaseError::fail(format!("what was read is sound, but: {other}"))),
    }
}

/// What is refused says where, and the place is in the document, or its last step is what is missing.
fn check_faults(input: &Input, faults: &[Fault]) -> TestCaseResult {
    prop_assert!(!faults.is_empty() && faults.len() <= MAX_PROBLEMS);
    for fault in faults {
        let pointer = fault.pointer();
        prop_assert!(pointer.is_empty() || pointer.starts_with('/'), "{} is no pointer", pointer);
        if let Some(document) = &input.document {
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
fn read_back(input: &Input) -> Result<Fate, TestCaseError> {
    match serde_json::from_slice::<Quote>(&input.bytes) {
        Ok(quote) => {
            prop_assert!(serde_json::to_string(&QuoteDto::from(&quote)).is_ok());
            Ok(Fate::Taken)
        }
        Err(_) => Ok(Fate::Refused),
    }
}

/// What is written and read is the same.
fn survives<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + Debug>(value: &T) -> TestCaseResult {
    let text = serde_json::to_string(value).expect("it is written");
    let read: T = serde_json::from_str(&text).map_err(|error| TestCaseError::fail(format!("{error}: {text}")))?;
    prop_assert_eq!(&read, value);
    Ok(())
}
