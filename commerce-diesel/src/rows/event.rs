//! Events.

use std::borrow::Cow;

use commerce_core::actor::Actor;
use commerce_core::document::{DocumentChange, DocumentEvent, DocumentId};
use commerce_core::event::{HistoryEntry, Recorded};
use commerce_core::ids::{EventId, OrderId, Sku};
use commerce_core::order::OrderEvent;
use commerce_core::stock::StockEvent;
use commerce_core::task::{TaskEvent, TaskKey};
use diesel::prelude::*;
use diesel_bulk::DbUuid;
use serde::de::DeserializeOwned;

use super::{CowStr, counter, micros, read, read_counter, read_instant, read_option, read_stored, stored};
use crate::db_enum::DbEnum;
use crate::fault::{Answer, Fault};
use crate::schema::events;

/// The stream kind of orders. The stream is the order id.
pub(crate) const ORDER: &str = "order";
/// The stream kind of stock. The stream is the SKU.
pub(crate) const STOCK: &str = "stock";
/// The stream kind of tasks. The stream is the kind and the subject of the task.
pub(crate) const TASK: &str = "task";

/// An event to append. Its position counts from the end of the feed.
#[derive(Debug)]
pub(crate) struct NewEventRow<'a> {
    pub(crate) position: i64,
    pub(crate) stream_kind: &'static str,
    pub(crate) stream_id: CowStr<'a>,
    pub(crate) sequence: i64,
    pub(crate) event_id: DbUuid,
    pub(crate) event_type: &'a str,
    pub(crate) happened_at: i64,
    pub(crate) actor_role: &'static str,
    pub(crate) actor_user: Option<CowStr<'a>>,
    /// In the form of the header `traceparent`.
    pub(crate) trace: Option<CowStr<'a>>,
    pub(crate) body: CowStr<'a>,
}

/// The one row of the table `feed`.
#[derive(Debug)]
pub(crate) struct FeedRow {
    pub(crate) id: i64,
    /// The position of the newest event.
    pub(crate) position: i64,
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = events)]
pub(crate) struct EventRow {
    pub(crate) position: i64,
    pub(crate) stream_kind: String,
    pub(crate) stream_id: String,
    pub(crate) sequence: i64,
    pub(crate) event_id: DbUuid,
    pub(crate) event_type: String,
    pub(crate) happened_at: i64,
    pub(crate) actor_role: String,
    pub(crate) actor_user: Option<String>,
    pub(crate) trace: Option<String>,
    pub(crate) body: String,
}

pub(crate) fn order_stream(order: OrderId) -> String {
    order.uuid().hyphenated().to_string()
}

impl<'a> NewEventRow<'a> {
    pub(crate) fn of_order(order: OrderId, entry: &'a Recorded<OrderEvent>, body: &'a str) -> Self {
        Self::new(ORDER, Cow::Owned(order_stream(order)), entry, entry.event.event_type(), Cow::Borrowed(body))
    }

    /// # Errors
    /// Serialization fails, which no stock event causes.
    pub(crate) fn of_stock(sku: &'a Sku, entry: &'a Recorded<StockEvent>) -> Answer<Self> {
        let body = stored("events.body", &entry.event)?;
        Ok(Self::new(STOCK, Cow::Borrowed(sku.as_str()), entry, entry.event.event_type(), Cow::Owned(body)))
    }

    /// # Errors
    /// Serialization fails, which no event of a task causes.
    pub(crate) fn of_task(key: &TaskKey, entry: &'a Recorded<TaskEvent>) -> Answer<Self> {
        let body = stored("events.body", &entry.event)?;
        Ok(Self::new(TASK, Cow::Owned(key.to_string()), entry, entry.event.event_type(), Cow::Owned(body)))
    }

    pub(crate) fn of_document(change: &'a DocumentChange, body: &'a str) -> Self {
        let (id, entry) = (change.id(), change.event());
        Self::new(id.kind.name(), Cow::Borrowed(&id.id), entry, &entry.event.event_type, Cow::Borrowed(body))
    }

    fn new<E>(
        stream_kind: &'static str,
        stream_id: CowStr<'a>,
        entry: &'a Recorded<E>,
        event_type: &'a str,
        body: CowStr<'a>,
    ) -> Self {
        Self {
            position: 0,
            stream_kind,
            stream_id,
            sequence: counter(entry.sequence),
            event_id: DbUuid(entry.id.uuid()),
            event_type,
            happened_at: micros(entry.at),
            actor_role: entry.actor.role.db_name(),
            actor_user: entry.actor.user.as_ref().map(|user| Cow::Borrowed(user.as_str())),
            trace: entry.trace.map(|trace| Cow::Owned(trace.into())),
            body,
        }
    }
}

impl EventRow {
    /// The position in the whole history.
    pub(crate) fn place(&self) -> Answer<u64> {
        read_counter("events.position", self.position)
    }

    /// The entry of the history.
    pub(crate) fn entry(&self) -> Answer<HistoryEntry> {
        match self.stream_kind.as_str() {
            ORDER => Ok(HistoryEntry::Order(self.stream()?, self.recorded()?)),
            STOCK => Ok(HistoryEntry::Stock(self.stream()?, self.recorded()?)),
            TASK => {
                let key = TaskKey::parse(&self.stream_id).ok_or(Fault::Corrupt("events.stream_id"));
                Ok(HistoryEntry::Task(key.map_err(|fault| fault.at(self.position))?, self.recorded()?))
            }
            kind => {
                let kind = DbEnum::read("events.stream_kind", kind).map_err(|fault| fault.at(self.position))?;
                Ok(HistoryEntry::Document(DocumentId { kind, id: self.stream_id.clone() }, self.of_document()?))
            }
        }
    }

    pub(crate) fn of_document(&self) -> Answer<Recorded<DocumentEvent>> {
        let Recorded { id, sequence, at, actor, trace, event: change } = self.recorded()?;
        let event = DocumentEvent { event_type: Cow::Owned(self.event_type.clone()), change };
        Ok(Recorded { id, sequence, at, actor, trace, event })
    }

    /// The id of the order, SKU or document.
    pub(crate) fn stream<T: DeserializeOwned>(&self) -> Answer<T> {
        read("events.stream_id", &self.stream_id).map_err(|fault| fault.at(self.position))
    }

    /// The event with its metadata.
    pub(crate) fn recorded<E: DeserializeOwned>(&self) -> Answer<Recorded<E>> {
        self.read().map_err(|fault| fault.at(self.position))
    }

    fn body<E: DeserializeOwned>(&self) -> Answer<E> {
        read_stored("events.body", &self.body)
    }

    fn read<E: DeserializeOwned>(&self) -> Answer<Recorded<E>> {
        let user = read_option("events.actor_user", self.actor_user.as_deref())?;
        Ok(Recorded {
            id: EventId::new(self.event_id.0),
            sequence: read_counter("events.sequence", self.sequence)?,
            at: read_instant("events.happened_at", self.happened_at)?,
            actor: Actor { role: DbEnum::read("events.actor_role", &self.actor_role)?, user },
            trace: read_option("events.trace", self.trace.as_deref())?,
            event: self.body()?,
        })
    }
}
