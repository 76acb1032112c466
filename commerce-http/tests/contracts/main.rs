//! Shops that speak the language of other systems: each walk sends what a document asks for, line by line, over a socket.
//!
//! A pending step is one that the shop does not have yet. It fails the test as soon as it passes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod commerce_service;
mod e_commerce_platform;
mod order_service;
mod own;
mod suuupra;
mod vy_commerce;
mod walk;
