//! Authentication: JSON Web Tokens from `Authorization: Bearer` or the cookie `session`.
//!
//! A key is configured for one algorithm, and a token is checked only with keys of the algorithm that it names. `alg: none` is
//! therefore never accepted, and a public key is never used as an HMAC secret.
//!
//! # Claims
//! * `sub`, required: the user, 1 to 64 characters.
//! * `exp`, required, and `nbf`, optional; both with a leeway of [`LEEWAY_SECONDS`].
//! * `roles`, required: a list of `customer`, `support`, `service`, `admin`. The last of them in this order counts. Unknown
//!   names are ignored. No token has the role of the engine (`system`).
//! * `iss` and `aud`: required and checked if configured with [`Auth::with_issuer`] and [`Auth::with_audience`].

mod fetches;
mod key;
mod token;

use std::sync::{Arc, PoisonError, RwLock};

use commerce_core::actor::Actor;
use cookie::Cookie;
use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
use http::request::Parts;
use http::uri::Authority;
use jsonwebtoken::{Algorithm, Validation};

use self::fetches::Fetches;
pub use self::key::{KeyError, MAX_JWKS, VerifyingKey};
pub use self::token::{Claims, MintError, mint, mint_claims};
use crate::problem::Problem;

/// The tolerated difference between two clocks, in seconds.
pub const LEEWAY_SECONDS: u64 = 5;

/// The accepted algorithms.
const ALGORITHMS: [Algorithm; 4] = [Algorithm::HS256, Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];
const SESSION: &str = "session";

/// Who sent a request.
#[derive(Clone, Debug)]
pub(crate) enum Caller {
    Known(Actor),
    /// Without a valid token, and the problem that a route for users answers.
    Guest(Problem),
}

impl Caller {
    /// `None` for a guest.
    pub(crate) const fn actor(&self) -> Option<&Actor> {
        match self {
            Self::Known(actor) => Some(actor),
            Self::Guest(_) => None,
        }
    }

    /// The caller. Guests are refused.
    pub(crate) fn known(&self) -> Result<&Actor, Problem> {
        match self {
            Self::Known(actor) => Ok(actor),
            Self::Guest(refusal) => Err(refusal.clone()),
        }
    }
}

/// Checks tokens. Clones share the keys, also after they were replaced.
#[derive(Clone, Debug)]
pub struct Auth {
    keys: Arc<[VerifyingKey]>,
    published: Arc<RwLock<Arc<[VerifyingKey]>>>,
    validations: Arc<[Validation]>,
    fetches: Arc<Fetches>,
}

impl Auth {
    /// Accepts tokens that are signed with these keys.
    pub fn new(keys: Vec<VerifyingKey>) -> Self {
        Self {
            keys: keys.into(),
            published: Arc::default(),
            validations: ALGORITHMS.iter().map(|algorithm| validation(*algorithm)).collect(),
            fetches: Arc::default(),
        }
    }

    /// Accepts only tokens of this issuer.
    #[must_use]
    pub fn with_issuer(self, issuer: &str) -> Self {
        self.demanding(|validation| {
            validation.set_issuer(&[issuer]);
            validation.required_spec_claims.insert("iss".to_owned());
        })
    }

    /// Accepts only tokens for this audience.
    #[must_use]
    pub fn with_audience(self, audience: &str) -> Self {
        self.demanding(|validation| {
            validation.set_audience(&[audience]);
            validation.validate_aud = true;
            validation.required_spec_claims.insert("aud".to_owned());
        })
    }

    fn demanding(mut self, demand: impl Fn(&mut Validation)) -> Self {
        let mut validations = self.validations.to_vec();
        validations.iter_mut().for_each(demand);
        self.validations = validations.into();
        self
    }

