//! Every rule of the commerce engine, as plain functions and values.
#![no_std]
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::panic, clippy::expect_used)
)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod ids;
pub mod money;
mod quantity;
mod text;

pub use quantity::{Quantity, QuantityError};
