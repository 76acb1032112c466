//! Promotions as a shop keeps them, and who used them.

use chrono::{DateTime, Utc};
use commerce_core::ids::{OrderId, PromotionId, UserId};
use commerce_core::money::{Currency, Money};
use commerce_core::port::PromotionWithUsage;
use commerce_core::promotion::{Promotion, Redemption, Usage};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Figure;
use super::promotion::PromotionDto;
use crate::json;
use crate::problem::Problem;

/// A promotion that the shop keeps.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Promotion)]
pub(crate) struct PromotionWithUsageShape {
    #[serde(flatten)]
    promotion: PromotionDto,
    usage: UsageShape,
    /// When somebody ended it for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<DateTime<Utc>>,
    version: u64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// How much of a promotion is used up by everybody.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PromotionUsage)]
pub(crate) struct UsageShape {
    /// The orders that use it.
    used: u64,
    /// What it took off them.
    budget_used: Figure,
}

impl From<&PromotionWithUsage> for PromotionWithUsageShape {
    fn from(kept: &PromotionWithUsage) -> Self {
        let PromotionWithUsage { record, usage } = kept;
        let currency = record.promotion.currency();
        let budget_used = usage.budget_used.unwrap_or_else(|| Money::zero(currency)).into();
        Self {
            promotion: (&record.promotion).into(),
            usage: UsageShape { used: usage.used, budget_used },
            ended_at: record.ended_at,
            version: record.version,
            created_at: record.created_at,
            updated_at: record.updated_at,
        }
    }
}

/// A use of a promotion by an order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Redemption)]
pub(crate) struct RedemptionShape<'a> {
    promotion_id: &'a PromotionId,
    order_id: OrderId,
    user_id: &'a UserId,
    #[schema(example = "USD")]
    currency: Currency,
    /// What it took off the order.
    amount: Figure,
    redeemed_at: DateTime<Utc>,
    /// When the use was given back, because the order was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    given_back_at: Option<DateTime<Utc>>,
}

impl<'a> From<&'a Redemption> for RedemptionShape<'a> {
    fn from(redemption: &'a Redemption) -> Self {
        Self {
            promotion_id: &redemption.promotion,
            order_id: redemption.order,
            user_id: &redemption.user,
            currency: redemption.amount.currency(),
            amount: redemption.amount.into(),
            redeemed_at: redemption.at,
            given_back_at: redemption.released_at,
        }
    }
}

/// Reads the promotion of a shop. The shop counts its uses, so nobody else says how many there are.
pub(crate) fn read(promotion: PromotionDto, shop: Currency) -> Result<Promotion, Problem> {
    json::checked(|findings| {
        let promotion = promotion.into_domain(shop, findings)?;
        let Usage { used, used_by_customer, budget_used } = promotion.usage();
        let said = [
            ("used", *used != 0),
            ("used_by_customer", *used_by_customer != 0),
            ("budget_used", budget_used.is_some_and(|amount| !amount.is_zero())),
        ];
        for (name, _) in said.into_iter().filter(|(_, is_said)| *is_said) {
            findings.refuse::<()>(name, "read_only", "is counted by the shop");
        }
        Some(promotion)
    })
}

/// Reads what a JSON merge patch (RFC 7396) makes of a promotion. Its name stays.
pub(crate) fn patched(promotion: &Promotion, patch: Value) -> Result<Promotion, Problem> {
    let internal = |error| Problem::internal().caused_by(error);
    let mut document = serde_json::to_value(PromotionDto::from(promotion)).map_err(internal)?;
    merge(&mut document, patch);
    if let Some(Value::Object(metadata)) = document.get_mut("metadata") {
        metadata.retain(|_, value| !value.is_null());
    }
    let changed = read(json::read(document.to_string().as_bytes())?, promotion.currency())?;
    if changed.id() == promotion.id() {
        Ok(changed)
    } else {
        Err(Problem::invalid_at("/id", "read_only", "must be the id in the path, or left out"))
    }
}

/// Null is kept but in metadata: to a promotion, a member that is null is absent, and one that nobody knows is told.
fn merge(document: &mut Value, patch: Value) {
    match (document, patch) {
        (Value::Object(members), Value::Object(changes)) => {
            for (name, change) in changes {
                merge(members.entry(name).or_insert(Value::Null), change);
            }
        }
        (document, patch) => *document = patch,
    }
}
