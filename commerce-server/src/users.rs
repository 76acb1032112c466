//! The users service.
//!
//! # Invariants
//! * Errors, logs and `Debug` do not contain the service token.
//! * An answer that is neither yes nor no is [`UsersUnavailable`].

use std::time::Duration;

use async_trait::async_trait;
use commerce_core::ids::UserId;
use commerce_core::port::{Users, UsersUnavailable};
use commerce_outbound::{Service, ServiceError};
use http::{Request, StatusCode};
use http_body_util::Full;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The default time-out of a call.
pub const TIME_OUT: Duration = Duration::from_secs(2);
/// All characters except the unreserved ones of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The most bytes of a body that are read. Only the status matters.
const MAX_BODY: usize = 64 * 1024;

/// The users service: `GET {base}/api/v1/users/{id}`. Status 200 means yes, 404 no.
///
/// A call is not retried. The caller may do so.
#[derive(Clone, Debug)]
pub struct HttpUsers(Service);

impl HttpUsers {
    /// A client for the users service at a URL, with a service token.
    ///
    /// # Errors
    /// The URL or the token is invalid, or TLS cannot be set up.
    pub fn new(base: &str, token: Option<&str>, time_out: Duration) -> Result<Self, ServiceError> {
        Ok(Self(Service::new(base, token, time_out)?))
    }
}

#[async_trait]
impl Users for HttpUsers {
    async fn exists(&self, user: &UserId) -> Result<bool, UsersUnavailable> {
        if matches!(user.as_str(), "." | "..") {
            // Such a path would be that of the list of users.
            return Ok(false);
        }
        let unavailable = |error: Box<dyn std::error::Error + Send + Sync>| UsersUnavailable(error);
        let path = format!("/api/v1/users/{}", utf8_percent_encode(user.as_str(), RESERVED));
        let mut request = Request::new(Full::default());
        *request.uri_mut() = self.0.uri(&path).map_err(|error| unavailable(error.into()))?;
        let answer = self.0.send(request, MAX_BODY).await;
        match answer.map_err(|error| unavailable(error.into()))?.status {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            other => Err(unavailable(format!("it answered {other}").into())),
        }
    }
}
