//! The relay: reads the feed after the position of a target, publishes, and stores the new position.

mod waiting;

use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use commerce_core::actor::Actor;
use commerce_core::engine::{Engine, EngineError, EventTypes, FeedItem};
use commerce_core::ids::TargetName;
use commerce_core::port::{PublishError, Publisher, StoreError, Targets};
use commerce_core::publishing::names::TypeNames;
use commerce_core::publishing::{BatchLimits, Envelope, Failure, Form, Lease, Message, Pauses, TargetState, Written};
use thiserror::Error;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use crate::feed::{Part, SharedFeed};
use crate::telemetry;

/// The longest pause of a relay that does not publish, because another process does or because of a failure. After it the relay looks
/// whether that has changed.
const WAIT: Duration = Duration::from_millis(500);
/// The pause after a failure of the store.
const STORE_AWAY: Duration = Duration::from_secs(2);

/// Writes an event in the form in which it leaves the shop, such as `commerce_http::dto::event::write`.
pub type Encode = fn(&FeedItem, &Form<'_>) -> Result<Written, serde_json::Error>;

/// Where the events come from, and where the states of targets are stored.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Source {
    pub engine: Engine,
    pub feed: SharedFeed,
    pub targets: Arc<dyn Targets>,
    pub encode: Encode,
    /// The `source` of the events.
    pub event_source: String,
    /// This process. A new random one for each start.
    pub holder: Uuid,
}

/// Where a target begins to which nothing was published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// With the next event.
    #[default]
    End,
    /// With the first event of the shop.
    Beginning,
}

/// How events are published to a target.
#[derive(Clone, Debug)]
pub struct TargetOptions {
    /// Its name, under which its position is stored.
    pub name: TargetName,
    /// The types of events that it gets; empty for all.
    pub types: EventTypes,
    /// Where it begins.
    pub start: Start,
    /// The form in which it gets them.
    pub envelope: Envelope,
    /// Its names for types of events.
    pub names: TypeNames,
    /// How much is published at once. No more events are read at once.
    pub limits: BatchLimits,
    /// The pauses after failures.
    pub pauses: Pauses,
    /// How long another process waits if this one dies. A call of the publisher is given up after nine tenths of it.
    pub lease: TimeDelta,
}

impl TargetOptions {
    /// The usual options: all events from the next one on, up to 100 or 1 MiB at once, pauses of 1 to 60 seconds, a lease of 10 seconds.
    pub fn new(name: TargetName) -> Self {
        Self {
            name,
            types: EventTypes::new(),
            start: Start::End,
            envelope: Envelope::CloudEvents,
            names: TypeNames::default(),
            limits: BatchLimits { messages: 100, bytes: 1024 * 1024 },
            pauses: Pauses { first: TimeDelta::seconds(1), longest: TimeDelta::seconds(60) },
            lease: TimeDelta::seconds(10),
        }
    }
}

