//! Requests of pages of other origins: CORS, as the [Fetch standard](https://fetch.spec.whatwg.org/#http-cors-protocol) says it.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    ORIGIN, VARY,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use thiserror::Error;

use crate::answer::Answer;

const ANY: &str = "*";
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
const HEADERS: [&str; 8] = [
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "last-event-id",
    "traceparent",
    "x-request-id",
];
/// What pages may read beyond the headers that they always may.
const EXPOSED: HeaderValue = HeaderValue::from_static("etag, idempotent-replayed, location, retry-after, x-request-id");
/// The longest time that browsers keep a preflight, in seconds.
const LONGEST: u32 = 86_400;

/// Which pages of other origins may call the API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CorsSettings {
    /// Origins such as `https://shop.example.com`, or `*` alone for all.
    pub origins: Vec<String>,
    /// Methods; `None` for all of the API.
    pub methods: Option<Vec<String>>,
    /// Headers of requests; `None` for those of the API.
    pub headers: Option<Vec<String>>,
    /// Whether pages may send cookies and read the answers. Not with `*`.
    pub credentials: bool,
}

/// Why settings are refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum CorsError {
    #[error("origins: name at least one")]
    NoOrigin,
    #[error("origins: {origin:?} is not an origin: {problem}")]
    Origin { origin: String, problem: &'static str },
    #[error("origins: \"*\" stands alone")]
    Mixed,
    #[error("credentials: with \"*\", any page could read what is the customer's; name the origins")]
    AnyWithCredentials,
    #[error("methods: {0:?} is not a method such as GET")]
    Method(String),
    #[error("headers: {0:?} is not the name of a header")]
    Header(String),
    #[error("max_age: at most 1d, the longest that browsers take")]
    MaxAge,
}

/// Checked settings.
#[derive(Clone, Debug)]
pub struct Cors {
    /// `None`: all.
    origins: Option<Vec<HeaderValue>>,
    methods: HeaderValue,
    headers: HeaderValue,
    max_age: HeaderValue,
    credentials: bool,
}

impl Cors {
    /// Checks settings. Browsers keep the answer to a preflight for `max_age` seconds.
    ///
    /// # Errors
    /// [`CorsError`].
    pub fn new(settings: &CorsSettings, max_age: u32) -> Result<Self, CorsError> {
        let any = settings.origins.iter().any(|origin| origin == ANY);
        match settings.origins.len() {
            0 => return Err(CorsError::NoOrigin),
            2.. if any => return Err(CorsError::Mixed),
            _ if any && settings.credentials => return Err(CorsError::AnyWithCredentials),
            _ if max_age > LONGEST => return Err(CorsError::MaxAge),
            _ => {}
        }
        let origins = settings.origins.iter().filter(|_| !any).map(|text| origin(text)).collect::<Result<_, _>>()?;
        Ok(Self {
            origins: (!any).then_some(origins),
            methods: list(settings.methods.as_deref(), &METHODS, is_method, CorsError::Method)?,
            headers: list(settings.headers.as_deref(), &HEADERS, is_header, CorsError::Header)?,
            max_age: HeaderValue::from(max_age),
            credentials: settings.credentials,
        })
    }

    /// The answer to a preflight. `None`: the request is another one. An origin that is not allowed gets no permission, and the browser
    /// refuses the request.
    pub(crate) fn preflight(&self, request: &Parts) -> Option<Answer> {
        let headers = &request.headers;
        let asks = headers.contains_key(ORIGIN) && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if request.method != Method::OPTIONS || !asks {
            return None;
        }
        let mut answer = Answer::empty(StatusCode::NO_CONTENT);
        if self.allowed(headers.get(ORIGIN)).is_some() {
            answer.headers.insert(ACCESS_CONTROL_ALLOW_METHODS, self.methods.clone());
            answer.headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, self.headers.clone());
            answer.headers.insert(ACCESS_CONTROL_MAX_AGE, self.max_age.clone());
        }
        Some(answer)
    }

    /// Tells the browser whether the page may read an answer.
    pub(crate) fn mark(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        if self.origins.is_some() {
            headers.append(VARY, HeaderValue::from_static("origin"));
        }
        let Some(allowed) = self.allowed(origin) else { return };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        if self.credentials {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    }

    fn allowed(&self, origin: Option<&HeaderValue>) -> Option<HeaderValue> {
        let origin = origin?;
        match &self.origins {
            None => Some(HeaderValue::from_static(ANY)),
            Some(origins) => origins.iter().find(|allowed| *allowed == origin).cloned(),
        }
    }
}

/// An origin in the form in which browsers send it; any other would never match.
fn origin(text: &str) -> Result<HeaderValue, CorsError> {
    let refuse = |problem| CorsError::Origin { origin: text.to_owned(), problem };
    let (scheme, rest) = text.split_once("://").ok_or_else(|| refuse("it begins with https:// or http://"))?;
    if scheme != "https" && scheme != "http" {
        return Err(refuse("it begins with https:// or http://"));
    }
    if rest.contains(['/', '?', '#']) {
        return Err(refuse("it has no path and no slash at the end"));
    }
    if rest.contains(['*', '@']) {
        return Err(refuse("it names one host, without a user"));
    }
    let uri: Uri = text.parse().map_err(|_| refuse("it names no host"))?;
    if uri.host().is_none_or(str::is_empty) || text != text.to_ascii_lowercase() {
        return Err(refuse("it names a host in lower case"));
    }
    if rest.ends_with(':') || uri.port_u16() == Some(if scheme == "https" { 443 } else { 80 }) {
        return Err(refuse("browsers leave out the usual port"));
    }
    HeaderValue::from_str(text).map_err(|_| refuse("it names no host"))
}

fn list(
    given: Option<&[String]>,
    usual: &[&str],
    is_proper: fn(&str) -> bool,
    refused: fn(String) -> CorsError,
) -> Result<HeaderValue, CorsError> {
    let Some(given) = given else {
        return HeaderValue::from_str(&usual.join(", ")).map_err(|_| refused(usual.join(", ")));
    };
    match given.iter().find(|name| !is_proper(name)) {
        Some(name) => Err(refused(name.clone())),
        None => HeaderValue::from_str(&given.join(", ")).map_err(|_| refused(given.join(", "))),
    }
}

fn is_method(name: &str) -> bool {
    METHODS.contains(&name)
}

/// `*` would mean all headers but `authorization`, which the API needs.
fn is_header(name: &str) -> bool {
    name != ANY && HeaderName::from_bytes(name.as_bytes()).is_ok()
}
