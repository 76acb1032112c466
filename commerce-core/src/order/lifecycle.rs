//! The lifecycle of an order as data: named states, each with a phase, and the transitions between them.
//!
//! The rules of the engine key on the [`Phase`], which is a closed set; the names belong to the shop. Building a
//! [`Lifecycle`] verifies it, so a faulty one is refused with the reason before any order meets it.

mod builtin;
mod verify;

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, Serialize};

pub use self::verify::LifecycleError;
use crate::actor::{Actor, Role};
use crate::ids::IdError;
use crate::order::{Order, OrderRejection, ShipmentStatus};
use crate::text::BoundedString;

/// The name of a state, as the shop calls it: `pending`, `AWAITING_PRODUCTION`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Status(String);

impl Status {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Status {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        text.parse::<BoundedString<64>>().map(|text| Self(text.as_str().into())).map_err(|_| IdError::Unprintable)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::text::deserialize_parsed(deserializer, "a status of 1 to 64 characters")
    }
}

/// What a state means to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Being made. An order passes through in the commit that places it and never rests here.
    Draft,
    /// Placed, stock held, waiting for money.
    AwaitingPayment,
    /// Paid, stock confirmed.
    Paid,
    /// Being produced, picked or packed.
    InFulfilment,
    /// Handed to the carrier.
    Shipped,
    /// With the customer.
    Delivered,
    /// Done.
    Completed,
    /// Called off.
    Cancelled,
    /// Everything came back.
    Returned,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 9] = [
        Self::Draft,
        Self::AwaitingPayment,
        Self::Paid,
        Self::InFulfilment,
        Self::Shipped,
        Self::Delivered,
        Self::Completed,
        Self::Cancelled,
        Self::Returned,
    ];

    /// Whether the order came to nothing: it was called off, or everything came back.
    pub const fn is_undone(self) -> bool {
        matches!(self, Self::Cancelled | Self::Returned)
    }

    /// Whether the order was delivered or came to nothing, so that hardly anything follows.
    pub const fn is_over(self) -> bool {
        self.is_undone() || matches!(self, Self::Delivered | Self::Completed)
    }

    /// How far the shipment of an order in this phase is at least; none where nothing is shipped any more.
    pub const fn shipment(self) -> Option<ShipmentStatus> {
        match self {
            Self::Draft | Self::AwaitingPayment | Self::Paid | Self::InFulfilment => Some(ShipmentStatus::Pending),
            Self::Shipped => Some(ShipmentStatus::Shipped),
            Self::Delivered | Self::Completed => Some(ShipmentStatus::Delivered),
            Self::Cancelled | Self::Returned => None,
        }
    }

    /// The name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::AwaitingPayment => "awaiting_payment",
            Self::Paid => "paid",
            Self::InFulfilment => "in_fulfilment",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Returned => "returned",
        }
    }
}

/// What sets a transition off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The order is placed; leaves the draft in the same commit.
    Place,
    /// The full amount was captured.
    Pay,
    /// The payment failed for good.
    PaymentFailure,
    /// The reservation ended before payment.
    Expiry,
    /// Somebody moves the order on: to production, shipped, delivered, completed.
    Advance,
    /// Somebody calls it off.
    Cancel,
    /// The last unit came back.
    Return,
}

/// What a transition does to the order's stock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StockEffect {
    /// Nothing.
    #[default]
    None,
    /// The reservation no longer ends.
    Confirm,
    /// The promise is taken back.
    Release,
    /// The units leave the house.
    Fulfil,
    /// The units come back, as far as they have not already.
    Restock,
}

/// What a transition does to the order's payment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentEffect {
    /// Nothing. A `pay` transition records the capture that set it off.
    #[default]
    None,
    /// What is captured and not yet refunded goes back.
    Refund,
}

/// What a transition does to the promotions the order used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromotionEffect {
    /// Nothing: they stay used.
    #[default]
    None,
    /// The uses are given back: a code can be used again.
    #[serde(rename = "give_back")]
    Release,
}

/// For how long a customer may set a transition off. Others are not bound by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// From when it is counted.
    pub since: WindowStart,
    /// Its length in seconds.
    pub seconds: u32,
}

/// From when a window is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowStart {
    /// The placing of the order.
    Placed,
    /// The delivery; a window counted from a delivery that has not happened is open.
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
pub struct State {
    /// Its name.
    pub name: Status,
    /// What it means.
    pub phase: Phase,
}

/// A way from one state to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transition {
    /// From where.
    pub from: Status,
    /// To where.
    pub to: Status,
    /// What sets it off.
    pub trigger: Trigger,
    /// Who may set it off.
    pub roles: BTreeSet<Role>,
    /// For how long a customer may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// What it does to the stock.
    #[serde(default)]
    pub stock: StockEffect,
    /// What it does to the payment.
    #[serde(default)]
    pub payment: PaymentEffect,
    /// What it does to the promotions that were used.
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

/// A lifecycle as somebody wrote it, not verified yet. The first state is the initial one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LifecycleDraft {
    /// Its name, which orders remember.
    pub name: Status,
    /// Its states, the initial one first.
    pub states: Vec<State>,
    /// Its transitions.
    pub transitions: Vec<Transition>,
}

impl TryFrom<LifecycleDraft> for Lifecycle {
    type Error = LifecycleError;

    /// Verifies the draft; see [`LifecycleError`] for what can be wrong.
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

    /// The state an order starts in.
    #[expect(clippy::indexing_slicing, reason = "verified: a lifecycle has at least one state")]
    pub fn initial(&self) -> &State {
        &self.0.states[0]
    }

    /// Its states, the initial one first.
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

    /// The first transition out of a state that a trigger sets off.
    pub fn by_trigger(&self, status: &Status, trigger: Trigger) -> Option<&Transition> {
        self.from(status).find(|transition| transition.trigger == trigger)
    }
}

impl Transition {
    /// Whether an actor may set the transition off now.
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
