//! Promotions in a pricing request and in the API of a shop.
//!
//! Conditions and effects are flat objects whose members depend on their `type`. They are not tagged enums of serde, because
//! serde would buffer such an object and lose the positions of errors, and because the allowed members of an effect also depend
//! on its target.

mod condition;
mod effect;

use chrono::{DateTime, SecondsFormat, Utc};
use commerce_core::money::Currency;
use commerce_core::problem::{Findings, ProblemKind, Read};
use commerce_core::promotion::{
    Condition, Filter, Limits, MAX_CODE, MAX_CONDITIONS, MAX_FILTER_ENTRIES, Promotion, PromotionDefinition, Usage,
};
use serde::{Deserialize, Serialize};
use serde_json::Number;
use serde_with_macros::skip_serializing_none;
use utoipa::ToSchema;

pub(super) use self::condition::days;
pub use self::condition::{ConditionDto, ConditionType};
pub use self::effect::{Allocation, EffectDto, EffectTarget, EffectType, TierDto, UnitsDto};
use super::leaf::{
    A_CATEGORY, A_PROMOTION_ID, A_SKU, DecimalDto, all, count, currency, instant, label, list, name, optional, parsed,
    required, usual, whole,
};
use super::metadata::MetadataDto;

/// The terms of a promotion. Unknown fields are refused, and fields without a meaning in the combination.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPromotion)]
pub struct PromotionDto {
    /// Required in a pricing request. In a shop, default: a new id.
    #[schema(value_type = Option<PromotionId>)]
    pub id: Option<String>,
    /// The currency of its amounts, which must be that of the request or shop.
    #[schema(value_type = Option<Currency>)]
    pub currency: Option<String>,
    /// The code that a customer must enter. Without one the promotion is automatic.
    #[schema(value_type = Option<Code>)]
    pub code: Option<String>,
    /// Higher priorities come first. Default: 0.
    #[schema(value_type = Option<i32>)]
    pub priority: Option<Number>,
    /// Whether it excludes all other promotions. Default: false.
    pub exclusive: Option<bool>,
    /// At most one promotion of a group applies.
    #[schema(min_length = 1, max_length = 64)]
    pub group: Option<String>,
    /// The first instant at which it applies.
    #[schema(value_type = Option<DateTime<Utc>>)]
    pub starts_at: Option<String>,
    /// The first instant at which it no longer applies.
    #[schema(value_type = Option<DateTime<Utc>>)]
    pub ends_at: Option<String>,
    /// The maximum number of uses in total.
    #[schema(value_type = Option<u64>)]
    pub max_uses: Option<Number>,
    /// The maximum number of uses by one customer.
    #[schema(value_type = Option<u64>)]
    pub max_uses_per_customer: Option<Number>,
    /// The maximum discount in total.
    pub budget: Option<DecimalDto>,
    /// The uses so far. Only in a pricing request.
    #[schema(value_type = Option<u64>)]
    pub used: Option<Number>,
    /// The uses by the customer so far. Only in a pricing request.
    #[schema(value_type = Option<u64>)]
    pub used_by_customer: Option<Number>,
    /// The discount given so far. Only in a pricing request.
    pub budget_used: Option<DecimalDto>,
    /// The conditions. All must hold.
    #[schema(max_items = 50)]
    pub conditions: Option<Vec<ConditionDto>>,
    /// The discount.
    #[serialize_always]
    #[schema(value_type = EffectDto)]
    pub effect: Option<EffectDto>,
    /// Metadata of the shop.
    pub metadata: Option<MetadataDto>,
}

impl PromotionDto {
    /// The promotion, unless problems are found. Its currency is `around`; if it names one, it must be the same.
    pub fn into_domain(self, around: Currency, f: &mut Findings) -> Read<Promotion> {
        let currency =
            optional(f, "currency", self.currency, |text, f| same(currency(text, f)?, around, f)).map(|_| around)?;
        let money = |figure: DecimalDto, f: &mut Findings| figure.money(currency, f);
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
            conditions: conditions(self.conditions, currency, f),
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

    /// Finds the problems of the members that may be large.
    pub(super) fn check_large(self, currency: Currency, f: &mut Findings) -> Read<()> {
        let conditions = conditions(self.conditions, currency, f);
        MetadataDto::read_patch(self.metadata, f).and(conditions).map(drop)
    }
}

fn conditions(given: Option<Vec<ConditionDto>>, currency: Currency, f: &mut Findings) -> Read<Vec<Condition>> {
    let read = |condition: ConditionDto, f: &mut Findings| condition.into_domain(currency, f);
    usual(f, "conditions", given, list(MAX_CONDITIONS, read))
}

fn same(named: Currency, around: Currency, findings: &mut Findings) -> Read<Currency> {
    if named == around { Some(named) } else { findings.note(ProblemKind::CurrencyMismatch) }
}

impl From<&Promotion> for PromotionDto {
    fn from(promotion: &Promotion) -> Self {
        let terms = promotion.definition();
        let instant = |at: &DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        Self {
            id: Some(terms.id.to_string()),
            currency: Some(promotion.currency().to_string()),
            code: terms.code.clone(),
            priority: Some(terms.priority.into()),
            exclusive: terms.exclusive.then_some(true),
            group: terms.group.clone(),
            starts_at: terms.starts_at.as_ref().map(instant),
            ends_at: terms.ends_at.as_ref().map(instant),
            max_uses: terms.limits.max_uses.map(Number::from),
            max_uses_per_customer: terms.limits.max_uses_per_customer.map(Number::from),
            budget: terms.limits.budget.map(DecimalDto::from),
            used: None,
            used_by_customer: None,
            budget_used: None,
            conditions: filled(terms.conditions.iter().map(ConditionDto::from).collect()),
            effect: Some((&terms.effect).into()),
            metadata: Some((&terms.metadata).into()),
        }
    }
}

/// Selects lines by SKU, by category, or by both, which must then both match.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PromotionFilter)]
pub struct FilterDto {
    /// The SKUs.
    #[schema(value_type = Option<Vec<Sku>>, max_items = 1000)]
    pub skus: Option<Vec<String>>,
    /// The categories.
    #[schema(value_type = Option<Vec<CategoryId>>, max_items = 1000)]
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

/// The list, unless it is empty.
fn filled<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

/// Reports given members that have no meaning in the combination.
macro_rules! refuse_rest {
    ($findings:expr, $document:expr; $($member:ident)*) => {
        let Self { r#type: _, $($member),* } = $document;
        $($findings.field(stringify!($member), |f| {
            f.require($member.is_none(), commerce_core::problem::ProblemKind::UnknownField);
        });)*
    };
}
use refuse_rest;
