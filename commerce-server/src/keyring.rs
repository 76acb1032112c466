//! The configured keys that verify tokens.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use commerce_http::auth::{Auth, KeyError, MAX_JWKS, VerifyingKey};
use commerce_outbound::Outbound;
use commerce_outbound::tls::Tls;
use http::{StatusCode, Uri};
use thiserror::Error as ThisError;

use crate::config::{ConfigError, Keys, Secret, read};
use crate::development_key;

const TIME_OUT: Duration = Duration::from_secs(5);

#[derive(Debug, ThisError)]
pub(crate) enum KeyringError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{}: {source}", path.display())]
    NoKey { path: PathBuf, source: KeyError },
    #[error("{}: it has no public key for RS256, ES256 (P-256) or EdDSA (Ed25519)", path.display())]
    Useless { path: PathBuf },
    #[error("HS256 secret: {0}")]
    Secret(KeyError),
    #[error("keys of {url}: {problem}")]
    Fetch { url: String, problem: Box<dyn Error + Send + Sync> },
    #[error(transparent)]
    Development(#[from] development_key::KeyError),
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// A JWKS document at a URL, fetched regularly.
#[derive(Debug)]
pub(crate) struct PublishedKeys {
    url: String,
    pub(crate) every: Duration,
    client: Outbound,
}

impl Keys {
    /// The configured keys, except those at a URL, which [`PublishedKeys`] fetches.
    pub(crate) fn auth(&self, development_key: &Path) -> Result<Auth, KeyringError> {
        let auth = Auth::new(self.read(development_key)?);
        let auth = self.issuer.iter().fold(auth, |auth, issuer| auth.with_issuer(issuer));
        Ok(self.audience.iter().fold(auth, |auth, audience| auth.with_audience(audience)))
    }

    /// The configured JWKS URL.
    pub(crate) fn published(&self, tls: Option<&Tls>) -> Result<Option<PublishedKeys>, KeyringError> {
        let Some(url) = self.jwks_url.clone() else { return Ok(None) };
        let client = match tls {
            Some(tls) => Outbound::with_tls(tls, TIME_OUT),
            None => Outbound::new(TIME_OUT)?,
        };
        Ok(Some(PublishedKeys { url, every: self.refresh(), client }))
    }

    /// The secret that signs tokens. `None` if all keys are public.
    pub(crate) fn signing(&self, development_key: &Path) -> Result<Option<Secret>, KeyringError> {
        let secret =
            if self.is_development() { Some(development_key::load_or_make(development_key)?) } else { self.secret()? };
        secret.iter().try_for_each(|secret| verifying(secret).map(drop))?;
        Ok(secret)
    }

    fn read(&self, development_key: &Path) -> Result<Vec<VerifyingKey>, KeyringError> {
        let secret = self.signing(development_key)?;
        let mut keys = secret.iter().map(verifying).collect::<Result<Vec<_>, _>>()?;
        let no_key = |path: &PathBuf, source| KeyringError::NoKey { path: path.clone(), source };
        for path in &self.pem_files {
            keys.push(VerifyingKey::pem(&read(path)?).map_err(|source| no_key(path, source))?);
        }
        if let Some(path) = &self.jwks_file {
            let published = VerifyingKey::from_jwks(&read(path)?).map_err(|source| no_key(path, source))?;
            if published.is_empty() {
                return Err(KeyringError::Useless { path: path.clone() });
            }
            keys.extend(published);
        }
        Ok(keys)
    }
}

fn verifying(secret: &Secret) -> Result<VerifyingKey, KeyringError> {
    VerifyingKey::hs256(secret.reveal().as_bytes()).map_err(KeyringError::Secret)
}

impl PublishedKeys {
    /// Fetches the keys. If this fails, the previous ones stay.
    pub(crate) async fn refresh(&self, auth: &Auth) -> Result<(), KeyringError> {
        let fetched = self.fetch().await.and_then(|document| Ok(auth.replace_jwks(&document)?));
        fetched.map_err(|problem| KeyringError::Fetch { url: self.url.clone(), problem })
    }

    async fn fetch(&self) -> Result<String, Box<dyn Error + Send + Sync>> {
        let uri: Uri = self.url.parse().map_err(|_| "not an address")?;
        let answer = self.client.get(uri, MAX_JWKS).await?;
        if answer.status != StatusCode::OK {
            return Err(format!("it answered {}", answer.status).into());
        }
        let body = answer.body.ok_or_else(|| format!("more than {MAX_JWKS} bytes, or broken off"))?;
        Ok(String::from_utf8(body.into()).map_err(|_| "not text")?)
    }
}
