//! The consumer: each message once in effect, a dead letter, or again in the queue; whatever fails in between.

#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use commerce_core::actor::Actor;
use commerce_core::catalog::Variant;
use commerce_core::engine::{Engine, EngineError, ImportRow, ProductInput, Received};
use commerce_core::inbox::{
    DeadLetterReason, Envelope, InboxEvent, InboxState, IncomingType, MAX_MESSAGE, Message, Reading, Source,
};
use commerce_core::money::Currency;
use commerce_core::payment::SandboxProcessor;
use commerce_core::port::{PageRequest, Store, Subscription};
use commerce_core::settings::Settings;
use commerce_events::Consumer;
use commerce_testkit::commit_builder::parse;
use commerce_testkit::fuzz::{self, Target, fuzz};
use commerce_testkit::{FakeQueue, FaultInjector, Faults, MemoryStore};
use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// How long work in memory may take, with the pauses after failures.
const PATIENCE: Duration = Duration::from_secs(600);

struct Shop {
    engine: Engine,
    store: Arc<FaultInjector<MemoryStore>>,
    queue: FakeQueue,
}

/// A consumer that runs until it is told to stop.
struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    async fn stop(self) {
        self.stop.send(()).expect("it runs");
        self.task.await.expect("it stops");
    }
}

fn ignore(_: &str, _: &Result<Received, EngineError>) {}

impl Shop {
    /// With ten mugs, whose levels and changes come from the source `erp`.
    async fn open() -> Self {
        let store = Arc::new(FaultInjector::new(MemoryStore::new(), 1));
        let mut settings = Settings::new(Currency::USD);
        let types = [("level", IncomingType::StockLevel), ("delta", IncomingType::StockDelta)];
        let types = types.map(|(name, kind)| (name.to_owned(), kind)).into();
        settings.sources.insert(parse("erp"), Source { envelope: Envelope::Plain, types });
        let shared: Arc<dyn Store> = store.clone();
        let engine = Engine::builder(settings, shared, Arc::new(SandboxProcessor::in_memory())).build();
        let mug = ProductInput::new(parse("Mug"), vec![Variant::new(parse("MUG"), parse("1.00 USD"))]);
        let row = ImportRow { id: parse("mug"), product: mug, on_hand: vec![10] };
        engine.import(&Actor::SYSTEM, &[row]).await.expect("the product is good");
        Self { engine, store, queue: FakeQueue::default() }
    }

    fn consume(&self) -> Running {
        self.consume_from(Arc::new(self.queue.subscribe()))
    }

    fn consume_from(&self, subscription: Arc<dyn Subscription>) -> Running {
        let (stop, stopped) = oneshot::channel();
        let consumer = Consumer::new(self.engine.clone(), parse("erp"), subscription, ignore);
        let task = tokio::spawn(consumer.run(async move {
            stopped.await.ok();
        }));
        Running { stop, task }
    }

    fn send_delta(&self, id: usize) {
        let data = json!({ "sku": "MUG", "delta": 1, "key": format!("k{id}") });
        self.send(&format!("e{id}"), "delta", &data);
    }

    fn send_level(&self, version: u64, on_hand: u64) {
        let data = json!({ "sku": "MUG", "on_hand": on_hand, "version": version });
        self.send(&format!("v{version}"), "level", &data);
    }

    fn send(&self, id: &str, kind: &str, data: &serde_json::Value) {
        let event = json!({ "event_id": id, "event_type": kind, "timestamp": "2026-01-02T03:04:05Z", "data": data });
        self.queue.send(event.to_string().as_bytes());
    }

    /// Until so many messages are unsettled.
    async fn until(&self, unsettled: usize) {
        let begun = Instant::now();
        while self.queue.unsettled() != unsettled {
            assert!(begun.elapsed() < PATIENCE, "{} messages are unsettled", self.queue.unsettled());
            sleep(Duration::from_millis(5)).await;
        }
    }

    async fn on_hand(&self) -> i64 {
        self.engine.stock(&Actor::SYSTEM, &parse("MUG")).await.expect("it is stocked").on_hand
    }

