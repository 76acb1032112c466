//! The settings of Redis.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{ConfigError, Secret, refused};

/// The Redis server that the processes of the shop share.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RedisSection {
    url: Option<String>,
    /// The file with the URL, if that has a password.
    url_file: Option<PathBuf>,
    /// What all keys begin with.
    prefix: Option<String>,
    /// Whether carts are kept in Redis until they are ordered.
    carts: bool,
}

impl RedisSection {
    pub(super) fn stand_in(&mut self, directory: &Path) {
        self.url_file.iter_mut().for_each(|path| *path = directory.join(&*path));
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.url.is_some() && self.url_file.is_some() {
            return Err(refused("redis", "url and url_file exclude each other"));
        }
        if self.carts && self.url.is_none() && self.url_file.is_none() {
            return Err(refused("redis.carts", "needs url or url_file"));
        }
        Ok(())
    }

    fn url(&self) -> Result<Option<Secret>, ConfigError> {
        match &self.url {
            Some(url) => Ok(Some(url.clone().into())),
            None => self.url_file.as_deref().map(Secret::read).transpose(),
        }
    }

    /// The server, if there is one.
    ///
    /// # Errors
    /// The URL cannot be read or is invalid.
    #[cfg(feature = "redis")]
    pub(crate) fn server(&self) -> Result<Option<commerce_redis::Redis>, ConfigError> {
        let Some(url) = self.url()? else { return Ok(None) };
        let prefix = self.prefix.as_deref().unwrap_or("commerce");
        let server = commerce_redis::Redis::new(url.reveal(), prefix);
        server.map(Some).map_err(|error| refused("redis", error.to_string()))
    }

    /// The server, if carts are kept there.
    ///
    /// # Errors
    /// As [`Self::server`].
    #[cfg(feature = "redis")]
    pub(crate) fn server_of_carts(&self) -> Result<Option<commerce_redis::Redis>, ConfigError> {
        if self.carts { self.server() } else { Ok(None) }
    }

    /// Refuses a server: this program cannot use one.
    ///
    /// # Errors
    /// There is a server.
    #[cfg(not(feature = "redis"))]
    pub(crate) fn server(&self) -> Result<Option<std::convert::Infallible>, ConfigError> {
        match self.url()? {
            Some(_) => Err(refused("redis", "this commerce was built without Redis: build it with --features redis")),
            None => Ok(None),
        }
    }
}

/// Without the URL, which may have a password.
impl fmt::Debug for RedisSection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSection").field("url_file", &self.url_file).finish_non_exhaustive()
    }
}
