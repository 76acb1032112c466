//! What an order consists of beside its head and its payment.

use std::borrow::Cow;

use commerce_core::order::{Order, Refund, Return, Shipment};
use diesel::prelude::*;

use crate::id::Id;
use crate::rows::{Words, micros, place};
use crate::schema::{refunds, return_lines, returns, shipments};
use crate::word::Word;

/// A refund of an order's payment.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = refunds)]
pub(crate) struct RefundRow<'a> {
    pub(crate) order_id: Id,
    pub(crate) position: i64,
    pub(crate) id: Id,
    pub(crate) currency: Words<'a>,
    pub(crate) amount: i64,
    pub(crate) reason: Option<Words<'a>>,
    pub(crate) status: Words<'a>,
    pub(crate) reference: Option<Words<'a>>,
}

/// A return of units of an order.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = returns)]
pub(crate) struct ReturnRow<'a> {
    pub(crate) id: Id,
    pub(crate) order_id: Id,
    pub(crate) position: i64,
    pub(crate) status: Words<'a>,
    pub(crate) reason: Option<Words<'a>>,
    pub(crate) requested_at: i64,
}

/// Units of one item in a return.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = return_lines)]
pub(crate) struct ReturnLineRow {
    pub(crate) return_id: Id,
    pub(crate) position: i64,
    pub(crate) item_id: Id,
    pub(crate) quantity: i64,
}

/// How an order is being shipped.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = shipments)]
pub(crate) struct ShipmentRow<'a> {
    pub(crate) order_id: Id,
    pub(crate) provider: Words<'a>,
    pub(crate) method: Words<'a>,
    pub(crate) tracking_number: Option<Words<'a>>,
    pub(crate) status: Words<'a>,
}

impl<'a> RefundRow<'a> {
    pub(crate) fn at(order: &'a Order, position: usize, refund: &'a Refund) -> Self {
        Self {
            order_id: Id(order.id.uuid()),
            position: place(position),
            id: Id(refund.id.uuid()),
            currency: Cow::Owned(refund.amount.currency().code().to_owned()),
            amount: refund.amount.minor(),
            reason: refund.reason.as_ref().map(|reason| Cow::Borrowed(reason.as_str())),
            status: Cow::Borrowed(refund.status.word()),
            reference: refund.reference.as_ref().map(|reference| Cow::Borrowed(reference.as_str())),
        }
    }
}

impl<'a> ReturnRow<'a> {
    pub(crate) fn at(order: &'a Order, position: usize, known: &'a Return) -> Self {
        Self {
            id: Id(known.id.uuid()),
            order_id: Id(order.id.uuid()),
            position: place(position),
            status: Cow::Borrowed(known.status.word()),
            reason: known.reason.as_ref().map(|reason| Cow::Borrowed(reason.as_str())),
            requested_at: micros(known.requested_at),
        }
    }
}

impl ReturnLineRow {
    pub(crate) fn all(known: &Return) -> impl Iterator<Item = Self> {
        known.lines.iter().enumerate().map(|(position, line)| Self {
            return_id: Id(known.id.uuid()),
            position: place(position),
            item_id: Id(line.item.uuid()),
            quantity: line.quantity.get(),
        })
    }
}

impl<'a> ShipmentRow<'a> {
    pub(crate) fn of(order: &'a Order, shipment: &'a Shipment) -> Self {
        Self {
            order_id: Id(order.id.uuid()),
            provider: Cow::Borrowed(shipment.provider.as_str()),
            method: Cow::Borrowed(shipment.method.as_str()),
            tracking_number: shipment.tracking_number.as_ref().map(|number| Cow::Borrowed(number.as_str())),
            status: Cow::Borrowed(shipment.status.word()),
        }
    }
}
