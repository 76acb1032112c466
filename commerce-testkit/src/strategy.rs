//! Proptest strategies for every public input type of `commerce-core`.
//!
//! All they make is valid: what the engine must refuse is the business of the tests that hand it in. Names are odd on
//! purpose (several scripts, quotes, wildcards, four-byte characters), figures reach their limits, and all of it shrinks
//! towards the plain and the small.
//!
//! ```
//! use commerce_testkit::strategy::{cart, money};
//! use proptest::prelude::*;
//!
//! proptest!(|(price in money::price(), cart in cart::cart())| {
//!     prop_assert!(!price.is_negative());
//!     prop_assert!(cart.items.iter().all(|item| item.unit_price.currency() == cart.currency));
//! });
//! ```
//!
//! | module | makes |
//! |---|---|
//! | [`text`] | bounded text, typed ids, addresses |
//! | [`money`] | currencies, amounts, weights |
//! | [`catalog`] | categories, products, offers |
//! | [`cart`] | quantities, carts |
//! | [`customer`] | customers |
//! | [`pricing`] | requests, promotions and their parts |
//! | [`order`] | new orders, steps in the life of an order |
//! | [`lifecycle`] | lifecycles: built in, and drafts with mistakes |
//! | [`stock`] | moves, with time between them |
//! | [`commit`] | scripts of commits that get in each other's way |

#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "what a strategy makes is valid by construction")]

pub mod cart;
pub mod catalog;
pub mod commit;
pub mod customer;
pub mod lifecycle;
pub mod money;
pub mod order;
pub mod pricing;
pub mod stock;
pub mod text;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

/// The first of the [instants](instant): 1 March 2026, noon.
pub const OPENING: DateTime<Utc> = DateTime::from_timestamp(1_772_366_400, 0).expect("an instant in the calendar");

/// An instant within a year of [`OPENING`], to the microsecond.
pub fn instant() -> impl Strategy<Value = DateTime<Utc>> {
    let microseconds = prop_oneof![
        3 => (0..365 * 86_400_i64).prop_map(|seconds| seconds * 1_000_000),
        1 => 0..365 * 86_400 * 1_000_000_i64,
    ];
    microseconds.prop_map(|microseconds| OPENING + TimeDelta::microseconds(microseconds))
}
