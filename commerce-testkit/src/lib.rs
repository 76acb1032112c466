//! What tests, benches and simulations of `commerce-core` stand on.
//!
//! * **Doubles**, which are real adapters: [`MemoryStore`] for the store, the carts and the catalog, [`FakeUsers`],
//!   [`FakePayments`], [`ManualClock`] and [`SequentialIds`].
//! * **Faults**: [`FaultInjector`] wraps any store and fails it by a seed, so that a failure can be played again.
//! * **Conformance**: [`store_suite!`](crate::store_suite) runs every case of the store's contract on an adapter.
//! * **Inputs**: [`CommitBuilder`] builds commits as the engine would, without the engine; [`strategy`] has a proptest
//!   strategy for every public input type.
//! * **Laws**: [`invariants`] says what must hold of every quote.
//!
//! # What this crate never does
//! * It decides nothing: the double settles with `commerce_core::commit::settle`, as every store does.
//! * It has no scripted mocks: a double that answers passes the suite of its port.
//! * It reads no clock and no randomness of the system: the same seed gives the same run.

mod clock;
pub mod commit_builder;
mod fault_injector;
pub mod invariants;
mod memory;
mod payments;
pub mod quote;
mod random;
mod sequential_ids;
pub mod strategy;
pub mod suite;
mod users;

pub use self::clock::ManualClock;
pub use self::commit_builder::CommitBuilder;
pub use self::fault_injector::{FaultInjector, Faults};
pub use self::memory::MemoryStore;
pub use self::payments::{FakePayments, PaymentBehavior};
pub use self::random::Random;
pub use self::sequential_ids::SequentialIds;
pub use self::users::FakeUsers;
