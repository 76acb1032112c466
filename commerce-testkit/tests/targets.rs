//! The doubles keep the contracts of publishing.

mod memory_store {
    use std::future::{Ready, ready};

    use commerce_testkit::MemoryStore;

    fn start() -> Ready<MemoryStore> {
        ready(MemoryStore::new())
    }

    commerce_testkit::targets_suite!(start);
}

mod fake_target {
    use std::future::{Ready, ready};

    use commerce_testkit::suite::publisher::InMemory;

    fn start() -> Ready<InMemory> {
        ready(InMemory::default())
    }

    commerce_testkit::publisher_suite!(start);
}
