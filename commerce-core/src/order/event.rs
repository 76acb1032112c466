//! The events of an order.

use alloc::boxed::Box;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::lifecycle::{Phase, PromotionEffect, Status, StockEffect, Trigger};
use super::returns::{Return, ReturnLine};
use super::state::{Order, Shipment};
use crate::ids::{RefundId, ReturnId};
use crate::money::Money;
use crate::text::BoundedString;

/// The reason that a caller gave.
pub type Reason = BoundedString<500>;

/// An event of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum OrderEvent {
    /// The order was placed. `order` is at version 1.
    Created { order: Box<Order> },
    /// The order changed its state.
    Transitioned {
        to: Status,
        phase: Phase,
        trigger: Trigger,
        stock: StockEffect,
        promotions: PromotionEffect,
        reason: Option<Reason>,
    },
    /// The processor holds the amount, which is captured later. `reference` is its id of the payment.
    PaymentAuthorized { amount: Money, reference: Option<BoundedString<200>> },
    /// The reservation of an unpaid order ends later, because the payment processor could not be reached.
    ReservationExtended { until: DateTime<Utc> },
    /// `reference` is the processor's id of the payment.
    PaymentCaptured {
        amount: Money,
        reference: Option<BoundedString<200>>,
        /// What is still held was given back.
        #[serde(default, skip_serializing_if = "is_false")]
        is_final: bool,
    },
    /// A capture of what is held was declined. `reason` is the processor's message.
    CaptureFailed { reason: Reason },
    /// What is held runs out soon: the processor gives it back.
    HoldExpiring { expires_at: DateTime<Utc> },
    /// What is held is given back, by this amount.
    PaymentVoided { amount: Money },
    /// An attempt to pay failed. `reason` is the processor's message.
    PaymentFailed { reason: Reason },
    /// A refund is to be sent to the processor, or paid in the way in which the money was received.
    RefundRequested {
        id: RefundId,
        amount: Money,
        reason: Option<Reason>,
        /// The money was received elsewhere: staff pay it back.
        #[serde(default, skip_serializing_if = "is_false")]
        elsewhere: bool,
        /// The units whose price it is, if they are not returned.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lines: Vec<ReturnLine>,
    },
    /// The processor paid a refund. `reference` is its id at the processor.
    RefundProcessed { id: RefundId, reference: Option<BoundedString<200>> },
    /// The processor refused a refund permanently, or what it paid came back. `reason` is its message.
    RefundFailed { id: RefundId, reason: Reason },
    /// The shipment was created or changed.
    ShipmentUpdated { shipment: Shipment },
    /// The customer wants to send units back.
    ReturnRequested { request: Return },
    /// The customer may send the units.
    ReturnApproved { id: ReturnId },
    /// The units stay with the customer.
    ReturnRejected { id: ReturnId, reason: Option<Reason> },
    /// The units of a return arrived.
    ReturnReceived { id: ReturnId },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

impl OrderEvent {
    /// Every [type](Self::event_type).
    pub const TYPES: &[&str] = &[
        "order.created",
        "order.drafted",
        "order.placed",
        "order.paid",
        "order.in_fulfilment",
        "order.shipped",
        "order.delivered",
        "order.completed",
        "order.cancelled",
        "order.returned",
        "order.reservation_extended",
        "payment.authorized",
        "payment.captured",
        "payment.capture_failed",
        "payment.hold_expiring",
        "payment.voided",
        "payment.failed",
        "refund.requested",
        "refund.processed",
        "refund.failed",
        "shipment.updated",
        "return.requested",
        "return.approved",
        "return.rejected",
        "return.received",
    ];

    /// The type under which the event is published. A transition is named by its new phase, so that consumers know
    /// `order.shipped` whatever the shop calls its states.
    pub const fn event_type(&self) -> &'static str {
        match self {
            Self::Created { .. } => "order.created",
            Self::Transitioned { phase, .. } => match phase {
                Phase::Draft => "order.drafted",
                Phase::AwaitingPayment => "order.placed",
                Phase::Paid => "order.paid",
                Phase::InFulfilment => "order.in_fulfilment",
                Phase::Shipped => "order.shipped",
                Phase::Delivered => "order.delivered",
                Phase::Completed => "order.completed",
                Phase::Cancelled => "order.cancelled",
                Phase::Returned => "order.returned",
            },
            Self::PaymentAuthorized { .. } => "payment.authorized",
            Self::ReservationExtended { .. } => "order.reservation_extended",
            Self::PaymentCaptured { .. } => "payment.captured",
            Self::CaptureFailed { .. } => "payment.capture_failed",
            Self::HoldExpiring { .. } => "payment.hold_expiring",
            Self::PaymentVoided { .. } => "payment.voided",
            Self::PaymentFailed { .. } => "payment.failed",
            Self::RefundRequested { .. } => "refund.requested",
            Self::RefundProcessed { .. } => "refund.processed",
            Self::RefundFailed { .. } => "refund.failed",
            Self::ShipmentUpdated { .. } => "shipment.updated",
            Self::ReturnRequested { .. } => "return.requested",
            Self::ReturnApproved { .. } => "return.approved",
            Self::ReturnRejected { .. } => "return.rejected",
            Self::ReturnReceived { .. } => "return.received",
        }
    }
}
