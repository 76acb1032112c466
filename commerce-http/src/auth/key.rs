//! Keys that tokens are checked with.

use std::error::Error;
use std::fmt;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};

/// The fewest bytes of an HMAC secret: as many as SHA-256 gives.
const MIN_SECRET: usize = 32;

/// A key that tokens are checked with, bound to one algorithm.
#[derive(Clone)]
pub struct VerifyingKey {
    pub(super) kid: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

/// Why a key is not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A short secret can be guessed.
    #[error("an HS256 secret has at least {MIN_SECRET} bytes")]
    ShortSecret,
    /// A PEM document was given as a secret: everybody may know it.
    #[error("a PEM document is no secret")]
    PublicSecret,
    /// Not a key of that kind.
    #[error("not {expected}")]
    NotAKey {
        /// What would have been one.
        expected: &'static str,
        /// What the parser said.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl VerifyingKey {
    /// HS256: a secret that is shared with the issuer, at least 32 bytes.
    ///
    /// # Errors
    /// [`KeyError::ShortSecret`], [`KeyError::PublicSecret`].
    pub fn hs256(secret: &[u8]) -> Result<Self, KeyError> {
        if secret.len() < MIN_SECRET {
            return Err(KeyError::ShortSecret);
        }
        if secret.starts_with(b"-----BEGIN") {
            return Err(KeyError::PublicSecret);
        }
        Ok(Self::new(Algorithm::HS256, DecodingKey::from_secret(secret)))
    }

    /// The public key of a PEM document: of RSA for RS256, on the curve P-256 for ES256, or Ed25519 for `EdDSA`.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`].
    pub fn pem(document: &str) -> Result<Self, KeyError> {
        let pem = document.as_bytes();
        let rsa = DecodingKey::from_rsa_pem(pem).map(|key| Self::new(Algorithm::RS256, key));
        let ec = |_| DecodingKey::from_ec_pem(pem).map(|key| Self::new(Algorithm::ES256, key));
        let ed = |_| DecodingKey::from_ed_pem(pem).map(|key| Self::new(Algorithm::EdDSA, key));
        rsa.or_else(ec).or_else(ed).map_err(not_a_key("a public RSA, P-256 or Ed25519 key in PEM"))
    }

    /// The signing keys of a JWKS document (RFC 7517) that can be used here. Others are passed over; symmetric ones too,
    /// since what is published is no secret.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`] if it is no such document, or a key in it is damaged.
    pub fn from_jwks(document: &str) -> Result<Vec<Self>, KeyError> {
        let expected = "a JWKS document";
        let set: JwkSet = serde_json::from_str(document).map_err(not_a_key(expected))?;
        let usable = set.keys.iter().filter_map(|jwk| Some((jwk, algorithm(jwk)?)));
        let read = |(jwk, algorithm): (&Jwk, Algorithm)| {
            let key = DecodingKey::from_jwk(jwk).map_err(not_a_key(expected))?;
            Ok(Self { kid: jwk.common.key_id.clone(), algorithm, key })
        };
        usable.map(read).collect()
    }

    /// Gives the key a name. A token that names another is not checked with it.
    #[must_use]
    pub fn with_kid(mut self, kid: impl Into<String>) -> Self {
        self.kid = Some(kid.into());
        self
    }

    const fn new(algorithm: Algorithm, key: DecodingKey) -> Self {
        Self { kid: None, algorithm, key }
    }

    /// Whether a token of this header may be checked with the key.
    pub(super) fn fits(&self, algorithm: Algorithm, kid: Option<&str>) -> bool {
        let same_name = self.kid.as_deref().zip(kid).is_none_or(|(own, named)| own == named);
        self.algorithm == algorithm && same_name
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

fn not_a_key<E: Error + Send + Sync + 'static>(expected: &'static str) -> impl Fn(E) -> KeyError {
    move |source| KeyError::NotAKey { expected, source: Box::new(source) }
}

/// The algorithm of a published signing key, if it is one of ours.
fn algorithm(jwk: &Jwk) -> Option<Algorithm> {
    let own = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        AlgorithmParameters::EllipticCurve(_)
        | AlgorithmParameters::OctetKeyPair(_)
        | AlgorithmParameters::OctetKey(_)
        | AlgorithmParameters::Other(_)
        | _ => return None,
    };
    let signs = jwk.common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature);
    let named = jwk.common.key_algorithm.is_none_or(|named| named == own.1);
    (signs && named).then_some(own.0)
}
