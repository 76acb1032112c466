//! What the inbox remembers of events.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{IncomingId, LevelChange, Reason, SourceName};
use crate::document::{Aggregate, Claim, ClaimKind, Versioned as _};
use crate::ids::{EventId, Sku};
use crate::payment::Operation;
use crate::text::{BoundedString, named};

/// An event of another system, as the shop remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct InboxEvent {
    pub id: EventId,
    pub source: SourceName,
    /// That of the source. Of a message that could not be read, that of the transport.
    pub event_id: IncomingId,
    /// Which of both.
    #[serde(default, skip_serializing_if = "IdOf::is_event")]
    pub id_of: IdOf,
    /// What it is about, as far as that could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    pub state: InboxState,
    /// Why it is dead or waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The message, while the event is dead or waits. The history keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The place among those of the source that are dead or wait, below [`MAX_UNSETTLED`](super::MAX_UNSETTLED). A claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<u16>,
    /// The key of a change of stock that took effect. A claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta_key: Option<BoundedString<120>>,
    /// How often it was tried.
    #[serde(default)]
    pub tried: u32,
    /// When it is tried next; when its task is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask_at: Option<DateTime<Utc>>,
    /// Grows by one with every change.
    pub version: u64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

named! {
    /// What became of an event.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum InboxState {
        /// What follows from it is recorded.
        Settled = "settled",
        /// It is tried again.
        Waiting = "waiting",
        /// It waits for staff.
        Dead = "dead",
        /// Staff decided that nothing follows from it.
        Discarded = "discarded",
    }
}

named! {
    /// What an id is of. The ids of both are apart.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum IdOf {
        /// The event; its source gave it.
        #[default]
        Event = "event",
        /// The message; the transport gave it.
        Message = "message",
    }
}

impl IdOf {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    const fn is_event(&self) -> bool {
        matches!(self, Self::Event)
    }
}

/// By what an event is remembered within its source.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct InboxId {
    pub of: IdOf,
    pub id: IncomingId,
}

impl InboxId {
    /// The id of an event.
    pub const fn event(id: IncomingId) -> Self {
        Self { of: IdOf::Event, id }
    }

    /// The id of a message whose event has none that can be read.
    pub const fn message(id: IncomingId) -> Self {
        Self { of: IdOf::Message, id }
    }
}

/// The message of an event, and the place that it takes while it is kept.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) body: String,
    pub(crate) slot: u16,
}

impl InboxEvent {
    /// An event that was received now and has taken effect.
    pub(crate) fn new(
        id: EventId,
        (source, known_by): (SourceName, InboxId),
        kind: Option<String>,
        at: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            source,
            event_id: known_by.id,
            id_of: known_by.of,
            kind,
            state: InboxState::Settled,
            reason: None,
            body: None,
            slot: None,
            delta_key: None,
            tried: 0,
            ask_at: None,
            version: 0,
            created_at: at,
            updated_at: at,
        }
    }

    /// Whether its message is kept.
    pub const fn is_unsettled(&self) -> bool {
        matches!(self.state, InboxState::Waiting | InboxState::Dead)
    }

    fn next(&self, state: InboxState, at: DateTime<Utc>) -> Self {
        Self { state, version: self.version.saturating_add(1), updated_at: at, ..self.clone() }
    }

    /// What follows from it is recorded. Its message is not needed any more.
    #[must_use]
    pub(crate) fn settled(&self, at: DateTime<Utc>) -> Self {
        Self { reason: None, body: None, slot: None, ask_at: None, ..self.next(InboxState::Settled, at) }
    }

    /// It cannot take effect now. It is tried again if that may help, after the pauses of an [operation](Operation::pause).
    #[must_use]
    pub(crate) fn failed(&self, reason: Reason, kept: Kept, at: DateTime<Utc>) -> Self {
        let pause = Operation::pause(self.tried).filter(|_| reason.code.may_pass());
        let ask_at = pause.and_then(|pause| at.checked_add_signed(pause));
        let state = if ask_at.is_some() { InboxState::Waiting } else { InboxState::Dead };
        Self {
            reason: Some(reason),
            body: Some(self.body.clone().unwrap_or(kept.body)),
            slot: Some(self.slot.unwrap_or(kept.slot)),
            tried: self.tried.saturating_add(1),
            ask_at,
            ..self.next(state, at)
        }
    }

    /// A dead letter that is tried again now, and as often as a new event.
    #[must_use]
    pub(crate) fn retried(&self, at: DateTime<Utc>) -> Self {
        Self { tried: 0, ask_at: Some(at), ..self.next(InboxState::Waiting, at) }
    }

    /// A dead letter, or an event that waits, from which nothing follows.
    #[must_use]
    pub(crate) fn discarded(&self, at: DateTime<Utc>) -> Self {
        Self { body: None, slot: None, ask_at: None, ..self.next(InboxState::Discarded, at) }
    }

    /// By what it is remembered.
    pub(crate) fn known_by(&self) -> InboxId {
        InboxId { of: self.id_of, id: self.event_id.clone() }
    }

    /// The key of an event of a source.
    pub(crate) fn key_of(source: &SourceName, InboxId { of, id }: &InboxId) -> String {
        format!("{of}:{source}/{id}")
    }

    /// The key of all events in a state.
    pub(crate) fn key_of_state(state: InboxState) -> String {
        format!("state:{state}")
    }

    /// The key of the event that made a change of stock.
    pub(crate) fn key_of_delta(source: &SourceName, key: &BoundedString<120>) -> String {
        format!("delta:{source}/{key}")
    }
}

