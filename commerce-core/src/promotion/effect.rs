//! What a promotion takes off.

use alloc::vec::Vec;

use serde::{Serialize, Serializer};

use super::filter::Filter;
use super::percent::Percent;
use super::wire;
use crate::Quantity;
use crate::money::Money;

/// The most tiers of one effect.
pub const MAX_TIERS: usize = 50;

/// What a promotion takes off. It never raises a price, and nothing goes below zero.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// All that remains on the lines, together.
    Order,
    /// Each of some lines.
    Items(Items),
    /// The shipping fee.
    Shipping,
}

/// What an amount is taken off.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Items {
    /// The lines meant; all of them when absent.
    pub filter: Option<Filter>,
    /// The most units over the whole cart, cheapest first; all of them when absent.
    pub max_quantity: Option<Quantity>,
}

/// For every so many units bought, so many others cheaper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Units {
    /// The lines meant; all of them when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// How many.
    pub quantity: Quantity,
}

/// A number of units of some lines, and the percentage off them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Tier {
    /// What must remain for it.
    #[serde(serialize_with = "wire::amount")]
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

    /// Every filter in it, from left to right.
    pub(super) fn filters_mut<'a>(&'a mut self, visit: &mut impl FnMut(&'a mut Filter)) {
        let filters = match self {
            Self::PercentOff { target: Target::Items(items), .. }
            | Self::AmountOff { target: AmountTarget::Across(items) | AmountTarget::Each(items), .. }
            | Self::FixedPrice { target: PriceTarget::Each(items), .. } => [items.filter.as_mut(), None],
            Self::FixedPrice { target: PriceTarget::Bundle { filter, .. }, .. } => [filter.as_mut(), None],
            Self::BuyGet(BuyGet { buy, get, .. }) => [buy.filter.as_mut(), get.filter.as_mut()],
            Self::PercentOff { target: Target::Order | Target::Shipping, .. }
            | Self::AmountOff { target: AmountTarget::Order | AmountTarget::Shipping, .. }
            | Self::FixedPrice { target: PriceTarget::Order, .. }
            | Self::FreeShipping
            | Self::TieredPercent { .. } => [None, None],
        };
        filters.into_iter().flatten().for_each(visit);
    }
}

/// An effect as it is written: one flat object.
#[derive(Default, Serialize)]
struct Written<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    percent: Option<Percent>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "wire::optional_amount")]
    amount: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allocation: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<&'a Filter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_quantity: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bundle_quantity: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "wire::optional_amount")]
    max_amount: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tiers: Option<&'a [Tier]>,
    #[serde(flatten)]
    buy_get: Option<&'a BuyGet>,
}

impl<'a> Written<'a> {
    fn on_order(self) -> Self {
        Self { target: Some("order"), ..self }
    }

    fn on_shipping(self) -> Self {
        Self { target: Some("shipping"), ..self }
    }

    fn on_items(self, items: &'a Items) -> Self {
        Self { target: Some("items"), filter: items.filter.as_ref(), max_quantity: items.max_quantity, ..self }
    }
}

impl<'a> From<&'a Effect> for Written<'a> {
    fn from(effect: &'a Effect) -> Self {
        let blank = Self::default();
        match effect {
            Effect::PercentOff { percent, target, max_amount } => {
                let written = Self { kind: "percent_off", percent: Some(*percent), max_amount: *max_amount, ..blank };
                match target {
                    Target::Order => written.on_order(),
                    Target::Items(items) => written.on_items(items),
                    Target::Shipping => written.on_shipping(),
                }
            }
            Effect::AmountOff { amount, target } => {
                let written = Self { kind: "amount_off", amount: Some(*amount), ..blank };
                match target {
                    AmountTarget::Order => written.on_order(),
                    AmountTarget::Across(items) => Self { allocation: Some("across"), ..written.on_items(items) },
                    AmountTarget::Each(items) => Self { allocation: Some("each"), ..written.on_items(items) },
                    AmountTarget::Shipping => written.on_shipping(),
                }
            }
            Effect::FixedPrice { amount, target } => {
                let written = Self { kind: "fixed_price", amount: Some(*amount), ..blank };
                match target {
                    PriceTarget::Order => written.on_order(),
                    PriceTarget::Each(items) => written.on_items(items),
                    PriceTarget::Bundle { filter, quantity } => Self {
                        target: Some("items"),
                        filter: filter.as_ref(),
                        bundle_quantity: Some(*quantity),
                        ..written
                    },
                }
            }
            Effect::FreeShipping => Self { kind: "free_shipping", ..blank },
            Effect::BuyGet(buy_get) => Self { kind: "buy_get", buy_get: Some(buy_get), ..blank },
            Effect::TieredPercent { tiers, max_amount } => {
                Self { kind: "tiered_percent", tiers: Some(tiers), max_amount: *max_amount, ..blank }
            }
        }
    }
}

impl Serialize for Effect {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Written::from(self).serialize(serializer)
    }
}
