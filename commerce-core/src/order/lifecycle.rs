//! The lifecycle of an order as data: named states, each with a phase, and the transitions between them.
//!
//! The rules of the engine depend on the [`Phase`], which is a closed set. The shop chooses the names of states.
//! Building a [`Lifecycle`] verifies it: an invalid one is refused with the reason.

mod builtin;
mod verify;

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, Serialize};

pub use self::verify::LifecycleError;
use crate::actor::{Actor, Role};
use crate::ids::IdError;
use crate::order::{Order, OrderRejection, ShipmentStatus};
use crate::text::{BoundedString, deserialize_parsed, named, shows_text};

/// The name of a state, chosen by the shop: `pending`, `AWAITING_PRODUCTION`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Status(String);

shows_text!(Status);

impl FromStr for Status {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        text.parse::<BoundedString<64>>().map(|text| Self(text.as_str().into())).map_err(|_| IdError::Unprintable)
    }
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_parsed(deserializer, "a status of 1 to 64 characters")
    }
}

named! {
    /// The meaning of a state.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    #[expect(missing_docs, reason = "the names say it")]
    pub enum Phase {
        /// Being created. The commit that places an order also leaves this phase.
        Draft = "draft",
        /// Placed. Stock is reserved, the payment is due.
        AwaitingPayment = "awaiting_payment",
        /// Paid, or the money is held; stock confirmed.
        Paid = "paid",
        /// Being produced, picked or packed.
        InFulfilment = "in_fulfilment",
        /// With the carrier.
        Shipped = "shipped",
        /// With the customer.
        Delivered = "delivered",
        Completed = "completed",
        Cancelled = "cancelled",
        /// Everything was sent back.
        Returned = "returned",
    }
}

impl Phase {
    /// Whether the reservation of the order ends if it is not paid.
    pub const fn is_unpaid(self) -> bool {
        matches!(self, Self::Draft | Self::AwaitingPayment)
    }

    /// Whether the goods have left the shop, so that money that is held for them is captured.
    pub const fn is_shipped(self) -> bool {
        matches!(self, Self::Shipped | Self::Delivered | Self::Completed)
    }

    /// Whether the order was cancelled or returned.
    pub const fn is_undone(self) -> bool {
        matches!(self, Self::Cancelled | Self::Returned)
    }

    /// Whether the order was delivered, cancelled or returned, so that few events follow.
    pub const fn is_over(self) -> bool {
        self.is_undone() || matches!(self, Self::Delivered | Self::Completed)
    }

    /// The least status of the shipment of an order in this phase; `None` if nothing is shipped any more.
    pub const fn shipment(self) -> Option<ShipmentStatus> {
        match self {
            Self::Draft | Self::AwaitingPayment | Self::Paid | Self::InFulfilment => Some(ShipmentStatus::Pending),
            Self::Shipped => Some(ShipmentStatus::Shipped),
            Self::Delivered | Self::Completed => Some(ShipmentStatus::Delivered),
            Self::Cancelled | Self::Returned => None,
        }
    }
}

/// The cause of a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The order is placed. The transition leaves the draft in the same commit.
    Place,
    /// The full amount was captured, or is held.
    Pay,
    /// The payment failed permanently.
    PaymentFailure,
    /// The reservation expired before payment.
    Expiry,
    /// Progress: to production, shipped, delivered, completed.
    Advance,
    /// The order is cancelled.
    Cancel,
    /// The last unit was returned.
    Return,
}

/// The effect of a transition on the order's stock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum StockEffect {
    #[default]
    None,
    /// The reservation no longer expires.
    Confirm,
    /// The reservation is released.
    Release,
    /// The units are removed from stock.
    Fulfil,
    /// The units are added to stock again, except those already restocked.
    Restock,
}

/// The effect of a transition on the order's payment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentEffect {
    /// None. A `pay` transition records the capture that caused it.
    #[default]
    None,
    /// The captured amount that is not yet refunded is refunded. What is held is given back whenever an order is cancelled or
    /// returned.
    Refund,
}

/// The effect of a transition on the promotions the order used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromotionEffect {
    /// None: they stay used.
    #[default]
    None,
    /// The uses are released: a code can be used again.
    #[serde(rename = "give_back")]
    Release,
}

/// The period in which a customer may cause a transition. It does not bind other roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Window {
    pub since: WindowStart,
    pub seconds: u32,
}

/// The start of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowStart {
    /// The placing of the order.
    Placed,
    /// The delivery. Before it, the window is open.
    Delivered,
    /// The entry into the present state.
    Entered,
}

impl Window {
    fn closes(self, order: &Order) -> Option<DateTime<Utc>> {
        let start = match self.since {
            WindowStart::Placed => order.created_at,
            WindowStart::Delivered => order.delivered_at?,
            WindowStart::Entered => order.entered_at,
        };
        start.checked_add_signed(TimeDelta::seconds(self.seconds.into()))
    }
}

