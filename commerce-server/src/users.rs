//! Who the users are: asked of the users service.
//!
//! # What this module never does
//! * It never tells the service token: not in errors, not in logs, not in `Debug`.
//! * It never guesses: an answer that is neither yes nor no is [`UsersUnavailable`].

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::ids::UserId;
use commerce_core::port::{Users, UsersUnavailable};
use http::uri::Scheme;
use http::{HeaderValue, StatusCode, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use thiserror::Error;

use crate::outbound::Outbound;

/// For how long the users service is waited for, unless said otherwise.
pub const TIME_OUT: Duration = Duration::from_secs(2);
/// All but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The most of an answer that is read; only its status counts.
const MAX_BODY: usize = 64 * 1024;

/// The users service: `GET {base}/api/v1/users/{id}`, where 200 is yes and 404 is no.
///
/// It is asked once. Whoever placed the order may try again.
#[derive(Clone)]
pub struct HttpUsers {
    client: Outbound,
    base: String,
    authorization: Option<HeaderValue>,
}

/// Why a users service cannot be used.
#[derive(Debug, Error)]
pub enum UsersConfigError {
    /// The address is not one.
    #[error("{0}")]
    Address(&'static str),
    /// The token cannot stand in a header.
    #[error("the service token has characters that cannot stand in a header")]
    Token,
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

impl HttpUsers {
    /// The users service at an address, asked with a service token.
    ///
    /// # Errors
    /// [`UsersConfigError`] if the address or the token cannot be used.
    pub fn new(base: &str, token: Option<&str>, time_out: Duration) -> Result<Self, UsersConfigError> {
        check_address(base)?;
        let authorization = token.map(bearer).transpose()?;
        let base = base.trim_end_matches('/').to_owned();
        Ok(Self { client: Outbound::new(time_out)?, base, authorization })
    }

    fn uri(&self, user: &UserId) -> Result<Uri, http::uri::InvalidUri> {
        format!("{}/api/v1/users/{}", self.base, utf8_percent_encode(user.as_str(), RESERVED)).parse()
    }
}

impl fmt::Debug for HttpUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpUsers").field("base", &self.base).finish_non_exhaustive()
    }
}

#[async_trait]
impl Users for HttpUsers {
    async fn exists(&self, user: &UserId) -> Result<bool, UsersUnavailable> {
        if matches!(user.as_str(), "." | "..") {
            // Such a path names the list of users, not a user.
            return Ok(false);
        }
        let unavailable = |error: Box<dyn std::error::Error + Send + Sync>| UsersUnavailable(error);
        let uri = self.uri(user).map_err(|error| unavailable(error.into()))?;
        let answer = self.client.get(uri, self.authorization.as_ref(), MAX_BODY).await;
        match answer.map_err(|error| unavailable(error.into()))?.0 {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            other => Err(unavailable(format!("it answered {other}").into())),
        }
    }
}

fn bearer(token: &str) -> Result<HeaderValue, UsersConfigError> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| UsersConfigError::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Checks that an address is one that paths can be put behind.
fn check_address(base: &str) -> Result<(), UsersConfigError> {
    let refuse = |reason| Err(UsersConfigError::Address(reason));
    let Ok(uri) = base.parse::<Uri>() else { return refuse("not an address such as https://users.example.com") };
    if uri.scheme() != Some(&Scheme::HTTP) && uri.scheme() != Some(&Scheme::HTTPS) {
        return refuse("an address starts with http:// or https://");
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return refuse("credentials do not belong in an address; give the token in COMMERCE_USERS_TOKEN");
    }
    if uri.query().is_some() || base.contains('#') {
        return refuse("the address of a service has no query and no fragment");
    }
    Ok(())
}
