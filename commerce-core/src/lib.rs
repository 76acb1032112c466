//! Every rule of the commerce engine, as plain functions and values.
#![no_std]
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::panic, clippy::expect_used)
)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod actor;
pub mod address;
pub mod cart;
pub mod catalog;
pub mod commit;
pub mod engine;
pub mod event;
pub mod ids;
pub mod money;
pub mod order;
pub mod payment;
pub mod port;
pub mod pricing;
pub mod promotion;
mod quantity;
pub mod replay;
pub mod settings;
pub mod stock;
pub mod task;
pub mod text;

pub use quantity::{Quantity, QuantityError};
