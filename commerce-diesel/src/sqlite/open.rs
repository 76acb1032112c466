//! Opening a file: checks, settings, migrations.

use std::error::Error as StdError;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{io, thread};

use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_types::{BigInt, Text};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use thiserror::Error;

use super::SqliteOptions;
use super::connection::Conn;
use super::dialect::{Db, is_busy, says};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// Identifies the file as a database of this engine: "shop" in ASCII.
const APPLICATION_ID: i64 = 0x7368_6f70;

/// The settings of the connection that writes.
///
/// A checkpoint every 16 MiB instead of 4 copies a page that many orders change only once. This makes commits half as fast
/// again on a disk with few operations per second. Recovery from a crash takes some milliseconds longer.
const SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
                        PRAGMA cache_size = -6000; PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 4000;";

/// What a connection that writes on the threads of callers has in addition.
const HASTE: &str = "PRAGMA wal_autocheckpoint = 0; PRAGMA busy_timeout = 0;";

/// The pause before another attempt to open the file.
const PAUSE: Duration = Duration::from_millis(10);

/// The reason why a file cannot be used as the store.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "the messages say it")]
#[non_exhaustive]
pub enum OpenError {
    #[error("the directory {0} does not exist")]
    DirectoryMissing(PathBuf),
    #[error("{0} does not exist")]
    Missing(PathBuf),
    #[error("{0} has no shop, or one of an older version: `commerce migrate` creates and upgrades its tables")]
    NotMigrated(PathBuf),
    #[error("{0} is not a file")]
    NotAFile(PathBuf),
    #[error("the path {0} is not Unicode")]
    NotUnicode(PathBuf),
    #[error("{0} is read-only")]
    ReadOnly(PathBuf),
    /// The file, or a file that SQLite creates beside it, cannot be created or opened.
    #[error("{0} cannot be opened for writing: check the permissions of the file and its directory")]
    NotWritable(PathBuf),
    #[error("{0} is not an SQLite database")]
    NotADatabase(PathBuf),
    #[error("{0} is a database of another program")]
    Foreign(PathBuf),
    #[error(
        "{path} was written by a newer version: it has the migration {migration}, which this version does not know"
    )]
    Newer { path: PathBuf, migration: String },
    #[error("{0} is locked by another process")]
    Locked(PathBuf),
    #[error("a thread cannot be started: {0}")]
    Thread(#[source] Box<dyn StdError + Send + Sync>),
    #[error("{path} cannot be opened: {source}")]
    Other { path: PathBuf, source: Box<dyn StdError + Send + Sync> },
}

impl OpenError {
    pub(super) fn thread(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Thread(source.into())
    }
}

/// Opens the connection that writes, and runs missing migrations.
pub(super) fn writer(path: &Path, options: &SqliteOptions) -> Result<Conn, OpenError> {
    check_path(path, options)?;
    let deadline = Instant::now() + options.busy_timeout;
    loop {
        match try_writer(path, options) {
            // SQLite does not wait while another process changes the journal mode.
            Err(OpenError::Locked(_)) if Instant::now() < deadline => thread::sleep(PAUSE),
            result => return result,
        }
    }
}

/// Opens a connection that writes and waits neither for other processes nor for checkpoints.
pub(super) fn hasty_writer(path: &Path, options: &SqliteOptions) -> Result<Conn, OpenError> {
    let mut conn = connect(path, options)?;
    let set = conn.batch_execute(SETTINGS).and_then(|()| conn.batch_execute(HASTE));
    set.map_err(|error| judge(path, error))?;
    Ok(conn)
}

/// Opens a connection that only reads.
pub(super) fn reader(path: &Path, options: &SqliteOptions) -> Result<Conn, OpenError> {
    let mut conn = connect(path, options)?;
    conn.batch_execute("PRAGMA query_only = ON; PRAGMA cache_size = -1000;").map_err(|error| judge(path, error))?;
    Ok(conn)
}

