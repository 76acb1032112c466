//! The history of a document.

use chrono::{DateTime, Utc};
use commerce_core::document::{Delta, DocumentEvent};
use commerce_core::event::Recorded;
use commerce_core::ids::EventId;
use serde_json::Value;

use super::order::ActorShape;
use super::shape::shape;

shape! {
    /// A change of a document: a cart, a category, a product or a promotion.
    #[schema(as = DocumentEvent)]
    pub(crate) struct DocumentEventShape<'a> from entry: &'a Recorded<DocumentEvent> {
        event_id: EventId = entry.id,
        #[schema(example = "product.updated")]
        event_type: &'a str = &entry.event.event_type,
        timestamp: DateTime<Utc> = entry.at,
        /// The number within the document, from 1 without gaps: its version after the change.
        sequence: u64 = entry.sequence,
        actor: ActorShape<'a> = (&entry.actor).into(),
        /// The whole stored value. Only in the first event.
        #[schema(value_type = Option<Object>)]
        created: Option<&'a Value> = if let Delta::Created(whole) = &entry.event.change { Some(whole) } else { None },
        /// A JSON merge patch (RFC 7396) of the stored value. In all later events.
        #[schema(value_type = Option<Object>)]
        updated: Option<&'a Value> = if let Delta::Updated(patch) = &entry.event.change { Some(patch) } else { None },
    }
}
