//! Support for tests, benches and simulations of `commerce-core`.
//!
//! * **Doubles**, which are complete adapters: [`MemoryStore`], [`FakeUsers`], [`FakeProcessor`], [`FakeTarget`],
//!   [`FakeQueue`], [`FakeWebhooks`], [`ManualClock`] and
//!   [`SequentialIds`].
//! * **Faults**: [`FaultInjector`] wraps a store and injects reproducible failures.
//! * **Conformance**: [`store_suite!`](crate::store_suite), [`targets_suite!`](crate::targets_suite),
//!   [`processor_suite!`](crate::processor_suite), [`publisher_suite!`](crate::publisher_suite) and
//!   [`subscription_suite!`](crate::subscription_suite) run the tests of a port's contract on an adapter.
//! * **Inputs**: [`CommitBuilder`] builds commits like those of the engine. [`strategy`] has a proptest strategy for every
//!   public input type.
//! * **Loads**: [`races`] sends to several processes at once, [`sale`] has callers who buy and remember what they were told, and
//!   [`audit`] checks a store afterwards.
//! * **Laws**: [`invariants`] checks quotes.
//! * **Fuzzing**: [`fuzz`] tries mutated inputs on parsers.
//!
//! # Invariants
//! * The doubles contain no rules: the store settles with `commerce_core::commit::settle`, like every store.
//! * There are no scripted mocks: the double of a port passes the suite of that port.
//! * Nothing reads the system clock or system randomness: the same seed gives the same run. Only [`fuzz`] measures time.

pub mod audit;
mod clock;
pub mod commit_builder;
mod fault_injector;
pub mod fuzz;
mod inbox;
pub mod invariants;
mod memory;
mod processor;
mod publisher;
mod queue;
pub mod quote;
pub mod races;
mod random;
pub mod sale;
mod sequential_ids;
pub mod strategy;
pub mod suite;
mod users;
mod webhooks;

pub use self::clock::ManualClock;
pub use self::commit_builder::CommitBuilder;
pub use self::fault_injector::{Fault, FaultInjector, Faults};
pub use self::inbox::FakeInbox;
pub use self::memory::MemoryStore;
pub use self::processor::{FakeProcessor, ProcessorBehavior};
pub use self::publisher::{FakeTarget, TargetBehavior};
pub use self::queue::{FakeQueue, FakeSubscription};
pub use self::random::Random;
pub use self::sequential_ids::SequentialIds;
pub use self::users::FakeUsers;
pub use self::webhooks::{FakeWebhooks, ReceivedWebhook};
