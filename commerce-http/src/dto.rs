//! What goes over the wire, by noun: documents that are written from the engine's values, and bodies that are read.
//!
//! A document borrows what it shows and is written once. Every amount is a decimal text in the document's one currency.
//!
//! Public is the JSON of pricing ([`pricing`], [`promotion`], [`quote`]), which is spoken outside of HTTP too. What is read has the
//! form of the document and plain values; `into_domain` makes the engine's values of it and notes everything that is wrong with
//! them. The form itself is read by serde, which stops at the first thing wrong with it. The other requests are read with a
//! reader in the same way.

pub(crate) mod address;
pub(crate) mod cart;
pub(crate) mod code;
pub(crate) mod customer;
pub(crate) mod history;
pub(crate) mod kept;
mod leaf;
pub(crate) mod metadata;
pub(crate) mod order;
pub(crate) mod payment;
pub(crate) mod placing;
pub mod pricing;
pub(crate) mod product;
pub mod promotion;
pub mod quote;
pub(crate) mod returns;
pub(crate) mod stock;
pub(crate) mod task;

use std::fmt;

use commerce_core::money::{Amount, Money};
use commerce_core::problem::Problems;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use utoipa::ToSchema;

pub use crate::problem::Fault;

/// An amount in major units with all the decimals of the document's currency.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, example = "59.98")]
pub struct Figure(Amount);

impl From<Money> for Figure {
    fn from(money: Money) -> Self {
        Self(money.into())
    }
}

/// Why a document is not taken.
#[derive(Debug, Error)]
pub enum Refused {
    /// It is not JSON.
    #[error("cannot be read: {0}")]
    NotJson(serde_json::Error),
    /// It is JSON, and not what is wanted: all values that are not valid, or the first flaw of its form.
    #[error("{}", Listed(.0))]
    Invalid(Vec<Fault>),
}

struct Listed<'a>(&'a [Fault]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(at, fault)| {
            let gap = if at == 0 { "" } else { "; " };
            write!(f, "{gap}{fault}")
        })
    }
}

impl From<Problems> for Refused {
    fn from(problems: Problems) -> Self {
        let fault = |problem: commerce_core::problem::Problem| {
            Fault::at(problem.path.to_string(), problem.kind.code(), problem.kind)
        };
        Self::Invalid(problems.into_iter().map(fault).collect())
    }
}

/// Reads the form of a document.
///
/// # Errors
/// [`Refused`], with the first flaw of its form.
pub fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, Refused> {
    crate::json::parse(json)
}
