//! Problem details (RFC 9457): the form of all errors.
//!
//! A problem contains only what the client may know. Its internal cause goes to the log.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Display};
use std::sync::Arc;

use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");
const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"commerce\"");
const INVALID_TOKEN: HeaderValue = HeaderValue::from_static("Bearer realm=\"commerce\", error=\"invalid_token\"");
/// The default `Retry-After`, in seconds.
const RETRY_SECONDS: u64 = 2;

type Cause = Arc<dyn Error + Send + Sync>;

/// The error of a request.
#[derive(Clone, Debug)]
pub(crate) struct Problem(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    status: StatusCode,
    code: &'static str,
    detail: Cow<'static, str>,
    errors: Vec<Fault>,
    members: Map<String, Value>,
    headers: HeaderMap,
    cause: Option<Cause>,
}

/// An invalid value in a request.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Fault {
    /// The position in the body, as a JSON pointer (RFC 6901). Empty for the whole document.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/items/0/quantity")]
    pointer: Option<String>,
    /// The parameter of the query.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    parameter: Option<Cow<'static, str>>,
    /// The reason, for programs.
    #[schema(example = "wrong_type")]
    code: Cow<'static, str>,
    /// The reason, for people.
    message: String,
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.pointer.as_deref().or(self.parameter.as_deref()).filter(|place| !place.is_empty());
        match place {
            Some(place) => write!(f, "{place}: {}", self.message),
            None => write!(f, "the document {}", self.message),
        }
    }
}

impl Fault {
    /// The position in the document, as a JSON pointer. Empty for the whole document.
    pub fn pointer(&self) -> &str {
        self.pointer.as_deref().unwrap_or_default()
    }

    /// The reason, for programs.
    pub fn code(&self) -> &str {
        &self.code
    }

