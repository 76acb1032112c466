//! Contracts: the outer form of the API, as data.
//!
//! A [`Contract`] says under which paths the routes answer, how the members of documents are named, how amounts are written, which
//! words an enumeration has, and whether `Idempotency-Key` is asked for. Requests are translated before a handler sees them, and
//! answers after it. Handlers and documents know one form, and without a contract this layer is not there.
//!
//! What is translated follows from the `OpenAPI` document: a member is an amount because its schema says so, and the entries of
//! metadata keep their names because they have none in the document.
//!
//! # Invariants
//! * Texts are translated, not values: a number is never parsed as floating point.
//! * A name or an alias belongs to one member. A body that names a member twice is refused.
//! * Pointers in problems use the names that the caller used.

mod document;
mod settings;
mod shape;
mod text;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use commerce_core::actor::Actor;
use commerce_core::ids::UserId;
use commerce_core::money::Currency;
use http::header::{CONTENT_TYPE, LINK, LOCATION};
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Method, Uri, request};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

pub use self::settings::{Amounts, ContractError, ContractSettings, KeyRule, Lists, Names};
use self::shape::{Operation, Shape, Shapes};
use self::text::{Direction, Translation};
use crate::answer::{Answer, JSON, Outcome};
use crate::json::tree::Tree;
use crate::problem::{Fault, Problem};
use crate::route::{Found, PREFIXES, Route};
use crate::routes::ROUTER;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The outer form of the API. Clones share it.
#[derive(Clone, Debug)]
pub struct Contract(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: ContractSettings,
    prefixes: Vec<String>,
    shapes: Shapes,
    operations: BTreeMap<String, Operation>,
    document: Bytes,
}

impl Contract {
    /// A contract from its settings, over those of the built-in contract that they name.
    ///
    /// # Errors
    /// [`ContractError`], for the first setting that is invalid.
    pub fn new(settings: ContractSettings) -> Result<Self, ContractError> {
        let settings = settings.completed()?;
        let document: Value = serde_json::from_str(&crate::openapi()).unwrap_or_default();
        let shapes = Shapes::read(&document, &settings)?;
        let operations = shapes.operations(&document);
        settings.check_picks(&shapes, &operations)?;
        let prefixes = settings.prefixes();
        let mut inner = Inner { settings, prefixes, shapes, operations, document: Bytes::new() };
        inner.document = document::translated(document, &inner).to_string().into();
        Ok(Self(Arc::new(inner)))
    }

    /// The `OpenAPI` document of the API in this form.
    pub fn document(&self) -> &Bytes {
        &self.0.document
    }

    /// Finds the route of a request.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Found {
        let known = self.0.prefixes.iter().filter_map(|prefix| path.strip_prefix(prefix.as_str()));
        let inner = known.filter(|rest| rest.starts_with('/')).map(|rest| format!("{}{rest}", PREFIXES[0]));
        let mut found = inner.map(|path| ROUTER.find(method, &path)).filter(|found| !matches!(found, Found::Nothing));
        let is_inner =
            || PREFIXES.iter().any(|prefix| path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/')));
        match found.next() {
            Some(found) => found,
            None if is_inner() => self.find_same(method, path),
            None => ROUTER.find(method, path),
        }
    }

    /// Finds a route that has the same form in all contracts. It stays where it is without a contract, because webhooks and readers
    /// of the feed are told its path elsewhere.
    fn find_same(&self, method: &Method, path: &str) -> Found {
        let found = ROUTER.find(method, path);
        let moved = match &found {
            Found::Route(route, _) => self.0.operations.contains_key(route.id),
            Found::OtherMethod(_) | Found::Nothing => true,
        };
        if moved { Found::Nothing } else { found }
    }

    /// The translation of one request, unless its route has one form only.
    pub(crate) fn exchange(&self, route: &Route, parts: &request::Parts, currency: Currency) -> Option<Exchange> {
        let operation = self.0.operations.contains_key(route.id).then_some(route.id)?;
        let asked = parts.uri.clone();
        Some(Exchange { contract: self.clone(), operation, currency, asked, given: Bytes::new() })
    }

