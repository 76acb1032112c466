//! The order: a decider over a lifecycle that is data.
//!
//! * Is a command allowed? [`decide`] and [`place`].
//! * What does an event change? [`evolve`].
//! * What can refuse a command? [`OrderRejection`].
//! * Which stock moves and tasks follow? [`side_effects`], derived from the events alone.
//!
//! # Invariants
//! * `ORD-1`: what was placed (items, prices, shares, addresses) never changes.
//! * `ORD-2`: the events of an order are numbered from 1 without a gap. The last number is its version.
//! * `ORD-3`: folding the events with [`evolve`] gives the order.
//! * `ORD-4`: the units in returns never exceed the units bought. Refunds never exceed the captured amount.

mod command;
mod decide;
mod event;
mod evolve;
mod lifecycle;
mod rejection;
mod returns;
mod side_effects;
mod state;
mod unpaid;

pub use command::{Command, Context, NewOrder, OrderDetails, RefundOf, RefundOutcome, ReturnRequest, ShipmentUpdate};
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
pub use unpaid::{LimitReached, Unpaid, UnpaidGuard, UnpaidLimits};
