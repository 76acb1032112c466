//! The contract of the store, on PostgreSQL.

#![cfg(feature = "postgres")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use commerce_core::port::Store;
use commerce_diesel::DatabaseOptions;
use commerce_diesel::postgres::PostgresStore;
use commerce_testkit::suite::store::Fixture;
use test_servers::Postgres;

/// A database of its own on the server that the tests share.
struct OneDatabase {
    store: PostgresStore,
    url: String,
}

impl OneDatabase {
    async fn start() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let server = Postgres::shared();
        let name = format!("shop_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        server.create_database(&name).unwrap();
        let url = server.url(&name);
        Self { store: open(&url).await, url }
    }
}

async fn open(url: &str) -> PostgresStore {
    let options = DatabaseOptions { readers: 3, ..DatabaseOptions::default() };
    PostgresStore::open(url, options).await.unwrap()
}

#[async_trait]
impl Fixture for OneDatabase {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.store.clone())
    }

    async fn reopen(&self) -> Arc<dyn Store> {
        Arc::new(open(&self.url).await)
    }
}

commerce_testkit::store_suite!(OneDatabase::start);

/// The contract of a payment processor, kept by the sandbox with its books in the database.
mod sandbox {
    use commerce_testkit::suite::processor::SandboxFixture;

    use super::{Arc, OneDatabase};

    async fn start() -> SandboxFixture {
        SandboxFixture::on(Arc::new(OneDatabase::start().await.store))
    }

    commerce_testkit::processor_suite!(start);
}

/// The contract of the log of webhooks.
mod deliveries {
    use commerce_core::port::DeliveryLog;
    use commerce_testkit::suite::deliveries::Fixture;

    use super::OneDatabase;

    impl Fixture for OneDatabase {
        fn log(&self) -> &dyn DeliveryLog {
            &self.store
        }
    }

    commerce_testkit::deliveries_suite!(OneDatabase::start);
}

/// The contract of the states of targets.
mod targets {
    use async_trait::async_trait;
    use commerce_core::port::Targets;
    use commerce_testkit::suite::targets::Fixture;

    use super::{Arc, OneDatabase, open};

    #[async_trait]
    impl Fixture for OneDatabase {
        fn store(&self) -> Arc<dyn Targets> {
            Arc::new(self.store.clone())
        }

        async fn reopen(&self) -> Arc<dyn Targets> {
            Arc::new(open(&self.url).await)
        }
    }

    commerce_testkit::targets_suite!(OneDatabase::start);
}
