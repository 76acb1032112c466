//! Which database.

mod url;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error};
use thiserror::Error as ThisError;

pub(crate) use self::url::DatabaseUrl;

/// The development key of a shop whose database is elsewhere: in the working directory.
const KEY: &str = "commerce.key";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    /// A file: `sqlite:PATH`.
    Sqlite(PathBuf),
    /// A server of `PostgreSQL`: `postgres://USER:PASSWORD@HOST:PORT/NAME`.
    Postgres(DatabaseUrl),
    /// A server of `MySQL` or `MariaDB`: `mysql://USER:PASSWORD@HOST:PORT/NAME`.
    MySql(DatabaseUrl),
}

/// Why a database is refused. No text repeats what was given: there may be a password in it.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
pub(crate) enum DatabaseRefused {
    #[error(
        "a database is written as sqlite:PATH, such as sqlite:commerce.db, or as \
         postgres://USER:PASSWORD@HOST:PORT/NAME or mysql://USER:PASSWORD@HOST:PORT/NAME"
    )]
    NotADatabase,
    #[error("a shop in memory would forget its orders; give a file, such as sqlite:commerce.db")]
    InMemory,
    #[error("in the user and password of a URL, @ is written as %40, / as %2F, ? as %3F, # as %23 and % as %25")]
    NotEncoded,
}

impl Database {
    /// Takes the path of a file from a directory.
    pub(super) fn stand_in(&mut self, directory: &Path) {
        if let Self::Sqlite(path) = self {
            *path = directory.join(&*path);
        }
    }

    /// Whether it is reached through a network.
    pub(crate) const fn is_a_server(&self) -> bool {
        !matches!(self, Self::Sqlite(_))
    }

    /// The file that holds the development key: beside the database, or in the working directory.
    pub(crate) fn key_path(&self) -> PathBuf {
        match self {
            Self::Sqlite(path) => {
                let mut path = path.clone().into_os_string();
                path.push(".key");
                path.into()
            }
            Self::Postgres(_) | Self::MySql(_) => PathBuf::from(KEY),
        }
    }
}

impl Default for Database {
    fn default() -> Self {
        Self::Sqlite(PathBuf::from("commerce.db"))
    }
}

impl FromStr for Database {
    type Err = DatabaseRefused;

    fn from_str(text: &str) -> Result<Self, DatabaseRefused> {
        let Some((scheme, rest)) = text.split_once(':') else { return Err(DatabaseRefused::NotADatabase) };
        match scheme {
            "sqlite" => sqlite(rest),
            "postgres" | "postgresql" => DatabaseUrl::new(text).map(Self::Postgres),
            "mysql" | "mariadb" => DatabaseUrl::new(&format!("mysql:{rest}")).map(Self::MySql),
            _ => Err(DatabaseRefused::NotADatabase),
        }
    }
}

fn sqlite(rest: &str) -> Result<Database, DatabaseRefused> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    match path {
        "" => Err(DatabaseRefused::NotADatabase),
        _ if path.starts_with(":memory:") || path.starts_with("file:") => Err(DatabaseRefused::InMemory),
        _ => Ok(Database::Sqlite(path.into())),
    }
}

/// As it may be shown: without its password.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) | Self::MySql(url) => url.fmt(f),
        }
    }
}

impl<'de> Deserialize<'de> for Database {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(Error::custom)
    }
}

#[cfg(test)]
#[path = "../../tests/unit/database.rs"]
mod tests;
