//! The discount of a promotion.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::filter::Filter;
use super::percent::Percent;
use crate::Quantity;
use crate::money::Money;

/// The maximum number of tiers of one effect.
pub const MAX_TIERS: usize = 50;

/// The discount of a promotion. It never raises a price or makes one negative.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Effect {
    /// A share of the remainder of the order together (rounded once), of each line (rounded per line), or of the
    /// shipping fee; at most `max_amount`.
    PercentOff { percent: Percent, target: Target, max_amount: Option<Money> },
    /// An amount.
    AmountOff { amount: Money, target: AmountTarget },
    /// A price that replaces a higher one.
    FixedPrice { amount: Money, target: PriceTarget },
    /// The whole remaining shipping fee.
    FreeShipping,
    /// A discount on some units for others bought.
    BuyGet(BuyGet),
    /// A share of the order that grows with its remainder, at most `max_amount`. The tiers rise; the highest one
    /// reached applies.
    TieredPercent { tiers: Vec<Tier>, max_amount: Option<Money> },
}

/// The base of a percentage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Target {
    /// The remainder of all lines together.
    Order,
    /// Each of some lines.
    Items(Items),
    /// The shipping fee.
    Shipping,
}

/// The base of an amount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AmountTarget {
    /// The order, once; split over the lines by their remainder.
    Order,
    /// Some lines together, once; split over them by their remainder.
    Across(Items),
    /// Every unit, at most its remaining price.
    Each(Items),
    /// The shipping fee.
    Shipping,
}

/// What a fixed price applies to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum PriceTarget {
    /// All lines together.
    Order,
    /// Each unit.
    Each(Items),
    /// The dearest units of the matching (`None`: all) lines together. Fewer than `quantity` get no discount.
    Bundle { filter: Option<Filter>, quantity: Quantity },
}

/// Some units of a cart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Items {
    /// `None`: all lines.
    pub filter: Option<Filter>,
    /// The maximum number of units over the whole cart, cheapest first; `None`: all.
    pub max_quantity: Option<Quantity>,
}

/// A discount on some units for others bought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuyGet {
    /// The units to pay.
    pub buy: Units,
    /// The discounted units.
    pub get: Reward,
    /// `None`: as often as the units allow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_applications: Option<Quantity>,
}

/// A number of units of some lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Units {
    /// `None`: all lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    pub quantity: Quantity,
}

/// A number of units of some lines, and their discount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Reward {
    /// `None`: all lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    pub quantity: Quantity,
    pub percent: Percent,
}

/// One step of a [tiered percentage](Effect::TieredPercent).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Tier {
    /// The remainder from which the tier applies.
    pub min_spend: Money,
    pub percent: Percent,
}

impl Effect {
    /// Whether it discounts the shipping fee. Other effects discount lines only.
    pub(crate) fn is_shipping(&self) -> bool {
        matches!(
            self,
            Self::FreeShipping
                | Self::PercentOff { target: Target::Shipping, .. }
                | Self::AmountOff { target: AmountTarget::Shipping, .. }
        )
    }

    /// The filter of the lines that it discounts.
    pub(crate) fn filter(&self) -> Option<&Filter> {
        match self {
            Self::PercentOff { target: Target::Items(items), .. }
            | Self::AmountOff { target: AmountTarget::Across(items) | AmountTarget::Each(items), .. }
            | Self::FixedPrice { target: PriceTarget::Each(items), .. } => items.filter.as_ref(),
            Self::FixedPrice { target: PriceTarget::Bundle { filter, .. }, .. } => filter.as_ref(),
            Self::BuyGet(buy_get) => buy_get.get.filter.as_ref(),
            Self::PercentOff { target: Target::Order | Target::Shipping, .. }
            | Self::AmountOff { target: AmountTarget::Order | AmountTarget::Shipping, .. }
            | Self::FixedPrice { target: PriceTarget::Order, .. }
            | Self::FreeShipping
            | Self::TieredPercent { .. } => None,
        }
    }

    /// The filters, from left to right.
    pub(crate) fn filters(&self) -> impl Iterator<Item = &Filter> {
        let bought = if let Self::BuyGet(buy_get) = self { buy_get.buy.filter.as_ref() } else { None };
        bought.into_iter().chain(self.filter())
    }
}
