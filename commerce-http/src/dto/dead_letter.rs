//! Events of other systems that could not take effect.

use chrono::{DateTime, Utc};
use commerce_core::engine::Received;
use commerce_core::ids::EventId;
use commerce_core::inbox::{DeadLetterReason, InboxEvent, InboxState, Receipt};

use super::shape::shape;

shape! {
    /// An event of another system that could not take effect.
    pub(crate) struct DeadLetter<'a> from event: &'a InboxEvent {
        id: EventId = event.id,
        #[schema(example = "erp")]
        source: &'a str = event.source.as_str(),
        /// The id of the event at the source; with `CloudEvents`, its `source` and `id`. Of a message that cannot be read, its `webhook-id`.
        event_id: &'a str = event.event_id.as_str(),
        /// What it is about, as far as that could be read.
        #[schema(example = "stock.level")]
        r#type: Option<&'a str> = event.kind.as_deref(),
        state: InboxState = event.state,
        /// Why it could not take effect.
        reason: Option<DeadLetterReason> = event.reason.as_ref().map(|reason| reason.code),
        /// The same for people.
        detail: Option<&'a str> = event.reason.as_ref().map(|reason| reason.detail.as_str()),
        /// The message, until the event takes effect or is discarded.
        body: Option<&'a str> = event.body.as_deref(),
        /// How often it was tried.
        tried: u32 = event.tried,
        received_at: DateTime<Utc> = event.created_at,
        updated_at: DateTime<Utc> = event.updated_at,
    }
}

shape! {
    /// What became of a message.
    pub(crate) struct EventReceipt from received: Received {
        outcome: Receipt = received.receipt,
    }
}
