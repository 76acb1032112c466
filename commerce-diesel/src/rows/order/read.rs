//! From rows back to an order.

use std::collections::BTreeMap;

use commerce_core::Quantity;
use commerce_core::address::Address;
use commerce_core::ids::{CartId, ItemId, OrderId, PaymentId, RefundId, ReturnId};
use commerce_core::money::{Currency, Money};
use commerce_core::order::{Order, OrderItem, Payment, Refund, Return, ReturnLine, Shipment};

use super::{AddressRow, ItemRow, OrderRow, PaymentRow, RefundRow, ReturnLineRow, ReturnRow, ShipmentRow};
use crate::db_enum::DbEnum;
use crate::db_uuid::DbUuid;
use crate::fault::{Answer, Fault};
use crate::rows::quote::read_quote;
use crate::rows::{read, read_counter, read_instant, read_instant_option, read_option};

/// What an order has exactly one of, or none.
pub(crate) type Head = (OrderRow<'static>, PaymentRow<'static>, AddressRow<'static>, Option<ShipmentRow<'static>>);

/// What orders have many of, by order; in the order of their positions.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    items: BTreeMap<DbUuid, Vec<ItemRow<'static>>>,
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
        items: Vec<ItemRow<'static>>,
        refunds: Vec<RefundRow<'static>>,
        returns: Vec<ReturnRow<'static>>,
        return_lines: Vec<ReturnLineRow>,
    ) -> Self {
        Self {
            items: group(items, |row| row.order_id),
            refunds: group(refunds, |row| row.order_id),
            returns: group(returns, |row| row.order_id),
            return_lines: group(return_lines, |row| row.return_id),
        }
    }

    /// Puts an order together.
    pub(crate) fn assemble(&mut self, (row, payment, address, shipment): Head) -> Answer<Order> {
        let currency: Currency = read("orders.currency", &row.currency)?;
        let items = self.items.remove(&row.id).unwrap_or_default();
        let refunds = self.refunds.remove(&row.id).unwrap_or_default();
        let returns = self.returns.remove(&row.id).unwrap_or_default();
        Ok(Order {
            id: OrderId::new(row.id.0),
            number: read("orders.number", &row.number)?,
            user_id: read("orders.user_id", &row.user_id)?,
            cart_id: row.cart_id.map(|cart| CartId::new(cart.0)),
            lifecycle: read("orders.lifecycle", &row.lifecycle)?,
            status: read("orders.status", &row.status)?,
            phase: DbEnum::read("orders.phase", &row.phase)?,
            items: items.into_iter().map(|item| item.into_item(currency)).collect::<Answer<_>>()?,
            quote: read_quote(&row.quote)?,
            shipping_address: address.into_address()?,
            shipping_method: read("orders.shipping_method", &row.shipping_method)?,
            notes: read_option("orders.notes", row.notes.as_deref())?,
            reserved_until: read_instant("orders.reserved_until", row.reserved_until)?,
            shipment: shipment.map(ShipmentRow::into_shipment).transpose()?,
            payment: payment.into_payment()?,
            refunds: refunds.into_iter().map(RefundRow::into_refund).collect::<Answer<_>>()?,
            returns: returns.into_iter().map(|known| self.read_return(&known)).collect::<Answer<_>>()?,
            version: read_counter("orders.version", row.version)?,
            created_at: read_instant("orders.created_at", row.created_at)?,
            updated_at: read_instant("orders.updated_at", row.updated_at)?,
            entered_at: read_instant("orders.entered_at", row.entered_at)?,
            delivered_at: read_instant_option("orders.delivered_at", row.delivered_at)?,
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

impl ItemRow<'_> {
    fn into_item(self, currency: Currency) -> Answer<OrderItem> {
        Ok(OrderItem {
            id: ItemId::new(self.id.0),
            sku: read("order_items.sku", &self.sku)?,
            product_id: read("order_items.product_id", &self.product_id)?,
            name: read("order_items.name", &self.name)?,
            quantity: Quantity::new(self.quantity).map_err(|_| Fault::Corrupt("order_items.quantity"))?,
            unit_price: Money::new(self.unit_price, currency),
        })
    }
}

impl AddressRow<'_> {
    fn into_address(self) -> Answer<Address> {
        Ok(Address {
            name: read_option("order_addresses.name", self.name.as_deref())?,
            line1: read("order_addresses.line1", &self.line1)?,
            line2: read_option("order_addresses.line2", self.line2.as_deref())?,
            city: read("order_addresses.city", &self.city)?,
            state: read_option("order_addresses.state", self.state.as_deref())?,
            postal_code: read("order_addresses.postal_code", &self.postal_code)?,
            country: read("order_addresses.country", &self.country)?,
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
        let quantity = Quantity::new(self.quantity).map_err(|_| Fault::Corrupt("return_lines.quantity"))?;
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
