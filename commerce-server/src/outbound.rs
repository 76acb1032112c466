//! Calls to other services: small, bounded in time and size, over TLS where the address says so.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, USER_AGENT};
use http::{HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::aws_lc_rs;
use thiserror::Error;

/// Connections kept open to one host while nobody uses them.
const IDLE_CONNECTIONS: usize = 8;
const IDLE_TIME: Duration = Duration::from_secs(30);

/// What another service answered; no body if it was longer than the caller wanted to read.
pub(crate) type Answer = (StatusCode, Option<Bytes>);

/// Why another service did not answer. Never tells what was sent.
#[derive(Debug, Error)]
pub(crate) enum OutboundError {
    #[error("no answer within {0:?}")]
    TimeOut(Duration),
    /// The connection failed: refused, unknown host, broken TLS.
    #[error("{}", innermost(.0))]
    Failed(#[from] hyper_util::client::legacy::Error),
}

/// A client that asks once: whoever calls decides whether to ask again.
#[derive(Clone, Debug)]
pub(crate) struct Outbound {
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    time_out: Duration,
}

impl Outbound {
    /// A client whose calls take at most `time_out`, from the connection to the last byte.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub(crate) fn new(time_out: Duration) -> Result<Self, rustls::Error> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(time_out));
        let connector = HttpsConnectorBuilder::new();
        let connector = connector.with_provider_and_webpki_roots(aws_lc_rs::default_provider())?;
        let connector = connector.https_or_http().enable_http1();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIME)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .build(connector.wrap_connector(tcp));
        Ok(Self { client, time_out })
    }

    /// Gets a resource, with at most `limit` bytes of body.
    pub(crate) async fn get(
        &self,
        uri: Uri,
        authorization: Option<&HeaderValue>,
        limit: usize,
    ) -> Result<Answer, OutboundError> {
        let answer = tokio::time::timeout(self.time_out, self.ask(request(uri, authorization), limit));
        answer.await.unwrap_or(Err(OutboundError::TimeOut(self.time_out)))
    }

    async fn ask(&self, request: Request<Empty<Bytes>>, limit: usize) -> Result<Answer, OutboundError> {
        let (head, body) = self.client.request(request).await?.into_parts();
        let body = Limited::new(body, limit).collect().await.ok();
        Ok((head.status, body.map(http_body_util::Collected::to_bytes)))
    }
}

fn request(uri: Uri, authorization: Option<&HeaderValue>) -> Request<Empty<Bytes>> {
    let mut request = Request::new(Empty::new());
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("commerce/", env!("CARGO_PKG_VERSION"))));
    if let Some(value) = authorization {
        headers.insert(AUTHORIZATION, value.clone());
    }
    request
}

/// The cause at the bottom, which says what happened ("Connection refused"); those above only say that something did.
fn innermost(error: &(dyn Error + 'static)) -> String {
    match error.source() {
        Some(source) => innermost(source),
        None => error.to_string(),
    }
}
