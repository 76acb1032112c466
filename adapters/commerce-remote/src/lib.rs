//! A payment service of the house as the payment [`Processor`](commerce_core::port::Processor) of a shop.
//!
//! The service implements the contract in `docs/remote-payments.md`, whose documents are in [`wire`].
//!
//! # Invariants
//! * Errors, answers and `Debug` contain no secret and no token.
//! * A call is not repeated.

mod processor;
pub mod wire;

pub use self::processor::{Remote, RemoteConfig, RemoteConfigError};