    /// The document of a problem, with the names of its members.
    pub(crate) fn problem(&self, answer: Answer, currency: Currency) -> Answer {
        let body = self.0.translated_out(&Shape::named("Problem"), &answer.body, currency);
        Answer { body: body.unwrap_or(answer.body), ..answer }
    }
}

impl Inner {
    fn translated_out(&self, shape: &Shape, body: &[u8], currency: Currency) -> Option<Bytes> {
        let text: &RawValue = serde_json::from_slice(body).ok()?;
        let written = Translation::new(self, Direction::Out, text).written(shape, currency).ok()?;
        Some(written.into())
    }

    /// The path of a route, from the one within.
    fn path(&self, path: &str) -> Option<String> {
        Some(format!("{}{}", self.prefixes.first()?, path.strip_prefix(PREFIXES[0])?))
    }
}

/// One request and its answer.
#[derive(Debug)]
pub(crate) struct Exchange {
    contract: Contract,
    operation: &'static str,
    currency: Currency,
    asked: Uri,
    given: Bytes,
}

impl Exchange {
    /// Translates what a handler will read: the query and the body. Adds a key if the caller need not send one.
    pub(crate) fn request(
        &mut self,
        parts: &mut request::Parts,
        body: Bytes,
        caller: Option<&Actor>,
    ) -> Result<Bytes, Problem> {
        self.given = body;
        let generates = self.inner().settings.idempotency_key == Some(KeyRule::Generated);
        if generates && self.operation().is_keyed && !parts.headers.contains_key(IDEMPOTENCY_KEY) {
            let key = HeaderValue::from_str(&Uuid::now_v7().to_string());
            parts.headers.extend(key.ok().map(|key| (IDEMPOTENCY_KEY, key)));
        }
        if let Some(query) = self.query()? {
            parts.uri = Uri::from(query);
        }
        let is_json = serde_json::from_slice::<&RawValue>(&self.given).ok();
        let Some((text, shape)) = is_json.zip(self.operation().body.as_ref()) else { return Ok(self.given.clone()) };
        let caller = caller.and_then(|caller| caller.user.as_ref()).map(UserId::as_str);
        let translation = Translation { caller, ..Translation::new(self.inner(), Direction::In, text) };
        let written = translation.written(shape, self.currency).map_err(|fault| Problem::invalid(vec![fault]))?;
        Ok(written.into())
    }

    /// Translates the outcome of a handler. `body` is what it read.
    pub(crate) fn outcome(&self, outcome: Outcome, body: &[u8]) -> Outcome {
        outcome.map(|answer| self.answer(answer, body)).map_err(|problem| self.problem(problem))
    }

    fn inner(&self) -> &Inner {
        &self.contract.0
    }

    #[expect(clippy::expect_used, reason = "an exchange is of an operation of the contract")]
    fn operation(&self) -> &Operation {
        self.inner().operations.get(self.operation).expect("the operation is known")
    }

    /// The query with the names and words within, if it has any.
    fn query(&self) -> Result<Option<PathAndQuery>, Problem> {
        let Some(given) = self.asked.query() else { return Ok(None) };
        let pairs = given.split('&').map(|pair| self.parameter(pair)).collect::<Result<Vec<_>, _>>()?;
        Ok(format!("{}?{}", self.asked.path(), pairs.join("&")).parse().ok())
    }

