//! Putting an engine together.

use alloc::sync::Arc;

use super::Engine;
use crate::port::{Clock, IdGenerator, Payments, Store, Users};
use crate::settings::Settings;
#[cfg(feature = "std")]
use crate::system::{SystemClock, TimeOrderedIds};

/// The world the engine works in.
#[derive(Clone, Debug)]
pub(super) struct Ports {
    pub(super) store: Arc<dyn Store>,
    pub(super) users: Option<Arc<dyn Users>>,
    pub(super) payments: Arc<dyn Payments>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdGenerator>,
}

/// An engine in the making; see [`Engine::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct EngineBuilder {
    ports: Ports,
    settings: Settings,
}

impl Engine {
    /// Begins an engine over a store and a payment processor, with the clock and the ids of the system. Every authenticated
    /// user counts as existing unless [`EngineBuilder::users`] says otherwise.
    #[cfg(feature = "std")]
    pub fn builder(settings: Settings, store: Arc<dyn Store>, payments: Arc<dyn Payments>) -> EngineBuilder {
        EngineBuilder::new(settings, store, payments, (Arc::new(SystemClock), Arc::new(TimeOrderedIds)))
    }
}

impl EngineBuilder {
    /// Begins an engine with a clock and ids of your own: [`Engine::builder`] where there is no operating system.
    pub fn new(
        settings: Settings,
        store: Arc<dyn Store>,
        payments: Arc<dyn Payments>,
        (clock, ids): (Arc<dyn Clock>, Arc<dyn IdGenerator>),
    ) -> Self {
        Self { ports: Ports { store, users: None, payments, clock, ids }, settings }
    }

    /// Asks a service whether a user exists, and for segments.
    pub fn users(mut self, users: Arc<dyn Users>) -> Self {
        self.ports.users = Some(users);
        self
    }

    /// Takes the time from another clock.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.ports.clock = clock;
        self
    }

    /// Takes new ids from elsewhere.
    pub fn ids(mut self, ids: Arc<dyn IdGenerator>) -> Self {
        self.ports.ids = ids;
        self
    }

    /// The engine.
    pub fn build(self) -> Engine {
        Engine { ports: self.ports, settings: Arc::new(self.settings) }
    }
}
