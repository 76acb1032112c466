//! Delivering the feed to every enabled endpoint.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use commerce_core::engine::{Engine, EngineError, FailedAttempts};
use commerce_core::ids::WebhookEndpointId;
use commerce_core::port::{PublishError, Publisher, Targets};
use commerce_core::publishing::{BatchLimits, Message, Pauses};
use commerce_core::webhook::{WebhookEndpoint, WebhookEvent};
use commerce_events::{Relay, Source, TargetOptions};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The interval between two looks for changed endpoints.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The events that are sent one after the other before their position is stored.
const BATCH: u8 = 5;
/// The bytes of such events.
const BYTES: usize = 1024 * 1024;
/// The shortest time that another process waits if this one dies.
const MIN_LEASE: TimeDelta = TimeDelta::seconds(10);
/// After failures: from some seconds to some hours, about sixteen attempts a day.
const PAUSES: Pauses = Pauses { first: TimeDelta::seconds(10), longest: TimeDelta::hours(3) };

/// Publishes events to an endpoint.
#[derive(Debug)]
pub struct EndpointPublisher {
    engine: Engine,
    targets: Arc<dyn Targets>,
    id: WebhookEndpointId,
}

impl EndpointPublisher {
    /// A publisher to an endpoint.
    pub const fn new(engine: Engine, targets: Arc<dyn Targets>, id: WebhookEndpointId) -> Self {
        Self { engine, targets, id }
    }
}

#[async_trait]
impl Publisher for EndpointPublisher {
    async fn publish(&self, messages: &[Message]) -> Result<(), PublishError> {
        let events: Vec<_> = messages.iter().map(event).collect();
        let state = self.targets.target(&WebhookEndpoint::target(self.id)).await;
        let state = state.map_err(|error| PublishError::unavailable(0, error.kind))?;
        let failed = state.map_or_else(FailedAttempts::default, |state| FailedAttempts {
            count: state.failures,
            since: state.failing_since,
        });
        let delivered = self.engine.deliver_webhooks(self.id, &events, failed).await;
        let delivered = delivered.map_err(|error| PublishError::unavailable(0, error))?;
        match delivered.stopped {
            None => Ok(()),
            Some(reason) => Err(PublishError::unavailable(delivered.confirmed, reason)),
        }
    }
}

fn event(message: &Message) -> WebhookEvent<'_> {
    WebhookEvent { id: message.id, event_type: &message.event_type, body: &message.body }
}

/// A relay of the feed to an endpoint, whose attempts have a limit of time. All events are read: which of them the endpoint wants is
/// decided when they are delivered, so that a change of its types misses none.
pub fn relay(source: &Source, endpoint: &WebhookEndpoint, time_out: Duration) -> Relay {
    let attempt = TimeDelta::from_std(time_out).unwrap_or(MIN_LEASE);
    let options = TargetOptions {
        limits: BatchLimits { messages: BATCH.into(), bytes: BYTES },
        pauses: PAUSES,
        lease: (attempt * (i32::from(BATCH) * 2)).max(MIN_LEASE),
        ..TargetOptions::new(WebhookEndpoint::target(endpoint.id))
    };
    let publisher = EndpointPublisher::new(source.engine.clone(), source.targets.clone(), endpoint.id);
    Relay::new(source.clone(), options, Arc::new(publisher))
}

/// Delivers the feed to every enabled endpoint until `stop` resolves. Any number of processes may do so; each endpoint is delivered to by
/// one of them. `time_out` is the limit of an attempt.
pub async fn deliver(source: Source, time_out: Duration, stop: impl Future<Output = ()>) {
    let mut relays = Relays { source, time_out, running: BTreeMap::new() };
    let mut stop = std::pin::pin!(stop);
    loop {
        if let Err(error) = relays.follow().await {
            tracing::warn!(%error, "the endpoints of webhooks could not be read");
        }
        tokio::select! {
            () = &mut stop => break,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
    relays.stop().await;
}

/// The relays of this process, by endpoint.
struct Relays {
    source: Source,
    time_out: Duration,
    running: BTreeMap<WebhookEndpointId, Running>,
}

struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Relays {
    /// Starts and ends relays, so that each enabled endpoint has one.
    async fn follow(&mut self) -> Result<(), EngineError> {
        let endpoints = self.source.engine.enabled_webhook_endpoints().await?;
        let wanted: BTreeSet<_> = endpoints.iter().map(|endpoint| endpoint.id).collect();
        for (_, running) in self.running.iter().filter(|(id, _)| !wanted.contains(id)) {
            running.stop.send_replace(true); // its last attempt may take a while
        }
        let ended = self.running.iter().filter(|(_, running)| running.task.is_finished());
        for id in ended.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.running.remove(&id);
            self.source.engine.forget_deleted_webhooks(id).await?;
            self.forget_waiting(id).await?;
        }
        for endpoint in endpoints {
            if !self.running.contains_key(&endpoint.id) {
                self.source.engine.begin_webhooks(&endpoint).await?;
                self.running.insert(endpoint.id, self.start(&endpoint));
            }
        }
        Ok(())
    }

    /// Lets no event outside of the feed wait for an endpoint that was deleted, and so has no position.
    async fn forget_waiting(&self, id: WebhookEndpointId) -> Result<(), EngineError> {
        let (Some(backlog), name) = (self.source.feed.backlog(), WebhookEndpoint::target(id)) else { return Ok(()) };
        if self.source.targets.target(&name).await?.is_none()
            && let Err(error) = backlog.forget(&name).await
        {
            tracing::warn!(%error, "events outside of the feed still wait for an endpoint that was deleted");
        }
        Ok(())
    }

    fn start(&self, endpoint: &WebhookEndpoint) -> Running {
        let relay = relay(&self.source, endpoint, self.time_out);
        let stop = watch::Sender::new(false);
        let mut stopped = stop.subscribe();
        let task = tokio::spawn(relay.run(async move {
            stopped.wait_for(|stopped| *stopped).await.ok();
        }));
        Running { stop, task }
    }

    async fn stop(self) {
        for running in self.running.values() {
            running.stop.send_replace(true);
        }
        for running in self.running.into_values() {
            running.task.await.ok();
        }
    }
}
