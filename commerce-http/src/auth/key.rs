//! Keys that verify tokens.

use std::error::Error;
use std::fmt;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};

/// The minimum length of an HMAC secret in bytes, which is the output size of SHA-256.
const MIN_SECRET: usize = 32;

/// The maximum size of a JWKS document in bytes.
pub const MAX_JWKS: usize = 32 * 1024;

/// A key that verifies tokens of one algorithm.
#[derive(Clone)]
pub struct VerifyingKey {
    pub(super) kid: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

/// The reason why a key is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A short secret can be guessed.
    #[error("an HS256 secret has at least {MIN_SECRET} bytes")]
    ShortSecret,
    /// A PEM document usually is a public key.
    #[error("a PEM document cannot be an HS256 secret")]
    PublicSecret,
    /// It would take long to read.
    #[error("a JWKS document has at most {MAX_JWKS} bytes")]
    LargeDocument,
    /// It would leave nothing to verify tokens with.
    #[error("a JWKS document has at least one public key for RS256, ES256 (P-256) or EdDSA (Ed25519)")]
    NoUsableKey,
    /// It is not a key of the expected kind.
    #[error("not {expected}")]
    NotAKey {
        /// The expected kind.
        expected: &'static str,
        /// The error of the parser.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl VerifyingKey {
    /// HS256: a secret of at least 32 bytes, shared with the issuer.
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

    /// A public key as a PEM document: RSA for RS256, P-256 for ES256, or Ed25519 for `EdDSA`.
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

    /// The supported signing keys of a JWKS document (RFC 7517). Others are ignored, also symmetric ones, because a published
    /// key is not secret.
    ///
    /// # Errors
    /// [`KeyError::LargeDocument`]; [`KeyError::NotAKey`] if it is not a JWKS document, or a key in it is damaged.
    pub fn from_jwks(document: &str) -> Result<Vec<Self>, KeyError> {
        if document.len() > MAX_JWKS {
            return Err(KeyError::LargeDocument);
        }
        let expected = "a JWKS document";
        let set: JwkSet = serde_json::from_str(document).map_err(not_a_key(expected))?;
        let usable = set.keys.iter().filter_map(|jwk| Some((jwk, algorithm(jwk)?)));
        let read = |(jwk, algorithm): (&Jwk, Algorithm)| {
            let key = DecodingKey::from_jwk(jwk).map_err(not_a_key(expected))?;
            Ok(Self { kid: jwk.common.key_id.clone(), algorithm, key })
        };
        usable.map(read).collect()
    }

    /// Sets the key id. A token with another `kid` is not checked with this key.
    #[must_use]
    pub fn with_kid(mut self, kid: impl Into<String>) -> Self {
        self.kid = Some(kid.into());
        self
    }

    const fn new(algorithm: Algorithm, key: DecodingKey) -> Self {
        Self { kid: None, algorithm, key }
    }

    /// Whether the key can check tokens with this algorithm and `kid`.
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

/// The algorithm of a published signing key, if it is supported.
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
