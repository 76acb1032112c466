//! Use cases of the feed: the events that leave the shop.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use crate::actor::Actor;
use crate::document::{DocumentEvent, DocumentId};
use crate::event::{HistoryEntry, Recorded};
use crate::ids::{EventId, OrderId, Sku};
use crate::order::{Order, OrderEvent, evolve};
use crate::permission::Permission;
use crate::port::PageRequest;
use crate::stock::StockEvent;
use crate::task::{TaskEvent, TaskKey};
use crate::trace::TraceParent;

use super::{Engine, HistoryItem, Result};

/// An event that leaves the shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedItem {
    /// Its position in the feed. Positions grow; those of events that do not leave the shop are left out.
    pub position: u64,
    /// What happened.
    pub event: FeedEvent,
}

/// An event of any stream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum FeedEvent {
    /// With the order after it.
    Order(Box<HistoryItem>),
    Stock(Sku, Recorded<StockEvent>),
    Document(DocumentId, Recorded<DocumentEvent>),
    Task(TaskKey, Recorded<TaskEvent>),
}

/// What all events have.
macro_rules! common {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $entry:ident => $value:expr;)*) => {
        impl FeedEvent {
            $($(#[$doc])*
            pub const fn $name(&self) -> $type {
                match self {
                    Self::Order(item) => { let $entry = &item.entry; $value }
                    Self::Stock(_, $entry) => $value,
                    Self::Document(_, $entry) => $value,
                    Self::Task(_, $entry) => $value,
                }
            })*
        }
    };
}

common! {
    /// Consumers recognize a repeated event by its id.
    id: EventId = entry => entry.id;
    /// The number within its stream.
    sequence: u64 = entry => entry.sequence;
    /// The time of the decision.
    at: DateTime<Utc> = entry => entry.at;
    /// Who caused it.
    actor: &Actor = entry => &entry.actor;
    /// The span that caused it.
    trace: Option<TraceParent> = entry => entry.trace;
}

impl FeedEvent {
    /// The type of the event.
    pub fn event_type(&self) -> &str {
        match self {
            Self::Order(item) => item.entry.event.event_type(),
            Self::Stock(_, entry) => entry.event.event_type(),
            Self::Document(_, entry) => &entry.event.event_type,
            Self::Task(_, entry) => entry.event.event_type(),
        }
    }

    /// The stream of the event, such as `order/019b76da-a812-7000-8000-000000000001`. Events of a stream are published in order.
    pub fn stream(&self) -> String {
        match self {
            Self::Order(item) => format!("order/{}", item.order.id),
            Self::Stock(sku, _) => format!("stock/{sku}"),
            Self::Document(id, _) => format!("{}/{}", id.kind, id.id),
            Self::Task(key, _) => format!("task/{}/{}", key.kind, key.subject),
        }
    }
}

/// A part of the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedPage {
    /// The events, in the order of their positions.
    pub items: Vec<FeedItem>,
    /// The position up to which the feed was read. The next page is the one after it.
    pub end: u64,
    /// Whether there were events after `end`.
    pub more: bool,
}

/// The types of events that a reader wants; empty for all.
pub type EventTypes = BTreeSet<String>;

impl Engine {
    /// Reads up to `page.limit` entries of the feed, and returns those of the wanted types.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`](super::EngineError::Forbidden), [`EngineError::Store`](super::EngineError::Store), and
    /// [`EngineError::Corrupt`](super::EngineError::Corrupt) if the history of an order is broken.
    pub async fn feed(&self, caller: &Actor, types: &EventTypes, page: &PageRequest<u64>) -> Result<FeedPage> {
        caller.require(Permission::ReadFeed)?;
        let after = page.after.unwrap_or_default();
        let found = self.ports.store.history(page).await?;
        let end = after.saturating_add(u64::try_from(found.items.len()).unwrap_or(u64::MAX));
        let leaves =
            |entry: &HistoryEntry| entry.is_published() && (types.is_empty() || types.contains(entry.event_type()));
        let mut orders = self.orders_before(&found.items, &leaves).await?;
        let mut items = Vec::with_capacity(found.items.len());
        for (position, entry) in (after.saturating_add(1)..).zip(found.items) {
            let is_wanted = leaves(&entry);
            let event = match entry {
                HistoryEntry::Order(id, entry) => match orders.get_mut(&id) {
                    Some(order) => FeedEvent::Order(Box::new(step(order, entry)?)),
                    None => continue,
                },
                HistoryEntry::Stock(sku, entry) => FeedEvent::Stock(sku, entry),
                HistoryEntry::Document(id, entry) => FeedEvent::Document(id, entry),
                HistoryEntry::Task(key, entry) => FeedEvent::Task(key, entry),
            };
            if is_wanted {
                items.push(FeedItem { position, event });
            }
        }
        Ok(FeedPage { items, end, more: found.next.is_some() })
    }

    /// Whether there is an event after a position, published or not.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`](super::EngineError::Forbidden), [`EngineError::Store`](super::EngineError::Store).
    pub async fn has_events_after(&self, caller: &Actor, position: u64) -> Result<bool> {
        caller.require(Permission::ReadFeed)?;
        let next = PageRequest { limit: 1, after: Some(position) };
        Ok(!self.ports.store.history(&next).await?.items.is_empty())
    }

    /// The position of the newest event, published or not; 0 if there is none.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`](super::EngineError::Forbidden), [`EngineError::Store`](super::EngineError::Store).
    pub async fn feed_end(&self, caller: &Actor) -> Result<u64> {
        caller.require(Permission::ReadFeed)?;
        Ok(self.ports.store.last_position().await?)
    }

    /// The orders with wanted entries, each as it was before its first entry. `None`: it did not exist.
    async fn orders_before(
        &self,
        entries: &[HistoryEntry],
        is_wanted: &impl Fn(&HistoryEntry) -> bool,
    ) -> Result<BTreeMap<OrderId, Option<Order>>> {
        let mut orders = BTreeMap::new();
        let mut first = BTreeMap::new();
        for entry in entries {
            if let HistoryEntry::Order(id, recorded) = entry {
                first.entry(*id).or_insert(recorded.sequence);
                if is_wanted(entry) {
                    orders.insert(*id, None);
                }
            }
        }
        first.retain(|id, sequence| *sequence > 1 && orders.contains_key(id));
        let ids: Vec<OrderId> = first.keys().copied().collect();
        for (id, history) in self.ports.store.order_histories(&ids).await? {
            let mut order = None;
            for entry in history.iter().take_while(|entry| first.get(&id).is_some_and(|first| entry.sequence < *first))
            {
                order = Some(evolve(order, entry)?);
            }
            orders.insert(id, order);
        }
        Ok(orders)
    }
}

/// Takes the order one event further.
fn step(order: &mut Option<Order>, entry: Recorded<OrderEvent>) -> Result<HistoryItem> {
    let after = evolve(order.take(), &entry)?;
    *order = Some(after.clone());
    Ok(HistoryItem { entry, order: after })
}
