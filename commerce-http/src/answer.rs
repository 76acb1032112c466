//! Answers of handlers: a status, headers, and a body that is serialized once.

use std::fmt::Display;

use bytes::Bytes;
use commerce_core::ids::OrderId;
use http::header::{CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::problem::Problem;
use crate::response_body::Parts;

pub(crate) type Outcome = Result<Answer, Problem>;

/// The media type of everything but problems and the documentation.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The order that the request was about, for the log.
    pub(crate) order: Option<OrderId>,
    pub(crate) body: Bytes,
    /// A body that comes in parts, in place of `body`.
    pub(crate) parts: Option<Parts>,
}

impl Answer {
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), order: None, body: Bytes::new(), parts: None }
    }

    #[expect(clippy::expect_used, reason = "shapes have string keys, and writing to memory cannot fail")]
    pub(crate) fn json(status: StatusCode, document: &impl Serialize) -> Self {
        let body = serde_json::to_vec(document).expect("a shape can be serialized");
        Self::empty(status).typed(JSON, body)
    }

    pub(crate) fn ok(document: &impl Serialize) -> Self {
        Self::json(StatusCode::OK, document)
    }

    pub(crate) fn problem(problem: Problem, request_id: &str) -> Self {
        let (status, headers, body) = problem.written(request_id);
        Self { status, headers, body: body.into(), ..Self::empty(status) }
    }

    pub(crate) fn typed(mut self, content_type: HeaderValue, body: impl Into<Bytes>) -> Self {
        self.headers.insert(CONTENT_TYPE, content_type);
        self.body = body.into();
        self
    }

    /// Sets the `ETag`.
    pub(crate) fn version(mut self, version: u64) -> Self {
        self.headers.insert(ETAG, etag(version));
        self
    }

    /// The answer to the creation of something that has an id.
    pub(crate) fn created(mut self, noun: &str, id: impl Display) -> Self {
        let id = id.to_string();
        if let Ok(path) = HeaderValue::from_str(&format!("/v1/{noun}/{}", utf8_percent_encode(&id, RESERVED))) {
            self.headers.insert(LOCATION, path);
        }
        Self { status: StatusCode::CREATED, ..self }
    }

    pub(crate) const fn about(mut self, order: OrderId) -> Self {
        self.order = Some(order);
        self
    }
}

fn etag(version: u64) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\"")).unwrap_or_else(|_| HeaderValue::from_static("\"0\""))
}
