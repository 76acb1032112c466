//! The end of the feed, read once for all relays of a process.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use commerce_core::actor::Actor;
use commerce_core::engine::{Engine, EngineError, EventTypes, FeedItem};
use commerce_core::port::PageRequest;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// The entries of the feed that are read at once.
const PAGE: u16 = 100;
/// The events that are kept for relays that are a little behind.
const KEPT: usize = 200;

/// The feed, as all relays of a process read it. New events are looked for at an interval, however many relays there are, and the last 200
/// are kept. A relay that is further behind reads from the store until it has caught up.
#[derive(Clone, Debug)]
pub struct SharedFeed {
    engine: Engine,
    look_every: Duration,
    recent: Arc<Mutex<Recent>>,
}

/// A part of the feed. See [`FeedPage`](commerce_core::engine::FeedPage).
pub(crate) struct Part {
    pub(crate) items: Vec<Arc<FeedItem>>,
    pub(crate) end: u64,
    pub(crate) more: bool,
}

/// The events after `start`, up to `end`.
#[derive(Debug, Default)]
struct Recent {
    start: u64,
    end: u64,
    items: VecDeque<Arc<FeedItem>>,
    /// When the store had no further event. `None`: there may be one.
    exhausted_at: Option<Instant>,
}

impl SharedFeed {
    /// The usual interval.
    pub const LOOK_EVERY: Duration = Duration::from_millis(50);

    /// A reader for the relays of this process.
    pub fn new(engine: Engine, look_every: Duration) -> Self {
        Self { engine, look_every, recent: Arc::default() }
    }

    /// The pause before the next look for new events.
    pub(crate) const fn look_every(&self) -> Duration {
        self.look_every
    }

    /// The next events of the wanted types after a position.
    pub(crate) async fn after(&self, position: u64, types: &EventTypes) -> Result<Part, EngineError> {
        let mut recent = self.recent.lock().await;
        if position > recent.end {
            *recent = Recent { start: position, end: position, ..Recent::default() };
        }
        if position < recent.start {
            drop(recent);
            return self.read(position, types).await;
        }
        if position == recent.end && recent.is_due(self.look_every) {
            let read = self.read(position, &EventTypes::new()).await?;
            recent.append(read);
        }
        Ok(recent.part(position, types))
    }

    async fn read(&self, position: u64, types: &EventTypes) -> Result<Part, EngineError> {
        let page = PageRequest { limit: PAGE, after: Some(position) };
        let page = self.engine.feed(&Actor::SYSTEM, types, &page).await?;
        Ok(Part { items: page.items.into_iter().map(Arc::new).collect(), end: page.end, more: page.more })
    }
}

impl Recent {
    fn is_due(&self, look_every: Duration) -> bool {
        self.exhausted_at.is_none_or(|at| at.elapsed() >= look_every)
    }

    fn append(&mut self, read: Part) {
        self.end = read.end;
        self.items.extend(read.items);
        self.exhausted_at = (!read.more).then(Instant::now);
        while self.items.len() > KEPT {
            self.start = self.items.pop_front().map_or(self.start, |item| item.position);
        }
    }

    fn part(&self, position: u64, types: &EventTypes) -> Part {
        let wanted = |item: &&Arc<FeedItem>| types.is_empty() || types.contains(item.event.event_type());
        let first = self.items.partition_point(|item| item.position <= position);
        let items: Vec<_> = self.items.range(first..).filter(wanted).cloned().collect();
        Part { items, end: self.end, more: self.exhausted_at.is_none() }
    }
}
