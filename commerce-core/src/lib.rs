//! Every rule of the commerce engine, as plain functions and values.
//!
//! The principle is *decide purely, commit atomically*. Aggregates are deciders: `decide(&State, Command)` returns
//! events or a rejection, `evolve` folds events into the state. A use case results in one value, a [`commit::Commit`].
//! A store applies all of it or nothing.
//!
//! # Map
//!
//! | to find | look in |
//! |---|---|
//! | amounts, currencies, rounding, splitting | [`money`] |
//! | ids, quantities, bounded text | [`ids`], [`Quantity`], [`text`] |
//! | entries that callers attach | [`metadata`] |
//! | products and categories | [`catalog`] |
//! | the cart and its limits | [`cart`] |
//! | what the shop knows of its users | [`customer`] |
//! | what a cart costs, and why | [`pricing`], [`promotion`] |
//! | all problems of a value at once | [`problem`] |
//! | the order: lifecycle, commands, events, returns | [`order`] |
//! | stock: levels, reservations, guarded moves | [`stock`] |
//! | values with an id, a version and a history | [`document`] |
//! | all changes of a use case, and their guards | [`commit`] |
//! | work for later | [`task`] |
//! | events of other systems, dead letters | [`inbox`] |
//! | where events are sent as webhooks | [`webhook`] |
//! | how far events were published, and when to try again | [`publishing`] |
//! | roles and permissions | [`permission`] |
//! | the traits that the engine calls | [`port`] |
//! | the use cases | [`engine`], [`settings`] |
//! | stored forms | [`stored`] |
//! | comparing what was booked with a statement of the processor | [`reconciliation`] |
//! | rebuilding state from history | [`event`], [`replay`] |
//!
//! # What this crate never does
//! * It reads no clock and generates no random number: instants and ids are values, or come from [`port::Clock`] and
//!   [`port::IdGenerator`].
//! * It does no I/O and knows no runtime, no SQL and no HTTP. The compiler enforces this, because the crate is
//!   `no_std`. Only `system`, with the default feature `std`, has the clock and the ids of the operating system.
//! * It uses no float and no hash order, and does not panic on any input.
//! * It repairs nothing: bad input is refused with a precise error and changes nothing.
//!
//! # Example
//!
//! ```
//! use commerce_core::order::{Lifecycle, Phase, Trigger};
//!
//! // A lifecycle is data, verified when it is built. Rules depend on the phase, names are chosen by the shop.
//! let lifecycle = Lifecycle::standard();
//! let paid = lifecycle.by_trigger(&lifecycle.initial().name, Trigger::Pay).expect("an order can be paid");
//! assert_eq!(lifecycle.phase(&paid.to), Some(Phase::Paid));
//! ```
#![no_std]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::panic))]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod actor;
pub mod address;
pub mod cart;
pub mod catalog;
pub mod commit;
pub mod customer;
pub mod document;
pub mod engine;
pub mod event;
pub mod ids;
pub mod inbox;
pub mod metadata;
pub mod money;
pub mod order;
pub mod payment;
pub mod permission;
pub mod port;
pub mod prelude;
pub mod pricing;
pub mod problem;
pub mod promotion;
pub mod publishing;
mod quantity;
pub mod reconciliation;
pub mod replay;
pub mod saga;
pub mod settings;
pub mod stock;
pub mod stored;
#[cfg(feature = "std")]
pub mod system;
pub mod task;
pub mod text;
pub mod trace;
pub mod webhook;

pub use quantity::{Quantity, QuantityError};
