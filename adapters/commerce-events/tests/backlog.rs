//! Events outside of the feed: published beside it, under the same lease, and each until it is confirmed.

#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use commerce_core::engine::{Engine, EventTypes, FeedItem};
use commerce_core::ids::TargetName;
use commerce_core::money::Currency;
use commerce_core::payment::SandboxProcessor;
use commerce_core::port::{Backlog, PageRequest, Store, StoreError, StoreErrorKind, StoreResult};
use commerce_core::publishing::{BatchLimits, Form, Written};
use commerce_core::settings::Settings;
use commerce_events::{Relay, Round, SharedFeed, Source, Start, TargetOptions};
use commerce_testkit::commit_builder::parse;
use commerce_testkit::{CommitBuilder, FakeTarget, ManualClock, MemoryStore, TargetBehavior};
use uuid::Uuid;

/// Events of a list, for one target.
#[derive(Debug, Default)]
struct List {
    items: Mutex<Vec<FeedItem>>,
    is_away: AtomicBool,
}

#[async_trait]
impl Backlog for List {
    fn types(&self) -> &'static [&'static str] {
        &["cart.created", "cart.updated"]
    }

    async fn waiting(&self, _: &TargetName, limit: u16) -> StoreResult<Vec<FeedItem>> {
        if self.is_away.load(Ordering::Relaxed) {
            return Err(StoreError::new(StoreErrorKind::Unavailable, "away"));
        }
        Ok(self.items.lock().expect("a list").iter().take(limit.into()).cloned().collect())
    }

    async fn confirm(&self, _: &TargetName, position: u64) -> StoreResult<()> {
        self.items.lock().expect("a list").retain(|item| item.position > position);
        Ok(())
    }

    async fn forget(&self, _: &TargetName) -> StoreResult<()> {
        Ok(())
    }
}

/// A shop with a target, whose carts are outside of its feed.
struct Shop {
    store: MemoryStore,
    clock: Arc<ManualClock>,
    commits: CommitBuilder,
    target: Arc<FakeTarget>,
    list: Arc<List>,
}

fn encode(item: &FeedItem, form: &Form<'_>) -> Result<Written, serde_json::Error> {
    let body = serde_json::to_vec(&(form.event_type, item.position))?;
    Ok(Written { content_type: "application/json", attributes: Vec::new(), body })
}

fn options() -> TargetOptions {
    TargetOptions { start: Start::Beginning, ..TargetOptions::new(parse("books")) }
}

impl Shop {
    /// With events about a cart.
    async fn new(changes: u64) -> Self {
        let (store, commits) = (MemoryStore::new(), CommitBuilder::new(1));
        let clock = Arc::new(ManualClock::new(commits.at(10)));
        let shop = Self { store, clock, commits, target: Arc::default(), list: Arc::default() };
        let carts = shop.source_of(MemoryStore::new());
        let mut cart = shop.commits.cart(parse("ann"), shop.commits.at(1));
        carts.1.commit(shop.commits.create(&cart)).await.expect("opened");
        for _ in 1..changes {
            let before = cart.clone();
            cart.version += 1;
            carts.1.commit(shop.commits.update(&before, &cart)).await.expect("changed");
        }
        let all = PageRequest { limit: 100, after: None };
        let system = commerce_core::actor::Actor::SYSTEM;
        let items = carts.0.feed(&system, &EventTypes::new(), &all).await.expect("a feed").items;
        *shop.list.items.lock().expect("a list") = items;
        shop
    }

    fn source_of(&self, store: MemoryStore) -> (Engine, MemoryStore) {
        let (processor, kept) = (Arc::new(SandboxProcessor::in_memory()), Arc::new(store.clone()));
        let engine = Engine::builder(Settings::new(Currency::USD), kept, processor).clock(self.clock.clone());
        (engine.build(), store)
    }

    fn relay(&self, options: TargetOptions) -> Relay {
        let (engine, _) = self.source_of(self.store.clone());
        let source = Source {
            feed: SharedFeed::new(engine.clone(), Duration::ZERO).with_backlog(self.list.clone()),
            engine,
            targets: Arc::new(self.store.clone()),
            encode,
            event_source: "urn:test".to_owned(),
            holder: Uuid::new_v4(),
        };
        Relay::new(source, options, self.target.clone())
    }

    async fn stock(&self, sku: &str) {
        self.store.commit(self.commits.stocked(&[(sku, 1)])).await.expect("stocked");
    }

