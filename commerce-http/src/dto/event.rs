//! The events that leave the shop, as [CloudEvents](https://cloudevents.io) 1.0 in their JSON form.

use chrono::{DateTime, SecondsFormat, Utc};
use commerce_core::actor::Role;
use commerce_core::document::{Delta, DocumentEvent, DocumentId};
use commerce_core::engine::{FeedEvent, FeedItem};
use commerce_core::ids::{EventId, Sku, UserId};
use commerce_core::publishing::{Envelope, Form, Written};
use commerce_core::stock::StockEvent;
use commerce_core::task::TaskKey;
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::order::EventData;
use super::shape::shape;

/// The `source` of events, unless the shop has another one.
pub const DEFAULT_SOURCE: &str = "urn:commerce";

shape! {
    /// An event of the shop: a `CloudEvent` 1.0.
    #[schema(as = Event)]
    pub(crate) struct CloudEvent<'a> from (item, source): (&'a FeedItem, &'a str) {
        #[schema(example = "1.0")]
        specversion: &'static str = "1.0",
        /// A repeated event has the same one.
        id: EventId = item.event.id(),
        /// The shop.
        #[schema(example = "urn:commerce")]
        source: &'a str = source,
        #[serde(rename = "type")]
        #[schema(example = "order.created")]
        event_type: &'a str = item.event.event_type(),
        /// The stream of the event: what it is about. The events of a stream arrive in order.
        #[schema(example = "order/019b76da-a812-7000-8000-000000000001")]
        subject: String = item.event.stream(),
        time: DateTime<Utc> = item.event.at(),
        #[schema(example = "application/json")]
        datacontenttype: &'static str = "application/json",
        /// The number within the stream, as twenty digits: the later of two events of a stream has the greater text. Numbers of an
        /// order or a document run from 1 without gaps.
        #[schema(example = "00000000000000000001", pattern = "^[0-9]{20}$")]
        sequence: String = format!("{:020}", item.event.sequence()),
        /// Who caused the event: `app_user` (a customer), `user` (staff), `service_account` or `system`.
        #[schema(example = "app_user")]
        authtype: &'static str = auth_type(item.event.actor().role),
        /// The id of the user. Absent for the shop itself.
        authid: Option<&'a UserId> = item.event.actor().user.as_ref(),
        /// The span that caused the event, as [W3C Trace Context](https://www.w3.org/TR/trace-context/) says. Absent if the client named no trace.
        #[schema(example = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]
        traceparent: Option<String> = item.event.trace().map(String::from),
        data: EventPayload<'a> = (&item.event).into(),
    }
}

/// What the event is about, by the first part of its `subject`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = EventPayload)]
pub(crate) enum EventPayload<'a> {
    Order(Box<EventData<'a>>),
    Stock(StockEventData<'a>),
    Document(DocumentEventData<'a>),
    Task(TaskEventData<'a>),
}

impl<'a> From<&'a FeedEvent> for EventPayload<'a> {
    fn from(event: &'a FeedEvent) -> Self {
        match event {
            FeedEvent::Order(item) => Self::Order(Box::new((&item.order).into())),
            FeedEvent::Stock(sku, entry) => Self::Stock((sku, &entry.event).into()),
            FeedEvent::Document(id, entry) => Self::Document((id, &entry.event).into()),
            FeedEvent::Task(key, _) => Self::Task(key.into()),
        }
    }
}

shape! {
    /// A change of the stock of a SKU, or a notice about it.
    pub(crate) struct StockEventData<'a> from (sku, event): (&'a Sku, &'a StockEvent) {
        sku: &'a Sku = sku,
        /// The units on hand, if they were set.
        on_hand: Option<i64> = if let StockEvent::Set { on_hand, .. } = event { Some(*on_hand) } else { None },
        /// The reorder threshold, if it was set.
        reorder_threshold: Option<i64> =
            if let StockEvent::Set { reorder_threshold, .. } = event { *reorder_threshold } else { None },
        /// The units that were added, or removed if negative.
        delta: Option<i64> = if let StockEvent::Adjusted { delta, .. } = event { Some(*delta) } else { None },
        /// The reason of an adjustment.
        reason: Option<&'a str> =
            if let StockEvent::Adjusted { reason, .. } = event { Some(reason.as_str()) } else { None },
        /// The available units, if they are few.
        available: Option<i64> = match event {
            StockEvent::LowStock { available } => Some(*available),
            StockEvent::OutOfStock => Some(0),
            StockEvent::Set { .. } | StockEvent::Adjusted { .. } => None,
        },
    }
}

shape! {
    /// A change of a document, such as a cart, a product or a payment.
    pub(crate) struct DocumentEventData<'a> from (id, event): (&'a DocumentId, &'a DocumentEvent) {
        /// The id of the document.
        id: &'a str = &id.id,
        /// The whole stored value. Only in the first event.
        #[schema(value_type = Option<Object>)]
        created: Option<&'a Value> = if let Delta::Created(whole) = &event.change { Some(whole) } else { None },
        /// A JSON merge patch (RFC 7396) of the stored value. In all later events.
        #[schema(value_type = Option<Object>)]
        updated: Option<&'a Value> = if let Delta::Updated(patch) = &event.change { Some(patch) } else { None },
    }
}

