//! What is published to.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use async_trait::async_trait;
use commerce_core::actor::{Actor, Role};
use commerce_core::ids::TargetName;
use commerce_core::port::{PublishError, Publisher, Targets};
use commerce_core::publishing::{Message, TargetState};
use commerce_core::webhook::{WebhookEndpoint, WebhookEndpointDetails};
use commerce_events::{FileTarget, NatsConfig, NatsTarget, RabbitMqConfig, RabbitMqTarget, RedisConfig, RedisTarget};
use commerce_events::{Relay, Start, TargetOptions};
use test_servers::{Broker, BrokerKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::shop::{Failure, Shop};

/// The argument with which this program is the receiver of webhooks.
pub(crate) const RECEIVE: &str = "--receive-webhooks";

/// A kind of target, with its server.
pub(crate) enum Target {
    Nothing,
    File,
    Nats(Broker),
    RabbitMq(Broker),
    Redis(Broker),
    Webhook { address: SocketAddr, _receiver: Receiver },
}

/// A process, until it is dropped.
pub(crate) struct Receiver(Child);

impl Drop for Receiver {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Confirms everything at once: what is left is the relay.
#[derive(Debug)]
struct Nothing;

#[async_trait]
impl Publisher for Nothing {
    async fn publish(&self, _: &[Message]) -> Result<(), PublishError> {
        Ok(())
    }
}

impl Target {
    pub(crate) fn all() -> Result<[Self; 6], Failure> {
        let mut receiver = Command::new(std::env::current_exe()?).arg(RECEIVE).stdout(Stdio::piped()).spawn()?;
        let mut address = String::new();
        BufReader::new(receiver.stdout.take().ok_or("it has an output")?).read_line(&mut address)?;
        let webhook = Self::Webhook { address: address.trim().parse()?, _receiver: Receiver(receiver) };
        let nats = Self::Nats(Broker::start(BrokerKind::Nats)?);
        let rabbitmq = Self::RabbitMq(Broker::start(BrokerKind::RabbitMq)?);
        let redis = Self::Redis(Broker::start(BrokerKind::Redis)?);
        Ok([Self::Nothing, Self::File, nats, rabbitmq, redis, webhook])
    }

    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Nothing => "relay-alone",
            Self::File => "file",
            Self::Nats(_) => "nats",
            Self::RabbitMq(_) => "rabbitmq",
            Self::Redis(_) => "redis",
            Self::Webhook { .. } => "webhook",
        }
    }

    /// A relay from the beginning of the feed to a new target.
    pub(crate) async fn relay(&self, shop: &Shop, name: &str) -> Result<Relay, Failure> {
        match self.publisher(shop, name).await? {
            Some(publisher) => relay(shop, name, publisher),
            None => self.endpoint(shop).await,
        }
    }

    /// A publisher to a new target. `None`: the relay has its own.
    pub(crate) async fn publisher(&self, shop: &Shop, name: &str) -> Result<Option<Arc<dyn Publisher>>, Failure> {
        Ok(match self {
            Self::Nothing => Some(Arc::new(Nothing)),
            Self::File => Some(Arc::new(FileTarget::new(shop.path().join(name)))),
            Self::Nats(broker) => {
                create_stream(broker, name).await?;
                let config = NatsConfig { url: broker.url(), prefix: name.to_owned(), ca_file: None };
                Some(Arc::new(NatsTarget::new(config)))
            }
            Self::RabbitMq(broker) => {
                let (exchange, queue) = (name.to_owned(), Some(name.to_owned()));
                let config = RabbitMqConfig { url: broker.url(), exchange, queue, ca_file: None };
                Some(Arc::new(RabbitMqTarget::new(config)?))
            }
            Self::Redis(broker) => {
                let stream = name.to_owned();
                let config = RedisConfig { url: broker.url(), stream, channel: None, max_length: None, ca_file: None };
                Some(Arc::new(RedisTarget::new(config)?))
            }
            Self::Webhook { .. } => None,
        })
    }

    async fn endpoint(&self, shop: &Shop) -> Result<Relay, Failure> {
        let Self::Webhook { address, .. } = self else { return Err("it is no endpoint".into()) };
        let url = format!("http://{address}/").parse()?;
        let details = WebhookEndpointDetails { url, description: None, types: [].into() };
        let admin = Actor::user(Role::Admin, "root".parse()?);
        let added = shop.engine.add_webhook_endpoint(&admin, &details, None).await?;
        let endpoint = added.into_fresh().ok_or("it is a new endpoint")?;
        let state = TargetState::new(WebhookEndpoint::target(endpoint.id), 0);
        shop.store.replace_target(None, Some(&state)).await?;
        Ok(commerce_webhooks::relay(&shop.source(), &endpoint, std::time::Duration::from_secs(10)))
    }
}

/// A relay from the beginning of the feed.
pub(crate) fn relay(shop: &Shop, name: &str, publisher: Arc<dyn Publisher>) -> Result<Relay, Failure> {
    let options = TargetOptions { start: Start::Beginning, ..TargetOptions::new(name.parse::<TargetName>()?) };
    Ok(Relay::new(shop.source(), options, publisher))
}

async fn create_stream(broker: &Broker, name: &str) -> Result<(), Failure> {
    let url = broker.url();
    let address: async_nats::ServerAddr = url.parse()?;
    let (user, password) = address.username().zip(address.password()).ok_or("a broker has a user")?;
    let options = async_nats::ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned());
    let context = async_nats::jetstream::new(options.connect(&address).await?);
    let subjects = vec![format!("{name}.>")];
    let config = async_nats::jetstream::stream::Config { name: name.to_owned(), subjects, ..Default::default() };
    context.create_stream(config).await?;
    Ok(())
}

/// Answers every webhook with 204, until the process is ended.
#[expect(clippy::print_stdout, reason = "the address is read by the process that started this one")]
pub(crate) fn receive() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            tokio::spawn(answer(stream));
        }
    })
}

async fn answer(mut stream: TcpStream) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut text = Vec::new();
    loop {
        let length = loop {
            if let Some(length) = whole(&text) {
                break length;
            }
            if stream.read_buf(&mut text).await.ok()? == 0 {
                return None;
            }
        };
        text.drain(..length);
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.ok()?;
    }
}

/// The length of the request at the start of a text, if it is there to its end.
fn whole(text: &[u8]) -> Option<usize> {
    let head = text.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let lines = std::str::from_utf8(text.get(..head)?).ok()?;
    let length = lines.lines().find_map(|line| line.strip_prefix("content-length: "))?;
    let whole = head + length.parse::<usize>().ok()?;
    (text.len() >= whole).then_some(whole)
}