impl Aggregate for InboxEvent {
    const EVENT_TYPES: &[&str] = &[
        Self::CREATED,
        Self::UPDATED,
        "inbox_event.settled",
        "inbox_event.dead_lettered",
        "inbox_event.retried",
        "inbox_event.discarded",
    ];

    fn claims(&self) -> Vec<Claim> {
        let received = Claim::new(ClaimKind::InboxEvent, &Self::key_of(&self.source, &self.known_by()));
        let delta = |key| Claim::new(ClaimKind::StockDelta, &format!("{}/{key}", self.source));
        let place = self.slot.map(|slot| Claim::new(ClaimKind::DeadLetter, &format!("{}/{slot}", self.source)));
        [received].into_iter().chain(self.delta_key.as_ref().map(delta)).chain(place).collect()
    }

    fn keys(&self) -> Vec<String> {
        let delta = self.delta_key.as_ref().map(|key| Self::key_of_delta(&self.source, key));
        let unsettled = self.is_unsettled().then(|| Self::key_of_state(self.state));
        [Self::key_of(&self.source, &self.known_by())].into_iter().chain(delta).chain(unsettled).collect()
    }

    fn event_type(&self, before: Option<&Self>) -> &'static str {
        match (before, self.state) {
            (_, InboxState::Dead) => "inbox_event.dead_lettered",
            (None, _) => Self::CREATED,
            (Some(_), InboxState::Settled) => "inbox_event.settled",
            (Some(_), InboxState::Discarded) => "inbox_event.discarded",
            (Some(before), InboxState::Waiting) if before.state == InboxState::Dead => "inbox_event.retried",
            (Some(_), InboxState::Waiting) => Self::UPDATED,
        }
    }
}

/// The version of the last level of stock that a source told about a SKU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ExternalStock {
    pub id: EventId,
    pub source: SourceName,
    pub sku: Sku,
    /// That of the source.
    pub level_version: u64,
    /// Grows by one with every change.
    pub version: u64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl ExternalStock {
    /// With the next level. `None` if it is not newer than the known one.
    pub(crate) fn follow(
        known: Option<&Self>,
        (id, source): (EventId, &SourceName),
        level: &LevelChange,
        at: DateTime<Utc>,
    ) -> Option<Self> {
        if known.is_some_and(|known| known.level_version >= level.version) {
            return None;
        }
        Some(Self {
            id: known.map_or(id, |known| known.id),
            source: source.clone(),
            sku: level.sku.clone(),
            level_version: level.version,
            version: known.map_or(0, |known| known.version).saturating_add(1),
            created_at: known.map_or(at, |known| known.created_at),
            updated_at: at,
        })
    }

    /// The key of what a source told about a SKU.
    pub(crate) fn key_of(source: &SourceName, sku: &Sku) -> String {
        format!("{source}/{sku}")
    }
}

impl Aggregate for ExternalStock {
    fn claims(&self) -> Vec<Claim> {
        [Claim::new(ClaimKind::ExternalStock, &Self::key_of(&self.source, &self.sku))].into()
    }

    fn keys(&self) -> Vec<String> {
        [Self::key_of(&self.source, &self.sku)].into()
    }
}
