//! Orders.

use commerce_core::order::{Order, Return};
use diesel_bulk::DbUuid;

use super::{counter, micros};
use crate::db_enum::DbEnum;

/// The columns by which orders are found, and the state. The rest is in the event that created the order.
#[derive(Debug)]
pub(crate) struct OrderRow<'a> {
    pub(crate) id: DbUuid,
    pub(crate) user_id: &'a str,
    pub(crate) payment_id: DbUuid,
    pub(crate) status: &'a str,
    pub(crate) phase: &'static str,
    pub(crate) version: i64,
    pub(crate) created_at: i64,
    pub(crate) units: i64,
    pub(crate) state: Option<&'a str>,
}

/// The columns of an order that events change.
#[derive(Debug)]
pub(crate) struct OrderStateRow<'a> {
    pub(crate) id: DbUuid,
    pub(crate) status: &'a str,
    pub(crate) phase: &'static str,
    pub(crate) version: i64,
    pub(crate) state: Option<&'a str>,
}

/// The columns by which returns are found. The return itself is in the state of its order.
#[derive(Debug)]
pub(crate) struct ReturnRow {
    pub(crate) id: DbUuid,
    pub(crate) order_id: DbUuid,
    pub(crate) status: &'static str,
}

impl<'a> OrderRow<'a> {
    pub(crate) fn of(order: &'a Order, state: Option<&'a str>) -> Self {
        Self {
            id: DbUuid(order.id.uuid()),
            user_id: order.user_id.as_str(),
            payment_id: DbUuid(order.payment.id.uuid()),
            status: order.status.as_str(),
            phase: order.phase.db_name(),
            version: counter(order.version),
            created_at: micros(order.created_at),
            units: order.units(),
            state,
        }
    }
}

impl<'a> OrderStateRow<'a> {
    pub(crate) fn of(order: &'a Order, state: Option<&'a str>) -> Self {
        Self {
            id: DbUuid(order.id.uuid()),
            status: order.status.as_str(),
            phase: order.phase.db_name(),
            version: counter(order.version),
            state,
        }
    }
}

impl ReturnRow {
    pub(crate) fn all(order: &Order) -> impl Iterator<Item = Self> {
        let row = |known: &Return| Self {
            id: DbUuid(known.id.uuid()),
            order_id: DbUuid(order.id.uuid()),
            status: known.status.db_name(),
        };
        order.returns.iter().map(row)
    }
}
