//! The order: a decider over a lifecycle that is data.
//!
//! * *May it happen?* [`decide`] and [`place`].
//! * *What does it change?* [`evolve`].
//! * *What can refuse it?* [`OrderRejection`].
//! * *What else has to move with it?* [`side_effects`]: stock and tasks, derived from the events alone.
//!
//! # Invariants
//! * `ORD-1`: what was placed (items, prices, split, addresses) never changes.
//! * `ORD-2`: the events of an order are numbered from 1 without a gap; the last number is its version.
//! * `ORD-3`: folding the events with [`evolve`] gives the order.
//! * `ORD-4`: the units in returns never exceed the units bought; refunds never exceed what was captured.

mod command;
mod decide;
mod event;
mod evolve;
mod lifecycle;
mod rejection;
mod returns;
mod side_effects;
mod state;

pub use command::{Command, Context, NewOrder, RefundOutcome, ReturnRequest, ShipmentUpdate};
pub use decide::{decide, place};
pub use event::{OrderEvent, Reason};
pub use evolve::{CorruptHistory, evolve, fold};
pub use lifecycle::{
    Lifecycle, LifecycleDraft, LifecycleError, PaymentEffect, Phase, PromotionEffect, State, Status, StockEffect,
    Transition, Trigger, Window, WindowStart,
};
pub use rejection::OrderRejection;
pub use returns::{Return, ReturnLine, ReturnStatus};
pub use side_effects::{SideEffects, side_effects};
pub use state::{
    Order, OrderItem, OrderLine, OrderState, Payment, PaymentStatus, Refund, RefundStatus, Shipment, ShipmentStatus,
};
