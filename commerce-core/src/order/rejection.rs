//! What can refuse a command on an order.

use alloc::vec::Vec;

use chrono::{DateTime, Utc};
use thiserror::Error;

use super::lifecycle::Status;
use super::returns::ReturnStatus;
use super::state::ShipmentStatus;
use crate::actor::Role;
use crate::cart::MAX_LINES;
use crate::ids::{ItemId, RefundId, ReturnId};
use crate::money::Money;

/// Why a command is refused. The order has not changed then.
///
/// Where several apply, the first in this order is given: what does not exist, what the state forbids, what the role
/// forbids, what time forbids, what the figures forbid.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OrderRejection {
    /// No item of that id in the order.
    #[error("the order has no item {0}")]
    UnknownItem(ItemId),
    /// No return of that id in the order.
    #[error("the order has no return {0}")]
    UnknownReturn(ReturnId),
    /// No refund of that id in the order.
    #[error("the order has no refund {0}")]
    UnknownRefund(RefundId),
    /// The lifecycle has no such way.
    #[error("{from} → {to} is not possible; from {from} this role may go to: {}", Names(allowed))]
    InvalidTransition {
        /// Where the order is.
        from: Status,
        /// Where it was to go.
        to: Status,
        /// Where the caller's role may take it from here.
        allowed: Vec<Status>,
    },
    /// The payment is settled already.
    #[error("the order is paid already")]
    AlreadyPaid,
    /// The state of the order takes no payment.
    #[error("an order in {0} takes no payment")]
    NotPayable(Status),
    /// The state of the order allows no return.
    #[error("an order in {0} takes no returns")]
    NotReturnable(Status),
    /// The order was cancelled or returned: nothing is shipped any more.
    #[error("an order in {0} is not shipped")]
    NotShippable(Status),
    /// The shipment, or its order, is further than that.
    #[error("the shipment is {from:?} and cannot go back to {to:?}")]
    ShipmentGoesBack {
        /// How far it is.
        from: ShipmentStatus,
        /// What was to be recorded.
        to: ShipmentStatus,
    },
    /// The return is not where the command needs it.
    #[error("the return is {found:?}, it must be {needed:?}")]
    ReturnStatus {
        /// Where it is.
        found: ReturnStatus,
        /// Where it must be.
        needed: ReturnStatus,
    },
    /// The lifecycle has the way, but not for this role.
    #[error("{role} may not set {to}")]
    TransitionNotPermitted {
        /// Who asked.
        role: Role,
        /// What for.
        to: Status,
    },
    /// The command is not for this role, whatever the lifecycle says.
    #[error("the role {0} may not do this")]
    RoleNotPermitted(Role),
    /// The customer is too late.
    #[error("{to} was possible until {closed}")]
    WindowClosed {
        /// What for.
        to: Status,
        /// Since when it is not possible any more.
        closed: DateTime<Utc>,
    },
    /// An order needs 1 to [`MAX_LINES`] items.
    #[error("an order has 1 to {MAX_LINES} items, not {0}")]
    ItemCount(usize),
    /// Nothing is to be returned.
    #[error("a return needs at least one line, and no item twice")]
    ReturnLines,
    /// More units than were bought, less what is in returns already.
    #[error("{asked} units of item {item} are to be returned, {left} can be")]
    TooManyReturned {
        /// Of which item.
        item: ItemId,
        /// Units asked for.
        asked: i64,
        /// Units that can be returned.
        left: i64,
    },
    /// What came in is not what is due. Nobody completes an order by paying something else.
    #[error("{captured} was captured, {due} is due")]
    AmountMismatch {
        /// What came in.
        captured: Money,
        /// What is due.
        due: Money,
    },
    /// A refund is more than nothing and at most what is left.
    #[error("{asked} was asked for, {left} can be refunded")]
    RefundAmount {
        /// What was asked for.
        asked: Money,
        /// What is left.
        left: Money,
    },
}

struct Names<'a>(&'a [Status]);

impl core::fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Some((first, rest)) = self.0.split_first() else { return f.write_str("nowhere") };
        write!(f, "{first}")?;
        rest.iter().try_for_each(|status| write!(f, ", {status}"))
    }
}
