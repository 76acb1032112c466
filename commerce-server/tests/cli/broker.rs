//! What brokers have, read as consumers read it.

use async_nats::jetstream::consumer::pull::OrderedConfig;
use async_nats::jetstream::stream::Config;
use async_nats::jetstream::{self, Context};
use async_nats::{ConnectOptions, Message, ServerAddr};
use futures_util::StreamExt;
use lapin::options::BasicGetOptions;
use lapin::{Connection, ConnectionProperties};
use redis::streams::{StreamId, StreamRangeReply};
use redis::{Client, cmd};

/// What the shop calls its stream or queue, if the settings do not say more.
pub(crate) const NAME: &str = "commerce";
/// Entries of Redis that are read at once.
const PAGE: usize = 1_000;

async fn context(url: &str) -> Context {
    let server: ServerAddr = url.parse().expect("an address");
    let (user, password) = server.username().zip(server.password()).expect("a user");
    let options = ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned());
    jetstream::new(options.connect(&server).await.expect("a connection"))
}

/// Makes a stream of NATS for the subjects under its name, with the usual window in which repeated messages are left out.
pub(crate) async fn create_stream(url: &str, name: &str) {
    let config = Config { name: name.to_owned(), subjects: vec![format!("{name}.>")], ..Config::default() };
    context(url).await.create_stream(config).await.expect("a stream");
}

/// All messages of a stream of NATS, with something made of each.
pub(crate) async fn nats<T>(url: &str, name: &str, of: impl Fn(Message) -> T) -> Vec<T> {
    let mut stream = context(url).await.get_stream(name).await.expect("a stream");
    let count = usize::try_from(stream.info().await.expect("its state").state.messages).expect("small");
    let consumer = stream.create_consumer(OrderedConfig::default()).await.expect("a consumer");
    let messages = consumer.messages().await.expect("messages").take(count);
    messages.map(|message| of(message.expect("a message").split().0)).collect().await
}

/// All messages of a queue, which loses them.
pub(crate) async fn rabbitmq<T>(url: &str, of: impl Fn(&[u8]) -> T) -> Vec<T> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.expect("a connection");
    let channel = connection.create_channel().await.expect("a channel");
    let (mut all, taken) = (Vec::new(), BasicGetOptions { no_ack: true });
    while let Some(found) = channel.basic_get(NAME.into(), taken).await.expect("a queue") {
        all.push(of(&found.delivery.data));
    }
    all
}

/// The events of all entries of a stream of Redis.
pub(crate) async fn redis<T>(url: &str, of: impl Fn(&[u8]) -> T) -> Vec<T> {
    let client = Client::open(url).expect("an address");
    let mut connection = client.get_multiplexed_async_connection().await.expect("a connection");
    let (mut all, mut after) = (Vec::new(), "-".to_owned());
    loop {
        let mut range = cmd("XRANGE");
        range.arg(NAME).arg(&after).arg("+").arg("COUNT").arg(PAGE);
        let page: StreamRangeReply = range.query_async(&mut connection).await.expect("a stream");
        let Some(last) = page.ids.last() else { return all };
        after = format!("({}", last.id);
        let event = |entry: &StreamId| of(&entry.get::<Vec<u8>>("event").expect("an event"));
        all.extend(page.ids.iter().map(event));
    }
}
