//! Reads all that a broker has.

use async_nats::jetstream::consumer::pull::OrderedConfig;
use async_nats::jetstream::stream::Config;
use async_nats::jetstream::{self, Context};
use async_nats::{ConnectOptions, ServerAddr};
use futures_util::StreamExt;
use lapin::options::BasicGetOptions;
use lapin::{Connection, ConnectionProperties};
use redis::streams::{StreamId, StreamRangeReply};
use redis::{Client, cmd};

use super::entries::Entry;

/// What the shop calls its stream or queue, if the settings do not say more.
pub(super) const NAME: &str = "commerce";
/// Entries of Redis that are read at once.
const PAGE: usize = 1_000;

async fn context(url: &str) -> Context {
    let server: ServerAddr = url.parse().expect("an address");
    let (user, password) = server.username().zip(server.password()).expect("a user");
    let options = ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned());
    jetstream::new(options.connect(&server).await.expect("a connection"))
}

/// Makes the stream of NATS that the events go to, with the usual window in which repeated ones are left out.
pub(super) async fn create_stream(url: &str) {
    let config = Config { name: NAME.to_owned(), subjects: vec![format!("{NAME}.>")], ..Config::default() };
    context(url).await.create_stream(config).await.expect("a stream");
}

pub(super) async fn nats(url: &str) -> Vec<Entry> {
    let mut stream = context(url).await.get_stream(NAME).await.expect("a stream");
    let count = usize::try_from(stream.info().await.expect("its state").state.messages).expect("small");
    let consumer = stream.create_consumer(OrderedConfig::default()).await.expect("a consumer");
    let messages = consumer.messages().await.expect("messages").take(count);
    messages.map(|message| Entry::parse(&message.expect("a message").payload)).collect().await
}

pub(super) async fn rabbitmq(url: &str) -> Vec<Entry> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.expect("a connection");
    let channel = connection.create_channel().await.expect("a channel");
    let (mut entries, taken) = (Vec::new(), BasicGetOptions { no_ack: true });
    while let Some(found) = channel.basic_get(NAME.into(), taken).await.expect("a queue") {
        entries.push(Entry::parse(&found.delivery.data));
    }
    entries
}

pub(super) async fn redis(url: &str) -> Vec<Entry> {
    let client = Client::open(url).expect("an address");
    let mut connection = client.get_multiplexed_async_connection().await.expect("a connection");
    let (mut entries, mut after) = (Vec::new(), "-".to_owned());
    loop {
        let mut range = cmd("XRANGE");
        range.arg(NAME).arg(&after).arg("+").arg("COUNT").arg(PAGE);
        let page: StreamRangeReply = range.query_async(&mut connection).await.expect("a stream");
        let Some(last) = page.ids.last() else { return entries };
        after = format!("({}", last.id);
        let event = |entry: &StreamId| Entry::parse(&entry.get::<Vec<u8>>("event").expect("an event"));
        entries.extend(page.ids.iter().map(event));
    }
}
