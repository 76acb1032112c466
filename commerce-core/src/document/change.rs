//! A change of a document: its guards, its claims and its event.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Aggregate, Claim, Document, DocumentId, DocumentKind, StoredError, patch, stored};
use crate::actor::Actor;
use crate::event::Recorded;
use crate::ids::EventId;
use crate::order::CorruptHistory;
use crate::task::{TaskChange, TaskKey, TaskKind};
use crate::trace::TraceParent;

/// The change of a document, as recorded in its history.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct DocumentEvent {
    /// The type under which the event is published, such as `product.updated`.
    pub event_type: Cow<'static, str>,
    pub change: Delta,
}

/// A change of a document's stored form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delta {
    /// The whole value of a new document.
    Created(Value),
    /// A JSON merge patch to the value before.
    Updated(Value),
}

impl Delta {
    /// A member after the change; null if it has none. `None`: the change does not concern it.
    fn member(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Created(value) | Self::Updated(value) => value.get(name),
        }
    }
}

/// Members of a stored form, with the kind of the task that is due at their time.
type TaskMembers = &'static [(&'static str, TaskKind)];

const OF_PAYMENT: TaskMembers = &[("ask_at", TaskKind::SETTLE_PAYMENT), ("evidence_at", TaskKind::ANSWER_DISPUTE)];
const OF_EVENT: TaskMembers = &[("ask_at", TaskKind::TAKE_EVENT)];
const OF_INBOX_EVENT: TaskMembers = &[("ask_at", TaskKind::TAKE_INBOX_EVENT)];
const OF_SAVED_METHOD: TaskMembers = &[("ask_at", TaskKind::SETTLE_SETUP)];

/// The tasks that documents of a kind have.
const fn task_members(kind: DocumentKind) -> TaskMembers {
    match kind {
        DocumentKind::Payment => OF_PAYMENT,
        DocumentKind::ProcessorEvent => OF_EVENT,
        DocumentKind::InboxEvent => OF_INBOX_EVENT,
        DocumentKind::SavedMethod => OF_SAVED_METHOD,
        DocumentKind::Cart
        | DocumentKind::Category
        | DocumentKind::Customer
        | DocumentKind::EventCursor
        | DocumentKind::ExternalStock
        | DocumentKind::Product
        | DocumentKind::Promotion
        | DocumentKind::WebhookEndpoint => &[],
    }
}

/// The changes of the tasks of a document that follow from a change of the document, in their order.
pub fn task_changes(id: &DocumentId, delta: &Delta) -> Vec<TaskChange> {
    let moved = task_members(id.kind).iter().filter_map(|(member, kind)| Some((kind, delta.member(member)?)));
    let changes = moved.flat_map(|(kind, due)| {
        let key = TaskKey { kind: kind.clone(), subject: id.id.clone() };
        let due = serde_json::from_value::<Option<DateTime<Utc>>>(due.clone()).ok().flatten();
        let finished = matches!(delta, Delta::Updated(_)).then(|| TaskChange::Finish(key.clone()));
        finished.into_iter().chain(due.map(|due| TaskChange::schedule(key, due)))
    });
    changes.collect()
}

/// The next value of a document, with the version of the decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentChange {
    id: DocumentId,
    expected: u64,
    document: Document,
    /// The stored form of a document that is not new. The event of a new one contains it.
    stored: Value,
    taken: Vec<Claim>,
    released: Vec<Claim>,
    added_keys: Vec<String>,
    dropped_keys: Vec<String>,
    event: Recorded<DocumentEvent>,
}

