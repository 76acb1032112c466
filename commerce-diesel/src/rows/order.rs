//! Orders and their parts.

mod parts;
mod read;

use std::borrow::Cow;

use commerce_core::order::{Order, Payment};
use diesel::prelude::*;

pub(crate) use self::parts::{RefundRow, ReturnLineRow, ReturnRow, ShipmentRow};
pub(crate) use self::read::{Head, Parts};
use super::{CowStr, counter, micros};
use crate::db_enum::DbEnum;
use crate::schema::{orders, payments};
use diesel_bulk::DbUuid;

/// The head of an order: what it is found by, and what events change. The rest is read from the event that created it.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = orders)]
pub(crate) struct OrderRow<'a> {
    pub(crate) id: DbUuid,
    pub(crate) number: CowStr<'a>,
    pub(crate) user_id: CowStr<'a>,
    pub(crate) cart_id: Option<DbUuid>,
    pub(crate) payment_id: DbUuid,
    pub(crate) status: CowStr<'a>,
    pub(crate) phase: CowStr<'a>,
    pub(crate) version: i64,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) entered_at: i64,
    pub(crate) delivered_at: Option<i64>,
}

/// What events change of an order's head; the rest never changes.
#[derive(Debug)]
pub(crate) struct OrderState<'a> {
    pub(crate) id: DbUuid,
    pub(crate) status: &'a str,
    pub(crate) phase: &'static str,
    pub(crate) version: i64,
    pub(crate) updated_at: i64,
    pub(crate) entered_at: i64,
    pub(crate) delivered_at: Option<i64>,
}

/// The payment of an order.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = payments)]
pub(crate) struct PaymentRow<'a> {
    pub(crate) id: DbUuid,
    pub(crate) order_id: DbUuid,
    pub(crate) status: CowStr<'a>,
    pub(crate) currency: CowStr<'a>,
    pub(crate) amount: i64,
    pub(crate) captured: i64,
    pub(crate) refunded: i64,
    pub(crate) reference: Option<CowStr<'a>>,
}

impl<'a> OrderRow<'a> {
    pub(crate) fn of(order: &'a Order) -> Self {
        Self {
            id: DbUuid(order.id.uuid()),
            number: Cow::Borrowed(order.number.as_str()),
            user_id: Cow::Borrowed(order.user_id.as_str()),
            cart_id: order.cart_id.map(|cart| DbUuid(cart.uuid())),
            payment_id: DbUuid(order.payment.id.uuid()),
            status: Cow::Borrowed(order.status.as_str()),
            phase: Cow::Borrowed(order.phase.db_name()),
            version: counter(order.version),
            created_at: micros(order.created_at),
            updated_at: micros(order.updated_at),
            entered_at: micros(order.entered_at),
            delivered_at: order.delivered_at.map(micros),
        }
    }
}

impl<'a> OrderState<'a> {
    pub(crate) fn of(order: &'a Order) -> Self {
        Self {
            id: DbUuid(order.id.uuid()),
            status: order.status.as_str(),
            phase: order.phase.db_name(),
            version: counter(order.version),
            updated_at: micros(order.updated_at),
            entered_at: micros(order.entered_at),
            delivered_at: order.delivered_at.map(micros),
        }
    }
}

impl<'a> PaymentRow<'a> {
    pub(crate) fn of(order: &'a Order) -> Self {
        let Payment { id, status, amount, captured, refunded, reference } = &order.payment;
        Self {
            id: DbUuid(id.uuid()),
            order_id: DbUuid(order.id.uuid()),
            status: Cow::Borrowed(status.db_name()),
            currency: Cow::Owned(amount.currency().code().to_owned()),
            amount: amount.minor(),
            captured: captured.minor(),
            refunded: refunded.minor(),
            reference: reference.as_ref().map(|reference| Cow::Borrowed(reference.as_str())),
        }
    }
}
