//! The terms of a promotion, as the document of this interface describes them. The core reads and writes them itself.

#![expect(dead_code, reason = "describes what the core reads and writes")]

use chrono::{DateTime, Utc};
use utoipa::ToSchema;

/// What a merchant promises. Unknown fields are refused, and so are those that mean nothing beside their neighbours.
#[derive(Debug, ToSchema)]
#[schema(as = NewPromotion)]
pub(crate) struct NewPromotion {
    /// Made if not said.
    #[schema(max_length = 64)]
    id: Option<String>,
    /// The currency of its amounts: that of the shop.
    #[schema(example = "USD")]
    currency: Option<String>,
    /// The code a buyer must give; without one the promotion is automatic.
    #[schema(max_length = 64)]
    code: Option<String>,
    /// A higher one goes first.
    #[schema(default = 0)]
    priority: Option<i32>,
    /// Whether it applies alone.
    #[schema(default = false)]
    exclusive: Option<bool>,
    /// At most one promotion of a group applies.
    #[schema(max_length = 64)]
    group: Option<String>,
    /// The first instant it applies at.
    starts_at: Option<DateTime<Utc>>,
    /// The first instant it no longer applies at.
    ends_at: Option<DateTime<Utc>>,
    /// Uses in total.
    max_uses: Option<u64>,
    /// Uses by one customer.
    max_uses_per_customer: Option<u64>,
    /// Money given in total.
    #[schema(example = "1000.00")]
    budget: Option<String>,
    /// What must hold, all of it.
    conditions: Option<Vec<ConditionShape>>,
    effect: EffectShape,
}

/// A JSON merge patch of a promotion: what is absent stays, null takes away, lists are replaced as a whole.
#[derive(Debug, ToSchema)]
pub(crate) struct PromotionPatch {
    #[schema(max_length = 64)]
    code: Option<String>,
    priority: Option<i32>,
    exclusive: Option<bool>,
    #[schema(max_length = 64)]
    group: Option<String>,
    starts_at: Option<DateTime<Utc>>,
    ends_at: Option<DateTime<Utc>>,
    max_uses: Option<u64>,
    max_uses_per_customer: Option<u64>,
    #[schema(example = "1000.00")]
    budget: Option<String>,
    conditions: Option<Vec<ConditionShape>>,
    /// Merged member by member; what the new type does not have is taken away with null.
    effect: Option<serde_json::Value>,
}

/// What a merchant promises, as it is kept.
#[derive(Debug, ToSchema)]
#[schema(as = PromotionTerms)]
pub(crate) struct PromotionDefinitionShape {
    id: String,
    /// The code a buyer must give; without one the promotion is automatic.
    code: Option<String>,
    /// A higher one goes first.
    priority: i32,
    /// Whether it applies alone; not shown where it does not.
    exclusive: Option<bool>,
    group: Option<String>,
    starts_at: Option<DateTime<Utc>>,
    ends_at: Option<DateTime<Utc>>,
    max_uses: Option<u64>,
    max_uses_per_customer: Option<u64>,
    #[schema(example = "1000.00")]
    budget: Option<String>,
    conditions: Option<Vec<ConditionShape>>,
    effect: EffectShape,
}

/// A condition; which members it has depends on its type.
#[derive(Debug, ToSchema)]
#[schema(as = PromotionCondition)]
pub(crate) struct ConditionShape {
    /// `min_spend`, `min_quantity`, `contains`, `segment`, `first_order`, `nth_order`, `shipping_method`, `all`, `any` or
    /// `not`.
    #[schema(example = "min_spend")]
    r#type: String,
    /// Of `min_spend`.
    #[schema(example = "50.00")]
    amount: Option<String>,
    /// Of `min_quantity`.
    #[schema(minimum = 1, maximum = 1_000_000)]
    quantity: Option<i64>,
    /// Of `min_spend`, `min_quantity` and `contains`.
    filter: Option<FilterShape>,
    /// The segments of `segment`, the methods of `shipping_method`.
    any: Option<Vec<String>>,
    /// Of `nth_order`.
    #[schema(minimum = 1)]
    n: Option<u32>,
    /// Of `all` and `any`; nested at most eight levels deep.
    #[schema(no_recursion)]
    conditions: Option<Vec<Self>>,
    /// Of `not`.
    #[schema(no_recursion)]
    condition: Option<Box<Self>>,
}

/// What a promotion takes off; which members it has depends on its type.
#[derive(Debug, ToSchema)]
#[schema(as = PromotionEffect)]
pub(crate) struct EffectShape {
    /// `percent_off`, `amount_off`, `fixed_price`, `free_shipping`, `buy_get` or `tiered_percent`.
    #[schema(example = "percent_off")]
    r#type: String,
    /// `order`, `items` or `shipping`.
    #[schema(example = "order")]
    target: Option<String>,
    #[schema(example = "10")]
    percent: Option<String>,
    amount: Option<String>,
    /// Of `amount_off` items: `each` or `across`.
    allocation: Option<String>,
    filter: Option<FilterShape>,
    /// The most units over the whole cart, cheapest first.
    max_quantity: Option<i64>,
    /// Of `fixed_price` items: so many units together cost the amount.
    bundle_quantity: Option<i64>,
    /// The most that a percentage takes off.
    max_amount: Option<String>,
    /// Of `tiered_percent`, rising.
    tiers: Option<Vec<TierShape>>,
    /// Of `buy_get`: the units to pay.
    buy: Option<UnitsShape>,
    /// Of `buy_get`: the units that get cheaper.
    get: Option<UnitsShape>,
    /// Of `buy_get`: how often at most.
    max_applications: Option<i64>,
}

/// Some lines: by sku, by category, or by both, which must then both match.
#[derive(Debug, ToSchema)]
#[schema(as = PromotionFilter)]
pub(crate) struct FilterShape {
    skus: Option<Vec<String>>,
    categories: Option<Vec<String>>,
}

/// A step of a tiered percentage.
#[derive(Debug, ToSchema)]
#[schema(as = PromotionTier)]
pub(crate) struct TierShape {
    #[schema(example = "100.00")]
    min_spend: String,
    #[schema(example = "10")]
    percent: String,
}

/// A number of units of some lines.
#[derive(Debug, ToSchema)]
#[schema(as = PromotionUnits)]
pub(crate) struct UnitsShape {
    filter: Option<FilterShape>,
    #[schema(minimum = 1)]
    quantity: i64,
    /// Of the units that get cheaper: the share of their price that is taken off.
    percent: Option<String>,
}
