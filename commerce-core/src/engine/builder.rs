//! The builder of an engine.

use alloc::sync::Arc;

use super::Engine;
use super::reachability::{Reachability, WatchedProcessor};
use crate::port::{Clock, IdGenerator, Observer, Processor, Store, Users};
use crate::settings::Settings;
#[cfg(feature = "std")]
use crate::system::{SystemClock, TimeOrderedIds};

#[derive(Clone, Debug)]
pub(super) struct Ports {
    pub(super) store: Arc<dyn Store>,
    pub(super) users: Option<Arc<dyn Users>>,
    pub(super) processor: Arc<dyn Processor>,
    pub(super) observer: Option<Arc<dyn Observer>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdGenerator>,
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
        Self { ports: Ports { store, users: None, processor, observer: None, clock, ids }, settings }
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
