//! Who asks: JSON Web Tokens from `Authorization: Bearer` or the cookie `session`.
//!
//! A key is bound to one algorithm when it is configured, and a token is only ever checked against keys of the algorithm it
//! names. So there is no `alg: none` here, and no public key can be taken for an HMAC secret.
//!
//! # Claims
//! * `sub`, required: the user, 1 to 64 characters.
//! * `exp`, required; `nbf` if present; both with a leeway of [`LEEWAY_SECONDS`].
//! * `roles`, required: a list of `customer`, `support`, `service`, `admin`. Of several the one that may most counts, in
//!   that order; names not known here are passed over. No token ever is the engine itself (`system`).
//! * `iss` and `aud`: checked, and required, where [`Auth::with_issuer`] and [`Auth::with_audience`] say so.

mod key;
mod token;

use std::sync::{Arc, PoisonError, RwLock};

use commerce_core::actor::Actor;
use cookie::Cookie;
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, Method};
use jsonwebtoken::{Algorithm, Validation};

pub use self::key::{KeyError, VerifyingKey};
pub use self::token::{Claims, MintError, mint, mint_claims};
use crate::problem::Problem;

/// For how many seconds two clocks may differ.
pub const LEEWAY_SECONDS: u64 = 5;

/// The algorithms that are ever accepted.
const ALGORITHMS: [Algorithm; 4] = [Algorithm::HS256, Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];
const SESSION: &str = "session";

/// Checks tokens. Clones share the keys, so keys that are replaced are replaced everywhere.
#[derive(Clone, Debug)]
pub struct Auth {
    keys: Arc<[VerifyingKey]>,
    published: Arc<RwLock<Arc<[VerifyingKey]>>>,
    validations: Arc<[Validation]>,
}

impl Auth {
    /// Accepts what these keys have signed.
    pub fn new(keys: Vec<VerifyingKey>) -> Self {
        Self {
            keys: keys.into(),
            published: Arc::default(),
            validations: ALGORITHMS.iter().map(|algorithm| validation(*algorithm)).collect(),
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

    /// Takes the keys of a JWKS document in place of those of the last one. The keys given at the start stay.
    ///
    /// # Errors
    /// [`KeyError`]; the keys are as before then.
    pub fn replace_jwks(&self, document: &str) -> Result<(), KeyError> {
        let keys = VerifyingKey::from_jwks(document)?;
        *self.published.write().unwrap_or_else(PoisonError::into_inner) = keys.into();
        Ok(())
    }

    /// Who asks; none is a guest. A token that is no good is refused even where a guest may ask.
    pub(crate) fn caller(&self, method: &Method, headers: &HeaderMap) -> Result<Option<Actor>, Problem> {
        if let Some(value) = headers.get(AUTHORIZATION) {
            let token = value.to_str().ok().and_then(bearer);
            let token =
                token.ok_or_else(|| Problem::bad_token("invalid_token", "Authorization takes Bearer and a token."))?;
            return self.verify(token).map(Some);
        }
        let Some(token) = session(headers) else { return Ok(None) };
        check_site(method, headers)?;
        self.verify(token).map(Some)
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

/// A browser sends the cookie along for pages of others too. Those may look, as far as browsers let them see, not change.
fn check_site(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    let foreign = headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
    if foreign && !method.is_safe() {
        return Err(Problem::forbidden("The session cookie does not serve the pages of other sites."));
    }
    Ok(())
}
