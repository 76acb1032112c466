//! Promotions, as `PRICING.md` writes them: in a pricing request, and as a shop is given and shows them.
//!
//! Conditions and effects are flat objects: which members one has depends on its `type`. They are not tagged enums of serde,
//! which reads such an object into a buffer first and forgets where in the document it was; and whether a filter means
//! something depends on the target as well.

mod condition;
mod effect;

use chrono::{DateTime, SecondsFormat, Utc};
use commerce_core::money::Currency;
use commerce_core::problem::{Findings, ProblemKind, Read};
use commerce_core::promotion::{
    Filter, Limits, MAX_CODE, MAX_CONDITIONS, MAX_FILTER_ENTRIES, Promotion, PromotionDefinition, Usage,
};
use serde::{Deserialize, Serialize};
use serde_json::Number;
use utoipa::ToSchema;

pub use self::condition::{ConditionDto, ConditionType};
pub use self::effect::{Allocation, EffectDto, EffectTarget, EffectType, TierDto, UnitsDto};
use super::leaf::{
    A_CATEGORY, A_PROMOTION_ID, A_SKU, DecimalDto, all, count, currency, instant, label, list, name, optional, parsed,
    required, usual, whole,
};
use super::metadata::MetadataDto;

/// What a merchant promises. Unknown fields are refused, and so are those that mean nothing beside their neighbours.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPromotion)]
pub struct PromotionDto {
    /// Required in a pricing request; made by the shop if not said.
    #[schema(max_length = 64)]
    pub id: Option<String>,
    /// The currency of its amounts: that of the request, or of the shop.
    #[schema(example = "USD")]
    pub currency: Option<String>,
    /// The code a buyer must give; without one the promotion is automatic.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub code: Option<String>,
    /// A higher one goes first.
    #[schema(value_type = Option<i32>, default = 0)]
    pub priority: Option<Number>,
    /// Whether it applies alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(default = false)]
    pub exclusive: Option<bool>,
    /// At most one promotion of a group applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub group: Option<String>,
    /// The first instant it applies at.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<DateTime<Utc>>)]
    pub starts_at: Option<String>,
    /// The first instant it no longer applies at.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<DateTime<Utc>>)]
    pub ends_at: Option<String>,
    /// Uses in total.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub max_uses: Option<Number>,
    /// Uses by one customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub max_uses_per_customer: Option<Number>,
    /// Money given in total.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "1000.00")]
    pub budget: Option<DecimalDto>,
    /// The uses so far. Only in a pricing request: a shop counts itself.
    #[serde(skip_serializing)]
    #[schema(value_type = Option<u64>)]
    pub used: Option<Number>,
    /// The uses so far by the customer. Only in a pricing request.
    #[serde(skip_serializing)]
    #[schema(value_type = Option<u64>)]
    pub used_by_customer: Option<Number>,
    /// The money given so far. Only in a pricing request.
    #[serde(skip_serializing)]
    pub budget_used: Option<DecimalDto>,
    /// What must hold, all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Vec<ConditionDto>>,
    /// What it takes off.
    #[schema(value_type = EffectDto)]
    pub effect: Option<EffectDto>,
    /// What the merchant attached.
    pub metadata: Option<MetadataDto>,
}

