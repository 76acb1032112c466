//! Events in a stream of NATS `JetStream`.

mod source;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::context::{PublishAckFuture, PublishError as NatsError, PublishErrorKind};
use async_nats::{Client, ConnectOptions, HeaderMap, ServerAddr};
use async_trait::async_trait;
use commerce_core::port::{PublishError, Publisher};
use commerce_core::publishing::{Message, independent};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout_at};

pub use self::source::{NatsQueue, NatsQueueConfig};
use crate::budget::{Budget, SLOW, late};

/// How long a connection may take. The relay limits the whole call.
const CONNECT: Duration = Duration::from_secs(5);

/// What the values of headers do not have as it is, as the HTTP binding of `CloudEvents` says.
const UNPRINTABLE: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%');

/// A NATS target.
#[derive(Clone)]
pub struct NatsConfig {
    /// `nats://USER:PASSWORD@HOST:PORT`, or `tls://…` with TLS; several servers of a cluster with commas between.
    pub url: String,
    /// What the subjects begin with: the subject of an event is `PREFIX.TYPE`, such as `commerce.order.paid`.
    pub prefix: String,
    /// A file with the certificates of the authorities that the server is verified with, in addition to those of the system.
    pub ca_file: Option<PathBuf>,
}

/// A stream of NATS `JetStream`, which has to exist and to take the subjects `PREFIX.>`.
///
/// An event is confirmed when the stream has stored it. `Nats-Msg-Id` is the id of the event, so the stream leaves out a repeated one
/// within its duplicate window.
pub struct NatsTarget {
    config: NatsConfig,
    context: OnceCell<Context>,
}

impl NatsTarget {
    /// A target, not yet connected.
    pub const fn new(config: NatsConfig) -> Self {
        Self { config, context: OnceCell::const_new() }
    }

    /// The connection, made when it is first needed. The client makes it anew when it breaks.
    async fn context(&self) -> Result<&Context, PublishError> {
        let connect = async || {
            let client = connect(&self.config.url, self.config.ca_file.as_deref()).await;
            client.map(async_nats::jetstream::new).map_err(|error| PublishError::unavailable(0, error))
        };
        self.context.get_or_try_init(connect).await
    }

    /// Sends messages of different streams, and waits for their confirmations until `end`. The number that was confirmed from the first one
    /// on, and what happened to the next.
    async fn wave(&self, context: &Context, messages: &[Message], end: Instant) -> (usize, Option<PublishError>) {
        let mut sent = Vec::with_capacity(messages.len());
        for message in messages {
            sent.push(within(end, self.send(context, message)).await);
        }
        let (mut confirmed, mut failure) = (0_usize, None);
        for answer in sent {
            let stored = match answer {
                Ok(confirmation) => within(end, confirmation).await.map(drop),
                Err(error) => Err(error),
            };
            match stored {
                Ok(()) if failure.is_none() => confirmed = confirmed.saturating_add(1),
                Ok(()) => {}
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        (confirmed, failure)
    }

    async fn send(&self, context: &Context, message: &Message) -> Result<PublishAckFuture, NatsError> {
        let subject = format!("{}.{}", self.config.prefix, message.event_type);
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Msg-Id", message.id.to_string());
        headers.insert("Content-Type", message.content_type);
        for (name, value) in &message.attributes {
            let value = utf8_percent_encode(value, UNPRINTABLE).to_string();
            headers.insert(format!("ce-{name}"), value);
        }
        context.publish_with_headers(subject, headers, message.body.clone().into()).await
    }
}

#[async_trait]
impl Publisher for NatsTarget {
    async fn publish(&self, messages: &[Message]) -> Result<(), PublishError> {
        if messages.is_empty() {
            return Ok(());
        }
        let context = self.context().await?;
        let (mut confirmed, mut rest, budget) = (0_usize, messages, Budget::begin());
        while !rest.is_empty() {
            if budget.is_spent(confirmed) {
                return Err(PublishError::unavailable(confirmed, format_args!("NATS: {SLOW}")));
            }
            let (wave, others) = rest.split_at(independent(rest));
            let (stored, failure) = self.wave(context, wave, budget.end_of_wave()).await;
            confirmed = confirmed.saturating_add(stored);
            if let Some(error) = failure {
                return Err(PublishError { confirmed, ..error });
            }
            rest = others;
        }
        Ok(())
    }
}

/// What comes before a point in time.
async fn within<T>(end: Instant, work: impl IntoFuture<Output = Result<T, NatsError>>) -> Result<T, PublishError> {
    match timeout_at(end, work).await {
        Ok(done) => done.map_err(|error| failed(&error)),
        Err(_) => Err(PublishError::unavailable(0, format_args!("NATS: {}", late()))),
    }
}

fn failed(error: &NatsError) -> PublishError {
    if error.kind() == PublishErrorKind::MaxPayloadExceeded {
        return PublishError::refused(0, "it is longer than NATS takes");
    }
    PublishError::unavailable(0, format_args!("NATS: {error}"))
}

/// A connection, which the client makes anew when it breaks.
async fn connect(url: &str, ca_file: Option<&Path>) -> Result<Client, String> {
    let mut options = ConnectOptions::new().connection_timeout(CONNECT);
    if let Some(file) = ca_file {
        options = options.add_root_certificates(file.to_owned());
    }
    let servers = servers(url)?;
    let first = servers.iter().find_map(|server| Some((server.username()?, server.password()?)));
    if let Some((user, password)) = first {
        options = options.user_and_password(user.to_owned(), password.to_owned());
    }
    options.connect(servers).await.map_err(|error| format!("NATS: {error}"))
}

/// The servers. Errors do not show the URL, which may have a password.
fn servers(url: &str) -> Result<Vec<ServerAddr>, &'static str> {
    let servers = url.split(',').map(|url| url.trim().parse());
    servers.collect::<Result<_, _>>().map_err(|_| "not an address of NATS, such as tls://user:password@host:4222")
}

impl fmt::Debug for NatsTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsTarget").field("prefix", &self.config.prefix).finish_non_exhaustive()
    }
}

impl fmt::Debug for NatsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsConfig").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