fn check_path(path: &Path, options: &SqliteOptions) -> Result<(), OpenError> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !directory.is_dir() {
        return Err(OpenError::DirectoryMissing(directory.to_owned()));
    }
    match path.metadata() {
        Ok(found) if !found.is_file() => Err(OpenError::NotAFile(path.to_owned())),
        // Checked first, because root can write to a read-only file.
        Ok(found) if found.permissions().readonly() => Err(OpenError::ReadOnly(path.to_owned())),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(OpenError::NotWritable(path.to_owned())),
        Err(_) if !options.create => Err(OpenError::Missing(path.to_owned())),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Creates the file, readable by its owner only, because it contains addresses of customers. SQLite gives the files beside it the same permissions.
fn create(path: &Path) -> Result<(), OpenError> {
    let mut file = OpenOptions::new();
    file.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    match file.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(OpenError::NotWritable(path.to_owned())),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn try_writer(path: &Path, options: &SqliteOptions) -> Result<Conn, OpenError> {
    let mut conn = connect(path, options)?;
    let pending = inspect(&mut conn, path)?;
    if pending && !options.create {
        return Err(OpenError::NotMigrated(path.to_owned()));
    }
    conn.batch_execute(SETTINGS).map_err(|error| judge(path, error))?;
    if pending {
        migrate(&mut conn, path)?;
    }
    Ok(conn)
}

fn connect(path: &Path, options: &SqliteOptions) -> Result<Conn, OpenError> {
    // SQLite never takes an absolute path for a URI.
    let absolute = std::path::absolute(path).map_err(|error| other(path, error))?;
    let name = absolute.to_str().ok_or_else(|| OpenError::NotUnicode(path.to_owned()))?;
    if options.create {
        create(path)?;
    }
    let mut conn = Conn::establish(name).map_err(|_| OpenError::NotWritable(path.to_owned()))?;
    let wait = format!("PRAGMA busy_timeout = {};", options.busy_timeout.as_millis());
    conn.batch_execute(&wait).map_err(|error| judge(path, error))?;
    Ok(conn)
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    version: String,
}

/// Checks that the file belongs to this engine, before anything in it is changed. Returns whether migrations are missing.
fn inspect(conn: &mut Conn, path: &Path) -> Result<bool, OpenError> {
    if number(conn, path, "SELECT count(*) AS number FROM sqlite_master")? == 0 {
        return Ok(true);
    }
    if number(conn, path, "SELECT application_id AS number FROM pragma_application_id")? != APPLICATION_ID {
        return Err(OpenError::Foreign(path.to_owned()));
    }
    let query = diesel::sql_query("SELECT version FROM __diesel_schema_migrations ORDER BY version");
    let applied: Vec<Version> = query.load(conn).map_err(|error| judge(path, error))?;
    let known = known_versions(path)?;
    match applied.iter().find(|applied| !known.contains(&applied.version)) {
        Some(unknown) => Err(OpenError::Newer { path: path.to_owned(), migration: unknown.version.clone() }),
        None => Ok(applied.len() < known.len()),
    }
}

fn number(conn: &mut Conn, path: &Path, query: &str) -> Result<i64, OpenError> {
    let row: Number = diesel::sql_query(query).get_result(conn).map_err(|error| judge(path, error))?;
    Ok(row.number)
}

fn known_versions(path: &Path) -> Result<Vec<String>, OpenError> {
    let migrations: Vec<Box<dyn Migration<Db>>> =
        MIGRATIONS.migrations().map_err(|source| OpenError::Other { path: path.to_owned(), source })?;
    Ok(migrations.iter().map(|migration| migration.name().version().to_string()).collect())
}

/// Runs missing migrations. If several processes start together, one of them does so and the others wait.
fn migrate(conn: &mut Conn, path: &Path) -> Result<(), OpenError> {
    let run = |conn: &mut Conn| {
        conn.batch_execute(&format!("PRAGMA application_id = {APPLICATION_ID};"))?;
        conn.run_pending_migrations(MIGRATIONS).map(drop).map_err(Fault::Migration)
    };
    conn.exclusive_transaction(run).map_err(|fault| match fault {
        Fault::Database(error) => judge(path, error),
        Fault::Migration(source) => OpenError::Other { path: path.to_owned(), source },
    })
}

enum Fault {
    Database(Error),
    Migration(Box<dyn StdError + Send + Sync>),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

fn judge(path: &Path, error: Error) -> OpenError {
    let path = path.to_owned();
    match error {
        error if is_busy(&error) => OpenError::Locked(path),
        error if says(&error, &["not a database"]) => OpenError::NotADatabase(path),
        error if says(&error, &["readonly database"]) => OpenError::ReadOnly(path),
        error if says(&error, &["unable to open"]) => OpenError::NotWritable(path),
        error => OpenError::Other { path, source: error.into() },
    }
}

fn other(path: &Path, error: io::Error) -> OpenError {
    OpenError::Other { path: path.to_owned(), source: error.into() }
}
