//! Checking tokens, and creating them for development and tests.

use std::time::Duration;

use commerce_core::actor::{Actor, Role};
use commerce_core::ids::UserId;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, EncodingKey, Header, Validation, decode, decode_header, encode, get_current_timestamp};
use serde::{Deserialize, Serialize};

use super::key::VerifyingKey;
use crate::problem::Problem;

/// The roles of tokens, by increasing rights.
const ROLES: [Role; 4] = [Role::Customer, Role::Support, Role::Service, Role::Admin];

/// The length of the longest token that is read, in bytes.
const MAX_TOKEN: usize = 16 * 1024;

/// The claims of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The user.
    pub sub: String,
    /// The roles of the user.
    #[serde(default)]
    pub roles: Vec<String>,
    /// The expiry, in seconds since 1970.
    pub exp: u64,
    /// The issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// The audience.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aud: Option<String>,
}

/// A token cannot be signed.
#[derive(Debug, thiserror::Error)]
#[error("the token cannot be signed")]
pub struct MintError(#[source] jsonwebtoken::errors::Error);

#[derive(Deserialize)]
struct Subject {
    sub: String,
    /// One issuer. The library would take a list that contains the right one.
    #[serde(default, rename = "iss")]
    _iss: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
}

/// Creates an HS256 token for a user in a role, valid immediately.
///
/// # Errors
/// The token cannot be signed.
///
/// ```
/// use std::time::Duration;
/// use commerce_core::actor::Role;
/// use commerce_http::auth::mint;
///
/// let token = mint(b"a secret of at least thirty-two bytes", "ann", Role::Customer, Duration::from_secs(60))?;
/// assert_eq!(token.split('.').count(), 3);
/// # Ok::<(), commerce_http::auth::MintError>(())
/// ```
pub fn mint(secret: &[u8], sub: &str, role: Role, lifetime: Duration) -> Result<String, MintError> {
    let exp = get_current_timestamp().saturating_add(lifetime.as_secs());
    let roles = vec![role.name().to_owned()];
    mint_claims(secret, &Claims { sub: sub.to_owned(), roles, exp, iss: None, aud: None })
}

/// Creates an HS256 token with claims.
///
/// # Errors
/// The token cannot be signed.
pub fn mint_claims(secret: &[u8], claims: &Claims) -> Result<String, MintError> {
    encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(secret)).map_err(MintError)
}

fn refused(kind: &ErrorKind) -> Problem {
    if matches!(kind, ErrorKind::ExpiredSignature) {
        return Problem::bad_token("token_expired", "The token has expired.");
    }
    Problem::bad_token("invalid_token", "The token is invalid.")
}

pub(super) fn verify<'k>(
    token: &str,
    keys: impl Iterator<Item = &'k VerifyingKey>,
    validations: &[Validation],
) -> Result<Actor, Problem> {
    if token.len() > MAX_TOKEN {
        return Err(Problem::bad_token("invalid_token", "The token is longer than 16 KiB."));
    }
    let header = decode_header(token).map_err(|error| refused(error.kind()))?;
    if header.crit.is_some() {
        // RFC 7515, 4.1.11: no extension is known here.
        return Err(Problem::bad_token("invalid_token", "The token has critical extensions, which are not supported."));
    }
    let validation = validations.iter().find(|validation| validation.algorithms.contains(&header.alg));
    let validation =
        validation.ok_or_else(|| Problem::bad_token("invalid_token", "The token's algorithm is not accepted."))?;
    let mut problem = Problem::bad_token("invalid_token", "No configured key matches the token.");
    for key in keys.filter(|key| key.fits(header.alg, header.kid.as_deref())) {
        match decode::<Subject>(token, &key.key, validation) {
            Ok(data) => return actor(&data.claims),
            Err(error) => problem = refused(error.kind()),
        }
    }
    Err(problem)
}

/// Whether a token names a public key that is not among these.
pub(super) fn names_unknown_key<'k>(token: &str, mut keys: impl Iterator<Item = &'k VerifyingKey>) -> bool {
    let header = (token.len() <= MAX_TOKEN).then(|| decode_header(token).ok()).flatten();
    header.is_some_and(|header| {
        let is_named = header.kid.is_some() && header.alg != Algorithm::HS256;
        is_named && !keys.any(|key| key.fits(header.alg, header.kid.as_deref()))
    })
}

fn actor(subject: &Subject) -> Result<Actor, Problem> {
    let given = |role: &&Role| subject.roles.iter().any(|name| name == role.name());
    let role = ROLES.iter().rev().find(given);
    let role = role.ok_or_else(|| Problem::forbidden("The token contains no known role."))?;
    let user: UserId = subject
        .sub
        .parse()
        .map_err(|_| Problem::bad_token("invalid_token", "The sub of the token is not a user id."))?;
    Ok(Actor::user(*role, user))
}
