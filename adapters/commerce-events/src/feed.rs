//! The end of the feed, read once for all relays of a process.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use commerce_core::actor::Actor;
use commerce_core::engine::{Engine, EngineError, EventTypes, FeedItem};
use commerce_core::port::{Backlog, PageRequest};
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
    backlog: Option<Arc<dyn Backlog>>,
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
    /// When the last item was found in the store.
    confirmed_at: Option<Instant>,
}

impl SharedFeed {
    /// The usual interval.
    pub const LOOK_EVERY: Duration = Duration::from_millis(50);

    /// A reader for the relays of this process.
    pub fn new(engine: Engine, look_every: Duration) -> Self {
        Self { engine, look_every, recent: Arc::default(), backlog: None }
    }

    /// Publishes events that are not in the feed, too.
    #[must_use]
    pub fn with_backlog(self, backlog: Arc<dyn Backlog>) -> Self {
        Self { backlog: Some(backlog), ..self }
    }

    /// The events that are not in the feed.
    pub fn backlog(&self) -> Option<&Arc<dyn Backlog>> {
        self.backlog.as_ref()
    }

    /// The pause before the next look for new events.
    pub(crate) const fn look_every(&self) -> Duration {
        self.look_every
    }

    /// The next events of the wanted types after a position.
    pub(crate) async fn after(&self, position: u64, types: &EventTypes) -> Result<Part, EngineError> {
        let mut recent = self.recent.lock().await;
        if position > recent.end {
            *recent = Recent::at(position);
        }
        if position == recent.end {
            return self.look(&mut recent, types).await;
        }
        if let Some(part) = recent.part(position, types) {
            if self.is_current(&mut recent).await? {
                return Ok(part);
            }
            *recent = Recent::at(position);
        }
        drop(recent);
        self.read(position, types).await
    }

    /// What is new.
    async fn look(&self, recent: &mut Recent, types: &EventTypes) -> Result<Part, EngineError> {
        let position = recent.end;
        if recent.exhausted_at.is_some_and(|at| at.elapsed() < self.look_every) {
            return Ok(Part { items: Vec::new(), end: position, more: false });
        }
        let read = self.read(position, &EventTypes::new()).await?;
        recent.append(&read);
        Ok(read.of_types(types))
    }

    /// Whether what is kept is still in the store. A database that was replaced by its standby may have lost the last events, and have
    /// others at their positions.
    async fn is_current(&self, recent: &mut Recent) -> Result<bool, EngineError> {
        let Some(last) = recent.items.back() else { return Ok(false) };
        if recent.confirmed_at.is_some_and(|at| at.elapsed() < self.look_every) {
            return Ok(true);
        }
        let page = PageRequest { limit: 1, after: Some(last.position.saturating_sub(1)) };
        let found = self.engine.feed(&Actor::SYSTEM, &EventTypes::new(), &page).await?;
        let is_current = found.items.first().is_some_and(|found| found.event.id() == last.event.id());
        recent.confirmed_at = Some(Instant::now());
        Ok(is_current)
    }

    async fn read(&self, position: u64, types: &EventTypes) -> Result<Part, EngineError> {
        let page = PageRequest { limit: PAGE, after: Some(position) };
        let page = self.engine.feed(&Actor::SYSTEM, types, &page).await?;
        Ok(Part { items: page.items.into_iter().map(Arc::new).collect(), end: page.end, more: page.more })
    }
}

impl Part {
    fn of_types(mut self, types: &EventTypes) -> Self {
        self.items.retain(|item| is_wanted(item, types));
        self
    }
}

/// Whether an event is of the wanted types.
pub(crate) fn is_wanted(item: &FeedItem, types: &EventTypes) -> bool {
    types.is_empty() || types.contains(item.event.event_type())
}

impl Recent {
    fn at(position: u64) -> Self {
        Self { start: position, end: position, ..Self::default() }
    }

    fn append(&mut self, read: &Part) {
        let now = Instant::now();
        (self.end, self.confirmed_at) = (read.end, Some(now));
        self.exhausted_at = (!read.more).then_some(now);
        self.items.extend(read.items.iter().cloned());
        while self.items.len() > KEPT {
            self.start = self.items.pop_front().map_or(self.start, |item| item.position);
        }
    }

    /// The kept events after a position, up to the last one. `None` if some are not kept.
    fn part(&self, position: u64, types: &EventTypes) -> Option<Part> {
        let last = self.items.back().filter(|last| self.start <= position && position < last.position)?;
        let first = self.items.partition_point(|item| item.position <= position);
        let items = self.items.range(first..).filter(|item| is_wanted(item, types)).cloned().collect();
        let more = last.position < self.end || self.exhausted_at.is_none();
        Some(Part { items, end: last.position, more })
    }
}
