//! Delivering the feed to endpoints, over real sockets.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta};
use commerce_core::actor::{Actor, Role};
use commerce_core::catalog::Variant;
use commerce_core::engine::{Engine, ImportRow, ProductInput, Target, WebhookEndpointPatch};
use commerce_core::ids::{Sku, TargetName};
use commerce_core::money::Currency;
use commerce_core::payment::SandboxProcessor;
use commerce_core::port::{Clock, DeliveryLog, Page, PageRequest, StoreError, StoreErrorKind, StoreResult, Targets};
use commerce_core::publishing::TargetState;
use commerce_core::settings::Settings;
use commerce_core::stock::StockAction;
use commerce_core::webhook::{Delivery, DeliveryOutcome, DisabledReason, WebhookEndpoint, WebhookEndpointDetails};
use commerce_events::{Relay, Round, SharedFeed, Source};
use commerce_testkit::commit_builder::parse;
use commerce_testkit::{ManualClock, MemoryStore, SequentialIds};
use commerce_webhooks::{Config, HttpWebhooks, SigningKeys, deliver, relay};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use uuid::Uuid;

const TIME_OUT: Duration = Duration::from_secs(10);
/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
const WANTED: &str = "stock.adjusted";

/// An endpoint that keeps the ids of what it gets, and answers with a status.
#[derive(Clone, Debug)]
struct Receiver {
    address: SocketAddr,
    status: Arc<AtomicU16>,
    received: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let this = Self { address, status: Arc::new(AtomicU16::new(200)), received: Arc::default() };
        let receiver = this.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(receiver.clone().answer(stream));
            }
        });
        this
    }

    async fn answer(self, mut stream: TcpStream) {
        let mut text = Vec::new();
        while !is_whole(&text) && stream.read_buf(&mut text).await.unwrap_or(0) > 0 {}
        let text = String::from_utf8(text).unwrap();
        let id = text.lines().find_map(|line| line.strip_prefix("webhook-id: ")).unwrap();
        self.received.lock().unwrap().push(id.to_owned());
        let status = self.status.load(Ordering::SeqCst);
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.ok();
    }

    fn answers(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    fn received(&self) -> Vec<String> {
        self.received.lock().unwrap().clone()
    }
}

fn is_whole(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    body.len() >= length.parse().unwrap()
}

struct Shop {
    engine: Engine,
    store: MemoryStore,
    clock: Arc<ManualClock>,
    source: Source,
}

fn admin() -> Actor {
    Actor::user(Role::Admin, parse("root"))
}

impl Shop {
    async fn open() -> Self {
        Self::with(|store| Arc::new(store)).await
    }

    async fn with(targets: impl FnOnce(MemoryStore) -> Arc<dyn Targets>) -> Self {
        let store = MemoryStore::new();
        let clock = Arc::new(ManualClock::new(DateTime::from_timestamp(1_800_000_000, 0).unwrap()));
        let mut config = Config::new(SigningKeys::parse("a-signing-key-of-at-least-32-bytes").unwrap());
        config.allowed_networks = vec!["127.0.0.0/8".parse().unwrap()];
        config.allow_http = true;
        let sender = Arc::new(HttpWebhooks::new(config).unwrap());
        let targets = targets(store.clone());
        let settings = Settings::new(Currency::USD);
        let engine = Engine::builder(settings, Arc::new(store.clone()), Arc::new(SandboxProcessor::in_memory()));
        let engine = engine.clock(clock.clone()).ids(Arc::new(SequentialIds::new(1)));
        let engine = engine.webhooks(sender, Arc::new(store.clone()), targets.clone()).build();
        let product = ProductInput::new(parse("MUG"), vec![Variant::new(parse("MUG"), parse("1.00 USD"))]);
        engine.import(&admin(), &[ImportRow { id: parse("MUG"), product, on_hand: vec![1000] }]).await.unwrap();
        let source = Source {
            engine: engine.clone(),
            feed: SharedFeed::new(engine.clone(), Duration::ZERO),
            targets,
            encode: commerce_http::dto::event::write,
            event_source: "urn:commerce".to_owned(),
            holder: Uuid::new_v4(),
        };
        Self { engine, store, clock, source }
    }

    async fn endpoint(&self, receiver: &Receiver) -> WebhookEndpoint {
        let url = format!("http://{}/", receiver.address).parse().unwrap();
        let details = WebhookEndpointDetails { url, description: None, types: [parse(WANTED)].into() };
        self.engine.add_webhook_endpoint(&admin(), &details, None).await.unwrap().into_fresh().unwrap()
    }

    /// So many events that an endpoint wants.
    async fn events(&self, count: usize) {
        let sku: Sku = parse("MUG");
        for _ in 0..count {
            let action = StockAction::Adjust { delta: -1, reason: parse("broken"), expected: None };
            self.engine.move_stock(&admin(), Target::any(&sku), action, None).await.unwrap();
        }
    }

