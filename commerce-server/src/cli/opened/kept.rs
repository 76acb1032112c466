//! The store of a shop on any database.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use commerce_core::payment::Books;
use commerce_core::port::{DeliveryLog, Store, StoreError, Targets};
use commerce_diesel::Rebuilt;
#[cfg(feature = "mysql")]
use commerce_diesel::mysql::MysqlStore;
#[cfg(feature = "postgres")]
use commerce_diesel::postgres::PostgresStore;
#[cfg(feature = "sqlite")]
use commerce_diesel::sqlite::{SqliteOptions, SqliteStore};

use super::super::failure::Failure;
use crate::config::{Config, Database};

pub(in super::super) type Progress = Box<dyn FnMut(u64) + Send>;

#[async_trait]
pub(in super::super) trait Backend: Store + Books + DeliveryLog + Targets {
    /// Compares the tables that follow from the history with it, or repairs them.
    async fn replay(&self, verify: bool, at: DateTime<Utc>, progress: Progress) -> Result<Rebuilt, StoreError>;
}

macro_rules! keep {
    ($($feature:literal $store:ident)*) => {$(
        #[cfg(feature = $feature)]
        #[async_trait]
        impl Backend for $store {
            async fn replay(&self, verify: bool, at: DateTime<Utc>, progress: Progress) -> Result<Rebuilt, StoreError> {
                if verify { self.compare(at, progress).await } else { self.rebuild(at, progress).await }
            }
        }
    )*};
}

keep! {
    "sqlite" SqliteStore
    "postgres" PostgresStore
    "mysql" MysqlStore
}

#[cfg_attr(
    not(any(feature = "sqlite", feature = "postgres", feature = "mysql")),
    expect(clippy::unused_async, unused_variables, reason = "without a database there is nothing to open")
)]
pub(super) async fn open(config: &Config, create: bool) -> Result<Arc<dyn Backend>, Failure> {
    match &config.database {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(path) => {
            Ok(Arc::new(SqliteStore::open(path, SqliteOptions { create, ..SqliteOptions::default() }).await?))
        }
        #[cfg(not(feature = "sqlite"))]
        Database::Sqlite(_) => Err(Failure::WithoutDriver { name: "SQLite", feature: "sqlite" }),
        #[cfg(feature = "postgres")]
        Database::Postgres(url) => {
            Ok(Arc::new(PostgresStore::open(url.reveal(), config.connections.options(create)).await?))
        }
        #[cfg(not(feature = "postgres"))]
        Database::Postgres(_) => Err(Failure::WithoutDriver { name: "PostgreSQL", feature: "postgres" }),
        #[cfg(feature = "mysql")]
        Database::MySql(url) => Ok(Arc::new(MysqlStore::open(url.reveal(), config.connections.options(create)).await?)),
        #[cfg(not(feature = "mysql"))]
        Database::MySql(_) => Err(Failure::WithoutDriver { name: "MySQL", feature: "mysql" }),
    }
}
