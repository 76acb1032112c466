//! The in-memory double keeps the contract of the store.

use std::future::{Ready, ready};

use async_trait::async_trait;
use commerce_testkit::MemoryStore;
use commerce_testkit::suite::store::{Fixture, Handles};

struct InMemory(Handles);

impl InMemory {
    fn start() -> Ready<Self> {
        ready(Self(Handles::of(MemoryStore::new())))
    }
}

#[async_trait]
impl Fixture for InMemory {
    fn handles(&self) -> Handles {
        self.0.clone()
    }

    async fn reopen(&self) -> Handles {
        self.0.clone()
    }
}

commerce_testkit::store_suite!(InMemory::start);
