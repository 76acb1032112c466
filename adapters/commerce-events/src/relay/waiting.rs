//! Events that are not in the feed: published after it, under the same lease.

use std::sync::Arc;

use commerce_core::engine::FeedItem;
use commerce_core::port::{Backlog, StoreError};
use commerce_core::publishing::Message;
use tokio::time::Instant;

use super::{Relay, RelayError, Round, STORE_AWAY, confirmed};
use crate::feed::is_wanted;
use crate::telemetry;

/// The most events that are read at once.
const PAGE: u16 = 20;
/// How much less often such events are looked for than those of the feed, which all relays of a process look for together.
const SELDOM: u32 = 4;

impl Relay {
    /// Publishes the first events that wait for the target. `events` of the feed were published before; there are `more` in it.
    ///
    /// The feed goes on if they cannot be read.
    pub(super) async fn publish_waiting(&mut self, events: usize, more: bool) -> Result<Round, RelayError> {
        let fed = Round::Published { events, more };
        let Some(backlog) = self.backlog_to_look_at() else { return Ok(fed) };
        let items = match backlog.waiting(&self.options.name, PAGE).await {
            Ok(items) => items,
            Err(error) => {
                self.put_off(&error);
                return Ok(fed);
            }
        };
        if items.is_empty() {
            self.look_again = Some(Instant::now() + self.source.feed.look_every() * SELDOM);
            return Ok(fed);
        }
        match self.publish_items(&*backlog, &items).await? {
            Round::Published { events: others, .. } => {
                Ok(Round::Published { events: events.saturating_add(others), more: true })
            }
            round @ (Round::Elsewhere | Round::Failing(_)) => Ok(round),
        }
    }

    /// The other source of events, if the target wants some of it and it is time to look.
    fn backlog_to_look_at(&self) -> Option<Arc<dyn Backlog>> {
        let (backlog, types) = (self.source.feed.backlog()?, &self.options.types);
        let wants = types.is_empty() || backlog.types().iter().any(|event_type| types.contains(*event_type));
        let is_time = self.look_again.is_none_or(|at| at <= Instant::now());
        (wants && is_time).then(|| Arc::clone(backlog))
    }

    /// Publishes the first of some events as a batch, and confirms them.
    async fn publish_items(&mut self, backlog: &dyn Backlog, items: &[FeedItem]) -> Result<Round, RelayError> {
        let Some(state) = self.held.clone() else { return Ok(Round::Elsewhere) };
        let wanted = items.iter().filter(|item| is_wanted(item, &self.options.types));
        let messages = wanted.map(|item| self.message(item)).collect::<Result<Vec<_>, _>>()?;
        let (batch, others) = messages.split_at(self.options.limits.take(&messages));
        let published = self.send(&state, batch).await;
        let done = match &published {
            Ok(()) if others.is_empty() => items.last().map(|item| item.position),
            Ok(()) => position(batch),
            Err(error) => position(confirmed(batch, error)),
        };
        if let Some(done) = done
            && let Err(error) = backlog.confirm(&self.options.name, done).await
        {
            self.put_off(&error); // they are published again
        }
        if let Err(error) = published {
            return self.fail(&state, state.position, batch, &error).await;
        }
        telemetry::published(&self.options.name, batch, self.now());
        let recovered = state.failures > 0 && !batch.is_empty();
        if recovered && !self.store(&state, state.confirmed(state.position)).await? {
            return Ok(Round::Elsewhere);
        }
        Ok(Round::Published { events: batch.len(), more: true })
    }

    fn put_off(&mut self, error: &StoreError) {
        telemetry::failed(&self.options.name, "store");
        tracing::warn!(target_name = %self.options.name, %error, "events outside of the feed wait: they cannot be read");
        self.look_again = Some(Instant::now() + STORE_AWAY);
    }
}

fn position(messages: &[Message]) -> Option<u64> {
    messages.last().map(|last| last.position)
}