impl DocumentChange {
    /// A change from one value to the next. `before` is the value that was read; `None` for a new document.
    pub(crate) fn new<T: Aggregate>(
        before: Option<&T>,
        after: T,
        (at, actor, trace): (DateTime<Utc>, Actor, Option<TraceParent>),
        event_id: impl FnOnce(&DocumentId, u64) -> EventId,
    ) -> Self {
        let id = DocumentId { kind: T::KIND, id: after.key() };
        let (held, claimed) = (before.map(T::claims).unwrap_or_default(), after.claims());
        let (old_keys, keys) = (before.map(keys_of).unwrap_or_default(), keys_of(&after));
        let (change, stored) = match (before, stored(&after)) {
            (None, new) => (Delta::Created(new), Value::Null),
            (Some(before), next) => (Delta::Updated(patch::diff(&stored(before), &next)), next),
        };
        let event = DocumentEvent { event_type: Cow::Borrowed(after.event_type(before)), change };
        let sequence = after.version();
        Self {
            event: Recorded { id: event_id(&id, sequence), sequence, at, actor, trace, event },
            expected: before.map_or(0, T::version),
            released: missing_from(&claimed, &held),
            taken: missing_from(&held, &claimed),
            dropped_keys: missing_from(&keys, &old_keys),
            added_keys: missing_from(&old_keys, &keys),
            document: after.into(),
            stored,
            id,
        }
    }

    /// Identifies the document.
    pub const fn id(&self) -> &DocumentId {
        &self.id
    }

    /// The version required in the store; 0 for a new document.
    pub const fn expected(&self) -> u64 {
        self.expected
    }

    /// The next version.
    pub const fn version(&self) -> u64 {
        self.event.sequence
    }

    /// The next value.
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// The stored form of the next value.
    pub const fn stored(&self) -> &Value {
        match &self.event.event.change {
            Delta::Created(stored) => stored,
            Delta::Updated(_) => &self.stored,
        }
    }

    /// The claims it takes.
    pub fn taken(&self) -> &[Claim] {
        &self.taken
    }

    /// The claims it releases.
    pub fn released(&self) -> &[Claim] {
        &self.released
    }

    /// The [keys](Aggregate::keys) that the document did not have before.
    pub fn added_keys(&self) -> &[String] {
        &self.added_keys
    }

    /// The [keys](Aggregate::keys) that it no longer has.
    pub fn dropped_keys(&self) -> &[String] {
        &self.dropped_keys
    }

    /// The event of the change.
    pub const fn event(&self) -> &Recorded<DocumentEvent> {
        &self.event
    }
}

/// The values that a list lacks.
fn missing_from<T: Clone + PartialEq>(list: &[T], values: &[T]) -> Vec<T> {
    values.iter().filter(|value| !list.contains(value)).cloned().collect()
}

/// The keys of a document as a set. A product may name a category twice; a store has each key once.
fn keys_of<T: Aggregate>(document: &T) -> Vec<String> {
    let mut keys = document.keys();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Folds the whole history of a document.
///
/// # Errors
/// [`ReplayedError`] if the events do not continue each other or do not lead to a document.
pub fn replay<'a>(
    kind: DocumentKind,
    history: impl IntoIterator<Item = &'a Recorded<DocumentEvent>>,
) -> Result<Document, ReplayedError> {
    let mut value = None;
    let mut history = history.into_iter().peekable();
    // A cart may have been kept elsewhere until it was ordered.
    let begun = history.peek().map(|entry| entry.sequence).filter(|_| kind == DocumentKind::Cart);
    for (expected, entry) in (begun.unwrap_or(1)..).zip(history) {
        if entry.sequence != expected {
            let last = u64::saturating_sub(expected, 1);
            return Err(CorruptHistory::Gap { last, found: entry.sequence }.into());
        }
        match (&mut value, &entry.event.change) {
            (None, Delta::Created(created)) => value = Some(created.clone()),
            (Some(value), Delta::Updated(change)) => patch::apply(value, change),
            (None, Delta::Updated(_)) => return Err(CorruptHistory::NoBeginning.into()),
            (Some(_), Delta::Created(_)) => return Err(CorruptHistory::SecondBeginning(entry.sequence).into()),
        }
    }
    let value = value.ok_or(CorruptHistory::NoBeginning)?;
    Ok(Document::from_stored(kind, value)?)
}

/// Why a history does not lead to a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayedError {
    /// The events do not continue each other.
    #[error(transparent)]
    History(#[from] CorruptHistory),
    /// The resulting value cannot be read.
    #[error(transparent)]
    Stored(#[from] StoredError),
}
