//! What can be wrong with a file, and what happens to a file that several use.

#![cfg(feature = "sqlite")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "sqlite_file/failures.rs"]
mod failures;
#[path = "sqlite_file/opening.rs"]
mod opening;
#[path = "support/payments.rs"]
mod payments;
#[path = "sqlite_file/sharing.rs"]
mod sharing;
#[path = "sqlite_file/tables.rs"]
mod tables;

use std::path::{Path, PathBuf};
use std::time::Duration;

use commerce_diesel::sqlite::{OpenError, SqliteOptions, SqliteStore};
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use tempfile::TempDir;

/// A place for a file.
struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("shop.db")
    }

    async fn open(&self) -> SqliteStore {
        open(&self.path()).await.unwrap()
    }

    /// A connection past the store.
    fn raw(&self) -> SqliteConnection {
        raw(&self.path())
    }

    /// Changes the file past the store.
    fn execute(&self, sql: &str) {
        self.raw().batch_execute(sql).unwrap();
    }
}

fn raw(path: &Path) -> SqliteConnection {
    let mut raw = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    raw.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
    raw
}

/// Opens a file without much patience.
async fn open(path: &Path) -> Result<SqliteStore, OpenError> {
    let options = SqliteOptions { busy_timeout: Duration::from_millis(300), ..SqliteOptions::default() };
    SqliteStore::open(path, options).await
}
