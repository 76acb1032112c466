//! What a batch changes of one order.

use std::collections::BTreeSet;

use commerce_core::commit::OrderChange;
use commerce_core::ids::{RefundId, ReturnId};
use commerce_core::order::{Order, OrderEvent, Refund, Return};

use crate::rows::order::{RefundRow, ReturnLineRow, ReturnRow, ShipmentRow};

/// An order as a batch leaves it, and which of its parts are not as they were.
#[derive(Debug)]
pub(crate) struct OrderDraft<'a> {
    /// Whether the order is new.
    pub(crate) new: bool,
    pub(crate) order: &'a Order,
    /// Whether the payment of an order that existed has changed.
    pub(crate) payment: bool,
    shipment: bool,
    new_refunds: BTreeSet<RefundId>,
    refunds: BTreeSet<RefundId>,
    new_returns: BTreeSet<ReturnId>,
    returns: BTreeSet<ReturnId>,
}

impl<'a> OrderDraft<'a> {
    pub(crate) const fn new(order: &'a Order) -> Self {
        Self {
            new: false,
            order,
            payment: false,
            shipment: false,
            new_refunds: BTreeSet::new(),
            refunds: BTreeSet::new(),
            new_returns: BTreeSet::new(),
            returns: BTreeSet::new(),
        }
    }

    /// An order with all its parts, none of which is in the tables.
    pub(crate) fn whole(order: &'a Order) -> Self {
        let mut draft = Self { new: true, ..Self::new(order) };
        draft.add_parts(order);
        draft
    }

    /// Adds a change.
    pub(crate) fn add(&mut self, change: &'a OrderChange) {
        self.order = change.order();
        self.new |= change.expected() == 0;
        for entry in change.events() {
            self.touch(&entry.event);
        }
    }

    fn touch(&mut self, event: &OrderEvent) {
        match event {
            OrderEvent::Created { order } => self.add_parts(order),
            OrderEvent::Transitioned { .. } => {}
            OrderEvent::PaymentCaptured { .. } | OrderEvent::PaymentFailed { .. } => self.payment = true,
            OrderEvent::RefundRequested { id, .. } => {
                self.new_refunds.insert(*id);
            }
            OrderEvent::RefundProcessed { id, .. } | OrderEvent::RefundFailed { id, .. } => {
                self.payment = true;
                self.refunds.insert(*id);
            }
            OrderEvent::ShipmentUpdated { .. } => self.shipment = true,
            OrderEvent::ReturnRequested { request } => {
                self.new_returns.insert(request.id);
            }
            OrderEvent::ReturnApproved { id }
            | OrderEvent::ReturnRejected { id, .. }
            | OrderEvent::ReturnReceived { id } => {
                self.returns.insert(*id);
            }
        }
    }

    fn add_parts(&mut self, order: &Order) {
        self.shipment |= order.shipment.is_some();
        self.new_refunds.extend(order.refunds.iter().map(|refund| refund.id));
        self.new_returns.extend(order.returns.iter().map(|known| known.id));
    }

    /// The shipment to write in place of the one there may be.
    pub(crate) fn shipment(&self) -> Option<ShipmentRow<'a>> {
        let shipment = self.order.shipment.as_ref().filter(|_| self.shipment)?;
        Some(ShipmentRow::of(self.order, shipment))
    }

    /// The refunds that are new.
    pub(crate) fn new_refunds(&self) -> impl Iterator<Item = RefundRow<'a>> {
        self.refund_rows(|refund| self.new_refunds.contains(&refund.id))
    }

    /// The refunds that existed and have changed.
    pub(crate) fn changed_refunds(&self) -> impl Iterator<Item = RefundRow<'a>> {
        self.refund_rows(|refund| self.refunds.contains(&refund.id) && !self.new_refunds.contains(&refund.id))
    }

    fn refund_rows(&self, wanted: impl Fn(&Refund) -> bool) -> impl Iterator<Item = RefundRow<'a>> {
        let order = self.order;
        let places = order.refunds.iter().enumerate().filter(move |(_, refund)| wanted(refund));
        places.map(move |(position, refund)| RefundRow::at(order, position, refund))
    }

    /// The returns that are new, with their lines.
    pub(crate) fn new_returns(&self) -> impl Iterator<Item = (ReturnRow<'a>, impl Iterator<Item = ReturnLineRow>)> {
        let order = self.order;
        let places = order.returns.iter().enumerate().filter(|(_, known)| self.new_returns.contains(&known.id));
        places.map(move |(position, known)| (ReturnRow::at(order, position, known), ReturnLineRow::all(known)))
    }

    /// The returns that existed and have changed.
    pub(crate) fn changed_returns(&self) -> impl Iterator<Item = ReturnRow<'a>> {
        let changed = |known: &Return| self.returns.contains(&known.id) && !self.new_returns.contains(&known.id);
        let order = self.order;
        let places = order.returns.iter().enumerate().filter(move |(_, known)| changed(known));
        places.map(move |(position, known)| ReturnRow::at(order, position, known))
    }
}
