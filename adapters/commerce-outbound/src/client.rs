//! An HTTP client with limits of time and size.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use commerce_trace::{Kind, Running, TraceContext};
use http::header::{ACCEPT, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Collected, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use thiserror::Error;

use crate::tls::Tls;

/// The maximum number of idle connections per host.
const IDLE_CONNECTIONS: usize = 8;
const IDLE_TIME: Duration = Duration::from_secs(30);

/// What a service answered.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// `None` if it was longer than the limit or broke off.
    pub body: Option<Bytes>,
}

/// The reason why a call got no answer. Messages do not contain the request.
#[derive(Debug, Error)]
pub enum OutboundError {
    /// The request may have arrived.
    #[error("no answer within {0:?}")]
    TimeOut(Duration),
    /// There was no connection, or it broke: see [`was_sent`](Self::was_sent).
    #[error("{}", innermost(.0))]
    Failed(#[from] hyper_util::client::legacy::Error),
}

impl OutboundError {
    /// Whether the request may have arrived. `false` if there was no connection: refused, unknown host, TLS.
    pub fn was_sent(&self) -> bool {
        match self {
            Self::TimeOut(_) => true,
            Self::Failed(error) => !error.is_connect(),
        }
    }
}

/// A client without retries.
#[derive(Clone, Debug)]
pub struct Outbound {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    time_out: Duration,
}

impl Outbound {
    /// A client with a time-out for a whole call. Connecting may take half of it.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(time_out: Duration) -> Result<Self, rustls::Error> {
        Ok(Self::with_tls(&Tls::public()?, time_out))
    }

    /// A client with certificates of the house.
    pub fn with_tls(tls: &Tls, time_out: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(time_out.checked_div(2));
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls.0.clone());
        let connector = connector.https_or_http().enable_http1();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIME)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .build(connector.wrap_connector(tcp));
        Self { client, time_out }
    }

    /// Gets a resource, and at most `limit` bytes of its body.
    ///
    /// # Errors
    /// [`OutboundError`].
    pub async fn get(&self, uri: Uri, limit: usize) -> Result<Answer, OutboundError> {
        let mut request = Request::new(Full::default());
        *request.uri_mut() = uri;
        self.send(request, limit).await
    }

    /// Sends a request in the trace that it belongs to, and reads at most `limit` bytes of the body of the answer.
    ///
    /// # Errors
    /// [`OutboundError`].
    pub async fn send(&self, mut request: Request<Full<Bytes>>, limit: usize) -> Result<Answer, OutboundError> {
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("commerce/", env!("CARGO_PKG_VERSION"))));
        let context = commerce_trace::current().map(TraceContext::child);
        let trace = context.map(|context| context.header().to_string());
        if let Some(trace) = trace.and_then(|trace| HeaderValue::try_from(trace).ok()) {
            headers.insert(commerce_trace::TRACEPARENT, trace);
        }
        let span = context.and_then(|context| Running::begin(context, Kind::Client));
        let span = span.map(|span| (span, request.method().clone(), request.uri().clone()));
        let answer = tokio::time::timeout(self.time_out, self.ask(request, limit));
        let answer = answer.await.unwrap_or(Err(OutboundError::TimeOut(self.time_out)));
        if let Some((span, method, uri)) = span {
            end(span, &method, &uri, &answer);
        }
        answer
    }

    async fn ask(&self, request: Request<Full<Bytes>>, limit: usize) -> Result<Answer, OutboundError> {
        let (head, body) = self.client.request(request).await?.into_parts();
        let body = Limited::new(body, limit).collect().await.ok().map(Collected::to_bytes);
        Ok(Answer { status: head.status, headers: head.headers, body })
    }
}

/// Ends the span of a call. Its path stays here, because it may name a user.
fn end(span: Running, method: &Method, uri: &Uri, answer: &Result<Answer, OutboundError>) {
    let method = method.as_str();
    let outcome = match answer {
        Ok(answer) => ("http.response.status_code", answer.status.as_u16().into()),
        Err(OutboundError::TimeOut(_)) => ("error.type", "timeout".into()),
        Err(OutboundError::Failed(_)) => ("error.type", "connection".into()),
    };
    let failed = answer.as_ref().map_or(true, |answer| answer.status.as_u16() >= 400);
    let host = uri.host().unwrap_or_default();
    let attributes = vec![("http.request.method", method.into()), ("server.address", host.into()), outcome];
    span.end(method.to_owned(), attributes, failed);
}

/// The innermost cause, such as "Connection refused". The outer ones are generic.
fn innermost(error: &(dyn Error + 'static)) -> String {
    match error.source() {
        Some(source) => innermost(source),
        None => error.to_string(),
    }
}
