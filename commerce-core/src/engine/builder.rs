//! The builder of an engine.

use alloc::sync::Arc;

use super::Engine;
use super::reachability::{Reachability, WatchedProcessor};
use crate::port::{
    Clock, DeliveryLog, IdGenerator, InboxVerifier, Observer, Processor, Store, Targets, Traces, Users, WebhookSender,
};
use crate::settings::Settings;
#[cfg(feature = "std")]
use crate::system::{SystemClock, TimeOrderedIds};

#[derive(Clone, Debug)]
pub(super) struct Ports {
    pub(super) store: Arc<dyn Store>,
    pub(super) users: Option<Arc<dyn Users>>,
    pub(super) processor: Arc<dyn Processor>,
    pub(super) observer: Option<Arc<dyn Observer>>,
    pub(super) webhooks: Option<WebhookPorts>,
    pub(super) inbox: Option<Arc<dyn InboxVerifier>>,
    pub(super) traces: Option<Arc<dyn Traces>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdGenerator>,
}

/// What sends webhooks, where attempts are noted, and how far each endpoint has the feed.
#[derive(Clone, Debug)]
pub(super) struct WebhookPorts {
    pub(super) sender: Arc<dyn WebhookSender>,
    pub(super) log: Arc<dyn DeliveryLog>,
    pub(super) targets: Arc<dyn Targets>,
}

/// Builds an engine; see [`Engine::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct EngineBuilder {
    ports: Ports,
    settings: Settings,
}

impl Engine {
    /// A builder with a store and a payment processor, and with the clock and the ids of the system. Every
    /// authenticated user is an existing one unless [`EngineBuilder::users`] is called.
    #[cfg(feature = "std")]
    pub fn builder(settings: Settings, store: Arc<dyn Store>, processor: Arc<dyn Processor>) -> EngineBuilder {
        EngineBuilder::new(settings, store, processor, (Arc::new(SystemClock), Arc::new(TimeOrderedIds)))
    }
}

impl EngineBuilder {
    /// A builder with a clock and ids of your own, for targets without an operating system.
    pub fn new(
        settings: Settings,
        store: Arc<dyn Store>,
        processor: Arc<dyn Processor>,
        (clock, ids): (Arc<dyn Clock>, Arc<dyn IdGenerator>),
    ) -> Self {
        let ports = Ports {
            store,
            users: None,
            processor,
            observer: None,
            webhooks: None,
            inbox: None,
            traces: None,
            clock,
            ids,
        };
        Self { ports, settings }
    }

    /// Uses a service for users and their segments.
    pub fn users(mut self, users: Arc<dyn Users>) -> Self {
        self.ports.users = Some(users);
        self
    }

    /// Tells what was committed to an observer.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.ports.observer = Some(observer);
        self
    }

    /// Sends events to endpoints of webhooks. Without it, there can be none.
    pub fn webhooks(
        mut self,
        sender: Arc<dyn WebhookSender>,
        log: Arc<dyn DeliveryLog>,
        targets: Arc<dyn Targets>,
    ) -> Self {
        self.ports.webhooks = Some(WebhookPorts { sender, log, targets });
        self
    }

    /// Takes events of other systems as signed webhooks. Without it, the engine believes none.
    pub fn inbox(mut self, verifier: Arc<dyn InboxVerifier>) -> Self {
        self.ports.inbox = Some(verifier);
        self
    }

    /// Records with each event the span that caused it. Without it, events have none.
    pub fn traces(mut self, traces: Arc<dyn Traces>) -> Self {
        self.ports.traces = Some(traces);
        self
    }

    /// Uses another clock.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.ports.clock = clock;
        self
    }

    /// Uses another source of ids.
    pub fn ids(mut self, ids: Arc<dyn IdGenerator>) -> Self {
        self.ports.ids = ids;
        self
    }

    /// Builds the engine.
    pub fn build(self) -> Engine {
        let (mut ports, reachability) = (self.ports, Arc::<Reachability>::default());
        let (processor, clock) = (ports.processor, ports.clock.clone());
        ports.processor = Arc::new(WatchedProcessor { processor, clock, reachability: reachability.clone() });
        Engine { ports, settings: Arc::new(self.settings), reachability }
    }
}
