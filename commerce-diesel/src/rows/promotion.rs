//! Uses of promotions.

use std::borrow::Cow;

use commerce_core::ids::{OrderId, PromotionId};
use commerce_core::money::Money;
use commerce_core::promotion::Redemption;
use diesel::prelude::*;
use diesel_bulk::DbUuid;

use super::{CowStr, counter, micros, read, read_instant, read_instant_option};
use crate::fault::Answer;
use crate::schema::{promotion_redemptions, promotion_uses};

/// The usage of a promotion, in total.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = promotion_uses)]
pub(crate) struct UsesRow<'a> {
    pub(crate) promotion_id: CowStr<'a>,
    pub(crate) used: i64,
    pub(crate) spent: i64,
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = promotion_redemptions)]
pub(crate) struct RedemptionRow<'a> {
    pub(crate) promotion_id: CowStr<'a>,
    pub(crate) order_id: DbUuid,
    pub(crate) user_id: CowStr<'a>,
    pub(crate) currency: CowStr<'a>,
    pub(crate) amount: i64,
    pub(crate) redeemed_at: i64,
    pub(crate) released_at: Option<i64>,
}

/// The release of a redemption.
#[derive(Debug)]
pub(crate) struct ReleasedRow<'a> {
    pub(crate) promotion_id: CowStr<'a>,
    pub(crate) order_id: DbUuid,
    pub(crate) released_at: Option<i64>,
}

impl<'a> ReleasedRow<'a> {
    pub(crate) fn of(redemption: &'a Redemption) -> Self {
        Self {
            promotion_id: Cow::Borrowed(redemption.promotion.as_str()),
            order_id: DbUuid(redemption.order.uuid()),
            released_at: redemption.released_at.map(micros),
        }
    }
}

impl<'a> UsesRow<'a> {
    pub(crate) fn of(promotion: &'a PromotionId, used: u64, spent: i64) -> Self {
        Self { promotion_id: Cow::Borrowed(promotion.as_str()), used: counter(used), spent }
    }
}

impl<'a> RedemptionRow<'a> {
    pub(crate) fn of(redemption: &'a Redemption) -> Self {
        Self {
            promotion_id: Cow::Borrowed(redemption.promotion.as_str()),
            order_id: DbUuid(redemption.order.uuid()),
            user_id: Cow::Borrowed(redemption.user.as_str()),
            currency: Cow::Owned(redemption.amount.currency().code().to_owned()),
            amount: redemption.amount.minor(),
            redeemed_at: micros(redemption.at),
            released_at: redemption.released_at.map(micros),
        }
    }

    pub(crate) fn into_redemption(self) -> Answer<Redemption> {
        let currency = read("promotion_redemptions.currency", &self.currency)?;
        Ok(Redemption {
            promotion: read("promotion_redemptions.promotion_id", &self.promotion_id)?,
            order: OrderId::new(self.order_id.0),
            user: read("promotion_redemptions.user_id", &self.user_id)?,
            amount: Money::new(self.amount, currency),
            at: read_instant("promotion_redemptions.redeemed_at", self.redeemed_at)?,
            released_at: read_instant_option("promotion_redemptions.released_at", self.released_at)?,
        })
    }
}
