//! Means of payment that customers save for later.

use alloc::string::String;
use alloc::vec::Vec;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::decide::after;
use super::{Decline, Reference};
use crate::document::{Aggregate, Claim, ClaimKind};
use crate::ids::{PaymentMethodId, UserId};
use crate::text::{BoundedString, named};

/// The maximum number of means of payment that a customer has saved or is saving.
pub const MAX_SAVED_METHODS: u16 = 20;

/// A means of payment that a customer saved at the processor, or is about to save.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SavedMethod {
    pub id: PaymentMethodId,
    /// The customer.
    pub user_id: UserId,
    /// The place among those of the customer, below [`MAX_SAVED_METHODS`]. A claim, so that there are no more.
    pub slot: u16,
    /// The name of the processor.
    pub processor: BoundedString<64>,
    /// The processor's id of the setup, with which the customer saves it.
    pub setup: Reference,
    pub state: SavedMethodState,
    /// What was saved. `None` before, and once it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<SavedCard>,
    /// When the customer agreed that it is charged later, when they are not there.
    pub consented_at: DateTime<Utc>,
    /// How often the task asked the processor whether the customer has entered it.
    #[serde(default)]
    pub asked: u32,
    /// When it asks next. `None`: it is not pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask_at: Option<DateTime<Utc>>,
    /// Grows by one with every change.
    pub version: u64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What the shop knows of a card that was saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedCard {
    /// The processor's id, which is charged.
    pub reference: Reference,
    /// Such as `visa`.
    pub brand: BoundedString<64>,
    /// The last four digits.
    pub last_four: BoundedString<4>,
}

named! {
    /// The state of a saved means of payment.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum SavedMethodState {
        /// The customer has to enter it at the processor.
        Pending = "pending",
        /// It can be charged.
        Active = "active",
        /// The processor has forgotten it, or the customer did not enter it in time.
        Deleted = "deleted",
    }
}

/// Why a means of payment cannot be saved or charged.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say it")]
pub enum SavedMethodRejection {
    #[error("the payment processor saves no means of payment")]
    Unsupported,
    #[error("a customer saves at most {MAX_SAVED_METHODS} means of payment")]
    TooMany,
    #[error("the means of payment was declined: {}", .0.message)]
    Declined(Decline),
    /// The customer has not entered it, or it was saved at another processor.
    #[error("the means of payment cannot be charged")]
    NotActive,
}

impl SavedMethod {
    /// The key of all that a customer has not deleted.
    pub fn key_of_user(user: &UserId) -> String {
        alloc::format!("user:{user}")
    }

    /// One that is to be saved. The processor is asked about it until it is.
    pub fn pending(
        (id, user_id): (PaymentMethodId, UserId),
        slot: u16,
        (processor, setup): (BoundedString<64>, Reference),
        at: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            user_id,
            slot,
            processor,
            setup,
            state: SavedMethodState::Pending,
            card: None,
            consented_at: at,
            asked: 0,
            ask_at: after(at, pause(0)),
            version: 1,
            created_at: at,
            updated_at: at,
        }
    }

    /// The customer has not entered it yet. After the last question it ends.
    #[must_use]
    pub fn waiting(&self, at: DateTime<Utc>) -> Self {
        let asked = self.asked.saturating_add(1);
        match after(at, pause(asked)) {
            Some(ask_at) => Self { asked, ask_at: Some(ask_at), ..self.next(self.state, None, at) },
            None => self.deleted(at),
        }
    }

    /// It was saved.
    #[must_use]
    pub fn saved(&self, card: SavedCard, at: DateTime<Utc>) -> Self {
        self.next(SavedMethodState::Active, Some(card), at)
    }

    /// The processor has forgotten it.
    #[must_use]
    pub fn deleted(&self, at: DateTime<Utc>) -> Self {
        self.next(SavedMethodState::Deleted, None, at)
    }

    fn is_listed(&self) -> bool {
        self.state != SavedMethodState::Deleted
    }

    fn next(&self, state: SavedMethodState, card: Option<SavedCard>, at: DateTime<Utc>) -> Self {
        Self { state, card, ask_at: None, version: self.version.saturating_add(1), updated_at: at, ..self.clone() }
    }
}

/// How long after a question the processor is asked again whether a pending one was entered. `None`: not any more.
const fn pause(asked: u32) -> Option<TimeDelta> {
    match asked {
        0 => Some(TimeDelta::minutes(1)),
        1 => Some(TimeDelta::minutes(5)),
        2 => Some(TimeDelta::hours(1)),
        3 => Some(TimeDelta::days(1)),
        _ => None,
    }
}

impl Aggregate for SavedMethod {
    const EVENT_TYPES: &[&str] = &["payment_method.created", "payment_method.updated", "payment_method.deleted"];

    fn claims(&self) -> Vec<Claim> {
        let place = alloc::format!("{}/{}", self.user_id, self.slot);
        self.is_listed().then(|| Claim::new(ClaimKind::SavedMethod, &place)).into_iter().collect()
    }

    fn keys(&self) -> Vec<String> {
        self.is_listed().then(|| Self::key_of_user(&self.user_id)).into_iter().collect()
    }

    fn event_type(&self, before: Option<&Self>) -> &'static str {
        match (before, self.state) {
            (None, _) => "payment_method.created",
            (Some(_), SavedMethodState::Deleted) => "payment_method.deleted",
            (Some(_), SavedMethodState::Pending | SavedMethodState::Active) => "payment_method.updated",
        }
    }
}
