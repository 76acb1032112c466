//! The keys that verify tokens.

use std::env;
use std::fmt;
use std::mem;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use commerce_outbound::is_protected;
use serde::Deserialize;

use super::{ConfigError, DurationText, read, refused};

/// The default interval between two fetches of a JWKS document.
const JWKS_REFRESH: DurationText = DurationText::seconds(60);

/// A secret. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

/// The keys that verify tokens. A key in a flag or variable replaces all keys of the file. Without keys, a development key is
/// created on first use.
#[derive(Debug, Default, Args, Deserialize)]
#[command(next_help_heading = "Keys")]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Keys {
    /// A file with the secret of HS256 tokens, at least 32 bytes.
    #[arg(long, global = true, value_name = "FILE", env = "COMMERCE_HS256_FILE")]
    hs256_file: Option<PathBuf>,
    #[arg(skip)]
    pub(crate) hs256_env: Option<String>,

    /// A file with a public key for RS256, ES256 or `EdDSA` tokens; may be given several times.
    #[arg(long = "pem-file", global = true, value_name = "FILE", env = "COMMERCE_PEM_FILE", value_delimiter = ',')]
    pub(crate) pem_files: Vec<PathBuf>,

    /// A JWKS file.
    #[arg(long, global = true, value_name = "FILE", env = "COMMERCE_JWKS_FILE")]
    pub(crate) jwks_file: Option<PathBuf>,

    /// URL of a JWKS document, fetched regularly.
    #[arg(long, global = true, value_name = "URL", env = "COMMERCE_JWKS_URL")]
    pub(crate) jwks_url: Option<String>,
    #[arg(skip)]
    jwks_refresh: Option<DurationText>,

    /// The required issuer (`iss`) of tokens.
    #[arg(long, global = true, value_name = "TEXT", env = "COMMERCE_ISSUER")]
    pub(crate) issuer: Option<String>,

    /// The required audience (`aud`) of tokens.
    #[arg(long, global = true, value_name = "TEXT", env = "COMMERCE_AUDIENCE")]
    pub(crate) audience: Option<String>,
}

impl Secret {
    /// Reads a secret from a file, without a final line break.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        Ok(Self(read(path)?.trim_end_matches(['\r', '\n']).to_owned()))
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Keys {
    /// Whether no key is configured.
    pub(crate) const fn is_development(&self) -> bool {
        let is_public = !self.pem_files.is_empty() || self.jwks_file.is_some() || self.jwks_url.is_some();
        !is_public && self.hs256_file.is_none() && self.hs256_env.is_none()
    }

    /// Removes the keys, but not the required issuer and audience.
    pub(super) fn forget(&mut self) {
        let Self { issuer, audience, .. } = mem::take(self);
        *self = Self { issuer, audience, ..Self::default() };
    }

    pub(super) fn stand_in(&mut self, directory: &Path) {
        let files = self.hs256_file.iter_mut().chain(&mut self.pem_files).chain(&mut self.jwks_file);
        files.for_each(|path| *path = directory.join(&*path));
    }

    /// Refuses settings that would allow others to issue tokens.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.jwks_url.as_deref().is_none_or(is_protected) {
            return Ok(());
        }
        let problem = "keys fetched over http:// from another machine could be replaced on the way; use https://";
        Err(ConfigError::Unsafe(problem.to_owned()))
    }

    /// The shared secret, the only key that can sign tokens.
    ///
    /// # Errors
    /// The secret cannot be read.
    pub(crate) fn secret(&self) -> Result<Option<Secret>, ConfigError> {
        match (&self.hs256_file, &self.hs256_env) {
            (Some(path), _) => Secret::read(path).map(Some),
            (None, Some(name)) => {
                let text = env::var(name).ok().filter(|text| !text.is_empty());
                let missing = || refused("keys.hs256_env", format!("{name} is not set"));
                text.map(|text| Some(Secret(text))).ok_or_else(missing)
            }
            (None, None) => Ok(None),
        }
    }

    pub(crate) fn refresh(&self) -> Duration {
        self.jwks_refresh.unwrap_or(JWKS_REFRESH).duration()
    }
}

#[cfg(test)]
#[path = "../../tests/unit/keys.rs"]
mod tests;