/// A state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the names say it")]
pub struct State {
    pub name: Status,
    pub phase: Phase,
}

/// A change from one state to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Transition {
    pub from: Status,
    pub to: Status,
    pub trigger: Trigger,
    /// The roles that may cause it.
    pub roles: BTreeSet<Role>,
    /// Restricts customers only. `None`: always open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    #[serde(default)]
    pub stock: StockEffect,
    #[serde(default)]
    pub payment: PaymentEffect,
    #[serde(default)]
    pub promotions: PromotionEffect,
}

/// A verified lifecycle.
///
/// ```
/// use commerce_core::order::{Lifecycle, Phase};
///
/// let standard = Lifecycle::standard();
/// let pending = standard.initial();
/// assert_eq!(pending.phase, Phase::AwaitingPayment);
/// assert!(Lifecycle::built_in("confirmed").is_some());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "LifecycleDraft", into = "LifecycleDraft")]
pub struct Lifecycle(LifecycleDraft);

/// An unverified lifecycle. The first state is the initial one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the names say it")]
pub struct LifecycleDraft {
    /// Its name, which orders store.
    pub name: Status,
    /// The initial state first.
    pub states: Vec<State>,
    pub transitions: Vec<Transition>,
}

impl TryFrom<LifecycleDraft> for Lifecycle {
    type Error = LifecycleError;

    /// Verifies the draft. [`LifecycleError`] has the rules.
    fn try_from(draft: LifecycleDraft) -> Result<Self, LifecycleError> {
        verify::verify(&draft)?;
        Ok(Self(draft))
    }
}

impl From<Lifecycle> for LifecycleDraft {
    fn from(lifecycle: Lifecycle) -> Self {
        lifecycle.0
    }
}

impl Lifecycle {
    /// The default lifecycle: pending → paid → shipped → delivered → completed, with cancellation and return.
    ///
    /// # Panics
    /// Never: a test verifies the built-in lifecycles.
    #[expect(clippy::expect_used, reason = "a test verifies every built-in lifecycle")]
    pub fn standard() -> Self {
        Self::built_in("standard").expect("the standard lifecycle is built in")
    }

    /// A built-in lifecycle: one of [`Lifecycle::BUILT_IN`].
    ///
    /// # Panics
    /// Never: a test verifies the built-in lifecycles.
    #[expect(clippy::expect_used, reason = "a test verifies every built-in lifecycle")]
    pub fn built_in(name: &str) -> Option<Self> {
        builtin::draft(name).map(|draft| Self::try_from(draft).expect("a built-in lifecycle is sound"))
    }

    /// The names of the built-in lifecycles.
    pub const BUILT_IN: [&'static str; 5] = ["standard", "placed", "production", "confirmed", "simple"];

    /// Its name.
    pub const fn name(&self) -> &Status {
        &self.0.name
    }

    /// The first state of an order.
    #[expect(clippy::indexing_slicing, reason = "verified: a lifecycle has at least one state")]
    pub fn initial(&self) -> &State {
        &self.0.states[0]
    }

    /// The initial state first.
    pub fn states(&self) -> &[State] {
        &self.0.states
    }

    /// Its transitions.
    pub fn transitions(&self) -> &[Transition] {
        &self.0.transitions
    }

    /// The phase of a state of this lifecycle.
    pub fn phase(&self, status: &Status) -> Option<Phase> {
        self.0.states.iter().find(|state| state.name == *status).map(|state| state.phase)
    }

    /// The transitions out of a state.
    pub fn from(&self, status: &Status) -> impl Iterator<Item = &Transition> {
        self.0.transitions.iter().filter(move |transition| transition.from == *status)
    }

    /// The first transition out of a state with a trigger.
    pub fn by_trigger(&self, status: &Status, trigger: Trigger) -> Option<&Transition> {
        self.from(status).find(|transition| transition.trigger == trigger)
    }
}

impl Transition {
    /// Whether an actor may cause the transition now.
    ///
    /// # Errors
    /// [`OrderRejection::TransitionNotPermitted`], then [`OrderRejection::WindowClosed`].
    pub fn permit(&self, order: &Order, actor: &Actor, at: DateTime<Utc>) -> Result<(), OrderRejection> {
        if !self.roles.contains(&actor.role) {
            return Err(OrderRejection::TransitionNotPermitted { role: actor.role, to: self.to.clone() });
        }
        let closes = self.window.filter(|_| actor.role == Role::Customer).and_then(|window| window.closes(order));
        match closes {
            Some(closed) if closed <= at => Err(OrderRejection::WindowClosed { to: self.to.clone(), closed }),
            _ => Ok(()),
        }
    }
}
