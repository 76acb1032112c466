//! Every rule of the commerce engine, as plain functions and values.
//!
//! One idea carries it: *decide purely, commit atomically*. Aggregates are deciders (`decide(&State, Command)` gives events or a
//! rejection, `evolve` folds events into the state); what a use case decides is one value, a [`commit::Commit`]; a store
//! applies all of it or none of it.
//!
//! # Map
//!
//! | to find | look in |
//! |---|---|
//! | amounts, currencies, rounding, splitting | [`money`] |
//! | names of things, quantities, bounded text | [`ids`], [`Quantity`], [`text`] |
//! | what callers attach for themselves | [`metadata`] |
//! | what is for sale | [`catalog`] |
//! | the cart and its limits | [`cart`] |
//! | what the shop knows of its users | [`customer`] |
//! | what a cart costs, and why | [`pricing`], [`promotion`] |
//! | what is wrong in a value, all at once | [`problem`] |
//! | the order: lifecycle, commands, events, returns | [`order`] |
//! | stock: levels, reservations, guarded moves | [`stock`] |
//! | what carts, products, categories and promotions share | [`document`] |
//! | what must become true together, and which guards hold | [`commit`] |
//! | what is left to do later | [`task`] |
//! | who may do what | [`permission`] |
//! | what the engine needs of the world | [`port`] |
//! | the use cases | [`engine`], [`settings`] |
//! | how values are stored | [`stored`] |
//! | rebuilding state from history | [`event`], [`replay`] |
//!
//! # What this crate never does
//! * It reads no clock and draws no random number: instants and ids are values, or come through [`port::Clock`] and
//!   [`port::IdGenerator`].
//! * It does no I/O and knows no runtime, no SQL and no HTTP. It is `no_std`, so the compiler holds this. Only `system`, with the
//!   feature `std` (on by default), has the clock and the ids of the operating system for those who want them.
//! * It uses no float and no hash order, and does not panic on any input.
//! * It repairs nothing: bad input is refused with a precise error, and nothing has changed then.
//!
//! # Example
//!
//! ```
//! use commerce_core::order::{Lifecycle, Phase, Trigger};
//!
//! // A lifecycle is data, verified when it is built; the rules key on the phase, the names are the shop's.
//! let lifecycle = Lifecycle::standard();
//! let paid = lifecycle.by_trigger(&lifecycle.initial().name, Trigger::Pay).expect("an order can be paid");
//! assert_eq!(lifecycle.phase(&paid.to), Some(Phase::Paid));
//! ```
#![no_std]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::panic))]

extern crate alloc;
#[cfg(test)]
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
mod quantity;
pub mod replay;
pub mod settings;
pub mod stock;
pub mod stored;
#[cfg(feature = "std")]
pub mod system;
pub mod task;
pub mod text;

pub use quantity::{Quantity, QuantityError};
