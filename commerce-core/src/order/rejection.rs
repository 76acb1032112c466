//! The rejections of commands on an order.

use alloc::vec::Vec;

use chrono::{DateTime, Utc};
use thiserror::Error;

use super::lifecycle::Status;
use super::returns::ReturnStatus;
use super::state::ShipmentStatus;
use crate::actor::Role;
use crate::cart::MAX_LINES;
use crate::ids::{ItemId, RefundId, ReturnId};
use crate::metadata::MetadataError;
use crate::money::Money;

/// Why a command is rejected. A rejected command changes nothing.
///
/// If several rejections apply, the first in this order is given: unknown ids, the state, the role, the time, the
/// figures.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say it")]
pub enum OrderRejection {
    #[error("the order has no item {0}")]
    UnknownItem(ItemId),
    #[error("the order has no return {0}")]
    UnknownReturn(ReturnId),
    #[error("the order has no refund {0}")]
    UnknownRefund(RefundId),
    /// The lifecycle has no such transition. `allowed` has the states to which the caller's role may take the order.
    #[error("an order cannot go from {from} to {to}; this role may set: {}", Names(allowed))]
    InvalidTransition { from: Status, to: Status, allowed: Vec<Status> },
    #[error("the order is paid already")]
    AlreadyPaid,
    #[error("an order in state {0} cannot be paid")]
    NotPayable(Status),
    /// What was held for the order was given back.
    #[error("nothing is held or captured for the order: it must be paid again or cancelled")]
    Unsecured,
    #[error("an order in state {0} cannot be returned")]
    NotReturnable(Status),
    /// The order was cancelled or returned.
    #[error("an order in state {0} cannot be shipped")]
    NotShippable(Status),
    /// The shipment or its order has a later status.
    #[error("the shipment is {from} and cannot go back to {to}")]
    ShipmentGoesBack { from: ShipmentStatus, to: ShipmentStatus },
    /// The command needs another status of the return.
    #[error("the return is {found}; it must be {needed}")]
    ReturnStatus { found: ReturnStatus, needed: ReturnStatus },
    /// The lifecycle has the transition, but not for this role.
    #[error("{role} may not set {to}")]
    TransitionNotPermitted { role: Role, to: Status },
    /// The command is not allowed to this role, whatever the lifecycle.
    #[error("the role {0} may not do this")]
    RoleNotPermitted(Role),
    /// The window of the customer ended at `closed`.
    #[error("the change to {to} was allowed until {closed}")]
    WindowClosed { to: Status, closed: DateTime<Utc> },
    #[error("an order has 1 to {MAX_LINES} items, not {0}")]
    ItemCount(usize),
    #[error("the metadata {0}")]
    Metadata(#[from] MetadataError),
    #[error("a return or a refund of units needs at least one line, and no item twice")]
    ReturnLines,
    /// More units than were bought, less those in returns or refunded already (`left`).
    #[error("cannot return {asked} of item {item}: {left} left")]
    TooManyReturned { item: ItemId, asked: i64, left: i64 },
    /// More units than were bought, less those in returns or refunded already (`left`).
    #[error("cannot refund {asked} of item {item}: {left} left")]
    TooManyRefunded { item: ItemId, asked: i64, left: i64 },
    /// The captured amount differs from the amount due.
    #[error("{captured} was captured, {due} is due")]
    AmountMismatch { captured: Money, due: Money },
    /// A refund is positive and at most the amount left.
    #[error("cannot refund {asked}: {left} left")]
    RefundAmount { asked: Money, left: Money },
}

struct Names<'a>(&'a [Status]);

impl core::fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Some((first, rest)) = self.0.split_first() else { return f.write_str("nothing") };
        write!(f, "{first}")?;
        rest.iter().try_for_each(|status| write!(f, ", {status}"))
    }
}
