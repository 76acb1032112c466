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
use tokio::time::timeout_at;

use crate::connect::{Place, Stream};

/// What is read of the head of an answer, in bytes, and how many headers.
const MAX_HEAD: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;
/// What is read of the body of an answer, in bytes, and for how long. It is dropped: the status decides.
const MAX_BODY: usize = 4 * 1024;
const BODY_TIME: Duration = Duration::from_millis(500);
/// How long a connection is used. After it the name of the endpoint is resolved and its addresses are checked again.
const MAX_AGE: Duration = Duration::from_secs(30);
/// How long a connection waits for the next webhook. What is between may forget one that is not used.
const MAX_IDLE: Duration = Duration::from_secs(10);

/// A connection to an address that was checked. It is closed when this is dropped.
#[derive(Debug)]
pub(crate) struct Connection {
    client: SendRequest<Full<Bytes>>,
    since: Instant,
    used: Instant,
    _driver: JoinSet<()>,
}

/// There was no answer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unanswered {
    /// The connection broke.
    Broken,
    /// There was none in time.
    Late,
}

impl Connection {
    /// Begins HTTP on a stream. `time_out` is the limit of an attempt.
    pub(crate) async fn begin(stream: Stream, time_out: Duration) -> Result<Self, Unanswered> {
        let mut builder = Builder::new();
        builder.max_buf_size(MAX_HEAD).max_headers(MAX_HEADERS);
        let (client, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(|_| Unanswered::Broken)?;
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            tokio::time::timeout(MAX_AGE + time_out, connection).await.ok();
        });
        let now = Instant::now();
        Ok(Self { client, since: now, used: now, _driver: driver })
    }

    /// Sends a request within `limit`. Returns the status, and the connection if it can be used again. A status that has arrived is not lost:
    /// what is left of the limit is the time for the body.
    pub(crate) async fn send(
        mut self,
        request: Request<Full<Bytes>>,
        limit: Duration,
    ) -> Result<(StatusCode, Option<Self>), Unanswered> {
        let end = tokio::time::Instant::now() + limit;
        let answer = timeout_at(end, self.client.send_request(request)).await.map_err(|_| Unanswered::Late)?;
        let (head, body) = answer.map_err(|_| Unanswered::Broken)?.into_parts();
        let end = end.min(tokio::time::Instant::now() + BODY_TIME);
        let body = timeout_at(end, Limited::new(body, MAX_BODY).collect()).await;
        self.used = Instant::now();
        Ok((head.status, matches!(body, Ok(Ok(_))).then_some(self)))
    }

    fn is_usable(&self) -> bool {
        self.since.elapsed() < MAX_AGE && self.used.elapsed() < MAX_IDLE && !self.client.is_closed()
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
