//! Proptest strategies for every public input type of `commerce-core`.
//!
//! All generated values are valid. Texts contain unusual characters (several scripts, quotes, wildcards, four-byte characters),
//! numbers reach their limits, and everything shrinks towards simple and small values.
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
//! | [`order`] | new orders, steps in the lifecycle of an order |
//! | [`lifecycle`] | lifecycles: built in, and drafts with errors |
//! | [`stock`] | stock moves, with the time between them |
//! | [`commit`] | scripts of conflicting commits |

#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "generated values are valid by construction")]

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

/// The earliest generated [`instant`]: noon of 1 March 2026.
pub const OPENING: DateTime<Utc> = DateTime::from_timestamp(1_772_366_400, 0).expect("an instant in the calendar");

/// An instant within a year of [`OPENING`], in microseconds.
pub fn instant() -> impl Strategy<Value = DateTime<Utc>> {
    let microseconds = prop_oneof![
        3 => (0..365 * 86_400_i64).prop_map(|seconds| seconds * 1_000_000),
        1 => 0..365 * 86_400 * 1_000_000_i64,
    ];
    microseconds.prop_map(|microseconds| OPENING + TimeDelta::microseconds(microseconds))
}
