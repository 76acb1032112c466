//! The accept loop: accepts connections, serves requests, shuts down gracefully.
//!
//! It serves any [`tower::Service`] for hyper's requests, over HTTP/1.1 and HTTP/2 on one listener, with or without TLS. It limits what a
//! client can hold: connections, requests, memory and time. `docs/limits.md` lists the limits.

mod activity;
mod client;
mod explained;
mod gate;
mod network;
mod pace;
mod tls;

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use commerce_http::telemetry;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::{Builder, Connection};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};
use tower::Service;

use self::activity::Activity;
use self::client::Clients;
use self::explained::ExplainedStream;
use self::gate::Gate;
use self::pace::{PacedStream, Streams};
pub use self::tls::Certificates;
use self::tls::Wire;
pub use commerce_outbound::{Network, ParseNetworkError};

type BoxError = Box<dyn Error + Send + Sync>;

/// The pause after a failed accept, which usually means that there are no free file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// The interval of pings on an HTTP/2 connection.
const PING: Duration = Duration::from_secs(20);
/// The connections that the system accepts before this program does.
const BACKLOG: u32 = 4096;
/// The memory of the system for unsent bytes of a connection. It may use twice as much.
const SEND_BUFFER: u32 = 64 * 1024;
/// Unsent bytes of a stream that HTTP/2 buffers.
const STREAM_BUFFER: usize = 64 * 1024;

/// The limits for clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Concurrent connections; further ones wait in the queue of the system. Each is an open file.
    pub connections: usize,
    /// Concurrent connections of a client, and its requests in progress. A client is an IPv4 address or an IPv6 network of 64
    /// bits. Further connections are closed, further requests answered with 503.
    pub per_client: usize,
    /// Proxies whose connections do not count. The header `X-Forwarded-For` or `Forwarded` names the client of each request.
    pub trusted_proxies: Vec<Network>,
    /// Concurrent streams of an HTTP/2 connection.
    pub streams: u32,
    /// The time-out for the head of the first request.
    pub head_time_out: Duration,
    /// The maximum size of a request's head, in bytes.
    pub head_bytes: usize,
    /// The time-out between two requests, including the head of the second one.
    pub idle_time_out: Duration,
    /// The age after which a connection takes no new requests.
    pub max_age: Duration,
    /// The time in which a client must take a part of its answer. On average it must take 4 KiB per second.
    pub write_time_out: Duration,
    /// The memory of all answers that are not sent yet, in bytes. A client may hold a quarter, a connection a sixteenth.
    pub memory: usize,
    /// The time-out for running requests after the shutdown has begun, or the maximum age is reached.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            per_client: 1_000,
            trusted_proxies: Vec::new(),
            streams: 128,
            head_time_out: Duration::from_secs(15),
            head_bytes: 32 * 1024,
            idle_time_out: Duration::from_secs(75),
            max_age: Duration::from_secs(3600),
            write_time_out: Duration::from_secs(30),
            memory: 64 * 1024 * 1024,
            grace: Duration::from_secs(25),
        }
    }
}

/// The result of a shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All accepted requests were answered.
    Complete,
    /// The grace period ended before, with so many connections left.
    Interrupted(usize),
}

/// Listens on an address, with room for many clients that connect at once.
///
/// # Errors
/// The address is not free, or not of this machine.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?; // accepted connections inherit it
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until `shutdown` is ready, then stops accepting and finishes running requests.
///
/// The service limits bodies and the duration of requests. This function limits everything before the service is called, and
/// after it has answered.
pub async fn serve<S, B>(
    listener: TcpListener,
    service: S,
    limits: &Limits,
    shutdown: impl Future<Output = ()>,
) -> Ended
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    serve_over((listener, None), service, limits, shutdown).await
}

/// As [`serve`], over TLS if there are certificates.
pub async fn serve_over<S, B>(
    (listener, certificates): (TcpListener, Option<Certificates>),
    service: S,
    limits: &Limits,
    shutdown: impl Future<Output = ()>,
) -> Ended
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    let (builder, clients) = (builder(limits), Arc::new(Clients::new(limits)));
    let places = Arc::new(Semaphore::new(limits.connections));
    let (closing, open) = watch::channel(());
    let mut shutdown = pin!(shutdown);
    loop {
        let (stream, address, place) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let Some(peer) = clients.admit(address.ip()) else {
            telemetry::limited("connections_per_client");
            continue;
        };
        let activity = Activity::new();
        let gate =
            Gate { service: service.clone(), clients: Arc::clone(&clients), peer, activity: Arc::clone(&activity) };
        let stream = PacedStream::new(stream, limits.write_time_out);
        let (builder, certificates) = (builder.clone(), certificates.clone());
        let (limits, open) = (limits.clone(), open.clone());
        tokio::spawn(async move {
            let mut open = open;
            let begun = tokio::select! {
                biased; // without TLS it has begun, and a request may be under way
                begun = begin(stream, certificates, limits.head_time_out) => begun,
                _ = open.changed() => None,
            };
            let Some(wire) = begun else { return };
            let connection = builder.serve_connection(TokioIo::new(ExplainedStream::new(wire)), gate).into_owned();
            attend(connection, activity, limits, open, place).await;
        });
    }
    drop((listener, open));
    closing.send_replace(());
    match timeout(limits.grace, closing.closed()).await {
        Ok(()) => Ended::Complete,
        Err(_) => Ended::Interrupted(closing.receiver_count()),
    }
}

/// Begins TLS, if the listener has it.
async fn begin(stream: PacedStream, certificates: Option<Certificates>, time_out: Duration) -> Option<Wire> {
    let Some(certificates) = certificates else { return Some(Wire::Plain(stream)) };
    match timeout(time_out, certificates.accept(stream)).await {
        Ok(Ok(wire)) => Some(wire),
        Ok(Err(error)) => {
            tracing::debug!(%error, "TLS could not be begun");
            telemetry::limited("tls_refused");
            None
        }
        Err(_) => {
            telemetry::limited("head_timeout");
            None
        }
    }
}

/// Serves a connection, which occupies its place until the end.
async fn attend<S, B>(
    connection: Connection<'static, TokioIo<ExplainedStream>, Gate<S>, Streams>,
    activity: Arc<Activity>,
    limits: Limits,
    mut closing: watch::Receiver<()>,
    _place: OwnedSemaphorePermit,
) where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    let mut connection = pin!(connection);
    let patience = tokio::select! {
        biased;
        ended = &mut connection => return note(ended),
        _ = closing.changed() => limits.grace,
        () = activity.ceased(limits.head_time_out, limits.idle_time_out) => {
            if activity.is_fresh() {
                return telemetry::limited("head_timeout");
            }
            telemetry::limited("idle_timeout");
            limits.head_time_out
        }
        () = sleep(limits.max_age) => {
            telemetry::limited("max_age");
            limits.grace
        }
    };
    connection.as_mut().graceful_shutdown();
    if let Ok(ended) = timeout(patience, connection).await {
        note(ended);
    }
}

fn note(ended: Result<(), BoxError>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection was aborted");
    }
}

/// The next connection, when a place is free.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    loop {
        let Ok(place) = Arc::clone(places).acquire_owned().await else { continue };
        match listener.accept().await {
            Ok((stream, address)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "TCP_NODELAY could not be set");
                }
                return (stream, address, place);
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn builder(limits: &Limits) -> Builder<Streams> {
    let mut builder = Builder::new(Streams { time_out: limits.write_time_out });
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.idle_time_out) // it begins when the connection is idle
        .max_buf_size(limits.head_bytes)
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(limits.streams)
        .max_send_buf_size(STREAM_BUFFER);
    builder
}
