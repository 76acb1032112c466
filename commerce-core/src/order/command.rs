//! The commands on an order.

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

/// The input of every decision besides the command.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Context {
    pub actor: Actor,
    pub at: DateTime<Utc>,
    /// The id for a refund, if the command causes one.
    pub refund: RefundId,
}

/// The data of a new order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct NewOrder {
    pub id: OrderId,
    pub number: OrderNumber,
    pub payment: PaymentId,
    pub user_id: UserId,
    /// The cart that is ordered, if any.
    pub cart_id: Option<CartId>,
    pub quote: Quote<OrderItem>,
    pub shipping_method: BoundedString<64>,
    pub details: OrderDetails,
    /// When the reservation of the stock expires.
    pub reserved_until: DateTime<Utc>,
}

/// The data of an order that the customer gives and that does not affect its price.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub struct OrderDetails {
    pub shipping_address: Address,
    /// A message of the customer.
    pub notes: Option<BoundedString<1000>>,
    /// The customer's own number.
    pub purchase_order_number: Option<BoundedString<64>>,
    pub metadata: Metadata,
}

impl OrderDetails {
    /// The details of an order with only an address.
    pub fn new(shipping_address: Address) -> Self {
        Self { shipping_address, notes: None, purchase_order_number: None, metadata: Metadata::default() }
    }
}

/// A requested change of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    /// Goes to a state; the lifecycle determines the trigger. To a `pay` state, it records a payment received
    /// elsewhere.
    Transition { status: Status, reason: Option<Reason> },
    /// The processor holds money, which is captured later. `reference` is its id of the payment.
    Authorize { amount: Money, reference: Option<BoundedString<200>> },
    /// The reservation has expired and the units were sold to others: the order is cancelled before it is paid.
    CancelSoldOut,
    /// The processor captured money that it held. With `is_final` it gave the rest back.
    CaptureHeld { amount: Money, reference: Option<BoundedString<200>>, is_final: bool },
    /// The processor declined a capture. `reason` is its message.
    FailCapture { reason: Reason },
    /// What is held runs out soon.
    TellExpiringHold { expires_at: DateTime<Utc> },
    /// An amount of what is held is given back.
    Void { amount: Money },
    /// The processor captured money. `reference` is its id of the payment.
    Capture { amount: Money, reference: Option<BoundedString<200>> },
    /// The processor captured money after the reservation expired, and the stock is gone: record it, cancel and refund.
    CaptureAfterExpiry { amount: Money, reference: Option<BoundedString<200>> },
    /// The processor captured money for an order that is paid already: record it and refund it.
    CaptureSurplus { amount: Money, reference: Option<BoundedString<200>> },
    /// An attempt to pay failed. `reason` is the processor's message.
    FailPayment { reason: Reason },
    /// The payment processor cannot be reached, so the reservation ends later. No effect on an order that was paid or cancelled.
    ExtendReservation { until: DateTime<Utc> },
    /// The reservation has expired. No effect on an order that was paid or cancelled.
    Expire,
    /// Cancels the order.
    Cancel { reason: Option<Reason> },
    /// Creates or changes the shipment. The order follows it to shipped and delivered.
    UpdateShipment(ShipmentUpdate),
    /// Requests a return of units.
    RequestReturn(ReturnRequest),
    /// The customer may send the units.
    ApproveReturn(ReturnId),
    /// The units stay with the customer.
    RejectReturn { id: ReturnId, reason: Option<Reason> },
    /// The units arrived: restock and refund.
    ReceiveReturn(ReturnId),
    /// Refunds money without a return.
    Refund { of: RefundOf, reason: Option<Reason> },
    /// The processor paid money back that the shop did not ask for, or may: a refund made there, or a dispute. Without an outcome it is
    /// open.
    NoteRefund { id: RefundId, amount: Money, reason: Reason, outcome: Option<RefundOutcome> },
    /// Records the processor's answer to a refund.
    RecordRefund { id: RefundId, outcome: RefundOutcome },
}

impl Command {
    /// Whether a role may give the command at all. The lifecycle of the order may restrict it further.
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
            Self::Void { .. } => Permission::CapturePayments,
            Self::Authorize { .. }
            | Self::CancelSoldOut
            | Self::CaptureHeld { .. }
            | Self::FailCapture { .. }
            | Self::TellExpiringHold { .. }
            | Self::Capture { .. }
            | Self::CaptureAfterExpiry { .. }
            | Self::CaptureSurplus { .. }
            | Self::FailPayment { .. }
            | Self::ExtendReservation { .. }
            | Self::Expire
            | Self::NoteRefund { .. }
            | Self::RecordRefund { .. } => Permission::RecordPayments,
            Self::Cancel { .. } | Self::RequestReturn(_) => Permission::AskOfOrders,
        }
    }
}

/// A shipment to create, or to change as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShipmentUpdate {
    /// The carrier.
    pub provider: BoundedString<100>,
    /// The carrier's service.
    pub method: BoundedString<64>,
    /// The carrier's number of the parcel.
    pub tracking_number: Option<BoundedString<100>>,
    /// `None`: unchanged.
    pub status: Option<ShipmentStatus>,
}

/// Units to return.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ReturnRequest {
    pub id: ReturnId,
    pub lines: Vec<ReturnLine>,
    pub reason: Option<Reason>,
}

/// What is refunded without a return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundOf {
    /// Everything that is left.
    Remainder,
    /// An amount.
    Amount(Money),
    /// The price of units that the customer keeps.
    Units(Vec<ReturnLine>),
}

/// The processor's answer to a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum RefundOutcome {
    /// It was paid. `reference` is its id at the processor.
    Done { reference: Option<BoundedString<200>> },
    /// It was refused permanently, or the money came back.
    Failed { reason: Reason },
}