    /// The ids of those events, in order.
    async fn ids(&self) -> Vec<String> {
        let (types, page) = (BTreeSet::from([WANTED.to_owned()]), PageRequest::first(500));
        let page = self.engine.feed(&Actor::SYSTEM, &types, &page).await.unwrap();
        page.items.iter().map(|item| item.event.id().to_string()).collect()
    }

    async fn ids_at(&self, places: &[usize]) -> Vec<String> {
        let ids = self.ids().await;
        places.iter().map(|place| ids[*place].clone()).collect()
    }

    async fn relay(&self, endpoint: &WebhookEndpoint) -> Relay {
        self.engine.begin_webhooks(endpoint).await.unwrap();
        relay(&self.source, endpoint, TIME_OUT)
    }

    async fn stored(&self, endpoint: &WebhookEndpoint) -> WebhookEndpoint {
        self.engine.webhook_endpoint(&admin(), endpoint.id).await.unwrap()
    }

    async fn log(&self, endpoint: &WebhookEndpoint) -> Vec<Delivery> {
        let page: Page<Delivery, _> =
            self.engine.webhook_deliveries(&admin(), endpoint.id, &PageRequest::first(100)).await.unwrap();
        page.items
    }

    async fn patch(&self, endpoint: &WebhookEndpoint, patch: WebhookEndpointPatch) {
        self.engine.patch_webhook_endpoint(&admin(), Target::any(endpoint.id), &patch).await.unwrap();
    }
}

/// Rounds until nothing more is to do.
async fn drained(relay: &mut Relay) {
    for _ in 0..1000 {
        if matches!(relay.round().await.unwrap(), Round::Published { more: false, .. }) {
            return;
        }
    }
    panic!("there is always more to do");
}

#[tokio::test]
async fn an_endpoint_gets_the_events_after_its_creation_in_order() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    shop.events(2).await;
    let endpoint = shop.endpoint(&receiver).await;
    shop.events(12).await;
    drained(&mut shop.relay(&endpoint).await).await;
    assert_eq!(receiver.received(), shop.ids().await[2..]);
    let log = shop.log(&endpoint).await;
    assert_eq!(log.len(), 12);
    assert!(log.iter().all(|entry| entry.attempt == 1 && entry.outcome == DeliveryOutcome::Answered(200)));
    assert!(log.iter().all(|entry| entry.event_type == WANTED));
}

#[tokio::test]
async fn a_failing_endpoint_is_tried_again_and_delays_no_other() {
    let (shop, bad, good) = (Shop::open().await, Receiver::open().await, Receiver::open().await);
    let (one, other) = (shop.endpoint(&bad).await, shop.endpoint(&good).await);
    shop.events(3).await;
    bad.answers(503);
    let (mut bad_relay, mut good_relay) = (shop.relay(&one).await, shop.relay(&other).await);
    assert!(matches!(bad_relay.round().await.unwrap(), Round::Failing(_)));
    drained(&mut good_relay).await;
    assert_eq!(good.received(), shop.ids().await);
    assert!(matches!(bad_relay.round().await.unwrap(), Round::Failing(_)));
    assert_eq!(bad.received().len(), 1, "not before the pause has ended");
    shop.clock.advance(TimeDelta::seconds(10));
    assert!(matches!(bad_relay.round().await.unwrap(), Round::Failing(_)));
    shop.clock.advance(TimeDelta::seconds(20));
    bad.answers(204);
    drained(&mut bad_relay).await;
    assert_eq!(bad.received(), shop.ids_at(&[0, 0, 0, 1, 2]).await, "in order, with the same ids");
    let attempts: Vec<_> = shop.log(&one).await.iter().rev().map(|entry| entry.attempt).collect();
    assert_eq!(attempts, [1, 2, 3, 1, 1]);
}

#[tokio::test]
async fn an_endpoint_that_fails_for_a_day_is_disabled_and_goes_on_where_it_stopped() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let endpoint = shop.endpoint(&receiver).await;
    shop.events(2).await;
    receiver.answers(500);
    let (mut relay, begin) = (shop.relay(&endpoint).await, shop.clock.now());
    while shop.stored(&endpoint).await.is_enabled() {
        assert!(shop.clock.now() - begin < TimeDelta::hours(31), "it is never disabled");
        relay.round().await.unwrap();
        shop.clock.advance(TimeDelta::minutes(1));
    }
    let disabled = shop.stored(&endpoint).await.disabled.unwrap();
    assert_eq!(disabled.reason, DisabledReason::Failing);
    assert!(disabled.at - begin >= TimeDelta::days(1));
    let attempts = receiver.received().len();
    assert!((12..=40).contains(&attempts), "{attempts} attempts in a day");
    shop.clock.advance(TimeDelta::days(1));
    relay.round().await.unwrap();
    assert_eq!(receiver.received().len(), attempts, "nothing is sent to a disabled one");

    shop.patch(&endpoint, WebhookEndpointPatch { enabled: Some(true), ..Default::default() }).await;
    let mut again = shop.relay(&endpoint).await;
    again.round().await.unwrap();
    assert!(shop.stored(&endpoint).await.is_enabled(), "its day begins anew");
    shop.clock.advance(TimeDelta::minutes(1));
    receiver.answers(200);
    drained(&mut again).await;
    assert_eq!(receiver.received()[attempts + 1..], shop.ids().await);
}

