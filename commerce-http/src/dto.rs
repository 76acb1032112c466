//! What goes over the wire, by noun: documents that are written from the engine's values, and requests that are read.
//!
//! A document borrows what it shows and is written once. Every amount is a decimal text in the document's one currency.
//! A request has plain values; a [`Reader`](reader::Reader) makes the engine's of them and lists all that are invalid.

pub(crate) mod address;
pub(crate) mod cart;
pub(crate) mod code;
pub(crate) mod history;
pub(crate) mod order;
pub(crate) mod payment;
pub(crate) mod placing;
pub(crate) mod product;
pub(crate) mod promotion;
pub(crate) mod quote;
pub(crate) mod reader;
pub(crate) mod returns;
pub(crate) mod stock;
pub(crate) mod task;

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
