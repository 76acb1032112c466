//! Running migrations.

use std::error::Error as StdError;
use std::future::Future;
use std::thread;

use diesel::backend::Backend;
use diesel::migration::{Migration, MigrationSource};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness};
use tokio::sync::oneshot;

use super::DatabaseError;

/// Runs migrations, which block, on a thread with its own runtime.
pub(crate) async fn on_a_thread(
    work: impl Future<Output = Result<(), DatabaseError>> + Send + 'static,
) -> Result<(), DatabaseError> {
    let (done, rx) = oneshot::channel();
    let run = move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let result = match runtime {
            Ok(runtime) => runtime.block_on(async { tokio::spawn(work).await.map_err(failed).flatten() }),
            Err(error) => Err(failed(error)),
        };
        drop(done.send(result));
    };
    thread::Builder::new().name("migrations".to_owned()).spawn(run).map_err(failed)?;
    rx.await.map_err(failed)?
}

fn failed(error: impl StdError + Send + Sync + 'static) -> DatabaseError {
    DatabaseError::Migration(error.into())
}

/// The number of migrations of this version.
#[cfg(feature = "mysql")]
pub(crate) fn count(migrations: &EmbeddedMigrations) -> Result<u64, DatabaseError> {
    let known: Vec<Box<dyn Migration<diesel::mysql::Mysql>>> =
        migrations.migrations().map_err(DatabaseError::Migration)?;
    Ok(known.len().try_into().unwrap_or(u64::MAX))
}

/// Runs the missing migrations if `create`, unless there are unknown ones of a newer version.
pub(crate) fn bring_up_to_date<DB: Backend + 'static>(
    harness: &mut impl MigrationHarness<DB>,
    migrations: EmbeddedMigrations,
    create: bool,
) -> Result<(), DatabaseError> {
    let known: Vec<Box<dyn Migration<DB>>> = migrations.migrations().map_err(DatabaseError::Migration)?;
    let applied = harness.applied_migrations().map_err(DatabaseError::Migration)?;
    let is_known = |version: &_| known.iter().any(|migration| migration.name().version() == *version);
    if let Some(unknown) = applied.iter().find(|version| !is_known(version)) {
        return Err(DatabaseError::Newer { migration: unknown.to_string() });
    }
    if !create {
        return if applied.len() < known.len() { Err(DatabaseError::NotMigrated) } else { Ok(()) };
    }
    harness.run_pending_migrations(migrations).map_err(DatabaseError::Migration)?;
    Ok(())
}
