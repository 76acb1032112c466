//! Events of processors, as they were received.

use alloc::string::String;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{NewOperation, Operation, OperationKind, OperationState, Payment};
use crate::document::Aggregate;
use crate::ids::{EventId, OperationId};
use crate::port::ProcessorEvent;
use crate::text::{BoundedString, named};

/// An event of a processor. It is stored before anything follows from it, once, however often it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ReceivedEvent {
    /// Follows from the name of the processor or source and its id of the event.
    pub id: EventId,
    /// The name of the processor; of an event of the [inbox](crate::inbox), `inbox:` and the source.
    pub processor: BoundedString<64>,
    pub event: ProcessorEvent,
    pub state: ReceivedState,
    /// How often it was tried to find what it is about.
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

/// How far the list of a processor's events was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct EventCursor {
    /// The name of the processor.
    pub id: BoundedString<64>,
    /// For the next call of [`Processor::list`](crate::port::Processor::list).
    pub cursor: String,
    /// Grows by one with every change.
    pub version: u64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Aggregate for EventCursor {}

named! {
    /// What became of a received event.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum ReceivedState {
        /// Nothing has followed from it yet.
        Received = "received",
        /// What follows from it is recorded.
        Processed = "processed",
        /// It is about nothing that the shop knows. It is tried again, and then waits for staff.
        Unmatched = "unmatched",
    }
}

/// What an event about a payment is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// This operation.
    Operation(OperationId),
    /// Nothing that moved money.
    Nothing,
    /// Perhaps an operation of the shop whose id at the processor is not known yet, or one without any id.
    Unclear,
}

impl ReceivedEvent {
    /// An event that was received now.
    pub fn new(processor: BoundedString<64>, event: ProcessorEvent, at: DateTime<Utc>) -> Self {
        Self {
            id: Self::id_of(&processor, &event),
            processor,
            event,
            state: ReceivedState::Received,
            tried: 0,
            ask_at: Some(at),
            version: 1,
            created_at: at,
            updated_at: at,
        }
    }

    /// The id of an event of a processor: a hash (FNV-1a, 2 × 64 bits) of both names.
    pub fn id_of(processor: &BoundedString<64>, event: &ProcessorEvent) -> EventId {
        let text = alloc::format!("{processor}\n{}", event.id);
        let hash = |offset| text.bytes().fold(offset, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
        EventId::new(Uuid::from_u64_pair(hash(OFFSET), hash(!OFFSET)))
    }

    /// What follows from it is recorded.
    #[must_use]
    pub fn processed(&self, at: DateTime<Utc>) -> Self {
        let version = self.version.saturating_add(1);
        Self { state: ReceivedState::Processed, ask_at: None, version, updated_at: at, ..self.clone() }
    }

    /// It is tried again now, and as often as a new one.
    #[must_use]
    pub fn retried(&self, at: DateTime<Utc>) -> Self {
        let version = self.version.saturating_add(1);
        Self { tried: 0, ask_at: Some(at), version, updated_at: at, ..self.clone() }
    }

    /// It is about nothing that the shop knows, and is tried again after the pauses of an [operation](Operation::pause).
    #[must_use]
    pub fn unmatched(&self, at: DateTime<Utc>) -> Self {
        let ask_at = Operation::pause(self.tried).and_then(|pause| at.checked_add_signed(pause));
        Self {
            state: ReceivedState::Unmatched,
            tried: self.tried.saturating_add(1),
            ask_at,
            version: self.version.saturating_add(1),
            updated_at: at,
            ..self.clone()
        }
    }
}

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

impl ReceivedEvent {
    /// The key of all events in a state.
    pub fn key_of_state(state: ReceivedState) -> String {
        alloc::format!("state:{state}")
    }
}

impl Aggregate for ReceivedEvent {
    fn keys(&self) -> Vec<String> {
        let reference =
            self.event.answer.payment_reference.iter().map(|reference| Payment::key_of_reference(reference));
        reference.chain([Self::key_of_state(self.state)]).collect()
    }
}

impl Payment {
    /// The operation that an event names, if the event is about one of another kind.
    pub fn operation_of_other_kind(&self, event: &ProcessorEvent) -> Option<&Operation> {
        event.operation.and_then(|id| self.operation(id)).filter(|known| known.kind != event.kind)
    }

    /// What an event is about. An operation that the shop did not start, such as a payment by the customer at the processor, a refund
    /// made there or a dispute, is added.
    ///
    /// It is unclear if the event names an operation of [another kind](Self::operation_of_other_kind).
    pub fn operation_of(&mut self, event: &ProcessorEvent, new: OperationId, at: DateTime<Utc>) -> Subject {
        if self.operation_of_other_kind(event).is_some() {
            return Subject::Unclear;
        }
        let by_reference = |known: &&Operation| {
            known.kind == event.kind && known.reference.is_some() && known.reference == event.answer.reference
        };
        let known = event.operation.and_then(|id| self.operation(id));
        let known = known.or_else(|| self.operations.iter().find(by_reference));
        // A processor authorizes a payment once.
        let same_kind = |state: fn(OperationState) -> bool| {
            let authorizations = self.operations.iter().filter(|known| known.kind == OperationKind::Authorize);
            authorizations.into_iter().find(|known| state(known.state) && event.kind == OperationKind::Authorize)
        };
        let known = known.or_else(|| same_kind(OperationState::is_open));
        let known = known.or_else(|| same_kind(|state| state == OperationState::Succeeded));
        if let Some(known) = known {
            return Subject::Operation(known.id);
        }
        // By hand, or because the hold ran out. It can be known before the authorization.
        let takes_hold = matches!(event.kind, OperationKind::Capture | OperationKind::Void);
        if takes_hold && event.amount.minor() > self.totals().capturable() {
            return Subject::Unclear;
        }
        let pays_out = event.kind.pays_out();
        let may_be_it = |own: &Operation| own.kind == event.kind && own.state.is_open() && own.reference.is_none();
        let is_unclear = event.operation.is_none() && self.operations.iter().any(may_be_it);
        if is_unclear || pays_out && event.answer.reference.is_none() {
            return Subject::Unclear;
        }
        if !pays_out && !event.moved() {
            return Subject::Nothing;
        }
        let id = event.operation.unwrap_or(new);
        let added = Operation::new(NewOperation::new(id, event.kind, event.amount), at);
        self.operations.push(Operation { sent: (!pays_out).into(), ..added });
        Subject::Operation(id)
    }
}
