//! Conditions of promotions.

use chrono::Weekday;
use commerce_core::money::Currency;
use commerce_core::problem::{Findings, Read};
use commerce_core::promotion::{Condition, MAX_CONDITIONS, MAX_LABELS};
use serde::{Deserialize, Serialize};
use serde_json::Number;
use serde_with_macros::skip_serializing_none;
use utoipa::ToSchema;

use super::super::leaf::{DecimalDto, count, list, name, optional, parsed, quantity, required};
use super::{FilterDto, refuse_rest};

/// A condition. Its members depend on its type.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PromotionCondition)]
pub struct ConditionDto {
    /// The type.
    #[serialize_always]
    #[schema(value_type = ConditionType)]
    pub r#type: Option<ConditionType>,
    /// Of `min_spend`.
    pub amount: Option<DecimalDto>,
    /// Of `min_quantity`.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 1_000_000)]
    pub quantity: Option<Number>,
    /// Of `min_spend`, `min_quantity` and `contains`.
    pub filter: Option<FilterDto>,
    /// The segments of `segment`, the methods of `shipping_method`, the days of `weekday`: `mon` to `sun`, in UTC.
    pub any: Option<Vec<String>>,
    /// Of `nth_order`.
    #[schema(value_type = Option<u32>, minimum = 1)]
    pub n: Option<Number>,
    /// Of `all` and `any`; nested at most eight levels deep.
    #[schema(no_recursion)]
    pub conditions: Option<Vec<Self>>,
    /// Of `not`.
    #[schema(no_recursion)]
    pub condition: Option<Box<Self>>,
}

/// The type of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PromotionConditionType)]
#[expect(missing_docs, reason = "the conditions of the core have these names")]
pub enum ConditionType {
    MinSpend,
    MinQuantity,
    Contains,
    Segment,
    FirstOrder,
    NthOrder,
    ShippingMethod,
    Weekday,
    All,
    Any,
    Not,
}

impl ConditionDto {
    fn of(kind: ConditionType) -> Self {
        Self { r#type: Some(kind), ..Self::default() }
    }

    pub(super) fn into_domain(mut self, currency: Currency, f: &mut Findings) -> Read<Condition> {
        let kind = required(f, "type", self.r#type, |kind, _| Some(kind))?;
        let read = self.take(kind, currency, f);
        refuse_rest!(f, self; amount quantity filter any n conditions condition);
        read
    }

    /// Reads the members of a type.
    fn take(&mut self, kind: ConditionType, currency: Currency, f: &mut Findings) -> Read<Condition> {
        match kind {
            ConditionType::MinSpend => {
                let amount = required(f, "amount", self.amount.take(), |figure, f| figure.money(currency, f));
                let filter = optional(f, "filter", self.filter.take(), FilterDto::into_domain);
                Some(Condition::MinSpend { amount: amount?, filter: filter? })
            }
            ConditionType::MinQuantity => {
                let quantity = required(f, "quantity", self.quantity.take(), quantity);
                let filter = optional(f, "filter", self.filter.take(), FilterDto::into_domain);
                Some(Condition::MinQuantity { quantity: quantity?, filter: filter? })
            }
            ConditionType::Contains => {
                let filter = required(f, "filter", self.filter.take(), FilterDto::into_domain)?;
                Some(Condition::Contains { filter })
            }
            ConditionType::Segment => Some(Condition::Segment { any: self.take_labels(f)? }),
            ConditionType::FirstOrder => Some(Condition::FirstOrder),
            ConditionType::NthOrder => Some(Condition::NthOrder { n: required(f, "n", self.n.take(), count)? }),
            ConditionType::ShippingMethod => Some(Condition::ShippingMethod { any: self.take_labels(f)? }),
            ConditionType::Weekday => {
                let any = required(f, "any", self.any.take(), list(MAX_LABELS, parsed("a day such as \"mon\"")))?;
                Some(Condition::Weekday { any })
            }
            ConditionType::All => Some(Condition::All { conditions: self.take_conditions(currency, f)? }),
            ConditionType::Any => Some(Condition::Any { conditions: self.take_conditions(currency, f)? }),
            ConditionType::Not => {
                let inner = required(f, "condition", self.condition.take(), |inner, f| inner.into_domain(currency, f))?;
                Some(Condition::Not { condition: Box::new(inner) })
            }
        }
    }

    fn take_labels(&mut self, f: &mut Findings) -> Read<Vec<String>> {
        required(f, "any", self.any.take(), list(MAX_LABELS, name))
    }

    fn take_conditions(&mut self, currency: Currency, f: &mut Findings) -> Read<Vec<Condition>> {
        let inner = |inner: Self, f: &mut Findings| inner.into_domain(currency, f);
        required(f, "conditions", self.conditions.take(), list(MAX_CONDITIONS, inner))
    }
}

/// Days as documents name them.
pub(in super::super) fn days(days: &[Weekday]) -> Vec<String> {
    days.iter().map(|day| day.to_string().to_ascii_lowercase()).collect()
}

impl From<&Condition> for ConditionDto {
    fn from(condition: &Condition) -> Self {
        let all = |conditions: &[Condition]| Some(conditions.iter().map(Self::from).collect());
        match condition {
            Condition::MinSpend { amount, filter } => Self {
                amount: Some((*amount).into()),
                filter: filter.as_ref().map(FilterDto::from),
                ..Self::of(ConditionType::MinSpend)
            },
            Condition::MinQuantity { quantity, filter } => Self {
                quantity: Some(quantity.get().into()),
                filter: filter.as_ref().map(FilterDto::from),
                ..Self::of(ConditionType::MinQuantity)
            },
            Condition::Contains { filter } => Self { filter: Some(filter.into()), ..Self::of(ConditionType::Contains) },
            Condition::Segment { any } => Self { any: Some(any.clone()), ..Self::of(ConditionType::Segment) },
            Condition::FirstOrder => Self::of(ConditionType::FirstOrder),
            Condition::NthOrder { n } => Self { n: Some((*n).into()), ..Self::of(ConditionType::NthOrder) },
            Condition::ShippingMethod { any } => {
                Self { any: Some(any.clone()), ..Self::of(ConditionType::ShippingMethod) }
            }
            Condition::Weekday { any } => Self { any: Some(days(any)), ..Self::of(ConditionType::Weekday) },
            Condition::All { conditions } => Self { conditions: all(conditions), ..Self::of(ConditionType::All) },
            Condition::Any { conditions } => Self { conditions: all(conditions), ..Self::of(ConditionType::Any) },
            Condition::Not { condition } => {
                Self { condition: Some(Box::new(Self::from(&**condition))), ..Self::of(ConditionType::Not) }
            }
        }
    }
}
