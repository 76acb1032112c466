//! What each client holds: connections, requests in progress, and memory.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use commerce_http::{Budget, ClientAddress};
use http::HeaderMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Limits;
use super::network;

/// The part of the memory of all answers that one client may hold.
const CLIENT_SHARE: usize = 4;
/// The part of the memory of a client that one connection may hold.
const CONNECTION_SHARE: usize = 4;

/// The clients that hold something.
#[derive(Debug)]
pub(super) struct Clients {
    limits: Limits,
    memory: Budget,
    known: Mutex<HashMap<IpAddr, Weak<Client>>>,
}

/// A client, by its address.
#[derive(Debug)]
pub(super) struct Client {
    address: IpAddr,
    connections: Arc<Semaphore>,
    requests: Arc<Semaphore>,
    memory: Budget,
}

/// The place of a request. Its client is known until all of its places are free.
#[derive(Debug)]
pub(super) struct Place {
    _request: OwnedSemaphorePermit,
    _client: Arc<Client>,
}

/// The other end of a connection.
#[derive(Debug)]
pub(super) enum Peer {
    Client {
        client: Arc<Client>,
        memory: Budget,
        _connection: OwnedSemaphorePermit,
    },
    /// Its requests are those of the clients behind it.
    Proxy(IpAddr),
}

impl Clients {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { limits: limits.clone(), memory: Budget::new(limits.memory), known: Mutex::default() }
    }

    /// The peer of a new connection, unless it has too many.
    pub(super) fn admit(&self, address: IpAddr) -> Option<Peer> {
        if network::is_trusted(&self.limits.trusted_proxies, address) {
            return Some(Peer::Proxy(address));
        }
        let client = self.client(address);
        let place = Arc::clone(&client.connections).try_acquire_owned().ok()?;
        let memory = client.memory.part(self.limits.memory / CLIENT_SHARE / CONNECTION_SHARE);
        Some(Peer::Client { client, memory, _connection: place })
    }

    /// The place of a request, its memory and its client, unless the client has too many requests.
    pub(super) fn request(&self, peer: &Peer, headers: &HeaderMap) -> Option<(Place, Budget, ClientAddress)> {
        let (client, memory) = match peer {
            Peer::Client { client, memory, .. } => (Arc::clone(client), memory.clone()),
            Peer::Proxy(address) => {
                let client = self.client(network::client(&self.limits.trusted_proxies, *address, headers));
                let memory = client.memory.clone();
                (client, memory)
            }
        };
        let request = Arc::clone(&client.requests).try_acquire_owned().ok()?;
        let address = ClientAddress(client.address);
        Some((Place { _request: request, _client: client }, memory, address))
    }

    fn client(&self, address: IpAddr) -> Arc<Client> {
        let address = network::client_prefix(address);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = known.get(&address).and_then(Weak::upgrade) {
            return client;
        }
        if known.len() == known.capacity() {
            known.retain(|_, client| client.strong_count() > 0);
        }
        let (places, memory) = (self.limits.per_client, self.memory.part(self.limits.memory / CLIENT_SHARE));
        let (connections, requests) = (Arc::new(Semaphore::new(places)), Arc::new(Semaphore::new(places)));
        let client = Arc::new(Client { address, connections, requests, memory });
        known.insert(address, Arc::downgrade(&client));
        client
    }
}
