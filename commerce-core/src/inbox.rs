//! The inbox: events of other systems, which come as signed webhooks or over brokers.
//!
//! A [`Message`] of a [`Source`] is read into an [`IncomingEvent`]. What follows from it and the [`InboxEvent`] that remembers it are one
//! commit, so an event takes effect once, however often it comes. What cannot be read or done is a dead letter: staff retry or discard it.
//!
//! # Invariants
//! * `INB-1`: an event of a source is in the inbox once. Its source and id are a claim that is never released. Ids of messages that cannot be read are
//!   apart from those of events.
//! * `INB-2`: an event whose message is kept has one of the [`MAX_UNSETTLED`] places of its source, so that the dead letters are bounded and
//!   no source takes the places of another.
//! * `INB-3`: a level of stock replaces only levels of the same source and SKU with a lower version. Nothing orders levels and changes of one
//!   SKU among each other, so a source uses either.
//! * `INB-4`: what a source tells about payments has no id of the payment processor or of another source, and makes no operation one of another kind.

mod event;
mod message;
mod payload;

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeMap;
use alloc::string::String;
use core::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub(crate) use self::event::Kept;
pub use self::event::{ExternalStock, IdOf, InboxEvent, InboxId, InboxState};
pub use self::message::{IncomingEvent, Message, Reading, Unreadable};
pub use self::payload::{LevelChange, Payload, StockDelta};
use crate::actor::{Actor, Role};
use crate::text::{BoundedString, named, shows_text};

/// The maximum length of the id of an event, in characters.
pub const MAX_EVENT_ID: usize = 127;
/// The maximum number of events of a source that wait or are dead.
pub const MAX_UNSETTLED: u16 = 256;
/// The maximum size of a message, in bytes.
pub const MAX_MESSAGE: usize = 64 * 1024;
/// The newest version of the data of events that is understood.
pub const SCHEMA_VERSION: u64 = 1;

/// The id of an event: unique within its source.
pub type IncomingId = BoundedString<MAX_EVENT_ID>;

/// The name of a source: 1 to 32 letters, digits, `-` and `_`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SourceName(String);

shows_text!(SourceName);

/// The text is not the name of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the name of a source has 1 to 32 letters, digits, - and _")]
pub struct ParseSourceNameError;

impl FromStr for SourceName {
    type Err = ParseSourceNameError;

    fn from_str(text: &str) -> Result<Self, ParseSourceNameError> {
        let fits = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if fits && (1..=32).contains(&text.len()) { Ok(Self(text.to_owned())) } else { Err(ParseSourceNameError) }
    }
}

impl SourceName {
    /// Who causes what follows from events of the source: a service, `source:NAME`.
    pub fn actor(&self) -> Actor {
        alloc::format!("source:{self}").parse().map_or(Actor::SYSTEM, |user| Actor::user(Role::Service, user))
    }

    /// The name under which events about payments are received, `inbox:NAME`. A payment processor has none with a colon.
    #[expect(clippy::expect_used, reason = "it has at most 38 characters")]
    pub(crate) fn processor(&self) -> BoundedString<64> {
        alloc::format!("inbox:{self}").parse().expect("the name of a source is short")
    }
}

/// What may come from a source, and in which form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The form of its messages.
    pub envelope: Envelope,
    /// The types of events that are taken, by their names at the source. Others are ignored.
    pub types: BTreeMap<String, IncomingType>,
}

named! {
    /// What events of other systems are about.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum IncomingType {
        /// An operation of a payment other than a refund has succeeded, or is pending.
        PaymentSucceeded = "PaymentSucceeded",
        /// An operation of a payment other than a refund was declined.
        PaymentFailed = "PaymentFailed",
        /// A refund has succeeded, is pending or was declined.
        RefundProcessed = "RefundProcessed",
        /// A user may not buy any more: their unpaid orders are cancelled.
        UserDeactivated = "user.deactivated",
        /// The units on hand of a SKU, with a version that only rises.
        StockLevel = "stock.level",
        /// A change of the units on hand of a SKU, with a key of its own.
        StockDelta = "stock.delta",
    }
}

impl IncomingType {
    /// The type with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.name() == name)
    }
}

named! {
    /// The form of messages.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    pub enum Envelope {
        /// `CloudEvents` 1.0 as JSON.
        #[default]
        CloudEvents = "cloudevents",
        /// `event_id`, `event_type`, `timestamp`, `sequence`, `data`.
        Plain = "plain",
    }
}

named! {
    /// Why an event is a dead letter or waits.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum DeadLetterReason {
        /// The message or its data cannot be read.
        Malformed = "malformed",
        /// The message is of a newer version than this engine understands.
        FutureVersion = "future_version",
        /// The settings do not have the source or the type any more.
        NotSubscribed = "not_subscribed",
        /// It names an order or a payment that does not exist.
        NotFound = "not_found",
        /// A rule refuses what follows from it.
        Refused = "refused",
    }
}

impl DeadLetterReason {
    /// Whether it may pass on its own, so that the event is tried again.
    const fn may_pass(self) -> bool {
        match self {
            Self::NotFound | Self::Refused => true,
            Self::Malformed | Self::FutureVersion | Self::NotSubscribed => false,
        }
    }
}

/// Why an event is a dead letter or waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Reason {
    pub code: DeadLetterReason,
    /// For staff.
    pub detail: String,
}

impl Reason {
    /// The maximum length of the detail, in characters.
    const MAX_DETAIL: usize = 300;

    /// A reason with a detail, of which the beginning is kept.
    pub fn new(code: DeadLetterReason, detail: &impl alloc::string::ToString) -> Self {
        let kept = detail.to_string().chars().filter(|char| !char.is_control()).take(Self::MAX_DETAIL).collect();
        Self { code, detail: kept }
    }
}

named! {
    /// What became of a message.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Receipt {
        /// It took effect now.
        Applied = "applied",
        /// It changes nothing: it is older than what is known, or says again what another event said.
        Outdated = "outdated",
        /// It was received before.
        Duplicate = "duplicate",
        /// Its type is not taken from this source. It is not remembered.
        Ignored = "ignored",
        /// It names something that may come later. It is tried again.
        Waiting = "waiting",
        /// It is a dead letter.
        DeadLettered = "dead_lettered",
    }
}
