//! The users service setting.

use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde::Deserialize;

use super::{ConfigError, DurationText, Secret, read, refused};
use crate::service_token::{ServiceTokens, TokenTerms};
use crate::users::TIME_OUT;

/// The service token. It has no flag, because flags are visible to all users of the machine.
pub(super) const TOKEN: &str = "COMMERCE_USERS_TOKEN";

/// The issuer of tokens, and how long they are valid.
const ISSUER: &str = "commerce";
const TOKEN_LIFETIME: DurationText = DurationText::seconds(300);

/// The users service.
#[derive(Debug, Default, Args, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct UsersService {
    /// The users service, called as `GET URL/api/v1/users/{id}` with the token in `COMMERCE_USERS_TOKEN` [default: every
    /// authenticated user exists].
    #[arg(long = "users-url", id = "users_url", global = true, value_name = "URL", env = "COMMERCE_USERS_URL")]
    url: Option<String>,
    #[arg(skip)]
    token_file: Option<PathBuf>,
    #[arg(skip)]
    signing_key_file: Option<PathBuf>,
    #[arg(skip)]
    signing_key_id: Option<String>,
    #[arg(skip)]
    issuer: Option<String>,
    #[arg(skip)]
    audience: Option<String>,
    #[arg(skip)]
    token_lifetime: Option<DurationText>,
    #[arg(skip)]
    time_out: Option<DurationText>,
}

impl UsersService {
    pub(super) fn stand_in(&mut self, directory: &Path) {
        let files = self.token_file.iter_mut().chain(&mut self.signing_key_file);
        files.for_each(|path| *path = directory.join(&*path));
    }

    /// Refuses settings that contradict each other.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let given = [&self.signing_key_id, &self.issuer, &self.audience].into_iter().any(Option::is_some);
        let lifetime = self.token_lifetime.map(DurationText::whole_seconds);
        if self.signing_key_file.is_none() && (given || lifetime.is_some()) {
            return Err(refused("users", "signing_key_id, issuer, audience and token_lifetime need signing_key_file"));
        }
        if self.signing_key_file.is_some() && self.token_file.is_some() {
            return Err(refused("users", "token_file and signing_key_file exclude each other"));
        }
        if self.signing_key_file.is_some() && env::var_os(TOKEN).is_some_and(|token| !token.is_empty()) {
            return Err(refused("users", format!("{TOKEN} and signing_key_file exclude each other")));
        }
        if self.signing_key_file.is_some() && self.audience.as_deref().is_none_or(str::is_empty) {
            return Err(refused("users.audience", "tokens must say for whom they are: name the users service"));
        }
        if lifetime.is_some_and(|seconds| !(10..=3600).contains(&seconds)) {
            return Err(refused("users.token_lifetime", "must be 10s to 1h"));
        }
        Ok(())
    }

    /// What signs tokens for the service, if it has a key.
    ///
    /// # Errors
    /// The key cannot be read or cannot sign.
    pub(crate) fn signed_tokens(&self) -> Result<Option<ServiceTokens>, ConfigError> {
        let Some(path) = &self.signing_key_file else { return Ok(None) };
        let terms = TokenTerms {
            issuer: self.issuer.clone().unwrap_or_else(|| ISSUER.to_owned()),
            audience: self.audience.clone().unwrap_or_default(),
            key_id: self.signing_key_id.clone(),
            lifetime: self.token_lifetime.unwrap_or(TOKEN_LIFETIME).duration(),
        };
        let tokens = ServiceTokens::new(read(path)?.as_bytes(), terms);
        tokens.map(Some).map_err(|error| refused("users.signing_key_file", format!("{}: {error}", path.display())))
    }

    /// Its URL. Without one, every authenticated user exists.
    pub(crate) fn url(&self) -> Option<&str> {
        self.url.as_deref().filter(|url| !url.is_empty())
    }

    /// The token that authenticates this service.
    ///
    /// # Errors
    /// [`ConfigError::Unreadable`].
    pub(crate) fn token(&self) -> Result<Option<Secret>, ConfigError> {
        Secret::of(TOKEN, self.token_file.as_deref())
    }

    pub(crate) fn time_out(&self) -> Duration {
        self.time_out.map_or(TIME_OUT, DurationText::duration)
    }
}
