//! The history of a document.

use chrono::{DateTime, Utc};
use commerce_core::document::{Delta, DocumentEvent};
use commerce_core::event::Recorded;
use commerce_core::ids::EventId;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::order::ActorShape;

/// A change of a document: a cart, a category, a product or a promotion.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DocumentEvent)]
pub(crate) struct DocumentEventShape<'a> {
    event_id: EventId,
    #[schema(example = "product.updated")]
    event_type: &'a str,
    timestamp: DateTime<Utc>,
    /// Its number within the document, from 1 without a gap: the version of the document after it.
    sequence: u64,
    actor: ActorShape<'a>,
    /// The whole stored value, in the first event.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    created: Option<&'a Value>,
    /// A JSON merge patch (RFC 7396) to the stored value before, in every later event.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    updated: Option<&'a Value>,
}

impl<'a> From<&'a Recorded<DocumentEvent>> for DocumentEventShape<'a> {
    fn from(entry: &'a Recorded<DocumentEvent>) -> Self {
        let (created, updated) = match &entry.event.change {
            Delta::Created(value) => (Some(value), None),
            Delta::Updated(patch) => (None, Some(patch)),
        };
        Self {
            event_id: entry.id,
            event_type: &entry.event.event_type,
            timestamp: entry.at,
            sequence: entry.sequence,
            actor: (&entry.actor).into(),
            created,
            updated,
        }
    }
}
