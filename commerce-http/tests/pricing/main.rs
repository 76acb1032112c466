//! The JSON of pricing: the gathered cases, what the engine says of promotions, and of requests it does not take.

#![allow(clippy::expect_used, reason = "a test says what it expects")]

mod cases;
mod explanation;
mod units;
