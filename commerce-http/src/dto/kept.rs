//! Promotions of a shop, and their redemptions.

use chrono::{DateTime, Utc};
use commerce_core::ids::{OrderId, PromotionId, UserId};
use commerce_core::money::{Currency, Money};
use commerce_core::port::PromotionWithUsage;
use commerce_core::promotion::{Promotion, Redemption, Usage};
use serde_json::Value;

use super::Figure;
use super::promotion::PromotionDto;
use super::shape::shape;
use crate::json;
use crate::problem::Problem;

shape! {
    /// A promotion of the shop.
    #[schema(as = Promotion)]
    pub(crate) struct PromotionWithUsageShape from kept: &PromotionWithUsage {
        #[serde(flatten)]
        promotion: PromotionDto = (&kept.record.promotion).into(),
        usage: UsageShape = (&kept.usage, kept.record.promotion.currency()).into(),
        /// The instant at which it was ended.
        ended_at: Option<DateTime<Utc>> = kept.record.ended_at,
        version: u64 = kept.record.version,
        created_at: DateTime<Utc> = kept.record.created_at,
        updated_at: DateTime<Utc> = kept.record.updated_at,
    }
}

shape! {
    /// The usage of a promotion by all customers.
    #[schema(as = PromotionUsage)]
    pub(crate) struct UsageShape from (usage, currency): (&Usage, Currency) {
        /// The number of orders that use it.
        used: u64 = usage.used,
        /// The total discount on these orders.
        budget_used: Figure = usage.budget_used.unwrap_or_else(|| Money::zero(currency)).into(),
    }
}

shape! {
    /// The use of a promotion by an order.
    #[schema(as = Redemption)]
    pub(crate) struct RedemptionShape<'a> from redemption: &'a Redemption {
        promotion_id: &'a PromotionId = &redemption.promotion,
        order_id: OrderId = redemption.order,
        user_id: &'a UserId = &redemption.user,
        currency: Currency = redemption.amount.currency(),
        /// The discount on the order.
        amount: Figure = redemption.amount.into(),
        redeemed_at: DateTime<Utc> = redemption.at,
        /// The instant at which the use was released because the order was cancelled.
        given_back_at: Option<DateTime<Utc>> = redemption.released_at,
    }
}

/// Reads the promotion of a shop. Its usage is counted by the shop and cannot be given.
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

/// Refuses a patch that no promotion can take because of its conditions or metadata. Applying it would cost more.
pub(crate) fn check_patch(form: PromotionDto, shop: Currency) -> Result<(), Problem> {
    json::checked(|findings| form.check_large(shop, findings))
}

/// Applies a JSON merge patch (RFC 7396) to a promotion. The id cannot change.
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
        Err(Problem::invalid_at("/id", "read_only", "must be the id in the path, or absent"))
    }
}

/// Keeps null members. A promotion treats a null member as absent, and an unknown member is reported even if it is null.
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
