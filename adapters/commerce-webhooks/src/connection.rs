//! Connections to endpoints, kept for the next webhook.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;

use crate::connect::{Place, Stream};

/// What is read of the head of an answer, in bytes, and how many headers.
const MAX_HEAD: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;
/// What is read of the body of an answer, in bytes, and for how long. It is dropped: the status decides.
const MAX_BODY: usize = 4 * 1024;
const BODY_TIME: Duration = Duration::from_millis(500);
/// How long a connection is used. After it the name of the endpoint is resolved and its addresses are checked again.
const MAX_AGE: Duration = Duration::from_secs(30);

/// A connection to an address that was checked. It is closed when this is dropped.
#[derive(Debug)]
pub(crate) struct Connection {
    client: SendRequest<Full<Bytes>>,
    since: Instant,
    _driver: JoinSet<()>,
}

/// There was no answer.
#[derive(Debug)]
pub(crate) struct Broken;

impl Connection {
    /// Begins HTTP on a stream. `time_out` is the limit of an attempt.
    pub(crate) async fn begin(stream: Stream, time_out: Duration) -> Result<Self, Broken> {
        let mut builder = Builder::new();
        builder.max_buf_size(MAX_HEAD).max_headers(MAX_HEADERS);
        let (client, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(|_| Broken)?;
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            tokio::time::timeout(MAX_AGE + time_out, connection).await.ok();
        });
        Ok(Self { client, since: Instant::now(), _driver: driver })
    }

    /// Sends a request. Returns the status, and the connection if it can be used again.
    pub(crate) async fn send(mut self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Option<Self>), Broken> {
        let (head, body) = self.client.send_request(request).await.map_err(|_| Broken)?.into_parts();
        let body = tokio::time::timeout(BODY_TIME, Limited::new(body, MAX_BODY).collect()).await;
        let is_whole = matches!(body, Ok(Ok(_)));
        Ok((head.status, is_whole.then_some(self)))
    }

    fn is_usable(&self) -> bool {
        self.since.elapsed() < MAX_AGE && !self.client.is_closed()
    }
}

/// The connections that wait for a webhook: one for each place.
#[derive(Debug, Default)]
pub(crate) struct Idle(Mutex<HashMap<Place, Connection>>);

impl Idle {
    pub(crate) fn take(&self, place: &Place) -> Option<Connection> {
        self.lock().remove(place).filter(Connection::is_usable)
    }

    /// Keeps a connection, and drops those that cannot be used any more.
    pub(crate) fn keep(&self, place: Place, connection: Connection) {
        let mut idle = self.lock();
        idle.retain(|_, connection| connection.is_usable());
        idle.insert(place, connection);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Place, Connection>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
