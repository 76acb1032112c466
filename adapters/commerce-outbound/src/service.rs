//! A service with an address and a token.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::uri::{InvalidUri, Scheme};
use http::{HeaderValue, Request, Uri};
use http_body_util::Full;
use thiserror::Error;

use crate::{Answer, Outbound, OutboundError};

/// A service: its address, the token that it wants, and a client without retries.
#[derive(Clone)]
pub struct Service {
    client: Outbound,
    base: String,
    authorization: Option<HeaderValue>,
}

/// The reason why a service cannot be used.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum ServiceError {
    #[error("{0}")]
    Address(&'static str),
    #[error("the token contains characters that a header cannot contain")]
    Token,
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

impl Service {
    /// A client for the service at a URL, with a bearer token and a time-out for a whole call.
    ///
    /// # Errors
    /// The URL or the token is invalid, or TLS cannot be set up.
    pub fn new(base: &str, token: Option<&str>, time_out: Duration) -> Result<Self, ServiceError> {
        Self::over(Outbound::new(time_out)?, base, token)
    }

    /// The service at a URL, over a client, with a bearer token.
    ///
    /// # Errors
    /// The URL or the token is invalid.
    pub fn over(client: Outbound, base: &str, token: Option<&str>) -> Result<Self, ServiceError> {
        check_address(base)?;
        let authorization = token.map(bearer).transpose()?;
        let base = base.trim_end_matches('/').to_owned();
        Ok(Self { client, base, authorization })
    }

    /// The URL of a path, which starts with `/`.
    ///
    /// # Errors
    /// The path has characters that a URL cannot have.
    pub fn uri(&self, path: &str) -> Result<Uri, InvalidUri> {
        format!("{}{path}", self.base).parse()
    }

    /// Sends a request with the token, and reads at most `limit` bytes of the body of the answer.
    ///
    /// # Errors
    /// [`OutboundError`].
    pub async fn send(&self, mut request: Request<Full<Bytes>>, limit: usize) -> Result<Answer, OutboundError> {
        if let Some(value) = &self.authorization {
            request.headers_mut().insert(AUTHORIZATION, value.clone());
        }
        self.client.send(request, limit).await
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("base", &self.base).finish_non_exhaustive()
    }
}

fn bearer(token: &str) -> Result<HeaderValue, ServiceError> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| ServiceError::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Checks that paths can be appended to a URL.
fn check_address(base: &str) -> Result<(), ServiceError> {
    let refuse = |reason| Err(ServiceError::Address(reason));
    let Ok(uri) = base.parse::<Uri>() else { return refuse("not an address such as https://service.example.com") };
    if uri.scheme() != Some(&Scheme::HTTP) && uri.scheme() != Some(&Scheme::HTTPS) {
        return refuse("an address starts with http:// or https://");
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return refuse("credentials do not belong in an address; give the token in its variable or file");
    }
    if uri.query().is_some() || base.contains('#') {
        return refuse("the address of a service must not have a query or a fragment");
    }
    Ok(())
}

/// Whether nobody can read or change a call on its way: the URL has https or a local host.
pub fn is_protected(url: &str) -> bool {
    let host = url.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
    let is_local = |host: String| {
        let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    };
    url.starts_with("https://") || host.is_some_and(is_local)
}
