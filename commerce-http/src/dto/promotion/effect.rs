//! Effects of promotions.

use commerce_core::money::{Currency, Money};
use commerce_core::problem::{Findings, ProblemKind, Read};
use commerce_core::promotion::{
    AmountTarget, BuyGet, Effect, Items, MAX_TIERS, Percent, PriceTarget, Reward, Target, Tier, Units,
};
use serde::{Deserialize, Serialize};
use serde_json::Number;
use serde_with_macros::skip_serializing_none;
use utoipa::ToSchema;

use super::super::leaf::{DecimalDto, all, list, optional, quantity, required};
use super::{FilterDto, refuse_rest};

/// The discount of a promotion. Its members depend on its type and its target.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PromotionEffect)]
pub struct EffectDto {
    /// The type.
    #[serialize_always]
    #[schema(value_type = EffectType)]
    pub r#type: Option<EffectType>,
    /// The target. `fixed_price` cannot have `shipping`.
    pub target: Option<EffectTarget>,
    /// Of `percent_off`: 10 is ten percent.
    #[schema(value_type = Option<crate::dto::schema::DecimalNumber>)]
    pub percent: Option<DecimalDto>,
    /// Of `amount_off` and `fixed_price`.
    pub amount: Option<DecimalDto>,
    /// Of `amount_off` items: per unit, or once for all of them.
    pub allocation: Option<Allocation>,
    /// Of items: the selected lines.
    pub filter: Option<FilterDto>,
    /// Of items: the maximum number of units in the cart, cheapest first.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 1_000_000)]
    pub max_quantity: Option<Number>,
    /// Of `fixed_price` items: the number of units that cost the amount together.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 1_000_000)]
    pub bundle_quantity: Option<Number>,
    /// The maximum discount of a percentage.
    pub max_amount: Option<DecimalDto>,
    /// Of `tiered_percent`, in increasing order.
    #[schema(max_items = 50)]
    pub tiers: Option<Vec<TierDto>>,
    /// Of `buy_get`: the units at full price.
    pub buy: Option<UnitsDto>,
    /// Of `buy_get`: the discounted units, with a percentage.
    pub get: Option<UnitsDto>,
    /// Of `buy_get`: the maximum number of repetitions.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 1_000_000)]
    pub max_applications: Option<Number>,
}

/// The type of an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PromotionEffectType)]
#[expect(missing_docs, reason = "the effects of the core have these names")]
pub enum EffectType {
    PercentOff,
    AmountOff,
    FixedPrice,
    FreeShipping,
    BuyGet,
    TieredPercent,
}

/// The target of an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PromotionEffectTarget)]
#[expect(missing_docs, reason = "the targets of the core have these names")]
pub enum EffectTarget {
    Order,
    Items,
    Shipping,
}

/// Whether an amount is taken off each unit, or once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PromotionAllocation)]
#[expect(missing_docs, reason = "the targets of the core have these names")]
pub enum Allocation {
    Each,
    Across,
}

/// A tier of a percentage.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PromotionTier)]
pub struct TierDto {
    /// The minimum remaining amount of the order.
    #[schema(value_type = DecimalDto)]
    pub min_spend: Option<DecimalDto>,
    /// The percentage off the order.
    #[schema(value_type = crate::dto::schema::DecimalNumber)]
    pub percent: Option<DecimalDto>,
}

/// A number of units of some lines.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PromotionUnits)]
pub struct UnitsDto {
    /// The selected lines. Default: all.
    pub filter: Option<FilterDto>,
    /// The number of units.
    #[serialize_always]
    #[schema(value_type = i64, minimum = 1, maximum = 1_000_000)]
    pub quantity: Option<Number>,
    /// Only of the discounted units: the percentage off their price.
    #[schema(value_type = Option<crate::dto::schema::DecimalNumber>)]
    pub percent: Option<DecimalDto>,
}

