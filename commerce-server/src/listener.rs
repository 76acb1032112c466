//! The accept loop: accepts connections, serves requests, shuts down gracefully.
//!
//! It serves any [`tower::Service`] for hyper's requests, over HTTP/1.1 and HTTP/2 without TLS on one listener.

use std::error::Error;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tower::{Service, ServiceExt};

type BoxError = Box<dyn Error + Send + Sync>;

/// The pause after a failed accept, which usually means that there are no free file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// The maximum number of concurrent requests on an HTTP/2 connection.
const MAX_STREAMS: u32 = 128;
/// The interval of pings on an HTTP/2 connection.
const PING: Duration = Duration::from_secs(20);

/// The limits for clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Concurrent connections; further ones wait in the queue of the system. Each is an open file.
    pub connections: usize,
    /// The time-out for the head of a request, and for an idle connection before it.
    pub head_time_out: Duration,
    /// The maximum size of a request's head, in bytes.
    pub head_bytes: usize,
    /// The time-out for running requests after the shutdown has begun.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            head_time_out: Duration::from_secs(15),
            head_bytes: 32 * 1024,
            grace: Duration::from_secs(25),
        }
    }
}

/// The result of a shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All accepted requests were answered.
    Complete,
    /// The grace period ended before.
    Interrupted,
}

/// Serves until `shutdown` is ready, then stops accepting and finishes running requests.
///
/// The service limits bodies and the duration of requests. This function limits everything before the service is called.
pub async fn serve<S, B>(
    listener: TcpListener,
    service: S,
    limits: &Limits,
    shutdown: impl Future<Output = ()>,
) -> Ended
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: Body<Error: Into<BoxError>> + Send + 'static,
    B::Data: Send,
{
    let (builder, connections) = (builder(limits), GracefulShutdown::new());
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut shutdown = pin!(shutdown);
    loop {
        let (stream, place) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let asked = Arc::new(Notify::new());
        let notice = Arc::clone(&asked);
        let service = service.clone().map_request(move |request: Request<Incoming>| {
            notice.notify_one();
            request
        });
        let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        let connection = connections.watch(connection.into_owned());
        tokio::spawn(attend(connection, asked, limits.head_time_out, place));
    }
    drop(listener);
    match tokio::time::timeout(limits.grace, connections.shutdown()).await {
        Ok(()) => Ended::Complete,
        Err(_) => Ended::Interrupted,
    }
}

/// Serves a connection, which occupies its place until the end. hyper's time-out for a head starts after it knows the version of
/// HTTP, so the time until the first request is limited here.
async fn attend(
    connection: impl Future<Output = Result<(), BoxError>>,
    asked: Arc<Notify>,
    first_request: Duration,
    _place: OwnedSemaphorePermit,
) {
    let mut connection = pin!(connection);
    tokio::select! {
        biased;
        ended = &mut connection => return note(ended),
        () = asked.notified() => {}
        () = tokio::time::sleep(first_request) => return,
    }
    note(connection.await);
}

fn note(ended: Result<(), BoxError>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection was aborted");
    }
}

/// The next connection, when a place is free.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> (TcpStream, OwnedSemaphorePermit) {
    loop {
        let Ok(place) = Arc::clone(places).acquire_owned().await else { continue };
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "TCP_NODELAY could not be set");
                }
                return (stream, place);
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn builder(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time_out)
        .max_buf_size(limits.head_bytes)
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(MAX_STREAMS);
    builder
}