    async fn letters(&self) -> Vec<InboxEvent> {
        let first = PageRequest::first(100);
        self.engine.dead_letters(&Actor::SYSTEM, InboxState::Dead, &first).await.expect("a store").items
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_takes_effect_once_though_its_acknowledgement_is_lost() {
    let shop = Shop::open().await;
    shop.queue.lose_acknowledgements(true);
    (0..5).for_each(|id| shop.send_delta(id));
    let consumer = shop.consume();
    while shop.on_hand().await < 15 {
        sleep(Duration::from_millis(5)).await;
    }
    sleep(Duration::from_secs(1)).await;
    assert_eq!(shop.queue.unsettled(), 5);
    shop.queue.lose_acknowledgements(false);
    shop.until(0).await;
    consumer.stop().await;
    assert_eq!(shop.on_hand().await, 15);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_a_dead_letter_with_its_reason_and_stops_none_behind_it() {
    let shop = Shop::open().await;
    let large = json!({ "event_type": "delta", "fill": "x".repeat(MAX_MESSAGE) }).to_string();
    for poison in [&b"\xff"[..], b"", b"{", large.as_bytes(), b"{\"event_type\":\"delta\",\"event_id\":\"\"}"] {
        shop.queue.send(poison);
    }
    let future = json!({ "event_id": "f", "event_type": "delta", "timestamp": "2026-01-02T03:04:05Z",
        "schema_version": 2, "data": {} });
    shop.queue.send(future.to_string().as_bytes());
    shop.queue.send(b"\xff");
    shop.send_delta(1);
    shop.queue.send(br#"{"event_type":"invoice"}"#);
    let consumer = shop.consume();
    shop.until(0).await;
    consumer.stop().await;
    assert_eq!(shop.on_hand().await, 11);
    let reasons: Vec<_> = shop.letters().await.into_iter().filter_map(|letter| Some(letter.reason?.code)).collect();
    let expected = [[DeadLetterReason::Malformed; 5].as_slice(), &[DeadLetterReason::FutureVersion]].concat();
    assert_eq!(reasons, expected);
}

#[tokio::test(start_paused = true)]
async fn levels_out_of_order_end_with_the_newest() {
    let shop = Shop::open().await;
    for (version, on_hand) in [(3, 30), (1, 10), (4, 40), (2, 20), (4, 40)] {
        shop.send_level(version, on_hand);
    }
    let consumer = shop.consume();
    shop.until(0).await;
    consumer.stop().await;
    assert_eq!(shop.on_hand().await, 40);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_acknowledged_while_the_store_is_away_and_nothing_lost() {
    let shop = Shop::open().await;
    (0..40).for_each(|id| shop.send_delta(id));
    shop.store.set(Faults { refused: 1000, ..Faults::NONE });
    let consumer = shop.consume();
    sleep(Duration::from_secs(60)).await;
    assert_eq!(shop.queue.unsettled(), 40);
    shop.store.set(Faults::NONE);
    shop.until(0).await;
    consumer.stop().await;
    assert_eq!(shop.on_hand().await, 50);
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_away_is_tried_again() {
    let shop = Shop::open().await;
    shop.queue.be_away(true);
    let consumer = shop.consume();
    shop.send_delta(1);
    sleep(Duration::from_secs(300)).await;
    shop.queue.be_away(false);
    shop.until(0).await;
    consumer.stop().await;
    assert_eq!(shop.on_hand().await, 11);
}

/// Until there is a place, the message stays in the queue; the others are taken.
#[tokio::test(start_paused = true)]
async fn a_dead_letter_without_a_place_stays_in_the_queue() {
    let shop = Shop::open().await;
    for number in 0..257 {
        shop.queue.send(format!("poison {number}").as_bytes());
    }
    shop.send_delta(1);
    let consumer = shop.consume();
    let begun = Instant::now();
    while shop.on_hand().await != 11 {
        assert!(begun.elapsed() < PATIENCE, "the change behind them is taken");
        sleep(Duration::from_secs(1)).await;
    }
    assert!(shop.queue.unsettled() > 0);
    let mut dead = 0;
    while shop.queue.unsettled() > 0 || !shop.letters().await.is_empty() {
        for letter in shop.letters().await {
            shop.engine.discard_dead_letter(&Actor::SYSTEM, letter.id).await.expect("discarded");
            dead += 1;
        }
        sleep(Duration::from_secs(1)).await;
    }
    consumer.stop().await;
    assert_eq!(dead, 257);
}

#[tokio::test(start_paused = true)]
async fn several_consumers_share_a_queue_while_some_of_them_die() {
    let shop = Shop::open().await;
    (0..200).for_each(|id| shop.send_delta(id));
    (0..200).step_by(3).for_each(|id| shop.send_delta(id));
    shop.store.set(Faults { refused: 20, lost: 20, ..Faults::NONE });
    let consumers = [shop.consume(), shop.consume()];
    for _ in 0..5 {
        let dying = shop.consume();
        sleep(Duration::from_millis(3)).await;
        dying.task.abort();
        drop(dying);
    }
    shop.until(0).await;
    shop.store.set(Faults::NONE);
    for consumer in consumers {
        consumer.stop().await;
    }
    assert_eq!(shop.on_hand().await, 210);
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_stops_gives_back_what_it_has_not_taken() {
    let shop = Shop::open().await;
    (0..100).for_each(|id| shop.send_delta(id));
    let subscription = Arc::new(shop.queue.subscribe());
    let consumer = shop.consume_from(subscription.clone());
    tokio::task::yield_now().await;
    consumer.stop().await;
    // The first subscription is still there: what it kept would not come.
    let other = shop.consume();
    shop.until(0).await;
    other.stop().await;
    drop(subscription);
    assert_eq!(shop.on_hand().await, 110);
}

/// See `commerce_testkit::fuzz`.
#[test]
fn no_message_breaks_its_reader() {
    let types = IncomingType::ALL.iter().map(|kind| (kind.name().to_owned(), *kind));
    let types: BTreeMap<_, _> = types.collect();
    let plain = json!({ "event_id": "e", "event_type": "stock.level", "timestamp": "2026-01-02T03:04:05Z", "sequence": 1,
        "schema_version": 1, "data": { "sku": "MUG", "on_hand": 1, "version": 1 } });
    let cloud = json!({ "specversion": "1.0", "id": "e", "source": "urn:erp", "type": "user.deactivated",
        "time": "2026-01-02T03:04:05Z", "sequence": "01", "schemaversion": 1, "data": { "user_id": "ann" } });
    let seeds = [plain, cloud].map(|event| event.to_string().into_bytes());
    let corpus = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/messages"));
    fuzz(Target { corpus, seeds: seeds.into(), mutate: fuzz::json, limit: None }, |body| {
        let message = Message { source: parse("erp"), id: parse("m"), body };
        let read = |envelope| Source { envelope, types: types.clone() }.read(&message, DateTime::UNIX_EPOCH);
        [Envelope::Plain, Envelope::CloudEvents].into_iter().any(|form| matches!(read(form), Reading::Event(_)))
    });
}
