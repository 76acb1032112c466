//! The secrets of endpoints. They are derived, so that nothing that is stored contains them.

use std::fmt;
use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use commerce_core::ids::WebhookEndpointId;
use commerce_core::port::WebhookSecret;
use commerce_core::webhook::SecretVersion;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thiserror::Error;

/// The minimum length of a signing key, in bytes.
const MIN_KEY: usize = 32;
/// The number of bytes of the name of a key.
const NAME: usize = 4;

/// The keys from which the secrets of endpoints are derived. `Debug` does not show them.
///
/// The first one is that of new secrets. The others are those of secrets that were made before.
#[derive(Clone)]
pub struct SigningKeys(Vec<SigningKey>);

#[derive(Clone)]
struct SigningKey {
    name: String,
    key: Vec<u8>,
}

/// Why signing keys are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SigningKeyError {
    /// There is none.
    #[error("there is no signing key")]
    None,
    /// It could be guessed.
    #[error("a signing key has at least {MIN_KEY} bytes")]
    TooShort,
}

impl SigningKeys {
    /// Keys on lines of their own, the current one first. Empty lines are ignored.
    ///
    /// # Errors
    /// [`SigningKeyError`].
    pub fn parse(text: &str) -> Result<Self, SigningKeyError> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let keys: Vec<_> = lines.map(SigningKey::new).collect::<Result<_, _>>()?;
        if keys.is_empty() { Err(SigningKeyError::None) } else { Ok(Self(keys)) }
    }

    /// The name of the current key. It tells nothing about the key.
    pub(crate) fn current(&self) -> String {
        self.0.first().map(|key| key.name.clone()).unwrap_or_default()
    }

    /// The bytes of a secret. `None` if its key is not among these.
    pub(crate) fn secret(&self, endpoint: WebhookEndpointId, version: &SecretVersion) -> Option<[u8; 32]> {
        let key = self.0.iter().find(|key| key.name == version.key)?;
        Some(mac(&key.key, &format!("commerce webhook secret {endpoint} {}", version.number)))
    }

    /// A secret in the form for receivers.
    pub(crate) fn shown(&self, endpoint: WebhookEndpointId, version: &SecretVersion) -> Option<WebhookSecret> {
        let secret = self.secret(endpoint, version)?;
        Some(WebhookSecret::new(format!("whsec_{}", STANDARD.encode(secret))))
    }
}

impl SigningKey {
    fn new(line: &str) -> Result<Self, SigningKeyError> {
        if line.len() < MIN_KEY {
            return Err(SigningKeyError::TooShort);
        }
        let key = line.as_bytes().to_vec();
        let digest = mac(&key, "commerce webhook signing key");
        let mut name = String::new();
        for byte in digest.iter().take(NAME) {
            write!(name, "{byte:02x}").ok();
        }
        Ok(Self { name, key })
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| &key.name)).finish()
    }
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn mac(key: &[u8], text: &str) -> [u8; 32] {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.chain_update(text).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use commerce_core::ids::WebhookEndpointId;
    use commerce_core::webhook::SecretVersion;
    use uuid::Uuid;

    use super::{SigningKeyError, SigningKeys};

    const OLD: &str = "old-key-of-at-least-thirty-two-bytes";
    const NEW: &str = "new-key-of-at-least-thirty-two-bytes";

    fn version(keys: &SigningKeys, number: u32) -> SecretVersion {
        SecretVersion { number, key: keys.current(), valid_until: None }
    }

    #[test]
    fn a_secret_belongs_to_an_endpoint_a_version_and_a_key() {
        let (one, other) = (WebhookEndpointId::new(Uuid::from_u128(1)), WebhookEndpointId::new(Uuid::from_u128(2)));
        let keys = SigningKeys::parse(OLD).unwrap();
        let first = keys.shown(one, &version(&keys, 1)).unwrap();
        assert_eq!(keys.shown(one, &version(&keys, 1)).unwrap(), first, "it is the same each time");
        assert_ne!(keys.shown(one, &version(&keys, 2)).unwrap(), first);
        assert_ne!(keys.shown(other, &version(&keys, 1)).unwrap(), first);
        let both = SigningKeys::parse(&format!("{NEW}\n\n  {OLD}  \n")).unwrap();
        assert_eq!(both.shown(one, &version(&keys, 1)).unwrap(), first, "an old key still gives its secrets");
        assert_ne!(both.shown(one, &version(&both, 1)).unwrap(), first);
        let new = SigningKeys::parse(NEW).unwrap();
        assert_eq!(new.shown(one, &version(&keys, 1)), None, "without its key there is no other secret");
    }

    #[test]
    fn short_keys_are_refused_and_none_is_shown() {
        assert_eq!(SigningKeys::parse(" \n").unwrap_err(), SigningKeyError::None);
        assert_eq!(SigningKeys::parse(&format!("{NEW}\nshort")).unwrap_err(), SigningKeyError::TooShort);
        let keys = SigningKeys::parse(NEW).unwrap();
        let secret = keys.shown(WebhookEndpointId::new(Uuid::nil()), &version(&keys, 1)).unwrap();
        let shown = format!("{keys:?} {secret:?}");
        assert!(!shown.contains(NEW) && !shown.contains(secret.reveal()), "{shown}");
        assert!(secret.reveal().starts_with("whsec_"));
    }
}
