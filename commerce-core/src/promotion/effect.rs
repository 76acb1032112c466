//! What a promotion takes off.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::filter::Filter;
use super::percent::Percent;
use crate::Quantity;
use crate::money::Money;

/// The most tiers of one effect.
pub const MAX_TIERS: usize = 50;

/// What a promotion takes off. It never raises a price, and nothing goes below zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Effect {
    /// A share of what remains.
    PercentOff {
        /// The share.
        percent: Percent,
        /// Of what: the order together (rounded once), each line (rounded per line), or the shipping fee.
        target: Target,
        /// The most it takes off.
        max_amount: Option<Money>,
    },
    /// An amount.
    AmountOff {
        /// The amount.
        amount: Money,
        /// Off what, and how often.
        target: AmountTarget,
    },
    /// A price that replaces a higher one.
    FixedPrice {
        /// The price.
        amount: Money,
        /// The price of what.
        target: PriceTarget,
    },
    /// The whole remaining shipping fee.
    FreeShipping,
    /// Some units cheaper for others bought.
    BuyGet(BuyGet),
    /// A share of the order that grows with what remains: the highest tier that is reached counts.
    TieredPercent {
        /// The tiers, rising.
        tiers: Vec<Tier>,
        /// The most it takes off.
        max_amount: Option<Money>,
    },
}

/// What a percentage is taken of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Target {
    /// All that remains on the lines, together.
    Order,
    /// Each of some lines.
    Items(Items),
    /// The shipping fee.
    Shipping,
}

/// What an amount is taken off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AmountTarget {
    /// The order, once; split over the lines by what remains.
    Order,
    /// Some lines together, once; split over them by what remains.
    Across(Items),
    /// Every unit, as far as its remaining price goes.
    Each(Items),
    /// The shipping fee.
    Shipping,
}

/// What a fixed price is the price of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PriceTarget {
    /// All lines together.
    Order,
    /// Each unit.
    Each(Items),
    /// So many units together, the dearest ones; fewer get nothing.
    Bundle {
        /// The lines meant; all of them when absent.
        filter: Option<Filter>,
        /// The number of units that cost the amount.
        quantity: Quantity,
    },
}

/// Some units of a cart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Items {
    /// The lines meant; all of them when absent.
    pub filter: Option<Filter>,
    /// The most units over the whole cart, cheapest first; all of them when absent.
    pub max_quantity: Option<Quantity>,
}

/// For every so many units bought, so many others cheaper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuyGet {
    /// The units to pay.
    pub buy: Units,
    /// The units that get cheaper.
    pub get: Reward,
    /// How often at most; as often as the units allow when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_applications: Option<Quantity>,
}

/// A number of units of some lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Units {
    /// The lines meant; all of them when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// How many.
    pub quantity: Quantity,
}

/// A number of units of some lines, and the percentage off them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reward {
    /// The lines meant; all of them when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// How many.
    pub quantity: Quantity,
    /// The share of their price that is taken off.
    pub percent: Percent,
}

/// One step of a [tiered percentage](Effect::TieredPercent).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    /// What must remain for it.
    pub min_spend: Money,
    /// The share of the order it takes off.
    pub percent: Percent,
}

impl Effect {
    /// Whether it works on the shipping fee; it then never touches the lines, and otherwise never the fee.
    pub(crate) fn is_shipping(&self) -> bool {
        matches!(
            self,
            Self::FreeShipping
                | Self::PercentOff { target: Target::Shipping, .. }
                | Self::AmountOff { target: AmountTarget::Shipping, .. }
        )
    }

    /// The filters in it, from left to right.
    pub(crate) fn filters(&self) -> impl Iterator<Item = &Filter> {
        let filters = match self {
            Self::PercentOff { target: Target::Items(items), .. }
            | Self::AmountOff { target: AmountTarget::Across(items) | AmountTarget::Each(items), .. }
            | Self::FixedPrice { target: PriceTarget::Each(items), .. } => [items.filter.as_ref(), None],
            Self::FixedPrice { target: PriceTarget::Bundle { filter, .. }, .. } => [filter.as_ref(), None],
            Self::BuyGet(BuyGet { buy, get, .. }) => [buy.filter.as_ref(), get.filter.as_ref()],
            Self::PercentOff { target: Target::Order | Target::Shipping, .. }
            | Self::AmountOff { target: AmountTarget::Order | AmountTarget::Shipping, .. }
            | Self::FixedPrice { target: PriceTarget::Order, .. }
            | Self::FreeShipping
            | Self::TieredPercent { .. } => [None, None],
        };
        filters.into_iter().flatten()
    }
}
