//! What goes over the wire, by noun: documents that are written from the engine's values, and bodies that are read.
//!
//! A shape borrows what it shows and is written once. Every amount is a decimal text in the document's one currency.

pub(crate) mod cart;
pub(crate) mod code;
pub(crate) mod order;
pub(crate) mod payment;
pub(crate) mod placing;
pub(crate) mod product;
pub(crate) mod promotion;
pub(crate) mod quote;
pub(crate) mod returns;
pub(crate) mod stock;

use commerce_core::money::{Amount, Money};
use serde::Serialize;
use utoipa::ToSchema;

/// An amount in major units with all the decimals of the document's currency.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, example = "59.98")]
pub(crate) struct Figure(Amount);

impl From<Money> for Figure {
    fn from(money: Money) -> Self {
        Self(money.into())
    }
}
