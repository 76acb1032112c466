//! What happened: events as the history keeps them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::document::{DocumentEvent, DocumentId};
use crate::ids::{EventId, OrderId, Sku};
use crate::order::OrderEvent;
use crate::stock::StockEvent;

/// An event with its place in the history of one order, sku or document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded<E> {
    /// Names the event; consumers that see it twice know it by this.
    pub id: EventId,
    /// Its number within its stream. Those of an order or a document run from 1 without a gap; those of a sku
    /// only rise.
    pub sequence: u64,
    /// When it was decided.
    pub at: DateTime<Utc>,
    /// Who caused it.
    pub actor: Actor,
    /// What happened.
    pub event: E,
}

/// One entry of the whole history, as a replay reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryEntry {
    /// Something happened to an order.
    Order(OrderId, Recorded<OrderEvent>),
    /// Something happened to the stock of a sku.
    Stock(Sku, Recorded<StockEvent>),
    /// A document was created or changed.
    Document(DocumentId, Recorded<DocumentEvent>),
}
