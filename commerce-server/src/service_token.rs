//! Short-lived tokens with which this shop calls another service.
//!
//! # Invariants
//! * Errors and `Debug` contain no key and no token.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use serde::Serialize;
use thiserror::Error;
use uuid::Uuid;

/// The claims that do not change.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct TokenTerms {
    pub issuer: String,
    pub audience: String,
    pub key_id: Option<String>,
    pub lifetime: Duration,
}

/// Signs tokens, and renews them when a third of their life is left.
pub struct ServiceTokens {
    key: EncodingKey,
    header: Header,
    terms: TokenTerms,
    last: Mutex<Option<Minted>>,
}

#[derive(Clone)]
struct Minted {
    authorization: HeaderValue,
    renew_at: u64,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: u64,
    exp: u64,
    jti: Uuid,
}

/// Why no token can be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ServiceTokenError {
    /// The key is of another kind, or damaged.
    #[error("not a private key in PEM (PKCS#8) for ES256 (P-256) or EdDSA (Ed25519)")]
    Key,
}

impl ServiceTokens {
    /// Tokens that are signed with a private key in PEM. The first one is signed at once, so that a key that cannot sign is found.
    ///
    /// # Errors
    /// [`ServiceTokenError`].
    pub fn new(pem: &[u8], terms: TokenTerms) -> Result<Self, ServiceTokenError> {
        let ed = || Some((EncodingKey::from_ed_pem(pem).ok()?, Algorithm::EdDSA));
        let ec = || Some((EncodingKey::from_ec_pem(pem).ok()?, Algorithm::ES256));
        let (key, algorithm) = ed().or_else(ec).ok_or(ServiceTokenError::Key)?;
        let header = Header { kid: terms.key_id.clone(), ..Header::new(algorithm) };
        let tokens = Self { key, header, terms, last: Mutex::default() };
        tokens.authorization()?;
        Ok(tokens)
    }

    /// The header of a request: a token that is valid for a while.
    ///
    /// # Errors
    /// [`ServiceTokenError`].
    pub fn authorization(&self) -> Result<HeaderValue, ServiceTokenError> {
        let now = get_current_timestamp();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let minted = match last.take().filter(|minted| now < minted.renew_at) {
            Some(minted) => minted,
            None => self.mint(now)?,
        };
        let authorization = minted.authorization.clone();
        *last = Some(minted);
        Ok(authorization)
    }

    fn mint(&self, now: u64) -> Result<Minted, ServiceTokenError> {
        let TokenTerms { issuer, audience, lifetime, .. } = &self.terms;
        let seconds = lifetime.as_secs();
        let exp = now.saturating_add(seconds);
        let claims = Claims { iss: issuer, sub: issuer, aud: audience, iat: now, exp, jti: Uuid::new_v4() };
        let token = encode(&self.header, &claims, &self.key).map_err(|_| ServiceTokenError::Key)?;
        let mut authorization = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| ServiceTokenError::Key)?;
        authorization.set_sensitive(true);
        Ok(Minted { authorization, renew_at: exp.saturating_sub(seconds / 3) })
    }
}

impl fmt::Debug for ServiceTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceTokens").field("terms", &self.terms).finish_non_exhaustive()
    }
}
