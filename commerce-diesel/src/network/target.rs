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
#[derive(Clone, Copy, Debug)]
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
            return Arc::clone(server).prepare(self.options.create).await;
        }
        match self.first_prepared(false).await {
            // A server that is not reached may be the one that has the shop.
            Err(reasons) if self.options.create && reasons.iter().all(DatabaseError::is_of_a_reached_server) => {
                self.first_prepared(true).await
            }
            found => found,
        }
        .map_err(|reasons| DatabaseError::no_server(&reasons))?;
        self.compare().await
    }

    /// Finds the server that takes writes and has the tables, or may get them.
    async fn first_prepared(&self, create: bool) -> Result<(), Vec<DatabaseError>> {
        let mut reasons = Vec::new();
        for (place, server) in self.servers.iter().enumerate() {
            match Arc::clone(server).prepare(create).await {
                Ok(()) => {
                    self.current.store(place, Ordering::Relaxed);
                    return Ok(());
                }
                Err(error) => reasons.push(error),
            }
        }
        Err(reasons)
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
    pub(super) async fn connect(&self) -> Result<(Connected, Made), DatabaseError> {
        let moves = self.moves.load(Ordering::Relaxed);
        if let [server] = &*self.servers {
            return Ok((server.connect().await?, Made { moves, at: Instant::now() }));
        }
        let (first, count) = (self.current.load(Ordering::Relaxed), self.servers.len());
        let mut reasons = Vec::new();
        for (place, server) in self.servers.iter().enumerate().cycle().skip(first).take(count) {
            match self.connect_to(server).await {
                Ok(connected) => {
                    let moves = self.note((first, moves), place, server);
                    return Ok((connected, Made { moves, at: Instant::now() }));
                }
                Err(error) => reasons.push(error),
            }
        }
        Err(DatabaseError::no_server(&reasons))
    }

    /// Runs statements on the first server that takes them.
    pub(super) async fn run(&self, statements: &str) -> Result<(), DatabaseError> {
        let mut reasons = Vec::new();
        for server in &self.servers {
            match server.run(statements).await {
                Ok(()) => return Ok(()),
                Err(error) => reasons.push(error),
            }
        }
        Err(if let [_] = &*self.servers { reasons.remove(0) } else { DatabaseError::no_server(&reasons) })
    }

    /// Connects to a server that takes writes and has this shop.
    async fn connect_to(&self, server: &Server) -> Result<Connected, DatabaseError> {
        let mut connected = server.connect().await?;
        let state = server.state(&mut connected).await?;
        if state.read_only {
            return Err(DatabaseError::ReadOnly { host: server.host() });
        }
        if state.first_event.is_none() && self.first_event.get().is_some() {
            return Err(DatabaseError::OtherShop { host: server.host() });
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

    /// Notes which server takes writes. Returns how often that has changed, as the connection knows it.
    fn note(&self, (before, moves): (usize, u64), place: usize, server: &Server) -> u64 {
        if before == place || self.current.swap(place, Ordering::Relaxed) == place {
            return moves;
        }
        tracing::warn!(host = %server.host(), "another database server takes the writes now");
        self.moves.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }

    /// Whether another server has taken the writes since a connection was made.
    pub(super) fn has_moved(&self, made: Made) -> bool {
        made.moves != self.moves.load(Ordering::Relaxed)
    }

    /// Whether the server of a connection may no longer be the one that takes writes.
    pub(super) fn is_outdated(&self, made: Made) -> bool {
        self.has_moved(made) || self.servers.len() > 1 && made.at.elapsed() > MAX_AGE
    }
}