impl EffectDto {
    fn of(kind: EffectType) -> Self {
        Self { r#type: Some(kind), ..Self::default() }
    }

    pub(super) fn into_domain(mut self, currency: Currency, f: &mut Findings) -> Read<Effect> {
        let kind = required(f, "type", self.r#type, |kind, _| Some(kind))?;
        let effect = self.take(kind, currency, f);
        if effect.is_some() {
            refuse_rest!(f, &self; target percent amount allocation filter max_quantity bundle_quantity max_amount tiers buy get max_applications);
        }
        effect
    }

    /// Reads the members of a type.
    fn take(&mut self, kind: EffectType, currency: Currency, f: &mut Findings) -> Read<Effect> {
        match kind {
            EffectType::PercentOff => {
                let percent = required(f, "percent", self.percent.take(), percent);
                let target = self.take_target(f);
                let max_amount = self.take_max_amount(currency, f);
                Some(Effect::PercentOff { percent: percent?, target: target?, max_amount: max_amount? })
            }
            EffectType::AmountOff => {
                let amount = self.take_amount(currency, f);
                let target = self.take_amount_target(f);
                Some(Effect::AmountOff { amount: amount?, target: target? })
            }
            EffectType::FixedPrice => {
                let amount = self.take_amount(currency, f);
                let target = self.take_price_target(f);
                Some(Effect::FixedPrice { amount: amount?, target: target? })
            }
            EffectType::FreeShipping => Some(Effect::FreeShipping),
            EffectType::BuyGet => self.take_buy_get(f).map(Effect::BuyGet),
            EffectType::TieredPercent => {
                let tier = |tier: TierDto, f: &mut Findings| tier.into_domain(currency, f);
                let tiers = required(f, "tiers", self.tiers.take(), list(MAX_TIERS, tier));
                let max_amount = self.take_max_amount(currency, f);
                Some(Effect::TieredPercent { tiers: tiers?, max_amount: max_amount? })
            }
        }
    }

    fn take_amount(&mut self, currency: Currency, f: &mut Findings) -> Read<Money> {
        required(f, "amount", self.amount.take(), |figure, f| figure.money(currency, f))
    }

    fn take_max_amount(&mut self, currency: Currency, f: &mut Findings) -> Read<Option<Money>> {
        optional(f, "max_amount", self.max_amount.take(), |figure, f| figure.money(currency, f))
    }

    fn take_kind_of_target(&mut self, f: &mut Findings) -> Read<EffectTarget> {
        required(f, "target", self.target.take(), |target, _| Some(target))
    }

    fn take_target(&mut self, f: &mut Findings) -> Read<Target> {
        match self.take_kind_of_target(f)? {
            EffectTarget::Order => Some(Target::Order),
            EffectTarget::Items => self.take_items(f).map(Target::Items),
            EffectTarget::Shipping => Some(Target::Shipping),
        }
    }

    fn take_amount_target(&mut self, f: &mut Findings) -> Read<AmountTarget> {
        match self.take_kind_of_target(f)? {
            EffectTarget::Order => Some(AmountTarget::Order),
            EffectTarget::Items => {
                let allocation = required(f, "allocation", self.allocation.take(), |allocation, _| Some(allocation));
                let items = self.take_items(f)?;
                Some(match allocation? {
                    Allocation::Each => AmountTarget::Each(items),
                    Allocation::Across => AmountTarget::Across(items),
                })
            }
            EffectTarget::Shipping => Some(AmountTarget::Shipping),
        }
    }

    fn take_price_target(&mut self, f: &mut Findings) -> Read<PriceTarget> {
        match (self.take_kind_of_target(f)?, self.bundle_quantity.take()) {
            (EffectTarget::Order, None) => Some(PriceTarget::Order),
            (EffectTarget::Items, None) => self.take_items(f).map(PriceTarget::Each),
            (EffectTarget::Items, bundle) => {
                let quantity = required(f, "bundle_quantity", bundle, quantity);
                let filter = optional(f, "filter", self.filter.take(), FilterDto::into_domain);
                Some(PriceTarget::Bundle { filter: filter?, quantity: quantity? })
            }
            (EffectTarget::Order, Some(_)) => f.field("bundle_quantity", |f| f.note(ProblemKind::UnknownField)),
            (EffectTarget::Shipping, _) => {
                f.field("target", |f| f.note(ProblemKind::Invalid { expected: "order or items" }))
            }
        }
    }

    fn take_items(&mut self, f: &mut Findings) -> Read<Items> {
        all!(Items {
            filter: optional(f, "filter", self.filter.take(), FilterDto::into_domain),
            max_quantity: optional(f, "max_quantity", self.max_quantity.take(), quantity),
        })
    }

    fn take_buy_get(&mut self, f: &mut Findings) -> Read<BuyGet> {
        all!(BuyGet {
            buy: required(f, "buy", self.buy.take(), UnitsDto::units),
            get: required(f, "get", self.get.take(), UnitsDto::reward),
            max_applications: optional(f, "max_applications", self.max_applications.take(), quantity),
        })
    }
}

impl UnitsDto {
    fn units(self, f: &mut Findings) -> Read<Units> {
        let units = all!(Units {
            filter: optional(f, "filter", self.filter, FilterDto::into_domain),
            quantity: required(f, "quantity", self.quantity, quantity),
        });
        f.field("percent", |f| f.require(self.percent.is_none(), ProblemKind::UnknownField));
        units
    }

    fn reward(self, f: &mut Findings) -> Read<Reward> {
        all!(Reward {
            filter: optional(f, "filter", self.filter, FilterDto::into_domain),
            quantity: required(f, "quantity", self.quantity, quantity),
            percent: required(f, "percent", self.percent, percent),
        })
    }
}

impl TierDto {
    fn into_domain(self, currency: Currency, f: &mut Findings) -> Read<Tier> {
        all!(Tier {
            min_spend: required(f, "min_spend", self.min_spend, |figure, f| figure.money(currency, f)),
            percent: required(f, "percent", self.percent, percent),
        })
    }
}

fn percent(figure: DecimalDto, f: &mut Findings) -> Read<Percent> {
    match Percent::new(figure.decimal(f)?) {
        Ok(percent) => Some(percent),
        Err(_) => f.note(ProblemKind::OutOfRange { expected: "from 0 to 100, with at most 8 decimals" }),
    }
}

impl EffectDto {
    fn on(self, target: EffectTarget) -> Self {
        Self { target: Some(target), ..self }
    }

    fn on_items(self, items: &Items) -> Self {
        let Items { filter, max_quantity } = items;
        let filter = filter.as_ref().map(FilterDto::from);
        let max_quantity = max_quantity.map(|units| units.get().into());
        Self { filter, max_quantity, ..self.on(EffectTarget::Items) }
    }

    fn on_target(self, target: &Target) -> Self {
        match target {
            Target::Order => self.on(EffectTarget::Order),
            Target::Items(items) => self.on_items(items),
            Target::Shipping => self.on(EffectTarget::Shipping),
        }
    }

    fn on_amount_target(self, target: &AmountTarget) -> Self {
        match target {
            AmountTarget::Order => self.on(EffectTarget::Order),
            AmountTarget::Across(items) => Self { allocation: Some(Allocation::Across), ..self.on_items(items) },
            AmountTarget::Each(items) => Self { allocation: Some(Allocation::Each), ..self.on_items(items) },
            AmountTarget::Shipping => self.on(EffectTarget::Shipping),
        }
    }

    fn on_price_target(self, target: &PriceTarget) -> Self {
        match target {
            PriceTarget::Order => self.on(EffectTarget::Order),
            PriceTarget::Each(items) => self.on_items(items),
            PriceTarget::Bundle { filter, quantity } => Self {
                filter: filter.as_ref().map(FilterDto::from),
                bundle_quantity: Some(quantity.get().into()),
                ..self.on(EffectTarget::Items)
            },
        }
    }
}

impl From<&Effect> for EffectDto {
    fn from(effect: &Effect) -> Self {
        match effect {
            Effect::PercentOff { percent, target, max_amount } => Self {
                percent: Some((*percent).into()),
                max_amount: max_amount.map(DecimalDto::from),
                ..Self::of(EffectType::PercentOff).on_target(target)
            },
            Effect::AmountOff { amount, target } => {
                Self { amount: Some((*amount).into()), ..Self::of(EffectType::AmountOff).on_amount_target(target) }
            }
            Effect::FixedPrice { amount, target } => {
                Self { amount: Some((*amount).into()), ..Self::of(EffectType::FixedPrice).on_price_target(target) }
            }
            Effect::FreeShipping => Self::of(EffectType::FreeShipping),
            Effect::BuyGet(BuyGet { buy, get, max_applications }) => Self {
                buy: Some(buy.into()),
                get: Some(get.into()),
                max_applications: max_applications.map(|times| times.get().into()),
                ..Self::of(EffectType::BuyGet)
            },
            Effect::TieredPercent { tiers, max_amount } => Self {
                tiers: Some(tiers.iter().map(TierDto::from).collect()),
                max_amount: max_amount.map(DecimalDto::from),
                ..Self::of(EffectType::TieredPercent)
            },
        }
    }
}

impl From<&Units> for UnitsDto {
    fn from(Units { filter, quantity }: &Units) -> Self {
        let filter = filter.as_ref().map(FilterDto::from);
        Self { filter, quantity: Some(quantity.get().into()), percent: None }
    }
}

impl From<&Reward> for UnitsDto {
    fn from(Reward { filter, quantity, percent }: &Reward) -> Self {
        let filter = filter.as_ref().map(FilterDto::from);
        Self { filter, quantity: Some(quantity.get().into()), percent: Some((*percent).into()) }
    }
}

impl From<&Tier> for TierDto {
    fn from(Tier { min_spend, percent }: &Tier) -> Self {
        Self { min_spend: Some((*min_spend).into()), percent: Some((*percent).into()) }
    }
}
