//! From rows back to an order.

use std::collections::BTreeMap;

use commerce_core::ids::{CartId, ItemId, OrderId, PaymentId, RefundId, ReturnId};
use commerce_core::money::Money;
use commerce_core::order::{Order, Payment, Refund, Return, ReturnLine, Shipment};
use diesel_bulk::DbUuid;

use super::{OrderRow, PaymentRow, RefundRow, ReturnLineRow, ReturnRow, ShipmentRow};
use crate::db_enum::DbEnum;
use crate::fault::{Answer, Fault};
use crate::rows::{read, read_counter, read_instant, read_instant_option, read_option, read_value};

/// What an order has exactly one of, or none.
pub(crate) type Head = (OrderRow<'static>, PaymentRow<'static>, Option<ShipmentRow<'static>>);

/// What orders were when they were placed, and what they have many of, by order; in the order of their positions.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    placed: BTreeMap<OrderId, Order>,
    refunds: BTreeMap<DbUuid, Vec<RefundRow<'static>>>,
    returns: BTreeMap<DbUuid, Vec<ReturnRow<'static>>>,
    return_lines: BTreeMap<DbUuid, Vec<ReturnLineRow>>,
}

fn group<R>(rows: Vec<R>, key: impl Fn(&R) -> DbUuid) -> BTreeMap<DbUuid, Vec<R>> {
    rows.into_iter().fold(BTreeMap::new(), |mut groups, row| {
        groups.entry(key(&row)).or_default().push(row);
        groups
    })
}

impl Parts {
    /// Sorts rows, each list by position, to their orders.
    pub(crate) fn new(
        placed: BTreeMap<OrderId, Order>,
        refunds: Vec<RefundRow<'static>>,
        returns: Vec<ReturnRow<'static>>,
        return_lines: Vec<ReturnLineRow>,
    ) -> Self {
        Self {
            placed,
            refunds: group(refunds, |row| row.order_id),
            returns: group(returns, |row| row.order_id),
            return_lines: group(return_lines, |row| row.return_id),
        }
    }

    /// Puts an order together.
    pub(crate) fn assemble(&mut self, (row, payment, shipment): Head) -> Answer<Order> {
        let placed = self.placed.remove(&OrderId::new(row.id.0)).ok_or(Fault::Corrupt("events.stream_id"))?;
        let refunds = self.refunds.remove(&row.id).unwrap_or_default();
        let returns = self.returns.remove(&row.id).unwrap_or_default();
        Ok(Order {
            id: OrderId::new(row.id.0),
            number: read("orders.number", &row.number)?,
            user_id: read("orders.user_id", &row.user_id)?,
            cart_id: row.cart_id.map(|cart| CartId::new(cart.0)),
            status: read("orders.status", &row.status)?,
            phase: DbEnum::read("orders.phase", &row.phase)?,
            shipment: shipment.map(ShipmentRow::into_shipment).transpose()?,
            payment: payment.into_payment()?,
            refunds: refunds.into_iter().map(RefundRow::into_refund).collect::<Answer<_>>()?,
            returns: returns.into_iter().map(|known| self.read_return(&known)).collect::<Answer<_>>()?,
            version: read_counter("orders.version", row.version)?,
            created_at: read_instant("orders.created_at", row.created_at)?,
            updated_at: read_instant("orders.updated_at", row.updated_at)?,
            entered_at: read_instant("orders.entered_at", row.entered_at)?,
            delivered_at: read_instant_option("orders.delivered_at", row.delivered_at)?,
            ..placed
        })
    }

    /// Puts a return together.
    pub(crate) fn read_return(&mut self, row: &ReturnRow<'_>) -> Answer<Return> {
        let lines = self.return_lines.remove(&row.id).unwrap_or_default();
        Ok(Return {
            id: ReturnId::new(row.id.0),
            status: DbEnum::read("returns.status", &row.status)?,
            lines: lines.iter().map(ReturnLineRow::line).collect::<Answer<_>>()?,
            reason: read_option("returns.reason", row.reason.as_deref())?,
            requested_at: read_instant("returns.requested_at", row.requested_at)?,
        })
    }
}

impl PaymentRow<'_> {
    fn into_payment(self) -> Answer<Payment> {
        let currency = read("payments.currency", &self.currency)?;
        Ok(Payment {
            id: PaymentId::new(self.id.0),
            status: DbEnum::read("payments.status", &self.status)?,
            amount: Money::new(self.amount, currency),
            captured: Money::new(self.captured, currency),
            refunded: Money::new(self.refunded, currency),
            reference: read_option("payments.reference", self.reference.as_deref())?,
        })
    }
}

impl RefundRow<'_> {
    fn into_refund(self) -> Answer<Refund> {
        Ok(Refund {
            id: RefundId::new(self.id.0),
            amount: Money::new(self.amount, read("refunds.currency", &self.currency)?),
            reason: read_option("refunds.reason", self.reason.as_deref())?,
            status: DbEnum::read("refunds.status", &self.status)?,
            reference: read_option("refunds.reference", self.reference.as_deref())?,
        })
    }
}

impl ReturnLineRow {
    fn line(&self) -> Answer<ReturnLine> {
        let quantity = read_value("return_lines.quantity", self.quantity)?;
        Ok(ReturnLine { item: ItemId::new(self.item_id.0), quantity })
    }
}

impl ShipmentRow<'_> {
    fn into_shipment(self) -> Answer<Shipment> {
        Ok(Shipment {
            provider: read("shipments.provider", &self.provider)?,
            method: read("shipments.method", &self.method)?,
            tracking_number: read_option("shipments.tracking_number", self.tracking_number.as_deref())?,
            status: DbEnum::read("shipments.status", &self.status)?,
        })
    }
}
