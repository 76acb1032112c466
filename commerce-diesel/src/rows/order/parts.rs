//! What an order consists of beside its head and its payment.

use std::borrow::Cow;

use commerce_core::order::{Order, Refund, Return, Shipment};
use diesel::prelude::*;
use diesel_bulk::DbUuid;

use crate::db_enum::DbEnum;
use crate::rows::{CowStr, micros, place};
use crate::schema::{refunds, return_lines, returns, shipments};

/// A refund of an order's payment.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = refunds)]
pub(crate) struct RefundRow<'a> {
    pub(crate) order_id: DbUuid,
    pub(crate) position: i64,
    pub(crate) id: DbUuid,
    pub(crate) currency: CowStr<'a>,
    pub(crate) amount: i64,
    pub(crate) reason: Option<CowStr<'a>>,
    pub(crate) status: CowStr<'a>,
    pub(crate) reference: Option<CowStr<'a>>,
}

/// A return of units of an order.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = returns)]
pub(crate) struct ReturnRow<'a> {
    pub(crate) id: DbUuid,
    pub(crate) order_id: DbUuid,
    pub(crate) position: i64,
    pub(crate) status: CowStr<'a>,
    pub(crate) reason: Option<CowStr<'a>>,
    pub(crate) requested_at: i64,
}

/// Units of one item in a return.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = return_lines)]
pub(crate) struct ReturnLineRow {
    pub(crate) return_id: DbUuid,
    pub(crate) position: i64,
    pub(crate) item_id: DbUuid,
    pub(crate) quantity: i64,
}

/// How an order is being shipped.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = shipments)]
pub(crate) struct ShipmentRow<'a> {
    pub(crate) order_id: DbUuid,
    pub(crate) provider: CowStr<'a>,
    pub(crate) method: CowStr<'a>,
    pub(crate) tracking_number: Option<CowStr<'a>>,
    pub(crate) status: CowStr<'a>,
}

impl<'a> RefundRow<'a> {
    pub(crate) fn at(order: &'a Order, position: usize, refund: &'a Refund) -> Self {
        Self {
            order_id: DbUuid(order.id.uuid()),
            position: place(position),
            id: DbUuid(refund.id.uuid()),
            currency: Cow::Owned(refund.amount.currency().code().to_owned()),
            amount: refund.amount.minor(),
            reason: refund.reason.as_ref().map(|reason| Cow::Borrowed(reason.as_str())),
            status: Cow::Borrowed(refund.status.db_name()),
            reference: refund.reference.as_ref().map(|reference| Cow::Borrowed(reference.as_str())),
        }
    }
}

impl<'a> ReturnRow<'a> {
    pub(crate) fn at(order: &'a Order, position: usize, known: &'a Return) -> Self {
        Self {
            id: DbUuid(known.id.uuid()),
            order_id: DbUuid(order.id.uuid()),
            position: place(position),
            status: Cow::Borrowed(known.status.db_name()),
            reason: known.reason.as_ref().map(|reason| Cow::Borrowed(reason.as_str())),
            requested_at: micros(known.requested_at),
        }
    }
}

impl ReturnLineRow {
    pub(crate) fn all(known: &Return) -> impl Iterator<Item = Self> {
        known.lines.iter().enumerate().map(|(position, line)| Self {
            return_id: DbUuid(known.id.uuid()),
            position: place(position),
            item_id: DbUuid(line.item.uuid()),
            quantity: line.quantity.get(),
        })
    }
}

impl<'a> ShipmentRow<'a> {
    pub(crate) fn of(order: &'a Order, shipment: &'a Shipment) -> Self {
        Self {
            order_id: DbUuid(order.id.uuid()),
            provider: Cow::Borrowed(shipment.provider.as_str()),
            method: Cow::Borrowed(shipment.method.as_str()),
            tracking_number: shipment.tracking_number.as_ref().map(|number| Cow::Borrowed(number.as_str())),
            status: Cow::Borrowed(shipment.status.db_name()),
        }
    }
}
