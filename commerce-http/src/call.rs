//! A request for a handler: with its route, its caller and its body.

use std::fmt::Display;
use std::str::FromStr;

use bytes::Bytes;
use commerce_core::actor::Actor;
use commerce_core::engine::Target;
use commerce_core::port::OrderRef;
use commerce_core::problem::{Findings, Read};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use crate::answer::Answer;
use crate::auth::Caller;
use crate::json;
use crate::memory::Memory;
use crate::precondition;
use crate::problem::Problem;
use crate::query::Query;

pub(crate) type Params = Vec<(&'static str, String)>;

/// A request with its route, its caller and its body.
#[derive(Debug)]
pub(crate) struct RequestContext {
    /// The path of the route, with its parameters in braces.
    pub(crate) path: &'static str,
    pub(crate) params: Params,
    pub(crate) caller: Caller,
    pub(crate) parts: http::request::Parts,
    pub(crate) body: Bytes,
    pub(crate) memory: Mutex<Memory>,
}

impl RequestContext {
    /// The caller. Guests are refused.
    pub(crate) fn caller(&self) -> Result<&Actor, Problem> {
        self.caller.known()
    }

    pub(crate) const fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    pub(crate) fn param(&self, name: &str) -> &str {
        let found = self.params.iter().find(|(known, _)| *known == name);
        found.map_or("", |(_, value)| value)
    }

    /// A parameter of the path. If it is not a valid id, nothing has this id: 404.
    pub(crate) fn path_param<T: FromStr>(&self, param: &str, noun: &str) -> Result<T, Problem> {
        self.param(param).parse().map_err(|_| Problem::not_found(noun))
    }

    /// A parameter of the path that names what a request may create. If it is not a valid id, the request is invalid: 422.
    pub(crate) fn chosen_id<T: FromStr<Err: Display>>(&self, param: &str) -> Result<T, Problem> {
        self.param(param).parse().map_err(|error| Problem::invalid_at(&format!("/{param}"), "invalid", error))
    }

    /// The order in the path, by id or number.
    pub(crate) fn order(&self) -> Result<OrderRef, Problem> {
        let text = self.param("id");
        if let Ok(id) = text.parse() {
            tracing::Span::current().record("order_id", text);
            return Ok(OrderRef::Id(id));
        }
        text.parse().map(OrderRef::Number).map_err(|_| Problem::not_found("order"))
    }

    pub(crate) fn query(&self) -> Result<Query, Problem> {
        Query::read(self.parts.uri.query())
    }

    /// The subject of a write, with the condition in the headers.
    pub(crate) fn target<I>(&self, id: I) -> Result<Target<I>, Problem> {
        Ok(Target { id, expected: precondition::expected(self.headers())? })
    }

    /// The answer to a read of something that is the same as long as its version is. A caller who has the version gets 304, and
    /// the document is not serialized.
    pub(crate) fn unless_known(&self, version: u64, write: impl FnOnce() -> Answer) -> Answer {
        let known = precondition::is_known(self.headers(), version);
        if known { Answer::empty(StatusCode::NOT_MODIFIED).version(version) } else { write() }
    }

    /// The required body.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        self.check_type()?;
        if self.body.is_empty() {
            return Err(Problem::bad_request("malformed_json", "The body is required."));
        }
        json::read(&self.body)
    }

    /// Reads the body, or reports all invalid values in it.
    pub(crate) fn read<D, T>(&self, read: impl FnOnce(D, &mut Findings) -> Read<T>) -> Result<T, Problem>
    where
        D: DeserializeOwned,
    {
        let document = self.json()?;
        json::checked(|findings| read(document, findings))
    }

    /// Like [`RequestContext::read`], for an optional body.
    pub(crate) fn read_or_default<D, T>(&self, read: impl FnOnce(D, &mut Findings) -> Read<T>) -> Result<T, Problem>
    where
        D: DeserializeOwned + Default,
    {
        if self.body.is_empty() { json::checked(|findings| read(D::default(), findings)) } else { self.read(read) }
    }

    fn check_type(&self) -> Result<(), Problem> {
        let given = self.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if given.is_some_and(is_json) {
            return Ok(());
        }
        let detail = "The content type must be application/json.";
        let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail);
        Err(problem.header(http::header::ACCEPT, HeaderValue::from_static("application/json")))
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let suffix = essence.get(essence.len().saturating_sub("+json".len())..);
    essence.eq_ignore_ascii_case("application/json") || suffix.is_some_and(|end| end.eq_ignore_ascii_case("+json"))
}
