//! The in-memory double keeps the contract of the store.

use std::future::{Ready, ready};
use std::sync::Arc;

use async_trait::async_trait;
use commerce_core::port::Store;
use commerce_testkit::MemoryStore;
use commerce_testkit::suite::store::Fixture;

struct InMemory(MemoryStore);

impl InMemory {
    fn start() -> Ready<Self> {
        ready(Self(MemoryStore::new()))
    }
}

#[async_trait]
impl Fixture for InMemory {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.0.clone())
    }

    async fn reopen(&self) -> Arc<dyn Store> {
        self.store()
    }
}

commerce_testkit::store_suite!(InMemory::start);
