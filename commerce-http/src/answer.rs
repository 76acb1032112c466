//! What a handler answers: a status, a few headers, a body that is written once.

use bytes::Bytes;
use commerce_core::ids::OrderId;
use http::header::{CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;

use crate::problem::Problem;

/// What every handler ends in.
pub(crate) type Outcome = Result<Answer, Problem>;

/// The media type of everything but problems and the documentation.
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What a handler answers.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The order it is about, for the log.
    pub(crate) order: Option<OrderId>,
    pub(crate) body: Bytes,
}

impl Answer {
    /// An answer without a body.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), order: None, body: Bytes::new() }
    }

    /// A document.
    #[expect(clippy::expect_used, reason = "shapes have text keys and memory takes every byte, so writing cannot fail")]
    pub(crate) fn json(status: StatusCode, document: &impl Serialize) -> Self {
        let body = serde_json::to_vec(document).expect("a shape can be written");
        Self::empty(status).typed(JSON, body)
    }

    /// A document, with 200.
    pub(crate) fn ok(document: &impl Serialize) -> Self {
        Self::json(StatusCode::OK, document)
    }

    /// A problem, as the client is told of it.
    pub(crate) fn problem(problem: Problem, request_id: &str) -> Self {
        let (status, headers, body) = problem.written(request_id);
        Self { status, headers, order: None, body: body.into() }
    }

    /// Gives it a body of a type.
    pub(crate) fn typed(mut self, content_type: HeaderValue, body: impl Into<Bytes>) -> Self {
        self.headers.insert(CONTENT_TYPE, content_type);
        self.body = body.into();
        self
    }

    /// Names the version of what it shows.
    pub(crate) fn version(mut self, version: u64) -> Self {
        self.headers.insert(ETAG, etag(version));
        self
    }

    /// Says where what was made is found. A path that is no header value is left out.
    pub(crate) fn location(mut self, path: &str) -> Self {
        if let Ok(path) = HeaderValue::from_str(path) {
            self.headers.insert(LOCATION, path);
        }
        self
    }

    /// Says which order it is about.
    pub(crate) const fn about(mut self, order: OrderId) -> Self {
        self.order = Some(order);
        self
    }
}

/// The strong validator of a version.
fn etag(version: u64) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\"")).unwrap_or_else(|_| HeaderValue::from_static("\"0\""))
}
