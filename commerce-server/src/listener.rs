//! The accept loop: connections in, requests to a service, an orderly end.
//!
//! Any [`tower::Service`] over hyper's requests can be served. HTTP/1.1 and HTTP/2 without TLS share the listener.

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

/// A pause after the system refused a connection, most often for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Requests at once on one HTTP/2 connection.
const MAX_STREAMS: u32 = 128;
/// How often a silent HTTP/2 connection is asked whether it lives.
const PING: Duration = Duration::from_secs(20);

/// What one client may take of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once; further ones wait in the system's queue. Each is an open file.
    pub connections: usize,
    /// How long the head of a request may take, or the pause before it. A new connection is closed if its first request takes longer.
    pub head_time_out: Duration,
    /// The most bytes of a request's head.
    pub head_bytes: usize,
    /// How long requests in flight may take once the server is to end.
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

/// How the server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Every request it had accepted was answered.
    Complete,
    /// The time of grace was over before.
    Interrupted,
}

/// Serves until `shutdown` is ready, then stops accepting and answers what was accepted.
///
/// The service decides about bodies and the time a request may take; here is what happens before it is called.
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

/// Serves a connection, which keeps its place until the end. hyper bounds the time of a head only once it knows the version of HTTP;
/// until the first request the bound is here.
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
        tracing::debug!(%error, "a connection broke off");
    }
}

/// The next connection, once there is a place for it.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> (TcpStream, OwnedSemaphorePermit) {
    loop {
        let Ok(place) = Arc::clone(places).acquire_owned().await else { continue };
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection keeps its delay");
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
