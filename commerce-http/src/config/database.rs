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
    fn check(text: &str, path: &str) {
        assert_eq!(text.parse::<Database>().expect("a database").path(), Path::new(path));
    }

    #[track_caller]
    fn check_refused(text: &str, expected: &DatabaseRefused) {
        assert_eq!(text.parse::<Database>().as_ref(), Err(expected));
    }

    #[test]
    fn a_path_follows_the_scheme() {
        check("sqlite:commerce.db", "commerce.db");
        check("sqlite:./a b/c.db", "./a b/c.db");
        check("sqlite:/var/lib/shop.db", "/var/lib/shop.db");
        check("sqlite:///var/lib/shop.db", "/var/lib/shop.db");
    }

    #[test]
    fn other_databases_are_refused_with_the_reason() {
        check_refused("postgres://localhost/shop", &DatabaseRefused::NoDriver("PostgreSQL"));
        check_refused("postgresql://localhost/shop", &DatabaseRefused::NoDriver("PostgreSQL"));
        check_refused("mysql://localhost/shop", &DatabaseRefused::NoDriver("MySQL"));
        check_refused("commerce.db", &DatabaseRefused::NotADatabase);
        check_refused("sqlite:", &DatabaseRefused::NotADatabase);
        check_refused("sqlite::memory:", &DatabaseRefused::InMemory);
    }

    #[test]
    fn the_key_stands_beside_the_database() {
        let database: Database = "sqlite:/srv/shop.db".parse().expect("a database");
        assert_eq!(database.key_path(), Path::new("/srv/shop.db.key"));
    }
}
