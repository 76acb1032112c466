//! Telling what was committed, and what was refused.

use core::fmt;

use chrono::TimeDelta;

use crate::order::Phase;
use crate::payment::{DeclineCode, OperationKind, OperationState};
use crate::saga::Compensation;
use crate::text::named;
use crate::webhook::DeliveryOutcome;

/// Hears what was committed, such as for metrics. It cannot refuse anything.
pub trait Observer: Send + Sync + fmt::Debug {
    /// Called once for everything that a use case of this process committed or was refused. It must not block.
    fn note(&self, news: &News);
}

/// Something that was committed, or why nothing was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum News {
    /// An operation of a payment is in another state. `decline` is why it was declined.
    #[expect(missing_docs, reason = "the names say it")]
    Operation { kind: OperationKind, state: OperationState, decline: Option<DeclineCode> },
    /// An order was paid, so long after it was placed.
    #[expect(missing_docs, reason = "the names say it")]
    Paid { after: TimeDelta },
    /// It was tried to deliver an event to an endpoint. This is not a part of a commit.
    #[expect(missing_docs, reason = "the names say it")]
    Webhook { outcome: DeliveryOutcome, took_ms: u64 },
    /// A cart began or ended.
    Cart(CartStep),
    /// An order came into a phase, so long after it was placed.
    #[expect(missing_docs, reason = "the names say it")]
    Order { phase: Phase, after: TimeDelta },
    /// A step of the saga of an order is being undone.
    Compensation(Compensation),
    /// Units of a SKU were moved.
    #[expect(missing_docs, reason = "the names say it")]
    Units { movement: StockMovement, units: u64 },
    /// Staff or another system told the units on hand of a SKU.
    Inventory(InventoryUpdate),
    /// A use of a promotion was taken or released.
    Promotion(PromotionUse),
    /// The guard of a stock move refused a use case. `reason` is the [code](crate::stock::StockRefusal::code).
    #[expect(missing_docs, reason = "the names say it")]
    StockRefused { reason: &'static str },
    /// Another commit was faster, so a use case decides again. `subject` is `order`, `claim` or the kind of a document.
    #[expect(missing_docs, reason = "the names say it")]
    LostRace { subject: &'static str },
}

named! {
    /// The beginning and the ends of a cart.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum CartStep {
        /// It was created.
        Opened = "opened",
        /// It was ordered.
        Converted = "converted",
        /// It has expired. Noted when its customer opens another one, or when it is [swept](crate::engine::Engine::expire_cart).
        Abandoned = "abandoned",
    }
}

named! {
    /// What happened to units of a SKU.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum StockMovement {
        /// Reserved for a new order.
        Reserved = "reserved",
        /// Left the stock with a parcel: sold.
        Shipped = "shipped",
        /// Came back from a customer, and can be sold again.
        Restocked = "restocked",
        /// Received by an adjustment.
        Received = "received",
        /// Taken off by an adjustment.
        Removed = "removed",
    }
}

named! {
    /// How the units on hand were told.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum InventoryUpdate {
        /// Their number was set.
        Set = "set",
        /// Their number was adjusted.
        Adjusted = "adjusted",
    }
}

named! {
    /// What happened to a use of a promotion.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum PromotionUse {
        /// An order took it.
        Redeemed = "redeemed",
        /// The order gave it back.
        Released = "released",
        /// An order was refused because nothing was left of it.
        Exhausted = "exhausted",
    }
}