    /// Replaces the keys of the last JWKS document. The keys given to [`Auth::new`] stay.
    ///
    /// # Errors
    /// The document is invalid or has no key that can be used. The keys do not change.
    pub fn replace_jwks(&self, document: &str) -> Result<(), KeyError> {
        let keys = VerifyingKey::from_jwks(document)?;
        if keys.is_empty() {
            return Err(KeyError::NoUsableKey);
        }
        *self.published.write().unwrap_or_else(PoisonError::into_inner) = keys.into();
        Ok(())
    }

    /// Waits until a token names a published key that is not known. Whoever calls this fetches the keys then, and calls
    /// [`Auth::keys_fetched`].
    pub async fn newer_keys_wanted(&self) {
        self.fetches.wanted().await;
    }

    /// The published keys were fetched, or could not be.
    pub fn keys_fetched(&self) {
        self.fetches.ended();
    }

    /// Whether somebody fetches keys, and the token of a request names one that is not known.
    pub(crate) fn lacks_key(&self, request: &Parts) -> bool {
        let headers = &request.headers;
        let given = headers.get(AUTHORIZATION).map(|value| value.to_str().ok().and_then(bearer));
        let token = || given.unwrap_or_else(|| session(headers));
        self.fetches.are_attended() && token().is_some_and(|token| self.names_unknown_key(token))
    }

    /// Waits a little for newer keys.
    pub(crate) async fn await_newer_keys(&self) {
        self.fetches.ask().await;
    }

    fn names_unknown_key(&self, token: &str) -> bool {
        let published = Arc::clone(&self.published.read().unwrap_or_else(PoisonError::into_inner));
        token::names_unknown_key(token, self.keys.iter().chain(published.iter()))
    }

    /// The caller of a request. An invalid token in `Authorization` is refused even where guests are allowed. A cookie may
    /// belong to another program of the same host: with an invalid one, the caller is a guest.
    pub(crate) fn caller(&self, request: &Parts) -> Result<Caller, Problem> {
        let headers = &request.headers;
        if let Some(value) = headers.get(AUTHORIZATION) {
            let token = value.to_str().ok().and_then(bearer);
            let token = token
                .ok_or_else(|| Problem::bad_token("invalid_token", "Authorization must be Bearer and a token."))?;
            return self.verify(token).map(Caller::Known);
        }
        let Some(token) = session(headers) else { return Ok(Caller::Guest(Problem::no_token())) };
        let known = check_site(request).and_then(|()| self.verify(token));
        Ok(known.map_or_else(Caller::Guest, Caller::Known))
    }

    fn verify(&self, token: &str) -> Result<Actor, Problem> {
        let published = Arc::clone(&self.published.read().unwrap_or_else(PoisonError::into_inner));
        let keys = self.keys.iter().chain(published.iter());
        token::verify(token, keys, &self.validations)
    }
}

fn validation(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.leeway = LEEWAY_SECONDS;
    validation.validate_nbf = true;
    validation.validate_aud = false;
    validation.set_required_spec_claims(&["exp", "sub"]);
    validation
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn session(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut cookies = cookies.flat_map(Cookie::split_parse).filter_map(Result::ok);
    let found = cookies.find(|cookie| cookie.name() == SESSION)?;
    found.value_raw()
}

/// Browsers send the cookie with requests of other origins, too. Such requests may read, but not write. Without encryption, browsers
/// send no `Sec-Fetch-Site` but an `Origin`.
fn check_site(request: &Parts) -> Result<(), Problem> {
    let headers = &request.headers;
    let site = headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none");
    let host = request.uri.authority().map(Authority::as_str);
    let host = host.or_else(|| headers.get(HOST)?.to_str().ok());
    let is_own = |origin: &str| origin.split_once("://").is_some_and(|(_, authority)| Some(authority) == host);
    let origin = headers.get(ORIGIN).is_some_and(|origin| !origin.to_str().is_ok_and(is_own));
    if (site || origin) && !request.method.is_safe() {
        return Err(Problem::forbidden("The session cookie is not accepted from other sites."));
    }
    Ok(())
}
