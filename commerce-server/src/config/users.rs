//! The users service setting.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde::Deserialize;

use super::{ConfigError, DurationText, Secret};
use crate::users::TIME_OUT;

/// The service token. It has no flag, because flags are visible to all users of the machine.
pub(super) const TOKEN: &str = "COMMERCE_USERS_TOKEN";

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
    time_out: Option<DurationText>,
}

impl UsersService {
    pub(super) fn stand_in(&mut self, directory: &Path) {
        self.token_file.iter_mut().for_each(|path| *path = directory.join(&*path));
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
