//! Which database.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error};
use thiserror::Error as ThisError;

/// The database of a shop: `sqlite:PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Database {
    path: PathBuf,
}

/// Why a database is refused.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
pub(crate) enum DatabaseRefused {
    #[error("this build has no driver for {0} yet; use sqlite:PATH")]
    NoDriver(&'static str),
    #[error("a database is written as sqlite:PATH, such as sqlite:commerce.db")]
    NotADatabase,
    #[error("a shop in memory would forget its orders; give a file, such as sqlite:commerce.db")]
    InMemory,
}

impl Database {
    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The same database, its path taken from a directory if it is relative.
    pub(crate) fn within(self, directory: &Path) -> Self {
        Self { path: directory.join(self.path) }
    }

    /// The file beside it that holds the development key.
    pub(crate) fn key_path(&self) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(".key");
        path.into()
    }
}

impl Default for Database {
    fn default() -> Self {
        Self { path: PathBuf::from("commerce.db") }
    }
}

impl FromStr for Database {
    type Err = DatabaseRefused;

    fn from_str(text: &str) -> Result<Self, DatabaseRefused> {
        let Some((scheme, rest)) = text.split_once(':') else { return Err(DatabaseRefused::NotADatabase) };
        match scheme {
            "sqlite" => sqlite(rest),
            "postgres" | "postgresql" => Err(DatabaseRefused::NoDriver("PostgreSQL")),
            "mysql" | "mariadb" => Err(DatabaseRefused::NoDriver("MySQL")),
            _ => Err(DatabaseRefused::NotADatabase),
        }
    }
}

fn sqlite(rest: &str) -> Result<Database, DatabaseRefused> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    match path {
        "" => Err(DatabaseRefused::NotADatabase),
        _ if path.starts_with(":memory:") || path.starts_with("file:") => Err(DatabaseRefused::InMemory),
        _ => Ok(Database { path: path.into() }),
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sqlite:{}", self.path.display())
    }
}

impl<'de> Deserialize<'de> for Database {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, DatabaseRefused>) {
        let found = text.parse::<Database>();
        assert_eq!(found.as_ref().map(|database| database.path().to_str().expect("text")), expected.as_ref().copied());
    }

    #[test]
    fn a_path_follows_the_scheme() {
        check("sqlite:commerce.db", Ok("commerce.db"));
        check("sqlite:./a b/c.db", Ok("./a b/c.db"));
        check("sqlite:/var/lib/shop.db", Ok("/var/lib/shop.db"));
        check("sqlite:///var/lib/shop.db", Ok("/var/lib/shop.db"));
    }

    #[test]
    fn other_databases_are_refused_with_the_reason() {
        check("postgres://localhost/shop", Err(DatabaseRefused::NoDriver("PostgreSQL")));
        check("postgresql://localhost/shop", Err(DatabaseRefused::NoDriver("PostgreSQL")));
        check("mysql://localhost/shop", Err(DatabaseRefused::NoDriver("MySQL")));
        check("commerce.db", Err(DatabaseRefused::NotADatabase));
        check("sqlite:", Err(DatabaseRefused::NotADatabase));
        check("sqlite::memory:", Err(DatabaseRefused::InMemory));
    }

    #[test]
    fn the_key_stands_beside_the_database() {
        let database: Database = "sqlite:/srv/shop.db".parse().expect("a database");
        assert_eq!(database.key_path(), Path::new("/srv/shop.db.key"));
    }
}
