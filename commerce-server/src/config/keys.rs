//! Whose tokens are believed.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::flags::KeyFlags;
use super::{ConfigError, DurationText};

/// The fewest bytes of a secret that HS256 is worth anything with (RFC 7518).
const MIN_SECRET: usize = 32;
/// How often keys are fetched anew unless said otherwise.
const JWKS_REFRESH: DurationText = DurationText::seconds(60);

/// A secret. It has no way out but [`Secret::reveal`].
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

/// Where the keys come from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum KeySource {
    /// None were configured: a key of this machine's own, made on first use.
    Development(Claims),
    /// Keys of the operator.
    Configured(Claims, Keys),
}

/// What tokens must say beside who they are for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Claims {
    /// Who must have issued them.
    pub(crate) issuer: Option<String>,
    /// For whom they must be.
    pub(crate) audience: Option<String>,
}

/// The keys of the operator: at least one kind of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Keys {
    /// A shared secret; the only kind that tokens can be made with here.
    pub(crate) hs256: Option<Secret>,
    /// Public keys for RS256, ES256 and `EdDSA`.
    pub(crate) pem_files: Vec<PathBuf>,
    /// A JWKS document.
    pub(crate) jwks_file: Option<PathBuf>,
    /// Where a JWKS document is fetched.
    pub(crate) jwks_url: Option<String>,
    /// How often it is fetched anew.
    pub(crate) jwks_refresh: std::time::Duration,
}

/// The `[keys]` of a file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct KeysSection {
    hs256_file: Option<PathBuf>,
    hs256_env: Option<String>,
    pem_files: Vec<PathBuf>,
    jwks_file: Option<PathBuf>,
    jwks_url: Option<String>,
    jwks_refresh: Option<DurationText>,
    issuer: Option<String>,
    audience: Option<String>,
}

impl Secret {
    /// Hides a text.
    pub(crate) const fn new(text: String) -> Self {
        Self(text)
    }

    /// Reads a secret from a file, without the line break that editors leave.
    pub(crate) fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path);
        let text = text.map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        Ok(Self(text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    /// The secret itself.
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

impl KeySource {
    /// Settles flags over a file.
    pub(super) fn merge(flags: &KeyFlags, file: KeysSection, directory: &Path) -> Result<Self, ConfigError> {
        let claims = Claims {
            issuer: flags.issuer.clone().or_else(|| file.issuer.clone()),
            audience: flags.audience.clone().or_else(|| file.audience.clone()),
        };
        let keys = if flags.name_keys() { Keys::of_flags(flags)? } else { Keys::of_file(file, directory)? };
        Ok(if keys.is_empty() { Self::Development(claims) } else { Self::Configured(claims, keys) })
    }

    /// What tokens must say.
    pub(crate) const fn claims(&self) -> &Claims {
        match self {
            Self::Development(claims) | Self::Configured(claims, _) => claims,
        }
    }
}

impl Keys {
    fn of_flags(flags: &KeyFlags) -> Result<Self, ConfigError> {
        let keys = Self {
            hs256: flags.hs256_file.as_deref().map(Secret::read).transpose()?,
            pem_files: flags.pem_file.clone(),
            jwks_file: flags.jwks_file.clone(),
            jwks_url: flags.jwks_url.clone(),
            jwks_refresh: JWKS_REFRESH.duration(),
        };
        keys.checked()
    }

    fn of_file(file: KeysSection, directory: &Path) -> Result<Self, ConfigError> {
        let from_file = file.hs256_file.map(|path| Secret::read(&directory.join(path))).transpose()?;
        let from_env = file.hs256_env.map(|name| secret_of_env(&name)).transpose()?;
        let keys = Self {
            hs256: from_file.or(from_env),
            pem_files: file.pem_files.iter().map(|path| directory.join(path)).collect(),
            jwks_file: file.jwks_file.map(|path| directory.join(path)),
            jwks_url: file.jwks_url,
            jwks_refresh: file.jwks_refresh.unwrap_or(JWKS_REFRESH).duration(),
        };
        keys.checked()
    }

    fn is_empty(&self) -> bool {
        self.hs256.is_none() && self.pem_files.is_empty() && self.jwks_file.is_none() && self.jwks_url.is_none()
    }

    /// Refuses what would let others make tokens.
    fn checked(self) -> Result<Self, ConfigError> {
        if self.hs256.as_ref().is_some_and(|secret| secret.reveal().len() < MIN_SECRET) {
            let problem = format!("the HS256 secret is shorter than {MIN_SECRET} bytes and could be guessed");
            return Err(ConfigError::Unsafe(problem));
        }
        if self.jwks_url.as_deref().is_some_and(|url| !is_protected(url)) {
            let problem = "keys fetched over http:// from another machine could be replaced on the way; use https://";
            return Err(ConfigError::Unsafe(problem.to_owned()));
        }
        Ok(self)
    }
}

fn secret_of_env(name: &str) -> Result<Secret, ConfigError> {
    let missing = || ConfigError::Value { key: "keys.hs256_env", problem: format!("{name} is not set") };
    std::env::var(name).ok().filter(|text| !text.is_empty()).map(Secret).ok_or_else(missing)
}

/// Whether nobody between here and there can change an answer.
fn is_protected(url: &str) -> bool {
    let host = url.parse::<http::Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
    let is_local = |host: String| {
        let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    };
    url.starts_with("https://") || host.is_some_and(is_local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_shown() {
        let secret = Secret::new("hush".to_owned());
        assert_eq!(format!("{secret:?}"), "Secret");
    }

    #[test]
    fn keys_come_from_where_nobody_can_replace_them() {
        for url in ["https://id.example.com/jwks", "http://127.0.0.1:1/jwks", "http://[::1]:1/", "http://localhost/x"] {
            assert!(is_protected(url), "{url}");
        }
        for url in ["http://id.example.com/jwks", "http://10.0.0.1/jwks", "http://localhost.example.com/"] {
            assert!(!is_protected(url), "{url}");
        }
    }
}
