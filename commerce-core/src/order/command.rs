//! What can be asked of an order.

use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use super::event::Reason;
use super::lifecycle::Status;
use super::rejection::OrderRejection;
use super::returns::ReturnLine;
use super::state::{OrderItem, ShipmentStatus};
use crate::actor::{Actor, Role};
use crate::address::Address;
use crate::ids::{CartId, OrderId, OrderNumber, PaymentId, RefundId, ReturnId, UserId};
use crate::metadata::Metadata;
use crate::money::Money;
use crate::permission::Permission;
use crate::pricing::Quote;
use crate::text::BoundedString;

/// What every decision needs of the world: who asks, when, and a fresh id should the decision need one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// Who asks.
    pub actor: Actor,
    /// When.
    pub at: DateTime<Utc>,
    /// The id of the refund, should the command lead to one.
    pub refund: RefundId,
}

/// Everything a new order is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// Its id.
    pub id: OrderId,
    /// Its number for people.
    pub number: OrderNumber,
    /// The id of its payment.
    pub payment: PaymentId,
    /// Who buys.
    pub user_id: UserId,
    /// The cart it is made of.
    pub cart_id: Option<CartId>,
    /// What is bought, and its price.
    pub quote: Quote<OrderItem>,
    /// Where it goes.
    pub shipping_address: Address,
    /// How it is shipped.
    pub shipping_method: BoundedString<64>,
    /// What the customer wrote.
    pub notes: Option<BoundedString<1000>>,
    /// What is attached.
    pub metadata: Metadata,
    /// Until when the stock is held.
    pub reserved_until: DateTime<Utc>,
}

/// Something asked of an order that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Go to a state; what sets the transition off follows from the lifecycle. To a `pay` state it records a payment
    /// received elsewhere.
    Transition {
        /// To which.
        status: Status,
        /// Why.
        reason: Option<Reason>,
    },
    /// The processor captured money.
    Capture {
        /// How much.
        amount: Money,
        /// The processor's name for it.
        reference: Option<BoundedString<200>>,
    },
    /// The processor captured money after the reservation had ended, and the stock is gone: record it, cancel, refund.
    CaptureAfterExpiry {
        /// How much.
        amount: Money,
        /// The processor's name for it.
        reference: Option<BoundedString<200>>,
    },
    /// An attempt to pay failed.
    FailPayment {
        /// What the processor said.
        reason: Reason,
    },
    /// The reservation has ended. Nothing happens where the order was paid or cancelled meanwhile.
    Expire,
    /// Call it off.
    Cancel {
        /// Why.
        reason: Option<Reason>,
    },
    /// Arrange or move the shipment; the order follows it to shipped and delivered.
    UpdateShipment(ShipmentUpdate),
    /// Send units back.
    RequestReturn(ReturnRequest),
    /// Let the customer send them.
    ApproveReturn(ReturnId),
    /// Do not.
    RejectReturn {
        /// Which.
        id: ReturnId,
        /// Why.
        reason: Option<Reason>,
    },
    /// They came back: restock and refund.
    ReceiveReturn(ReturnId),
    /// Pay money back without goods.
    Refund {
        /// How much; everything that is left if not said.
        amount: Option<Money>,
        /// Why.
        reason: Option<Reason>,
    },
    /// The processor has answered a refund.
    RecordRefund {
        /// Which.
        id: RefundId,
        /// What it said.
        outcome: RefundOutcome,
    },
}

impl Command {
    /// Whether a role may ask this at all. What remains is for the lifecycle of the order to say.
    ///
    /// # Errors
    /// [`OrderRejection::RoleNotPermitted`].
    pub fn permit(&self, role: Role) -> Result<(), OrderRejection> {
        if role.may(self.permission()) { Ok(()) } else { Err(OrderRejection::RoleNotPermitted(role)) }
    }

    const fn permission(&self) -> Permission {
        match self {
            Self::Transition { .. } | Self::UpdateShipment(_) => Permission::MoveOrders,
            Self::ApproveReturn(_) | Self::RejectReturn { .. } | Self::ReceiveReturn(_) | Self::Refund { .. } => {
                Permission::HandleReturns
            }
            Self::Capture { .. }
            | Self::CaptureAfterExpiry { .. }
            | Self::FailPayment { .. }
            | Self::Expire
            | Self::RecordRefund { .. } => Permission::RecordPayments,
            Self::Cancel { .. } | Self::RequestReturn(_) => Permission::AskOfOrders,
        }
    }
}

/// A shipment to arrange or to change as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShipmentUpdate {
    /// The carrier.
    pub provider: BoundedString<100>,
    /// Its service.
    pub method: BoundedString<64>,
    /// Its number for the parcel.
    pub tracking_number: Option<BoundedString<100>>,
    /// Where the parcel is; without one it is where it was.
    pub status: Option<ShipmentStatus>,
}

/// Units to send back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnRequest {
    /// The id of the return.
    pub id: ReturnId,
    /// What comes back.
    pub lines: Vec<ReturnLine>,
    /// Why.
    pub reason: Option<Reason>,
}

/// What a processor says of a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundOutcome {
    /// Paid.
    Done {
        /// The processor's name for it.
        reference: Option<BoundedString<200>>,
    },
    /// Refused for good.
    Failed {
        /// Why.
        reason: Reason,
    },
}