impl PromotionDto {
    /// The promotion, which was checked, unless something is noted. Its amounts are in the currency it names, which must be that
    /// `around` it; it need not name any.
    pub fn into_domain(self, around: Currency, f: &mut Findings) -> Read<Promotion> {
        let currency =
            optional(f, "currency", self.currency, |text, f| same(currency(text, f)?, around, f)).map(|_| around)?;
        let money = |figure: DecimalDto, f: &mut Findings| figure.money(currency, f);
        let condition = |condition: ConditionDto, f: &mut Findings| condition.into_domain(currency, f);
        let definition = all!(PromotionDefinition {
            id: required(f, "id", self.id, parsed(A_PROMOTION_ID)),
            code: optional(f, "code", self.code, label(MAX_CODE)),
            priority: usual(f, "priority", self.priority, whole("a whole number of 32 bits")),
            exclusive: Some(self.exclusive.unwrap_or_default()),
            group: optional(f, "group", self.group, name),
            starts_at: optional(f, "starts_at", self.starts_at, instant),
            ends_at: optional(f, "ends_at", self.ends_at, instant),
            limits: all!(Limits {
                max_uses: optional(f, "max_uses", self.max_uses, count),
                max_uses_per_customer: optional(f, "max_uses_per_customer", self.max_uses_per_customer, count),
                budget: optional(f, "budget", self.budget, money),
            }),
            conditions: usual(f, "conditions", self.conditions, list(MAX_CONDITIONS, condition)),
            effect: required(f, "effect", self.effect, |effect, f| effect.into_domain(currency, f)),
            metadata: usual(f, "metadata", self.metadata, MetadataDto::into_domain),
        });
        let usage = all!(Usage {
            used: usual(f, "used", self.used, count),
            used_by_customer: usual(f, "used_by_customer", self.used_by_customer, count),
            budget_used: optional(f, "budget_used", self.budget_used, money),
        });
        Some(Promotion::checked(currency, definition?, usage?, f))
    }
}

fn same(named: Currency, around: Currency, findings: &mut Findings) -> Read<Currency> {
    if named == around { Some(named) } else { findings.note(ProblemKind::CurrencyMismatch) }
}

impl From<&Promotion> for PromotionDto {
    fn from(promotion: &Promotion) -> Self {
        let PromotionDefinition {
            id,
            code,
            priority,
            exclusive,
            group,
            starts_at,
            ends_at,
            limits,
            conditions,
            effect,
            metadata,
        } = promotion.definition();
        let instant = |at: &DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        Self {
            id: Some(id.to_string()),
            currency: Some(promotion.currency().to_string()),
            code: code.clone(),
            priority: Some((*priority).into()),
            exclusive: exclusive.then_some(true),
            group: group.clone(),
            starts_at: starts_at.as_ref().map(instant),
            ends_at: ends_at.as_ref().map(instant),
            max_uses: limits.max_uses.map(Number::from),
            max_uses_per_customer: limits.max_uses_per_customer.map(Number::from),
            budget: limits.budget.map(DecimalDto::from),
            used: None,
            used_by_customer: None,
            budget_used: None,
            conditions: filled(conditions.iter().map(ConditionDto::from).collect()),
            effect: Some(effect.into()),
            metadata: Some(metadata.into()),
        }
    }
}

/// Some lines: by sku, by category, or by both, which must then both match.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PromotionFilter)]
pub struct FilterDto {
    /// The skus; at most 1,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skus: Option<Vec<String>>,
    /// The categories; at most 1,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub categories: Option<Vec<String>>,
}

impl FilterDto {
    pub(super) fn into_domain(self, f: &mut Findings) -> Read<Filter> {
        let skus = usual(f, "skus", self.skus, list(MAX_FILTER_ENTRIES, parsed(A_SKU)));
        let categories = usual(f, "categories", self.categories, list(MAX_FILTER_ENTRIES, parsed(A_CATEGORY)));
        Some(Filter::new(skus?, categories?))
    }
}

impl From<&Filter> for FilterDto {
    fn from(filter: &Filter) -> Self {
        Self {
            skus: filled(filter.named_skus().iter().map(ToString::to_string).collect()),
            categories: filled(filter.named_categories().iter().map(ToString::to_string).collect()),
        }
    }
}

/// A list, if there is anything in it.
fn filled<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

/// Notes the members that were given and not taken: they mean nothing beside their neighbours.
macro_rules! refuse_rest {
    ($findings:expr, $document:expr; $($member:ident)*) => {
        let Self { r#type: _, $($member),* } = $document;
        $($findings.field(stringify!($member), |f| {
            f.require($member.is_none(), commerce_core::problem::ProblemKind::UnknownField);
        });)*
    };
}
use refuse_rest;
