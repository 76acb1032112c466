//! What can happen to an order.

use alloc::boxed::Box;

use serde::{Deserialize, Serialize};

use super::lifecycle::{Phase, PromotionEffect, Status, StockEffect, Trigger};
use super::returns::Return;
use super::state::{Order, Shipment};
use crate::ids::{RefundId, ReturnId};
use crate::money::Money;
use crate::text::BoundedString;

/// Why somebody did something, in their words.
pub type Reason = BoundedString<500>;

/// Something that happened to an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum OrderEvent {
    /// It was placed.
    Created {
        /// The order as it was placed, at version 1.
        order: Box<Order>,
    },
    /// It went from one state to another.
    Transitioned {
        /// To where.
        to: Status,
        /// What that means.
        phase: Phase,
        /// What set it off.
        trigger: Trigger,
        /// What it does to the stock.
        stock: StockEffect,
        /// What it does to the promotions that were used.
        promotions: PromotionEffect,
        /// Why.
        reason: Option<Reason>,
    },
    /// Money came in.
    PaymentCaptured {
        /// How much.
        amount: Money,
        /// The processor's name for it.
        reference: Option<BoundedString<200>>,
    },
    /// An attempt to pay failed.
    PaymentFailed {
        /// What the processor said.
        reason: Reason,
    },
    /// Money is to go back.
    RefundRequested {
        /// Names the refund.
        id: RefundId,
        /// How much.
        amount: Money,
        /// Why.
        reason: Option<Reason>,
    },
    /// Money went back.
    RefundProcessed {
        /// Which refund.
        id: RefundId,
        /// The processor's name for it.
        reference: Option<BoundedString<200>>,
    },
    /// The processor refused a refund for good.
    RefundFailed {
        /// Which refund.
        id: RefundId,
        /// What the processor said.
        reason: Reason,
    },
    /// The shipment was arranged or moved.
    ShipmentUpdated {
        /// The shipment now.
        shipment: Shipment,
    },
    /// The customer wants to send units back.
    ReturnRequested {
        /// The return.
        request: Return,
    },
    /// A return was approved.
    ReturnApproved {
        /// Which.
        id: ReturnId,
    },
    /// A return was rejected.
    ReturnRejected {
        /// Which.
        id: ReturnId,
        /// Why.
        reason: Option<Reason>,
    },
    /// The units of a return came back.
    ReturnReceived {
        /// Which.
        id: ReturnId,
    },
}

impl OrderEvent {
    /// The type under which it is published. A transition is named by the phase it leads to: consumers know `order.shipped`
    /// whatever the shop calls its states.
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
            Self::PaymentCaptured { .. } => "payment.captured",
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
