//! Events as recorded in the history.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::document::{DocumentEvent, DocumentId, DocumentKind};
use crate::ids::{EventId, OrderId, Sku};
use crate::order::OrderEvent;
use crate::stock::StockEvent;
use crate::task::{TaskEvent, TaskKey};
use crate::trace::TraceParent;

/// An event with its place in the history of one order, SKU, document or task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Recorded<E> {
    /// Consumers recognize a repeated event by its id.
    pub id: EventId,
    /// The number within its stream. Numbers of an order, a document or a task run from 1 without a gap; those of a SKU
    /// only rise.
    pub sequence: u64,
    /// The time of the decision.
    pub at: DateTime<Utc>,
    pub actor: Actor,
    /// The span that caused it, if a caller named its trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceParent>,
    pub event: E,
}

/// One entry of the whole history.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum HistoryEntry {
    Order(OrderId, Recorded<OrderEvent>),
    Stock(Sku, Recorded<StockEvent>),
    Document(DocumentId, Recorded<DocumentEvent>),
    Task(TaskKey, Recorded<TaskEvent>),
}

impl HistoryEntry {
    /// The type of the event.
    pub fn event_type(&self) -> &str {
        match self {
            Self::Order(_, entry) => entry.event.event_type(),
            Self::Stock(_, entry) => entry.event.event_type(),
            Self::Document(_, entry) => &entry.event.event_type,
            Self::Task(_, entry) => entry.event.event_type(),
        }
    }

    /// Whether the event leaves the shop.
    pub const fn is_published(&self) -> bool {
        match self {
            Self::Order(..) | Self::Stock(..) | Self::Task(..) => true,
            Self::Document(id, _) => id.kind.is_published(),
        }
    }
}

/// The types of all events that leave the shop.
pub fn published_types() -> impl Iterator<Item = &'static str> {
    let kinds = DocumentKind::ALL.iter().filter(|kind| kind.is_published());
    let documents = kinds.flat_map(|kind| kind.event_types());
    OrderEvent::TYPES.iter().chain(StockEvent::TYPES).chain(TaskEvent::TYPES).chain(documents).copied()
}
