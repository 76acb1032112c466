//! Events of carts, which wait in Redis for targets.

use std::fmt;

use async_trait::async_trait;
use commerce_core::document::{Delta, DocumentChange, DocumentEvent, DocumentId, DocumentKind};
use commerce_core::engine::{FeedEvent, FeedItem};
use commerce_core::event::Recorded;
use commerce_core::ids::TargetName;
use commerce_core::port::{Backlog, StoreError, StoreErrorKind, StoreResult};
use redis::streams::{StreamId, StreamRangeReply};
use redis::{RedisResult, Script};

use crate::server::{Redis, reason};
use crate::telemetry;

/// About how many events wait at most. Older ones are removed.
pub(crate) const MOST: u32 = 10_000;

/// The events of [`RedisCarts`](crate::RedisCarts). They are written with the change, if there is a target for them, and removed when every
/// target has confirmed them.
///
/// An entry of the stream has the id `0-POSITION`, so that it is noticed if one was removed before it was read.
pub struct CartEvents {
    redis: Redis,
    waiting: Script,
    confirm: Script,
}

/// The stream, and how far targets have read it.
pub(crate) fn keys(redis: &Redis) -> [String; 2] {
    ["read", "events"].map(|name| redis.key("cart", name))
}

/// The fields of an entry.
pub(crate) fn entry(change: &DocumentChange) -> Result<[String; 2], serde_json::Error> {
    let Recorded { id, sequence, at, actor, trace, event } = change.event().clone();
    let recorded = Recorded { id, sequence, at, actor, trace, event: event.change };
    Ok([event.event_type.into_owned(), serde_json::to_string(&recorded)?])
}

impl CartEvents {
    /// The events on a server.
    pub fn new(redis: Redis) -> Self {
        let [waiting, confirm] =
            [include_str!("../lua/events_waiting.lua"), include_str!("../lua/events_confirm.lua")].map(Script::new);
        Self { redis, waiting, confirm }
    }

    async fn confirmed(&self, target: &TargetName, position: &str) -> StoreResult<()> {
        let arguments = [target.as_str(), position].map(str::as_bytes);
        let done: RedisResult<()> = self.redis.run(&self.confirm, &keys(&self.redis), &arguments).await;
        done.map_err(|error| StoreError::new(StoreErrorKind::Unavailable, reason(&error)))
    }
}

#[async_trait]
impl Backlog for CartEvents {
    fn types(&self) -> &'static [&'static str] {
        DocumentKind::Cart.event_types()
    }

    async fn waiting(&self, target: &TargetName, limit: u16) -> StoreResult<Vec<FeedItem>> {
        let (keys, limit) = (keys(&self.redis), limit.to_string());
        let arguments = [target.as_str(), &limit].map(str::as_bytes);
        let found: RedisResult<(u64, u64, u64, StreamRangeReply)> =
            self.redis.run(&self.waiting, &keys, &arguments).await;
        let found = found.map_err(|error| StoreError::new(StoreErrorKind::Unavailable, reason(&error)));
        let (position, last, lost, entries) = found?;
        telemetry::note_waiting_events(target, last.saturating_sub(position));
        if lost > 0 {
            telemetry::note_lost_events(target, lost);
            tracing::error!(%target, lost, "events of carts were removed before they were published: more waited than Redis keeps");
        }
        entries.ids.iter().map(|entry| item(entry).ok_or_else(damaged)).collect()
    }

    async fn confirm(&self, target: &TargetName, position: u64) -> StoreResult<()> {
        self.confirmed(target, &position.to_string()).await
    }

    async fn forget(&self, target: &TargetName) -> StoreResult<()> {
        self.confirmed(target, "").await
    }
}

/// An entry as an event. `None`: it is not one.
fn item(entry: &StreamId) -> Option<FeedItem> {
    let (_, position) = entry.id.split_once('-')?;
    let recorded: Recorded<Delta> = serde_json::from_str(&entry.get::<String>("event")?).ok()?;
    let Recorded { id, sequence, at, actor, trace, event: change } = recorded;
    let event = DocumentEvent { event_type: entry.get::<String>("type")?.into(), change };
    let cart = DocumentId { kind: DocumentKind::Cart, id: entry.get("cart")? };
    let event = FeedEvent::Document(cart, Recorded { id, sequence, at, actor, trace, event });
    Some(FeedItem { position: position.parse().ok()?, event })
}

fn damaged() -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, "an entry of the stream is no event of a cart")
}

impl fmt::Debug for CartEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CartEvents").field("redis", &self.redis).finish_non_exhaustive()
    }
}
