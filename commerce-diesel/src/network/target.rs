//! The servers of a URL, and which of them takes writes.
//!
//! Included by each database on a server.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::open::{Connected, Server};
use crate::network::{DatabaseError, DatabaseOptions, hosts};

/// How long a connection that reads is used if there are several servers. Its server may have become a standby without telling.
const MAX_AGE: Duration = Duration::from_secs(60);

/// The servers of a URL. With several of them, connections lead to one that takes writes.
pub(super) struct Target {
    servers: Vec<Arc<Server>>,
    options: DatabaseOptions,
    /// The server that took writes last. It is asked first.
    current: AtomicUsize,
    /// How often another server has become the current one.
    moves: AtomicU64,
    /// The first event of the shop.
    first_event: OnceLock<String>,
}

/// When a connection was made.
#[derive(Clone, Copy)]
pub(super) struct Made {
    moves: u64,
    at: Instant,
}

impl Target {
    pub(super) fn read(url: &str, options: DatabaseOptions) -> Result<Self, DatabaseError> {
        let urls = hosts::each(url)?;
        let servers = urls.iter().map(|url| Server::read(url, options).map(Arc::new));
        let servers = servers.collect::<Result<_, _>>()?;
        let (current, moves, first_event) = (AtomicUsize::new(0), AtomicU64::new(0), OnceLock::new());
        Ok(Self { servers, options, current, moves, first_event })
    }

    pub(super) const fn options(&self) -> &DatabaseOptions {
        &self.options
    }

    /// Runs missing migrations on the server that takes writes, and refuses servers of different shops.
    pub(super) async fn prepare(&self) -> Result<(), DatabaseError> {
        if let [server] = &*self.servers {
            return Arc::clone(server).prepare().await;
        }
        let mut reasons = Vec::new();
        for (place, server) in self.servers.iter().enumerate() {
            match Arc::clone(server).prepare().await {
                Ok(()) => {
                    self.current.store(place, Ordering::Relaxed);
                    return self.compare().await;
                }
                Err(error) if error.is_of_the_server() => reasons.push(error),
                Err(error) => return Err(error),
            }
        }
        Err(DatabaseError::no_server(&reasons))
    }

    /// Whether all servers that can be reached have the same shop.
    async fn compare(&self) -> Result<(), DatabaseError> {
        drop(self.connect().await?);
        for server in &self.servers {
            match Self::first_event(server).await {
                Ok(first_event) => self.check_shop(server, first_event)?,
                Err(error) => tracing::warn!(%error, "one of the database servers cannot be used now"),
            }
        }
        Ok(())
    }

    async fn first_event(server: &Server) -> Result<Option<String>, DatabaseError> {
        let mut connected = server.connect().await?;
        Ok(server.state(&mut connected).await?.first_event)
    }

    /// Connects to the server, or to the one of several that takes writes.
    pub(super) async fn connect(&self) -> Result<Connected, DatabaseError> {
        if let [server] = &*self.servers {
            return server.connect().await;
        }
        let (first, count) = (self.current.load(Ordering::Relaxed), self.servers.len());
        let mut reasons = Vec::new();
        for (place, server) in self.servers.iter().enumerate().cycle().skip(first).take(count) {
            match self.connect_to(server).await {
                Ok(connected) => {
                    self.note(first, place, server);
                    return Ok(connected);
                }
                Err(error) => reasons.push(error),
            }
        }
        Err(DatabaseError::no_server(&reasons))
    }

    /// Connects to a server that takes writes and has this shop.
    async fn connect_to(&self, server: &Server) -> Result<Connected, DatabaseError> {
        let mut connected = server.connect().await?;
        let state = server.state(&mut connected).await?;
        if state.read_only {
            return Err(DatabaseError::ReadOnly { host: server.host() });
        }
        self.check_shop(server, state.first_event)?;
        Ok(connected)
    }

    fn check_shop(&self, server: &Server, first_event: Option<String>) -> Result<(), DatabaseError> {
        let Some(found) = first_event else { return Ok(()) };
        if *self.first_event.get_or_init(|| found.clone()) == found {
            return Ok(());
        }
        Err(DatabaseError::OtherShop { host: server.host() })
    }

    fn note(&self, before: usize, place: usize, server: &Server) {
        if before != place && self.current.swap(place, Ordering::Relaxed) != place {
            self.moves.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(host = %server.host(), "another database server takes the writes now");
        }
    }

    /// The time of a connection that is being made.
    pub(super) fn now(&self) -> Made {
        Made { moves: self.moves.load(Ordering::Relaxed), at: Instant::now() }
    }

    /// Whether the server of a connection may no longer be the one that takes writes.
    pub(super) fn is_outdated(&self, made: Made) -> bool {
        self.servers.len() > 1 && (made.moves != self.moves.load(Ordering::Relaxed) || made.at.elapsed() > MAX_AGE)
    }
}
