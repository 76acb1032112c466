//! The in-memory double keeps the contract of the store.

use std::future::{Ready, ready};

use commerce_testkit::MemoryStore;

fn start() -> Ready<MemoryStore> {
    ready(MemoryStore::new())
}

commerce_testkit::store_suite!(start);
commerce_testkit::deliveries_suite!(start);
