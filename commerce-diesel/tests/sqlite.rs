//! The contract of the store, on SQLite.

#![cfg(feature = "sqlite")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use async_trait::async_trait;
use commerce_core::port::Store;
use commerce_diesel::sqlite::{SqliteOptions, SqliteStore};
use commerce_testkit::suite::store::Fixture;
use tempfile::TempDir;

struct OneFile {
    store: SqliteStore,
    directory: TempDir,
}

impl OneFile {
    async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = open(&directory).await;
        Self { store, directory }
    }
}

async fn open(directory: &TempDir) -> SqliteStore {
    SqliteStore::open(&directory.path().join("shop.db"), SqliteOptions::default()).await.unwrap()
}

#[async_trait]
impl Fixture for OneFile {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.store.clone())
    }

    async fn reopen(&self) -> Arc<dyn Store> {
        Arc::new(open(&self.directory).await)
    }
}

commerce_testkit::store_suite!(OneFile::start);

/// The contract of a payment processor, kept by the sandbox with its books in the database.
mod sandbox {
    use commerce_testkit::suite::processor::SandboxFixture;

    use super::{Arc, OneFile};

    async fn start() -> SandboxFixture {
        SandboxFixture::on(Arc::new(OneFile::start().await.store))
    }

    commerce_testkit::processor_suite!(start);
}

/// The contract of the log of webhooks.
mod deliveries {
    use commerce_core::port::DeliveryLog;
    use commerce_testkit::suite::deliveries::Fixture;

    use super::OneFile;

    impl Fixture for OneFile {
        fn log(&self) -> &dyn DeliveryLog {
            &self.store
        }
    }

    commerce_testkit::deliveries_suite!(OneFile::start);
}

/// The contract of the states of targets.
mod targets {
    use async_trait::async_trait;
    use commerce_core::port::Targets;
    use commerce_testkit::suite::targets::Fixture;

    use super::{Arc, OneFile, open};

    #[async_trait]
    impl Fixture for OneFile {
        fn store(&self) -> Arc<dyn Targets> {
            Arc::new(self.store.clone())
        }

        async fn reopen(&self) -> Arc<dyn Targets> {
            Arc::new(open(&self.directory).await)
        }
    }

    commerce_testkit::targets_suite!(OneFile::start);
}
