//! Requests to Stripe, and what its answers say about them.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use commerce_core::payment::DeclineCode;
use commerce_core::port::ProcessorError;
use commerce_outbound::{Answer, OutboundError, Service};
use http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::Full;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error as ThisError;

use crate::decline;

/// The version of Stripe's API that requests ask for.
const VERSION: HeaderValue = HeaderValue::from_static("2025-09-30.clover");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const VERSION_NAME: HeaderName = HeaderName::from_static("stripe-version");
/// The most bytes of an answer that are read. A page of 100 events has some 500 kB.
const MAX_BODY: usize = 8 * 1024 * 1024;
/// How often a request is sent while Stripe does another one on the same payment or with the same key.
const TRIES: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// All characters except the unreserved ones of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Fields of a form, such as `metadata[order]`.
pub(crate) type Fields = Vec<(String, String)>;

/// Why there is no result.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The card was declined.
    Declined,
    /// Stripe refused the request and did nothing.
    Refused(Refusal),
    /// Nothing was done.
    NotDone(Box<dyn Error + Send + Sync>),
    /// Whether something was done is not known.
    Unknown(Box<dyn Error + Send + Sync>),
}

/// Stripe's reasons for a refusal. Its message is left out, because it repeats what was sent.
#[derive(Debug, Default, Deserialize, ThisError)]
#[error("Stripe refused it: {} {} {}", kind.as_deref().unwrap_or("error"), code.as_deref().unwrap_or(""), param.as_deref().unwrap_or(""))]
pub(crate) struct Refusal {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    param: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct ErrorBody {
    error: Refusal,
}

impl From<Failure> for ProcessorError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Declined => Self::NotDone("Stripe declined it".into()),
            Failure::Refused(refusal) => Self::NotDone(refusal.into()),
            Failure::NotDone(reason) => Self::NotDone(reason),
            Failure::Unknown(reason) => Self::Unknown(reason),
        }
    }
}

impl Failure {
    /// The failure of a request that could not move money.
    pub(crate) fn harmless(self) -> ProcessorError {
        match ProcessorError::from(self) {
            ProcessorError::NotDone(reason) | ProcessorError::Unknown(reason) => ProcessorError::NotDone(reason),
        }
    }
}

impl Refusal {
    /// What the refusal says about the payment. `None` if the request itself is wrong, or the shop may not send it.
    pub(crate) fn meaning(&self) -> Option<DeclineCode> {
        let amount = self.param.as_deref().is_some_and(|param| param.starts_with("amount"));
        let part = self.param.as_deref() == Some("final_capture");
        let known = self.code.as_deref().and_then(decline::known);
        known.or(amount.then_some(DeclineCode::InvalidAmount)).or(part.then_some(DeclineCode::NotSupported))
    }

    /// Whether the object does not exist.
    pub(crate) fn is_missing(&self) -> bool {
        self.code.as_deref() == Some("resource_missing")
    }
}

/// Stripe's API.
#[derive(Clone, Debug)]
pub(crate) struct Api(pub(crate) Service);

impl Api {
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.call(Method::GET, path, None, &Fields::new()).await
    }

    /// Posts a form. Without a key, the request must have the same effect however often it is sent.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        key: Option<&str>,
        fields: &Fields,
    ) -> Result<T, Failure> {
        self.call(Method::POST, path, key, fields).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        fields: &Fields,
    ) -> Result<T, Failure> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..TRIES {
            let answer = self.send(request(&method, key, fields), path).await?;
            if !is_busy(&answer) {
                return read(&answer);
            }
            tokio::time::sleep(wait(&answer).unwrap_or(pause)).await;
            pause = pause.saturating_mul(2);
        }
        read(&self.send(request(&method, key, fields), path).await?)
    }

    async fn send(&self, mut request: Request<Full<Bytes>>, path: &str) -> Result<Answer, Failure> {
        *request.uri_mut() = self.0.uri(path).map_err(|error| Failure::NotDone(error.into()))?;
        let is_get = request.method() == Method::GET;
        self.0.send(request, MAX_BODY).await.map_err(|error: OutboundError| {
            if error.was_sent() && !is_get { Failure::Unknown(error.into()) } else { Failure::NotDone(error.into()) }
        })
    }
}

fn request(method: &Method, key: Option<&str>, fields: &Fields) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::from(form(fields)));
    *request.method_mut() = method.clone();
    let headers = request.headers_mut();
    headers.insert(VERSION_NAME, VERSION);
    if *method == Method::POST {
        headers.insert(CONTENT_TYPE, FORM);
    }
    if let Some(key) = key.and_then(|key| HeaderValue::try_from(key).ok()) {
        headers.insert(KEY, key);
    }
    request
}

/// A text in a path or a form.
pub(crate) fn escaped(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, RESERVED)
}

pub(crate) fn form(fields: &Fields) -> String {
    let pairs = fields.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn refusal(answer: &Answer) -> Refusal {
    let body = answer.body.as_deref().and_then(|body| serde_json::from_slice::<ErrorBody>(body).ok());
    body.unwrap_or_default().error
}

/// Whether Stripe did nothing because of another request, so that the same request can be sent at once.
fn is_busy(answer: &Answer) -> bool {
    let is_locked = || refusal(answer).code.as_deref() == Some("lock_timeout");
    answer.status == StatusCode::CONFLICT || (answer.status == StatusCode::TOO_MANY_REQUESTS && is_locked())
}

fn wait(answer: &Answer) -> Option<Duration> {
    let seconds = answer.headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_PAUSE))
}

/// Reads an answer.
///
/// | answer | meaning |
/// |---|---|
/// | 2xx | done; not known if the body cannot be read |
/// | 402 | declined |
/// | 400 with `idempotency_error`, 409 | another request with this key was sent: not known |
/// | 429, other 4xx | not done |
/// | everything else | not known |
fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, Failure> {
    let status = answer.status;
    if status.is_success() {
        let body =
            answer.body.as_deref().ok_or_else(|| Failure::Unknown("the answer is too long or broke off".into()))?;
        return serde_json::from_slice(body).map_err(|error| Failure::Unknown(place(&error).into()));
    }
    let refusal = refusal(answer);
    let is_reused = status == StatusCode::CONFLICT || refusal.kind.as_deref() == Some("idempotency_error");
    Err(match status {
        StatusCode::PAYMENT_REQUIRED => Failure::Declined,
        _ if is_reused => Failure::Unknown(refusal.into()),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => {
            Failure::NotDone(format!("Stripe answered {status}").into())
        }
        _ if status.is_client_error() => Failure::Refused(refusal),
        _ => Failure::Unknown(format!("Stripe answered {status}").into()),
    })
}

/// Where a body cannot be read, without its contents.
fn place(error: &serde_json::Error) -> String {
    format!("the answer cannot be read at line {}, column {}", error.line(), error.column())
}
