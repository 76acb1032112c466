//! Payments at processors where they must be opened before the customer can pay.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::decide::after;
use super::{Operation, Payment, Reference};
use crate::order::Order;
use crate::text::named;

/// How a payment stands at a processor where it must be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Opening {
    pub state: OpeningState,
    /// When the processor must be called for it. `None`: there is nothing to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask_at: Option<DateTime<Utc>>,
}

named! {
    /// Whether a payment is open at the processor.
    ///
    /// ```text
    /// requested ──► open ──► closing ──► closed ──► requested (what was held was given back)
    ///      └───────────┴─ (it was paid, or is not needed) ─┘
    /// ```
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum OpeningState {
        /// It is to be opened.
        Requested = "requested",
        /// The customer can pay.
        Open = "open",
        /// Nobody is to pay any more, and the processor does not know it yet.
        Closing = "closing",
        /// It was paid, or nobody can pay any more.
        Closed = "closed",
    }
}

impl Payment {
    /// Requests that it is opened. The caller opens it at once; if it does not succeed, the task of the payment does.
    pub fn request_opening(&mut self, at: DateTime<Utc>) {
        self.set_opening(OpeningState::Requested, after(at, Operation::pause(0)));
    }

    /// Whether the customer can pay only once it is opened: it never was, or what was held for it was given back.
    pub fn is_to_be_opened(&self) -> bool {
        let is_closed = |opening: Opening| opening.state == OpeningState::Closed;
        !self.is_secured() && self.opening.is_none_or(is_closed)
    }

    /// Whether the customer can pay at the processor, or will be able to.
    pub fn is_open(&self) -> bool {
        let state = self.opening.map(|opening| opening.state);
        matches!(state, Some(OpeningState::Requested | OpeningState::Open))
    }

    /// What has to be done at the processor by now.
    pub fn due_opening(&self, now: DateTime<Utc>) -> Option<OpeningState> {
        self.opening.filter(|opening| opening.ask_at.is_some_and(|at| at <= now)).map(|opening| opening.state)
    }

    /// Records that the processor opened it. If nobody is to pay any more by then, it has to be closed.
    pub fn record_opened(&mut self, reference: Reference, at: DateTime<Utc>) {
        let is_new = self.reference.as_ref() != Some(&reference);
        self.reference = Some(reference);
        match self.opening.map(|opening| opening.state) {
            Some(OpeningState::Requested) => self.set_opening(OpeningState::Open, None),
            Some(OpeningState::Closed) if is_new => self.set_opening(OpeningState::Closing, Some(at)),
            Some(OpeningState::Open | OpeningState::Closing | OpeningState::Closed) | None => {}
        }
    }

    /// Records that the processor closed it.
    pub fn record_closed(&mut self) {
        self.set_opening(OpeningState::Closed, None);
    }

    /// What follows from the state of its order: a payment that was paid here needs nothing more; if the order is over or was paid
    /// in another way, nobody is to pay any more.
    pub fn follow_order(&mut self, order: &Order, at: DateTime<Utc>) {
        let is_paid = self.is_secured();
        if !self.is_open() || (order.can_be_paid() && !is_paid) {
            return;
        }
        if is_paid || self.reference.is_none() {
            self.record_closed();
        } else {
            self.set_opening(OpeningState::Closing, Some(at));
        }
    }

    /// Whether money was held or taken, and not given back as a whole.
    fn is_secured(&self) -> bool {
        let totals = self.totals();
        totals.authorized > totals.voided
    }

    fn set_opening(&mut self, state: OpeningState, ask_at: Option<DateTime<Utc>>) {
        self.opening = Some(Opening { state, ask_at });
        self.set_alarm();
    }
}