    /// A parameter as it is read within. A name that only the documents within have is refused: without the filter, the answer would
    /// have more than was asked for.
    fn parameter<'p>(&self, pair: &'p str) -> Result<Cow<'p, str>, Problem> {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let Ok(plain) = percent_decode_str(name).decode_utf8() else { return Ok(pair.into()) };
        let Some(member) = self.operation().parameters.outer(&plain) else {
            return match self.operation().parameters.inner(&plain) {
                Some(_) => Err(unknown_parameter(&plain)),
                None => Ok(pair.into()),
            };
        };
        let text = percent_decode_str(value).decode_utf8().ok();
        let word = text.as_deref().and_then(|text| self.inner().shapes.word(&member.shape, text));
        let value = word.map_or(value.into(), |word| Cow::from(utf8_percent_encode(word, NON_ALPHANUMERIC)));
        Ok(format!("{}={value}", member.inner).into())
    }

    fn answer(&self, mut answer: Answer, body: &[u8]) -> Answer {
        let location = answer.headers.get(LOCATION).and_then(|path| self.inner().path(path.to_str().ok()?));
        if let Some(path) = location.and_then(|path| HeaderValue::from_str(&path).ok()) {
            answer.headers.insert(LOCATION, path);
        }
        let is_json = answer.headers.get(CONTENT_TYPE) == Some(&JSON) && answer.parts.is_none();
        let Some(shape) = self.operation().answer.as_ref().filter(|_| is_json) else { return answer };
        if let Some(entries) = self.entries(shape, &mut answer) {
            answer.body = entries;
        } else if let Some(translated) = self.inner().translated_out(shape, &answer.body, self.currency) {
            answer.body = self.with_picks(translated, &answer.body, body);
        }
        answer
    }

    /// The entries of a page alone, with the next page in `Link`.
    fn entries(&self, shape: &Shape, answer: &mut Answer) -> Option<Bytes> {
        if self.inner().settings.lists != Some(Lists::Array) {
            return None;
        }
        let entries = self.inner().shapes.entries(shape)?;
        let page: BTreeMap<String, &RawValue> = serde_json::from_slice(&answer.body).ok()?;
        let cursor: Option<String> = serde_json::from_str(page.get("next_cursor")?.get()).ok()?;
        let own = page.get("currency").and_then(|code| serde_json::from_str::<String>(code.get()).ok()?.parse().ok());
        let currency = own.unwrap_or(self.currency);
        let translated = self.inner().translated_out(entries, page.get("items")?.get().as_bytes(), currency)?;
        let next = cursor.and_then(|cursor| HeaderValue::from_str(&self.next_page(&cursor)).ok());
        answer.headers.extend(next.map(|next| (LINK, next)));
        Some(translated)
    }

    fn next_page(&self, cursor: &str) -> String {
        let given = self.asked.query().unwrap_or_default().split('&');
        let others = given.filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
        let query = others.map(str::to_owned).chain([format!("cursor={cursor}")]).collect::<Vec<_>>().join("&");
        format!("<{}?{query}>; rel=\"next\"", self.asked.path())
    }

    /// Adds the members that are picked from a list of the answer: that of the entry which the request is about.
    fn with_picks(&self, translated: Bytes, answer: &[u8], body: &[u8]) -> Bytes {
        let Some(picks) = self.inner().settings.picks.get(self.operation) else { return translated };
        let (answer, body): (Value, Value) =
            (serde_json::from_slice(answer).unwrap_or_default(), serde_json::from_slice(body).unwrap_or_default());
        let pick = |(name, path): (&String, &String)| {
            let [list, key, member] = path.split('.').collect::<Vec<_>>().try_into().ok()?;
            let entry = answer[list].as_array()?.iter().find(|entry| entry[key] == body[key])?;
            Some(format!("{}:{},", Value::from(name.as_str()), entry[member]))
        };
        let picked: String = picks.iter().filter_map(pick).collect();
        match translated.strip_prefix(b"{") {
            Some(rest) if !picked.is_empty() => [b"{", picked.as_bytes(), rest].concat().into(),
            _ => translated,
        }
    }

    /// The problem in the names of the caller.
    fn problem(&self, problem: Problem) -> Problem {
        let given = serde_json::from_slice::<&RawValue>(&self.given).ok().map(Tree::read);
        problem.translated(|fault| self.fault(fault, given.as_ref()))
    }

    fn fault(&self, fault: Fault, given: Option<&Tree<'_>>) -> Fault {
        if let Some(parameter) = fault.parameter() {
            let member = self.operation().parameters.inner(parameter);
            let name = member.map(|member| member.outer.clone());
            return name.map_or(fault.clone(), |name| fault.of_parameter(name));
        }
        let Some(shape) = &self.operation().body else { return fault };
        let pointer = self.inner().shapes.pointer(shape, given, fault.pointer());
        let message = self.inner().shapes.message(shape, fault.message());
        fault.moved(pointer, message)
    }
}

fn unknown_parameter(name: &str) -> Problem {
    Problem::invalid_parameter(name.to_owned(), "invalid_parameter", "is not a known parameter")
}

#[cfg(test)]
#[path = "../tests/unit/contract.rs"]
mod tests;
