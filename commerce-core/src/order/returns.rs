//! Returns: units that come back, and what is refunded for them.

use alloc::vec::Vec;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::event::Reason;
use super::state::{Order, OrderLine};
use crate::Quantity;
use crate::ids::{ItemId, ReturnId};
use crate::money::Money;

/// A return (RMA): units of an order that the customer wants to send back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Return {
    /// Its id.
    pub id: ReturnId,
    /// Where it stands.
    pub status: ReturnStatus,
    /// What comes back.
    pub lines: Vec<ReturnLine>,
    /// Why.
    pub reason: Option<Reason>,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
}

/// Units of one item that come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnLine {
    /// Of which item of the order.
    #[serde(rename = "item_id")]
    pub item: ItemId,
    /// How many.
    pub quantity: Quantity,
}

/// Where a return stands: requested, then approved and received, or rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnStatus {
    /// Waiting for a decision.
    Requested,
    /// The customer may send the units.
    Approved,
    /// The units stay with the customer.
    Rejected,
    /// The units came back; the refund is on its way.
    Received,
}

impl Order {
    /// What is refunded when the units of a return come back.
    ///
    /// The refund of the first *n* units of a line that cost *T* for *q* units is ⌊T·n/q⌋, whichever returns they come in;
    /// a return is refunded the difference it makes. So the refunds of all units add up to exactly what was paid for the
    /// line. With the last unit of the order everything else goes back too: the shipping fee.
    pub fn refund_for(&self, lines: &[ReturnLine]) -> Money {
        let left = self.refundable();
        if self.is_last_return(lines) {
            return left;
        }
        let due = lines.iter().fold(0, |sum: i64, line| sum.saturating_add(self.refund_of_units(line)));
        Money::new(due.min(left.minor()), self.currency())
    }

    /// Whether with these lines every unit of the order has come back.
    pub fn is_last_return(&self, lines: &[ReturnLine]) -> bool {
        self.items().all(|item| {
            let coming: i64 = lines.iter().filter(|line| line.item == item.id).map(|line| line.quantity.get()).sum();
            self.returned(item.id).saturating_add(coming) >= item.quantity.get()
        })
    }

    fn refund_of_units(&self, line: &ReturnLine) -> i64 {
        let Some(OrderLine { item, total, .. }) = self.line(line.item) else { return 0 };
        let upto = |units: i64| {
            let share = i128::from(total.minor()).saturating_mul(units.into());
            let whole = share.checked_div(item.quantity.get().into()).unwrap_or_default();
            i64::try_from(whole).unwrap_or(i64::MAX)
        };
        let before = self.returned(item.id);
        upto(before.saturating_add(line.quantity.get())).saturating_sub(upto(before))
    }
}
