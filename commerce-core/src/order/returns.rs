//! Returns, and the refunds for them.

use alloc::vec::Vec;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::event::Reason;
use super::state::{Order, OrderLine};
use crate::Quantity;
use crate::ids::{ItemId, ReturnId};
use crate::money::Money;
use crate::text::named;

/// A return (RMA): units of an order that the customer wants to send back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub struct Return {
    pub id: ReturnId,
    pub status: ReturnStatus,
    pub lines: Vec<ReturnLine>,
    pub reason: Option<Reason>,
    pub requested_at: DateTime<Utc>,
}

/// Units of one item, to return or to refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ReturnLine {
    /// An item of the order.
    #[serde(rename = "item_id")]
    pub item: ItemId,
    pub quantity: Quantity,
}

named! {
    /// The status of a return: requested, then approved and received, or rejected.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum ReturnStatus {
        /// Waiting for a decision.
        Requested = "requested",
        /// The customer may send the units.
        Approved = "approved",
        /// The units stay with the customer.
        Rejected = "rejected",
        /// The units arrived. The refund was requested.
        Received = "received",
    }
}

impl Order {
    /// The refund for the units of a return.
    ///
    /// It is [their price](Self::price_of_units), at most what is left. With the last unit of the order the rest, the shipping fee, is
    /// refunded too.
    pub fn refund_for(&self, lines: &[ReturnLine]) -> Money {
        let left = self.refundable();
        if self.is_last_return(lines) {
            return left;
        }
        Money::new(self.price_of_units(lines).minor().min(left.minor()), self.currency())
    }

    /// What units are worth that are refunded next, with or without a return.
    ///
    /// The first *n* refunded units of a line that cost *T* for *q* units are worth ⌊T·n/q⌋. Units are worth the difference that they
    /// make, so all units of a line add up to exactly its price.
    pub fn price_of_units(&self, lines: &[ReturnLine]) -> Money {
        let due = lines.iter().fold(0, |sum: i64, line| sum.saturating_add(self.worth_of(line)));
        Money::new(due, self.currency())
    }

    /// The price of what the customer keeps and was not refunded, in minor units: nothing once everything has come back.
    fn price_of_kept(&self) -> i64 {
        if self.phase.is_undone() || self.is_last_return(&[]) {
            return 0;
        }
        let back = self.lines().iter().map(|line| share(line, self.settled(line.item.id)));
        back.fold(self.payment.amount.minor(), i64::saturating_sub)
    }

    /// What must go back of an amount that is captured now, because the order was cancelled or units came back before it.
    pub(super) fn surplus_of(&self, captured: Money) -> Money {
        let received = self.refundable().minor().saturating_add(captured.minor());
        let surplus = received.saturating_sub(self.price_of_kept()).clamp(0, captured.minor().max(0));
        Money::new(surplus, self.currency())
    }

    /// Whether these lines complete the return of all units of the order.
    pub fn is_last_return(&self, lines: &[ReturnLine]) -> bool {
        self.items().all(|item| {
            let coming: i64 = lines.iter().filter(|line| line.item == item.id).map(|line| line.quantity.get()).sum();
            self.returned(item.id).saturating_add(coming) >= item.quantity.get()
        })
    }

    /// The units of an item whose price was refunded.
    fn settled(&self, item: ItemId) -> i64 {
        self.returned(item).saturating_add(self.refunded_units(item))
    }

    fn worth_of(&self, line: &ReturnLine) -> i64 {
        let Some(known) = self.line(line.item) else { return 0 };
        let before = self.settled(line.item);
        share(known, before.saturating_add(line.quantity.get())).saturating_sub(share(known, before))
    }
}

/// What the first units of a line cost, rounded down.
fn share(OrderLine { item, total, .. }: &OrderLine, units: i64) -> i64 {
    let share = i128::from(total.minor()).saturating_mul(units.into());
    let whole = share.checked_div(item.quantity.get().into()).unwrap_or_default();
    i64::try_from(whole).unwrap_or(i64::MAX)
}