    pub(crate) fn parameter(&self) -> Option<&str> {
        self.parameter.as_deref()
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The same fault of a parameter of another name.
    pub(crate) fn of_parameter(self, name: String) -> Self {
        Self { parameter: Some(name.into()), ..self }
    }

    /// The same fault at another place, in other words.
    pub(crate) fn moved(self, pointer: String, message: String) -> Self {
        Self { pointer: Some(pointer), message, ..self }
    }

    pub(crate) fn at(pointer: impl Into<String>, code: &'static str, message: impl Display) -> Self {
        Self { pointer: Some(pointer.into()), parameter: None, code: code.into(), message: message.to_string() }
    }
}

impl Problem {
    /// A problem with a stable code and a message for people.
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Parts {
            status,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            members: Map::new(),
            headers: HeaderMap::new(),
            cause: None,
        }))
    }

    pub(crate) fn bad_request(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// The request conflicts with the current state.
    pub(crate) fn conflict(code: &'static str, detail: impl Display) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail.to_string())
    }

    /// The request can be read but is not valid.
    pub(crate) fn unprocessable(code: &'static str, detail: impl Display) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail.to_string())
    }

    pub(crate) fn invalid(errors: Vec<Fault>) -> Self {
        let first = errors.first().map(ToString::to_string);
        let mut problem = Self::unprocessable("validation_failed", first.unwrap_or_default());
        problem.0.errors = errors;
        problem
    }

    pub(crate) fn invalid_at(pointer: &str, code: &'static str, message: impl Display) -> Self {
        Self::invalid(vec![Fault::at(pointer, code, message)])
    }

    pub(crate) fn invalid_parameter(
        name: impl Into<Cow<'static, str>>,
        code: &'static str,
        message: impl Display,
    ) -> Self {
        let fault =
            Fault { pointer: None, parameter: Some(name.into()), code: code.into(), message: message.to_string() };
        let mut problem = Self::invalid(vec![fault]);
        problem.0.code = code;
        problem
    }

    /// The object does not exist, or the caller must not know of it.
    pub(crate) fn not_found(noun: impl Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("There is no such {noun}."))
    }

    pub(crate) fn no_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "route_not_found", "Unknown route.")
    }

    pub(crate) fn method_not_allowed(allow: HeaderValue) -> Self {
        let detail = "The route does not support this method.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail).header(ALLOW, allow)
    }

    pub(crate) fn no_token() -> Self {
        let detail = "Send a token in the header Authorization: Bearer, or in the cookie session.";
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail).header(WWW_AUTHENTICATE, CHALLENGE)
    }

    pub(crate) fn bad_token(code: &'static str, detail: &'static str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, detail).header(WWW_AUTHENTICATE, INVALID_TOKEN)
    }

    /// Whether a token or a signature was refused.
    pub(crate) fn is_forgery(&self) -> bool {
        ["invalid_token", "token_expired", "webhook_forged", "webhook_stale", "invalid_signature", "stale_signature"]
            .contains(&self.0.code)
    }

    pub(crate) fn forbidden(detail: impl Display) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail.to_string())
    }

    pub(crate) fn unavailable(code: &'static str, detail: &'static str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).retry_after(RETRY_SECONDS)
    }

    /// The handler exceeded its time-out. It may have had an effect.
    pub(crate) fn timed_out() -> Self {
        let detail = "The request timed out. Repeat it with the same Idempotency-Key to get its outcome.";
        Self::unavailable("timeout", detail)
    }

    pub(crate) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "An internal error occurred.")
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.members.insert(name.to_owned(), value.into());
        self
    }

    /// The same problem with its faults changed.
    pub(crate) fn translated(mut self, change: impl FnMut(Fault) -> Fault) -> Self {
        let tells_first = self.0.errors.first().is_some_and(|first| *self.0.detail == *first.to_string());
        self.0.errors = std::mem::take(&mut self.0.errors).into_iter().map(change).collect();
        if let Some(first) = self.0.errors.first().filter(|_| tells_first) {
            self.0.detail = first.to_string().into();
        }
        self
    }

    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        self.header(RETRY_AFTER, seconds.into())
    }

    pub(crate) fn caused_by(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.cause = Some(cause.into().into());
        self
    }

    pub(crate) const fn code(&self) -> &'static str {
        self.0.code
    }

    pub(crate) const fn status(&self) -> StatusCode {
        self.0.status
    }

    pub(crate) fn log(&self) {
        if let Some(cause) = &self.0.cause {
            tracing::error!(code = self.0.code, error = %cause, "request failed");
        }
    }

    /// The answer: status, headers and document.
    pub(crate) fn written(self, request_id: &str) -> (StatusCode, HeaderMap, Vec<u8>) {
        let parts = *self.0;
        let title = title(parts.code);
        let document = ProblemShape {
            r#type: format!("urn:commerce:problem:{}", parts.code),
            title: &title,
            status: parts.status.as_u16(),
            detail: &sentence(&parts.detail),
            code: parts.code,
            error: &title,
            request_id,
            errors: &parts.errors,
            members: &parts.members,
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut headers = parts.headers;
        headers.insert(CONTENT_TYPE, PROBLEM_JSON);
        (parts.status, headers, body)
    }
}

/// A problem.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemShape<'a> {
    /// Identifies the kind of problem.
    #[schema(example = "urn:commerce:problem:out_of_stock")]
    r#type: String,
    /// The kind of problem in words.
    #[schema(example = "Out of stock")]
    title: &'a str,
    /// The status of the answer.
    #[schema(example = 409)]
    status: u16,
    /// What happened in this request.
    detail: &'a str,
    /// The stable code of the kind. Use it in programs.
    #[schema(example = "out_of_stock")]
    code: &'a str,
    /// The title, for simple clients.
    error: &'a str,
    /// The id of the request, which is also in the log.
    request_id: &'a str,
    /// The invalid values.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    errors: &'a [Fault],
    #[serde(flatten)]
    #[schema(ignore)]
    members: &'a Map<String, Value>,
}

/// A text that begins in upper case.
fn sentence(text: &str) -> Cow<'_, str> {
    match text.as_bytes().first().filter(|byte| byte.is_ascii_lowercase()) {
        Some(byte) => {
            Cow::Owned(format!("{}{}", char::from(byte.to_ascii_uppercase()), text.get(1..).unwrap_or_default()))
        }
        None => Cow::Borrowed(text),
    }
}

/// The title of a problem: its code in words, except where clients rely on another text.
fn title(code: &str) -> String {
    if code == "user_service_unavailable" {
        return "Unable to validate user".to_owned();
    }
    let mut words = code.replace('_', " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}
