//! Databases of servers, and files of SQLite, that are made for a case and go with it.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use commerce_core::port::{DeliveryLog, Store, Targets};
use commerce_diesel::mysql::MysqlStore;
use commerce_diesel::postgres::PostgresStore;
use commerce_diesel::sqlite::{SqliteOptions, SqliteStore};
use commerce_diesel::{DatabaseError, DatabaseOptions};
use tokio::runtime::Builder;

/// What a store of this project is.
pub(crate) trait Shop: Store + Targets + DeliveryLog {}

impl<S: Store + Targets + DeliveryLog> Shop for S {}

/// Connections of each store.
const OPTIONS: fn() -> DatabaseOptions = || DatabaseOptions { readers: 4, ..DatabaseOptions::default() };

/// Where databases are made.
#[derive(Clone)]
pub(crate) enum Database {
    Postgres(String),
    Mysql(String),
    Sqlite(PathBuf),
}

/// URLs may have passwords.
impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Postgres(_) => "PostgreSQL",
            Self::Mysql(_) => "MySQL",
            Self::Sqlite(_) => "SQLite",
        })
    }
}

impl FromStr for Database {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once("://") {
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(text.to_owned())),
            Some(("mysql" | "mariadb", rest)) => Ok(Self::Mysql(format!("mysql://{rest}"))),
            Some(_) => Err("a URL begins with postgres:// or mysql://".to_owned()),
            None => Ok(Self::Sqlite(text.into())),
        }
    }
}

/// An empty database.
#[derive(Clone, Debug)]
pub(crate) struct Scratch {
    database: Database,
    name: String,
}

impl Scratch {
    pub(crate) async fn create(database: &Database) -> Result<Self, String> {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("commerce_conform_{:08x}_{number}", RandomState::new().hash_one(number) >> 32);
        let scratch = Self { database: database.clone(), name };
        match &scratch.database {
            Database::Sqlite(directory) => std::fs::create_dir_all(directory.join(&scratch.name)).map_err(text)?,
            Database::Postgres(_) | Database::Mysql(_) => scratch.run("CREATE DATABASE").await.map_err(text)?,
        }
        Ok(scratch)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The same database as another node has it.
    pub(crate) fn at(&self, node: &Database) -> Self {
        Self { database: node.clone(), name: self.name.clone() }
    }

    /// A store on it, as each process has one.
    pub(crate) async fn open(&self) -> Result<Arc<dyn Shop>, String> {
        open(&self.url()).await
    }

    /// The name that [`open`] takes.
    pub(crate) fn url(&self) -> String {
        match &self.database {
            Database::Postgres(url) | Database::Mysql(url) => with_database(url, &self.name),
            Database::Sqlite(directory) => directory.join(&self.name).join("shop.db").display().to_string(),
        }
    }

    pub(crate) async fn remove(self) -> Result<(), String> {
        match &self.database {
            Database::Sqlite(directory) => std::fs::remove_dir_all(directory.join(&self.name)).map_err(text),
            Database::Postgres(_) | Database::Mysql(_) => self.run("DROP DATABASE").await.map_err(text),
        }
    }

    async fn run(&self, verb: &str) -> Result<(), DatabaseError> {
        // Connections of a case that failed may be open.
        let force = if verb == "DROP DATABASE" { " WITH (FORCE)" } else { "" };
        match &self.database {
            Database::Postgres(url) => {
                PostgresStore::run(url, OPTIONS(), &format!("{verb} {}{force}", self.name)).await
            }
            Database::Mysql(url) => MysqlStore::run(url, OPTIONS(), &format!("{verb} {}", self.name)).await,
            Database::Sqlite(_) => Ok(()),
        }
    }
}

/// Opens a store on the URL of a database, or on the path of a file.
pub(crate) async fn open(url: &str) -> Result<Arc<dyn Shop>, String> {
    Ok(match url.parse()? {
        Database::Postgres(url) => Arc::new(PostgresStore::open(&url, OPTIONS()).await.map_err(text)?),
        Database::Mysql(url) => Arc::new(MysqlStore::open(&url, OPTIONS()).await.map_err(text)?),
        Database::Sqlite(path) => Arc::new(SqliteStore::open(&path, SqliteOptions::default()).await.map_err(text)?),
    })
}

/// Whether databases can be made there at all.
pub(crate) fn check(database: &Database) -> Result<(), String> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(text)?;
    runtime.block_on(async { Scratch::create(database).await?.remove().await })
}

fn with_database(url: &str, name: &str) -> String {
    let (address, parameters) = url.split_once('?').map_or((url, None), |(address, rest)| (address, Some(rest)));
    let authority = address.find("://").map_or(0, |at| at.saturating_add(3));
    let end = address.get(authority..).and_then(|rest| rest.find('/')).map_or(address.len(), |at| authority + at);
    let server = address.get(..end).unwrap_or(address);
    format!("{server}/{name}{}", parameters.map(|rest| format!("?{rest}")).unwrap_or_default())
}

pub(crate) fn text(error: impl fmt::Display) -> String {
    error.to_string()
}
