//! What is to be priced.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::Quantity;
use crate::ids::{CategoryId, IdError, ItemId, Sku};
use crate::money::{Currency, Money, Rounding};
use crate::promotion::{Promotion, same_code};

/// Everything a price depends on. [`price`](super::price) reads nothing else.
///
/// An empty list of lines is priced to nothing: what a cart costs before anything is in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The currency of every amount.
    pub currency: Currency,
    /// The instant the price is for; promotions start and end by it.
    pub at: DateTime<Utc>,
    /// What is bought.
    pub lines: Vec<Line>,
    /// The codes the buyer gave.
    pub codes: Vec<String>,
    /// How codes compare.
    pub code_matching: CodeMatching,
    /// Who buys.
    pub customer: Buyer,
    /// How it is shipped, once that is chosen.
    pub shipping: Option<Shipping>,
    /// The taxes.
    pub tax: Tax,
    /// Every promotion there is, in the order that settles equal priorities.
    pub promotions: Vec<Promotion>,
    /// Which of the promotions that could apply do.
    pub selection: Selection,
    /// Where tax is rounded.
    pub tax_level: TaxLevel,
    /// How every figure that is rounded is rounded.
    pub rounding: Rounding,
}

impl Request {
    /// A request for these lines, without promotions, shipping or tax.
    pub fn new(currency: Currency, at: DateTime<Utc>, lines: Vec<Line>) -> Self {
        Self {
            currency,
            at,
            lines,
            codes: Vec::new(),
            code_matching: CodeMatching::default(),
            customer: Buyer::default(),
            shipping: None,
            tax: Tax::default(),
            promotions: Vec::new(),
            selection: Selection::default(),
            tax_level: TaxLevel::default(),
            rounding: Rounding::default(),
        }
    }
}

/// Some units of one sku at one price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its name in this request, which the answer repeats.
    pub id: LineId,
    /// What is sold.
    pub sku: Sku,
    /// How many units.
    pub quantity: Quantity,
    /// What one unit is listed at: gross when prices include tax, net otherwise.
    pub unit_price: Money,
    /// The categories of the product.
    pub categories: Vec<CategoryId>,
    /// What it is taxed as; untaxed when absent.
    pub tax_category: Option<String>,
}

impl Line {
    /// Units that are in no category and untaxed.
    pub const fn new(id: LineId, sku: Sku, quantity: Quantity, unit_price: Money) -> Self {
        Self { id, sku, quantity, unit_price, categories: Vec::new(), tax_category: None }
    }
}

/// Names a line within a request: opaque text of 1 to 64 characters. Cloning one is cheap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LineId(Arc<str>);

impl LineId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LineId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        // The rules are those of every opaque id.
        text.parse::<Sku>().map(|_| Self(text.into()))
    }
}

impl From<ItemId> for LineId {
    fn from(id: ItemId) -> Self {
        Self(alloc::format!("{id}").into())
    }
}

impl fmt::Display for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who buys, as far as promotions ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buyer {
    /// The segments they are in.
    pub segments: Vec<String>,
    /// The orders they have completed so far.
    pub completed_orders: u32,
}

/// The chosen way of shipping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shipping {
    /// Its name.
    pub method: String,
    /// The fee before discounts: gross when prices include tax, net otherwise.
    pub amount: Money,
    /// What the fee is taxed as; untaxed when absent.
    pub tax_category: Option<String>,
}

/// The taxes of a place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tax {
    /// Whether listed prices and fees already contain the tax.
    pub prices_include_tax: bool,
    /// The rates. Those of one category add up; a category without any is untaxed.
    pub rates: Vec<TaxRate>,
}

/// One rate of a tax category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxRate {
    /// The category.
    pub tax_category: String,
    /// The share of the net price: 0.20 is 20 %. At most 10, with at most 8 decimals.
    pub rate: Decimal,
}

/// Which of the promotions that could apply do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// All, by priority, each on what the earlier ones left.
    #[default]
    Priority,
    /// Those that together give the lowest total for the customer.
    ///
    /// That is proven for up to [`PROVEN_CANDIDATES`](super::PROVEN_CANDIDATES) candidates on up to
    /// [`PROVEN_LINES`](super::PROVEN_LINES) lines. With more of either, the work is bounded; where it ends before the proof,
    /// the answer is the best found, and never dearer than by priority.
    Best,
}

/// Where tax is rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxLevel {
    /// On every line, and on the shipping fee.
    #[default]
    Line,
    /// Once for all that is taxed at one rate; the tax is then split over the lines so that it adds up.
    Order,
}

/// How a given code and a promotion's code compare. Surrounding space never counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeMatching {
    /// Letter by letter: `testcode` is not `TESTCODE`.
    #[default]
    Exact,
    /// Without regard to case.
    IgnoreCase,
}

impl CodeMatching {
    /// Whether both are the same code.
    pub fn same(self, one: &str, other: &str) -> bool {
        match self {
            Self::Exact => one.trim() == other.trim(),
            Self::IgnoreCase => same_code(one, other),
        }
    }
}