#[tokio::test]
async fn what_was_missed_can_be_skipped() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let endpoint = shop.endpoint(&receiver).await;
    shop.patch(&endpoint, WebhookEndpointPatch { enabled: Some(false), ..Default::default() }).await;
    shop.events(3).await;
    let patch = WebhookEndpointPatch { enabled: Some(true), skips_missed: true, ..Default::default() };
    shop.patch(&endpoint, patch).await;
    shop.events(1).await;
    drained(&mut shop.relay(&endpoint).await).await;
    assert_eq!(receiver.received(), shop.ids().await[3..]);
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_disabled_at_once() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let endpoint = shop.endpoint(&receiver).await;
    shop.events(2).await;
    receiver.answers(410);
    let mut relay = shop.relay(&endpoint).await;
    relay.round().await.unwrap();
    assert_eq!(shop.stored(&endpoint).await.disabled.unwrap().reason, DisabledReason::Gone);
    shop.clock.advance(TimeDelta::hours(4));
    relay.round().await.unwrap();
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn events_are_sent_again_from_a_position() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let endpoint = shop.endpoint(&receiver).await;
    let start = shop.engine.feed_end(&Actor::SYSTEM).await.unwrap();
    shop.events(3).await;
    let mut relay = shop.relay(&endpoint).await;
    drained(&mut relay).await;
    shop.engine.replay_webhooks(&admin(), endpoint.id, start + 1).await.unwrap();
    // The relay finds out when it stores its position, or when its lease has to be renewed.
    shop.clock.advance(TimeDelta::hours(1));
    drained(&mut relay).await;
    assert_eq!(receiver.received(), shop.ids_at(&[0, 1, 2, 1, 2]).await);
}

#[tokio::test]
async fn nothing_is_sent_to_a_deleted_endpoint() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let endpoint = shop.endpoint(&receiver).await;
    shop.events(1).await;
    let mut relay = shop.relay(&endpoint).await;
    drained(&mut relay).await;
    shop.engine.delete_webhook_endpoint(&admin(), Target::any(endpoint.id)).await.unwrap();
    shop.events(1).await;
    shop.clock.advance(TimeDelta::hours(1));
    relay.round().await.ok();
    assert_eq!(receiver.received().len(), 1);
    let log = shop.store.deliveries(endpoint.id, &PageRequest::first(9)).await.unwrap();
    assert_eq!(log.items, []);
}

/// Targets whose next change gets lost, as if the process had died before it.
#[derive(Debug)]
struct Dying {
    store: MemoryStore,
    dies: Arc<AtomicBool>,
}

#[async_trait]
impl Targets for Dying {
    async fn target(&self, name: &TargetName) -> StoreResult<Option<TargetState>> {
        self.store.target(name).await
    }

    async fn targets(&self) -> StoreResult<Vec<TargetState>> {
        self.store.targets().await
    }

    async fn replace_target(&self, before: Option<&TargetState>, after: Option<&TargetState>) -> StoreResult<bool> {
        let moves = before.zip(after).is_some_and(|(before, after)| before.position != after.position);
        if moves && self.dies.swap(false, Ordering::SeqCst) {
            return Err(StoreError::new(StoreErrorKind::Unavailable, "the process has died"));
        }
        self.store.replace_target(before, after).await
    }
}

#[tokio::test]
async fn between_the_answer_and_the_position_an_event_is_sent_twice_with_its_id() {
    let dies = Arc::new(AtomicBool::new(true));
    let dying = Arc::clone(&dies);
    let shop = Shop::with(|store| Arc::new(Dying { store, dies: dying })).await;
    let receiver = Receiver::open().await;
    let endpoint = shop.endpoint(&receiver).await;
    shop.events(1).await;
    let mut first = shop.relay(&endpoint).await;
    first.round().await.unwrap_err();
    drop(first);
    let mut other = shop.source.clone();
    other.holder = Uuid::new_v4();
    shop.clock.advance(TimeDelta::hours(1)); // the lease of the first has ended
    drained(&mut relay(&other, &endpoint, TIME_OUT)).await;
    assert_eq!(receiver.received(), shop.ids_at(&[0, 0]).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_processes_one_delivers() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let stop = watch::Sender::new(false);
    let processes: Vec<_> = (0..2)
        .map(|_| {
            let (mut source, mut stopped) = (shop.source.clone(), stop.subscribe());
            source.holder = Uuid::new_v4();
            tokio::spawn(deliver(source, TIME_OUT, async move {
                stopped.wait_for(|stopped| *stopped).await.ok();
            }))
        })
        .collect();
    shop.endpoint(&receiver).await;
    for _ in 0..10 {
        shop.events(4).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while receiver.received().len() < 40 {
        assert!(tokio::time::Instant::now() < deadline, "{} of 40 came", receiver.received().len());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.send_replace(true);
    for process in processes {
        process.await.unwrap();
    }
    assert_eq!(receiver.received(), shop.ids().await, "each once, in order");
}