shape! {
    /// The task that was dropped, given up or retried.
    pub(crate) struct TaskEventData<'a> from key: &'a TaskKey {
        kind: &'a str = key.kind.as_str(),
        subject: &'a str = &key.subject,
    }
}

/// The value of the extension `authtype`.
const fn auth_type(role: Role) -> &'static str {
    match role {
        Role::Customer => "app_user",
        Role::Support | Role::Admin => "user",
        Role::Service => "service_account",
        Role::System => "system",
    }
}

/// What a reader asks for.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what the route reads")]
pub(crate) struct FeedParameters {
    /// Only events after this `next_cursor`, or `id` of a stream. Without it, from the first event on.
    after: Option<String>,
    /// Only events of these types, with commas between.
    #[param(example = "order.created,order.paid")]
    types: Option<String>,
    /// The maximum number of events of a page. A page has fewer if it would be longer than 1 MiB.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u16>,
    /// The seconds to wait for an event if there is none.
    #[param(minimum = 0, maximum = 30, default = 0)]
    wait: Option<u64>,
}

/// A part of the feed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventList<'a> {
    /// The events, oldest first. There may be none, even if there are more.
    items: Vec<CloudEvent<'a>>,
    /// The cursor for `after`, also if there are no more events yet.
    next_cursor: String,
}

/// An event of the feed as a `CloudEvent` in its JSON form.
///
/// # Errors
/// Serialization fails, which no event causes.
pub fn cloud_event(item: &FeedItem, source: &str) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&CloudEvent::from((item, source)))
}

/// An event of the feed in the form that a target wants.
///
/// # Errors
/// Serialization fails, which no event causes.
pub fn write(item: &FeedItem, form: &Form<'_>) -> Result<Written, serde_json::Error> {
    let event = CloudEvent { event_type: form.event_type, ..(item, form.source).into() };
    Ok(match form.envelope {
        Envelope::CloudEvents => Written {
            content_type: "application/cloudevents+json",
            attributes: Vec::new(),
            body: serde_json::to_vec(&event)?,
        },
        Envelope::CloudEventsBinary => Written {
            content_type: event.datacontenttype,
            attributes: event.attributes(),
            body: serde_json::to_vec(&event.data)?,
        },
        Envelope::Plain => Written {
            content_type: "application/json",
            attributes: Vec::new(),
            body: serde_json::to_vec(&PlainEvent::from((item, event)))?,
        },
    })
}

impl CloudEvent<'_> {
    /// All but `datacontenttype`, which is the media type of the data, by their names.
    fn attributes(&self) -> Vec<(&'static str, String)> {
        let attributes = [
            ("specversion", self.specversion.to_owned()),
            ("id", self.id.to_string()),
            ("source", self.source.to_owned()),
            ("type", self.event_type.to_owned()),
            ("subject", self.subject.clone()),
            ("time", self.time.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            ("sequence", self.sequence.clone()),
            ("authtype", self.authtype.to_owned()),
        ];
        let user = self.authid.map(|user| ("authid", user.to_string()));
        let trace = self.traceparent.clone().map(|trace| ("traceparent", trace));
        attributes.into_iter().chain(user).chain(trace).collect()
    }
}

/// An event as systems know it that do not know `CloudEvents`.
#[derive(Debug, Serialize)]
struct PlainEvent<'a> {
    event_id: EventId,
    event_type: &'a str,
    timestamp: DateTime<Utc>,
    /// The number within the stream.
    sequence: u64,
    data: EventPayload<'a>,
}

impl<'a> From<(&FeedItem, CloudEvent<'a>)> for PlainEvent<'a> {
    fn from((item, event): (&FeedItem, CloudEvent<'a>)) -> Self {
        let (event_id, event_type, timestamp) = (event.id, event.event_type, event.time);
        Self { event_id, event_type, timestamp, sequence: item.event.sequence(), data: event.data }
    }
}