    fn received(&self) -> Vec<(String, u64)> {
        self.target.received().into_iter().map(|message| (message.event_type, message.position)).collect()
    }

    fn left(&self) -> usize {
        self.list.items.lock().expect("a list").len()
    }
}

fn of_carts(positions: std::ops::RangeInclusive<u64>) -> Vec<(String, u64)> {
    let event_type = |position| if position == 1 { "cart.created" } else { "cart.updated" };
    positions.map(|position| (event_type(position).to_owned(), position)).collect()
}

/// Rounds until nothing is left to do now.
async fn rounds(relay: &mut Relay) -> Round {
    loop {
        let round = relay.round().await.expect("a round");
        if !matches!(round, Round::Published { more: true, .. }) {
            return round;
        }
    }
}

#[tokio::test]
async fn they_are_published_after_the_feed_in_order_and_once() {
    let shop = Shop::new(50).await;
    shop.stock("MUG").await;
    let limits = BatchLimits { messages: 7, bytes: 1000 };
    let mut relay = shop.relay(TargetOptions { limits, ..options() });
    assert_eq!(rounds(&mut relay).await, Round::Published { events: 0, more: false });
    let mut wanted = vec![("stock.set".to_owned(), 1)];
    wanted.extend(of_carts(1..=50));
    assert_eq!(shop.received(), wanted);
    assert_eq!(shop.left(), 0);
}

#[tokio::test]
async fn a_target_that_fails_gets_them_again_and_the_feed_goes_on() {
    let shop = Shop::new(3).await;
    shop.target.be(TargetBehavior::Refuses("cart.updated".to_owned()));
    let mut relay = shop.relay(options());
    assert!(matches!(rounds(&mut relay).await, Round::Failing(_)));
    assert_eq!(shop.received(), of_carts(1..=1));
    assert_eq!(shop.left(), 2, "the first one is confirmed");
    shop.stock("MUG").await;
    assert!(matches!(rounds(&mut relay).await, Round::Failing(_)), "it is not tried during the pause");
    shop.clock.advance(TimeDelta::minutes(2));
    assert!(matches!(rounds(&mut relay).await, Round::Failing(_)));
    assert_eq!(shop.received().last(), Some(&("stock.set".to_owned(), 1)));
    shop.target.be(TargetBehavior::Confirms);
    shop.clock.advance(TimeDelta::minutes(2));
    rounds(&mut relay).await;
    assert_eq!(shop.received()[2..], of_carts(2..=3));
    let state = commerce_core::port::Targets::target(&shop.store, &parse("books")).await.expect("a store");
    assert_eq!(state.map(|state| (state.failures, state.last_error)), Some((0, None)));
}

#[tokio::test]
async fn another_process_goes_on_with_what_was_not_confirmed() {
    let shop = Shop::new(3).await;
    let (mut first, mut second) = (shop.relay(options()), shop.relay(options()));
    shop.target.be(TargetBehavior::LosesAnswers);
    assert!(matches!(rounds(&mut first).await, Round::Failing(_)));
    shop.target.be(TargetBehavior::Confirms);
    shop.clock.advance(TimeDelta::seconds(5));
    assert_eq!(rounds(&mut second).await, Round::Elsewhere, "the first one has the lease");
    shop.clock.advance(TimeDelta::minutes(2));
    rounds(&mut second).await;
    assert_eq!(shop.received(), [of_carts(1..=3), of_carts(1..=3)].concat());
    assert_eq!(shop.left(), 0);
}

#[tokio::test]
async fn types_that_a_target_does_not_want_are_passed() {
    let shop = Shop::new(3).await;
    let types = |event_type: &str| TargetOptions { types: [event_type.to_owned()].into(), ..options() };
    rounds(&mut shop.relay(types("order.paid"))).await;
    assert_eq!((shop.received(), shop.left()), (vec![], 3), "it does not ask");
    shop.clock.advance(TimeDelta::minutes(2));
    rounds(&mut shop.relay(types("cart.created"))).await;
    assert_eq!((shop.received(), shop.left()), (of_carts(1..=1), 0));
}

#[tokio::test]
async fn the_feed_goes_on_while_they_cannot_be_read() {
    let shop = Shop::new(1).await;
    shop.list.is_away.store(true, Ordering::Relaxed);
    let mut relay = shop.relay(options());
    shop.stock("MUG").await;
    rounds(&mut relay).await;
    shop.stock("CUP").await;
    rounds(&mut relay).await;
    assert_eq!(shop.received(), [("stock.set".to_owned(), 1), ("stock.set".to_owned(), 2)]);
}
