//! Stripe as the payment [`Processor`](commerce_core::port::Processor) of a shop.
//!
//! A payment is a `PaymentIntent`. The ids of its operations are the idempotency keys of the requests, and stand in the metadata of
//! what the requests make, so that each operation can be found again. `docs/stripe.md` says how.
//!
//! | to find | look in |
//! |---|---|
//! | what is sent for an operation | `processor` |
//! | how an operation is found, and how it stands | `found` |
//! | which answers mean that nothing was done | `api` |
//! | codes of declines | `decline` |
//! | webhooks and the list of events | `event` |
//! | cards for later | `saved` |
//!
//! # Invariants
//! * Errors, answers and `Debug` contain no secret and no token, nor the texts of Stripe, which may contain them.
//! * No request is repeated without its idempotency key.

mod amount;
mod api;
mod decline;
mod event;
mod found;
mod object;
mod processor;
mod saved;

pub use self::processor::{Stripe, StripeConfig, StripeConfigError};