/// Why a round could not be carried out. The target is not to blame.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum RelayError {
    #[error("the feed cannot be read: {0}")]
    Feed(#[from] EngineError),
    #[error("the position of the target cannot be read or stored: {0}")]
    Position(#[from] StoreError),
    #[error("an event cannot be written: {0}")]
    Encode(#[from] serde_json::Error),
}

/// What came of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// So many events were published. `more`: there may be further ones.
    #[expect(missing_docs, reason = "said above")]
    Published { events: usize, more: bool },
    /// Another process publishes, or the position was changed meanwhile.
    Elsewhere,
    /// The target failed, now or before. It is tried again after a pause.
    Failing(TimeDelta),
}

/// Publishes the events of a shop to one target.
#[derive(Debug)]
pub struct Relay {
    source: Source,
    options: TargetOptions,
    publisher: Arc<dyn Publisher>,
    /// The state as this process stored it last, while it has the lease.
    held: Option<TargetState>,
    /// When to look for events that are not in the feed again.
    look_again: Option<Instant>,
}

impl Relay {
    /// A relay to a target. Nothing happens before [`run`](Self::run) or [`round`](Self::round).
    pub fn new(source: Source, options: TargetOptions, publisher: Arc<dyn Publisher>) -> Self {
        Self { source, options, publisher, held: None, look_again: None }
    }

    /// Publishes events until `stop` resolves. A batch that is being published then is finished, and the lease is given up.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        telemetry::begin(&self.options.name);
        loop {
            let pause = match self.round().await {
                Ok(round) => round.pause(self.source.feed.look_every()),
                Err(error) => {
                    telemetry::failed(&self.options.name, "store");
                    tracing::warn!(target_name = %self.options.name, %error, "events could not be published");
                    self.held = None;
                    STORE_AWAY
                }
            };
            tokio::select! {
                biased;
                () = &mut stop => break,
                () = sleep(pause) => {}
            }
        }
        self.release().await;
    }

    /// Takes the lease or keeps it, reads events, publishes them and stores the position. Then does the same with events that are not in
    /// the feed, if there are such.
    ///
    /// # Errors
    /// The feed or the position cannot be read or stored. Failures of the target are no errors.
    pub async fn round(&mut self) -> Result<Round, RelayError> {
        match self.round_of_feed().await? {
            Round::Published { events, more } => self.publish_waiting(events, more).await,
            round @ (Round::Elsewhere | Round::Failing(_)) => Ok(round),
        }
    }

    async fn round_of_feed(&mut self) -> Result<Round, RelayError> {
        let state = match self.hold().await? {
            ControlFlow::Continue(state) => state,
            ControlFlow::Break(round) => {
                // While the target is away, the lag stays as it was seen last.
                if matches!(round, Round::Elsewhere) {
                    telemetry::lag(&self.options.name, 0, TimeDelta::zero());
                }
                return Ok(round);
            }
        };
        let page = self.source.feed.after(state.position, &self.options.types).await?;
        self.note_lag(state.position, &page).await?;
        let messages = self.encoded(&page)?;
        if page.end == state.position {
            return Ok(Round::Published { events: 0, more: false });
        }
        self.publish(state, &messages, &page).await
    }

    /// The state of the target with a lease of this process, which is renewed after a third of its time.
    async fn hold(&mut self) -> Result<ControlFlow<Round, TargetState>, RelayError> {
        let (now, holder) = (self.now(), self.source.holder);
        let fresh = now + self.options.lease * 2 / 3;
        if let Some(held) = self.held.as_ref().filter(|held| held.lease.is_some_and(|lease| lease.until > fresh)) {
            return Ok(held.pause(now).map_or_else(|| ControlFlow::Continue(held.clone()), failing));
        }
        self.held = None;
        let stored = self.source.targets.target(&self.options.name).await?;
        let Some(before) = (match stored {
            Some(stored) => Some(stored),
            None => self.create().await?,
        }) else {
            return Ok(ControlFlow::Break(Round::Elsewhere));
        };
        if let Some(pause) = before.pause(now) {
            return Ok(failing(pause));
        }
        if before.is_free_for(holder, now) && self.store(&before, before.leased(self.lease(now))).await? {
            return Ok(self.held.clone().map_or(ControlFlow::Break(Round::Elsewhere), ControlFlow::Continue));
        }
        Ok(ControlFlow::Break(Round::Elsewhere))
    }

    /// Creates the state of a new target. `None`: another process was faster.
    async fn create(&self) -> Result<Option<TargetState>, RelayError> {
        let position = match self.options.start {
            Start::End => self.source.engine.feed_end(&Actor::SYSTEM).await?,
            Start::Beginning => 0,
        };
        let state = TargetState::new(self.options.name.clone(), position);
        Ok(self.source.targets.replace_target(None, Some(&state)).await?.then_some(state))
    }

    /// Stores a state. Returns whether it was unchanged; if not, the lease is lost or a person moved the position.
    async fn store(&mut self, before: &TargetState, after: TargetState) -> Result<bool, RelayError> {
        self.held = None;
        let stored = self.source.targets.replace_target(Some(before), Some(&after)).await?;
        self.held = stored.then_some(after);
        Ok(stored)
    }

    fn encoded(&self, page: &Part) -> Result<Vec<Message>, serde_json::Error> {
        page.items.iter().map(|item| self.message(item)).collect()
    }

    /// The one place where an event gets the form and the name that the target knows.
    fn message(&self, item: &FeedItem) -> Result<Message, serde_json::Error> {
        let event_type = self.options.names.of(item.event.event_type());
        let form = Form { source: &self.source.event_source, event_type, envelope: self.options.envelope };
        let Written { content_type, attributes, body } = (self.source.encode)(item, &form)?;
        Ok(Message {
            position: item.position,
            id: item.event.id(),
            event_type: event_type.to_owned(),
            stream: item.event.stream(),
            sequence: item.event.sequence(),
            at: item.event.at(),
            content_type,
            attributes,
            body,
        })
    }

    /// Publishes the messages of a page, batch by batch.
    async fn publish(
        &mut self,
        mut state: TargetState,
        messages: &[Message],
        page: &Part,
    ) -> Result<Round, RelayError> {
        let mut rest = messages;
        loop {
            let (batch, others) = rest.split_at(self.options.limits.take(rest));
            if let Err(error) = self.send(&state, batch).await {
                let position = confirmed(batch, &error).last().map_or(state.position, |last| last.position);
                return self.fail(&state, position, batch, &error).await;
            }
            telemetry::published(&self.options.name, batch, self.now());
            let position = batch.last().filter(|_| !others.is_empty()).map_or(page.end, |last| last.position);
            let after = state.confirmed(position).leased(self.lease(self.now()));
            if !self.store(&state, after.clone()).await? {
                return Ok(Round::Elsewhere);
            }
            if others.is_empty() {
                if !page.more {
                    telemetry::lag(&self.options.name, 0, TimeDelta::zero());
                }
                return Ok(Round::Published { events: messages.len(), more: page.more });
            }
            (state, rest) = (after, others);
        }
    }

    /// Publishes a batch within the lease.
    async fn send(&self, state: &TargetState, batch: &[Message]) -> Result<(), PublishError> {
        if batch.is_empty() {
            return Ok(());
        }
        let spare = self.options.lease / 10;
        let left = state.lease.map(|lease| lease.until.signed_duration_since(self.now()) - spare);
        let left = left.and_then(|left| left.to_std().ok()).unwrap_or_default();
        match timeout(left, self.publisher.publish(batch)).await {
            Ok(published) => published,
            Err(_) => Err(PublishError::unavailable(0, format_args!("no answer within {} ms", left.as_millis()))),
        }
    }

    /// Stores that a target failed after it had confirmed the feed up to a position.
    async fn fail(
        &mut self,
        state: &TargetState,
        position: u64,
        batch: &[Message],
        error: &PublishError,
    ) -> Result<Round, RelayError> {
        let name = &self.options.name;
        telemetry::published(name, confirmed(batch, error), self.now());
        telemetry::failed(name, telemetry::kind(&error.failure));
        let (at, random) = (self.now(), Uuid::new_v4().as_u64_pair().1);
        let failure = Failure { at, error: &error.to_string(), pauses: self.options.pauses, random };
        let after = state.failed(position, &failure);
        tracing::warn!(target_name = %name, failures = after.failures, position, %error, "events could not be published");
        let pause = after.pause(at).unwrap_or_default();
        Ok(if self.store(state, after).await? { Round::Failing(pause) } else { Round::Elsewhere })
    }

    /// Gives up the lease, so that another process can go on at once.
    async fn release(&mut self) {
        let Some(held) = self.held.take() else { return };
        telemetry::lag(&self.options.name, 0, TimeDelta::zero());
        if let Err(error) = self.source.targets.replace_target(Some(&held), Some(&held.released())).await {
            tracing::warn!(target_name = %self.options.name, %error, "a lease was not given up, it ends by itself");
        }
    }

    async fn note_lag(&self, position: u64, page: &Part) -> Result<(), RelayError> {
        let end = if page.more { self.source.engine.feed_end(&Actor::SYSTEM).await? } else { page.end };
        let oldest = page.items.first().map(|item| self.now().signed_duration_since(item.event.at()));
        telemetry::lag(&self.options.name, end.saturating_sub(position), oldest.unwrap_or_default());
        Ok(())
    }

    fn lease(&self, now: DateTime<Utc>) -> Lease {
        Lease { holder: self.source.holder, until: now + self.options.lease }
    }

    fn now(&self) -> DateTime<Utc> {
        self.source.engine.now()
    }
}

/// The messages that were confirmed before an error.
fn confirmed<'a>(batch: &'a [Message], error: &PublishError) -> &'a [Message] {
    batch.get(..error.confirmed).unwrap_or(batch)
}

const fn failing<T>(pause: TimeDelta) -> ControlFlow<Round, T> {
    ControlFlow::Break(Round::Failing(pause))
}

impl Round {
    /// The pause before the next round.
    fn pause(self, look_every: Duration) -> Duration {
        match self {
            Self::Published { more: true, .. } => Duration::ZERO,
            Self::Published { more: false, .. } => look_every,
            Self::Elsewhere => WAIT,
            Self::Failing(pause) => pause.to_std().unwrap_or_default().min(WAIT),
        }
    }
}
