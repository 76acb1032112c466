//! The users service.
//!
//! # Invariants
//! * Errors, logs and `Debug` do not contain the service token.
//! * An answer that is neither yes nor no is [`UsersUnavailable`].

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::ids::UserId;
use commerce_core::port::{AccountStatus, Users, UsersUnavailable};
use commerce_outbound::{Answer, Service, ServiceError};
use http::header::AUTHORIZATION;
use http::{Request, StatusCode};
use http_body_util::Full;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::service_token::ServiceTokens;

/// The default time-out of a call.
pub const TIME_OUT: Duration = Duration::from_secs(2);
/// All characters except the unreserved ones of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The most bytes of a body that are read. A longer one is no answer.
const MAX_BODY: usize = 64 * 1024;

/// The users service: `GET {base}/api/v1/users/{id}`. Status 200 means yes, 404 no. The member `account_status` of the document tells
/// whether the user may order; without it, the account is active.
///
/// A call is not retried. The caller may do so.
#[derive(Clone, Debug)]
pub struct HttpUsers {
    service: Service,
    tokens: Option<Arc<ServiceTokens>>,
}

#[derive(Deserialize)]
struct Account {
    #[serde(default, deserialize_with = "given")]
    account_status: Option<Value>,
}

/// A member that is there, even if it is `null`.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl HttpUsers {
    /// A client for the users service at a URL, with a service token.
    ///
    /// # Errors
    /// The URL or the token is invalid, or TLS cannot be set up.
    pub fn new(base: &str, token: Option<&str>, time_out: Duration) -> Result<Self, ServiceError> {
        Ok(Self { service: Service::new(base, token, time_out)?, tokens: None })
    }

    /// A client for the users service, which signs its own tokens if it has a key for them.
    pub fn over(service: Service, tokens: Option<ServiceTokens>) -> Self {
        Self { service, tokens: tokens.map(Arc::new) }
    }

    async fn ask(&self, user: &UserId) -> Result<Answer, Box<dyn Error + Send + Sync>> {
        let path = format!("/api/v1/users/{}", utf8_percent_encode(user.as_str(), RESERVED));
        let mut request = Request::new(Full::default());
        *request.uri_mut() = self.service.uri(&path)?;
        if let Some(tokens) = &self.tokens {
            request.headers_mut().insert(AUTHORIZATION, tokens.authorization()?);
        }
        Ok(self.service.send(request, MAX_BODY).await?)
    }
}

#[async_trait]
impl Users for HttpUsers {
    async fn exists(&self, user: &UserId) -> Result<bool, UsersUnavailable> {
        Ok(self.account_status(user).await?.is_some())
    }

    async fn account_status(&self, user: &UserId) -> Result<Option<AccountStatus>, UsersUnavailable> {
        if matches!(user.as_str(), "." | "..") {
            // Such a path would be that of the list of users.
            return Ok(None);
        }
        let answer = self.ask(user).await.map_err(UsersUnavailable)?;
        match answer.status {
            StatusCode::OK => status(&answer).map(Some),
            StatusCode::NOT_FOUND => Ok(None),
            other => Err(UsersUnavailable(format!("it answered {other}").into())),
        }
    }
}

/// The status in a document. An older service answers without one. What cannot be read may forbid something, so it is no answer; neither is
/// a status that this version does not know.
fn status(answer: &Answer) -> Result<AccountStatus, UsersUnavailable> {
    let refuse = |reason: &str| UsersUnavailable(reason.into());
    let body = answer.body.as_deref().ok_or_else(|| refuse("its answer was too long or broke off"))?;
    if !body.trim_ascii_start().starts_with(b"{") {
        return Ok(AccountStatus::Active);
    }
    let account = serde_json::from_slice::<Account>(body);
    let account = account.map_err(|_| refuse("it answered a document that cannot be read"))?;
    let Some(status) = account.account_status else { return Ok(AccountStatus::Active) };
    let known = AccountStatus::ALL.iter().find(|known| status.as_str() == Some(known.name()));
    known.copied().ok_or_else(|| refuse("it answered an account_status that is not known"))
}
