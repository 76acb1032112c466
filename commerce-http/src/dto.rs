//! The JSON documents of the API, by noun: those that are written from values of the engine, and those that are read.
//!
//! A written document borrows its values. Amounts are decimal strings in the currency of the document.
//!
//! The JSON of pricing ([`pricing`], [`promotion`], [`quote`]) is public, because it is also used without HTTP. Reading has two
//! steps. Serde reads the form and stops at the first error. Then the values are read into those of the engine, and all
//! problems are collected.

pub(crate) mod address;
pub(crate) mod cart;
pub(crate) mod code;
pub(crate) mod customer;
pub(crate) mod dead_letter;
pub mod event;
pub(crate) mod evidence;
pub(crate) mod history;
pub(crate) mod kept;
mod leaf;
pub(crate) mod metadata;
pub(crate) mod order;
pub(crate) mod payment;
pub(crate) mod payment_method;
pub(crate) mod placing;
pub mod pricing;
pub(crate) mod product;
pub mod promotion;
pub mod quote;
pub(crate) mod returns;
pub(crate) mod saga;
mod scalar;
pub(crate) mod schema;
mod shape;
pub(crate) mod stock;
pub(crate) mod task;
pub(crate) mod webhook;
pub(crate) mod webhook_endpoint;

use commerce_core::money::{Amount, Money};
use commerce_core::problem::Problems;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use utoipa::ToSchema;

pub use crate::problem::Fault;

/// An amount in major units, with all decimals of the currency of the document.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, example = "59.98", pattern = r"^-?[0-9]+(\.[0-9]+)?$")]
pub struct Figure(Amount);

impl From<Money> for Figure {
    fn from(money: Money) -> Self {
        Self(money.into())
    }
}

/// The reason why a document is refused.
#[derive(Debug, Error)]
pub enum Refused {
    /// It is not JSON.
    #[error("cannot be read: {0}")]
    NotJson(serde_json::Error),
    /// It is JSON but not a valid document: the first error of its form, or all invalid values.
    #[error("{}", listed(.0))]
    Invalid(Vec<Fault>),
}

fn listed(faults: &[Fault]) -> String {
    faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("; ")
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
/// [`Refused`], with the first error of the form.
pub fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, Refused> {
    crate::json::parse(json)
}
