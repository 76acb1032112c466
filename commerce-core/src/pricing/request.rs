//! The request to price a cart.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::str::FromStr;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::Quantity;
use crate::ids::{CategoryId, IdError, ItemId, Sku};
use crate::money::{Currency, Money, Rounding};
use crate::promotion::{Promotion, same_code};
use crate::text::shows_text;

/// Everything that a price depends on. [`price`](super::price) reads nothing else.
///
/// Without lines, the subtotal is zero.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Request {
    /// The currency of every amount.
    pub currency: Currency,
    /// The time of the price. Promotions start and end by it.
    pub at: DateTime<Utc>,
    pub lines: Vec<Line>,
    /// The codes that the customer entered.
    pub codes: Vec<String>,
    pub code_matching: CodeMatching,
    pub customer: Buyer,
    /// `None`: not chosen yet.
    pub shipping: Option<Shipping>,
    pub tax: Tax,
    /// All promotions, in the order that decides between equal priorities.
    pub promotions: Vec<Promotion>,
    pub selection: Selection,
    pub tax_level: TaxLevel,
    /// The rounding of every figure that is rounded.
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

/// Some units of one SKU at one price.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Line {
    /// The id of the line in this request, repeated in the answer.
    pub id: LineId,
    pub sku: Sku,
    pub quantity: Quantity,
    /// The listed price of one unit: gross if prices include tax, net otherwise.
    pub unit_price: Money,
    /// The categories of the product.
    pub categories: Vec<CategoryId>,
    /// `None`: untaxed.
    pub tax_category: Option<String>,
}

impl Line {
    /// A line without categories and tax.
    pub const fn new(id: LineId, sku: Sku, quantity: Quantity, unit_price: Money) -> Self {
        Self { id, sku, quantity, unit_price, categories: Vec::new(), tax_category: None }
    }
}

/// The id of a line within a request: opaque text of 1 to 64 characters. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LineId(Arc<str>);

shows_text!(LineId);

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

/// The facts about the customer that conditions use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Buyer {
    pub segments: Vec<String>,
    /// The number of completed orders.
    pub completed_orders: u32,
}

/// The chosen way of shipping.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Shipping {
    pub method: String,
    /// The fee before discounts: gross if prices include tax, net otherwise.
    pub amount: Money,
    /// `None`: untaxed.
    pub tax_category: Option<String>,
}

/// The taxes of a place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tax {
    /// Whether listed prices and fees already contain the tax.
    pub prices_include_tax: bool,
    /// The rates of one category add up. A category without a rate is untaxed.
    pub rates: Vec<TaxRate>,
}

/// One rate of a tax category.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct TaxRate {
    pub tax_category: String,
    /// The share of the net price: 0.20 is 20 %. At most 10, with at most 8 decimals.
    pub rate: Decimal,
}

/// Which candidates apply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// All, by priority, each on the remainder of the earlier ones.
    #[default]
    Priority,
    /// Those that together give the lowest total for the customer.
    ///
    /// This is proven for up to [`PROVEN_CANDIDATES`](super::PROVEN_CANDIDATES) candidates on up to
    /// [`PROVEN_LINES`](super::PROVEN_LINES) lines. With more of either, the work is limited. If it ends before the
    /// proof, the answer is the best set found, which never costs more than the selection by priority.
    Best,
}

/// Where tax is rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxLevel {
    /// On every line, and on the shipping fee.
    #[default]
    Line,
    /// Once for everything taxed at one rate. The tax is then split over the lines so that it adds up.
    Order,
}

/// How a given code and a promotion's code compare. Surrounding space is ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeMatching {
    /// Case matters: `testcode` is not `TESTCODE`.
    #[default]
    Exact,
    /// Case is ignored.
    IgnoreCase,
}

impl CodeMatching {
    /// Whether two codes are equal.
    pub fn same(self, one: &str, other: &str) -> bool {
        match self {
            Self::Exact => one.trim() == other.trim(),
            Self::IgnoreCase => same_code(one, other),
        }
    }
}
