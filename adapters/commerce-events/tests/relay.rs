//! The relay: every event, in the order of its stream, by one process at a time.

#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use commerce_core::engine::{Engine, EventTypes, FeedItem};
use commerce_core::money::Currency;
use commerce_core::payment::SandboxProcessor;
use commerce_core::port::{Store, Targets};
use commerce_core::publishing::{BatchLimits, Form, Message, Skipping, TargetState, Written};
use commerce_core::settings::Settings;
use commerce_events::{Relay, Round, SharedFeed, Source, Start, TargetOptions};
use commerce_testkit::commit_builder::parse;
use commerce_testkit::{
    CommitBuilder, FakeTarget, Fault, FaultInjector, Faults, ManualClock, MemoryStore, TargetBehavior,
};
use uuid::Uuid;

/// A shop with a relay to a target.
struct Shop {
    store: MemoryStore,
    commits: CommitBuilder,
    clock: Arc<ManualClock>,
    target: Arc<FakeTarget>,
}

fn encode(item: &FeedItem, form: &Form<'_>) -> Result<Written, serde_json::Error> {
    let body = serde_json::to_vec(&(form.source, form.event_type, item.event.stream(), item.event.sequence()))?;
    Ok(Written { content_type: "application/json", attributes: Vec::new(), body })
}

impl Shop {
    async fn new() -> Self {
        let (store, commits) = (MemoryStore::new(), CommitBuilder::new(1));
        let clock = Arc::new(ManualClock::new(commits.at(10)));
        store.commit(commits.stocked(&[("MUG", 1000)])).await.expect("stocked");
        Self { store, commits, clock, target: Arc::default() }
    }

    async fn order(&self, events: usize) {
        let placed = self.commits.order(&[("MUG", 1)]);
        let order = placed.orders[0].order().clone();
        self.store.commit(placed).await.expect("placed");
        if events > 1 {
            self.store.commit(self.commits.pay(&order, self.commits.at(2))).await.expect("paid");
        }
    }

    fn relay_on(&self, store: Arc<dyn Store>, options: TargetOptions) -> Relay {
        Relay::new(self.source_on(store, Duration::ZERO), options, self.target.clone())
    }

    fn source_on(&self, store: Arc<dyn Store>, look_every: Duration) -> Source {
        let processor = Arc::new(SandboxProcessor::in_memory());
        let engine = Engine::builder(Settings::new(Currency::USD), store, processor).clock(self.clock.clone()).build();
        Source {
            feed: SharedFeed::new(engine.clone(), look_every),
            engine,
            targets: Arc::new(self.store.clone()),
            encode,
            event_source: "urn:test".to_owned(),
            holder: Uuid::new_v4(),
        }
    }

    fn relay(&self, options: TargetOptions) -> Relay {
        self.relay_on(Arc::new(self.store.clone()), options)
    }

    async fn state(&self) -> TargetState {
        self.store.target(&parse("books")).await.expect("a store").expect("a state")
    }

    fn advance(&self, by: TimeDelta) {
        self.clock.advance(by);
    }

    /// Checks that the target has every event of the feed exactly in its order, if repeated ones are left out.
    async fn has_everything(&self) {
        let mut last = 0;
        let fresh = |message: &Message| {
            let is_next = message.position > last;
            last = last.max(message.position);
            is_next
        };
        let positions: Vec<_> =
            self.target.received().into_iter().filter(fresh).map(|message| message.position).collect();
        let end = self.store.last_position().await.expect("a store");
        assert_eq!(positions, (1..=end).collect::<Vec<_>>());
        assert_eq!(self.state().await.position, end);
    }
}

fn options() -> TargetOptions {
    TargetOptions { start: Start::Beginning, ..TargetOptions::new(parse("books")) }
}

/// Rounds until the relay has published everything or does not get further.
async fn rounds(relay: &mut Relay) -> Round {
    loop {
        let round = relay.round().await.expect("a round");
        if !matches!(round, Round::Published { events: 1.., .. }) {
            return round;
        }
    }
}

const DONE: Round = Round::Published { events: 0, more: false };

#[tokio::test]
async fn every_event_is_published_in_order_and_once() {
    let shop = Shop::new().await;
    for _ in 0..20 {
        shop.order(2).await;
    }
    let limits = BatchLimits { messages: 7, bytes: 1000 };
    let mut relay = shop.relay(TargetOptions { limits, ..options() });
    assert_eq!(rounds(&mut relay).await, DONE);
    shop.order(1).await;
    assert_eq!(rounds(&mut relay).await, DONE);
    shop.has_everything().await;
    let received = shop.target.received();
    assert_eq!(u64::try_from(received.len()).ok(), shop.store.last_position().await.ok(), "none is repeated");
    assert_eq!(received[0].body, br#"["urn:test","stock.set","stock/MUG",1]"#, "{:?}", received[0]);
}

#[tokio::test]
async fn a_new_target_begins_at_the_end_unless_told_otherwise() {
    let shop = Shop::new().await;
    let mut relay = shop.relay(TargetOptions { start: Start::End, ..options() });
    assert_eq!(relay.round().await.expect("a round"), DONE);
    assert_eq!(shop.target.received(), []);
    shop.order(1).await;
    rounds(&mut relay).await;
    let received = shop.target.received();
    assert!(received.iter().all(|message| message.position > 1), "{received:?}");
    assert_eq!(received[0].event_type, "order.created");
}

#[tokio::test]
async fn only_wanted_types_are_published_and_the_others_are_passed() {
    let shop = Shop::new().await;
    for _ in 0..5 {
        shop.order(2).await;
    }
    let types = ["order.paid".to_owned()].into();
    let mut relay = shop.relay(TargetOptions { types, ..options() });
    rounds(&mut relay).await;
    rounds(&mut relay).await;
    let received = shop.target.received();
    assert_eq!(received.len(), 5);
    assert!(received.iter().all(|message| message.event_type == "order.paid"));
    assert_eq!(Some(shop.state().await.position), shop.store.last_position().await.ok());
}

#[tokio::test]
async fn a_target_that_is_away_is_tried_again_after_growing_pauses() {
    let shop = Shop::new().await;
    let mut relay = shop.relay(options());
    shop.target.be(TargetBehavior::Unavailable);
    let mut before = TimeDelta::zero();
    for failures in 1..=5 {
        let Round::Failing(pause) = relay.round().await.expect("a round") else { panic!("it fails") };
        assert!(pause > before, "{pause}");
        let state = shop.state().await;
        assert_eq!((state.failures, state.failing_since.is_some()), (failures, true));
        assert_eq!(state.last_error.as_deref(), Some("the target is unavailable: away"));
        assert!(matches!(relay.round().await.expect("a round"), Round::Failing(_)));
        assert_eq!(shop.target.calls(), u64::from(failures), "it is not tried during the pause");
        shop.advance(pause);
        before = pause / 2;
    }
    shop.target.be(TargetBehavior::Confirms);
    assert_eq!(rounds(&mut relay).await, DONE);
    let state = shop.state().await;
    assert_eq!((state.failures, state.failing_since, state.last_error), (0, None, None));
    shop.has_everything().await;
}

/// The rest is sent again, from the first message that was not confirmed.
#[tokio::test]
async fn what_a_target_confirmed_before_it_failed_counts() {
    let shop = Shop::new().await;
    for _ in 0..5 {
        shop.order(2).await;
    }
    shop.target.be(TargetBehavior::TakesSome(2));
    let mut relay = shop.relay(options());
    while shop.store.last_position().await.expect("a store")
        > u64::try_from(shop.target.received().len()).unwrap_or_default()
    {
        relay.round().await.expect("a round");
        shop.advance(TimeDelta::minutes(2));
    }
    rounds(&mut relay).await;
    shop.has_everything().await;
    assert_eq!(shop.store.last_position().await.ok(), shop.target.received().len().try_into().ok(), "none is repeated");
}

#[tokio::test]
async fn a_lost_answer_repeats_events_and_loses_none() {
    let shop = Shop::new().await;
    shop.order(2).await;
    let mut relay = shop.relay(options());
    shop.target.be(TargetBehavior::LosesAnswers);
    relay.round().await.expect("a round");
    shop.advance(TimeDelta::minutes(2));
    shop.target.be(TargetBehavior::Confirms);
    rounds(&mut relay).await;
    shop.has_everything().await;
    let received = u64::try_from(shop.target.received().len()).expect("a number");
    assert_eq!(received, 2 * shop.store.last_position().await.expect("a store"));
}

/// Nothing is skipped: events after it wait, of other streams too.
#[tokio::test]
async fn a_refused_event_stops_its_target_and_is_shown() {
    let shop = Shop::new().await;
    shop.order(2).await;
    shop.order(1).await;
    let mut relay = shop.relay(options());
    shop.target.be(TargetBehavior::Refuses("order.paid".to_owned()));
    relay.round().await.expect("a round");
    shop.advance(TimeDelta::minutes(2));
    assert!(matches!(relay.round().await.expect("a round"), Round::Failing(_)));
    assert!(shop.target.received().iter().all(|message| message.event_type != "order.paid"));
    let state = shop.state().await;
    assert_eq!(state.last_error.as_deref(), Some("the target refuses an event: not wanted"));
    assert_eq!(Some(state.position), shop.target.received().last().map(|message| message.position));
}

#[tokio::test(start_paused = true)]
async fn a_target_without_an_answer_is_given_up_within_the_lease() {
    let shop = Shop::new().await;
    let mut relay = shop.relay(options());
    shop.target.be(TargetBehavior::Hangs);
    let before = tokio::time::Instant::now();
    assert!(matches!(relay.round().await.expect("a round"), Round::Failing(_)));
    assert_eq!(before.elapsed().as_secs(), 9);
    assert_eq!(shop.state().await.last_error.as_deref(), Some("the target is unavailable: no answer within 9000 ms"));
}

#[tokio::test]
async fn one_process_publishes_and_another_goes_on_when_its_lease_ends() {
    let shop = Shop::new().await;
    let (mut first, mut second) = (shop.relay(options()), shop.relay(options()));
    rounds(&mut first).await;
    shop.order(2).await;
    assert_eq!(second.round().await.expect("a round"), Round::Elsewhere);
    let before = shop.target.received().len();
    shop.advance(TimeDelta::seconds(9));
    assert_eq!(second.round().await.expect("a round"), Round::Elsewhere);
    assert_eq!(shop.target.received().len(), before);
    shop.advance(TimeDelta::seconds(2));
    rounds(&mut second).await;
    shop.has_everything().await;
    shop.order(2).await;
    assert_eq!(first.round().await.expect("a round"), Round::Elsewhere, "the lease is lost");
    rounds(&mut second).await;
    shop.has_everything().await;
}

/// Its events are published again by the process that has the lease now.
#[tokio::test]
async fn a_process_that_lost_its_lease_while_it_published_does_not_move_the_position() {
    let shop = Shop::new().await;
    shop.order(2).await;
    let mut first = shop.relay(options());
    rounds(&mut first).await;
    shop.order(2).await;
    let state = shop.state().await;
    assert!(shop.store.replace_target(Some(&state), Some(&state.released())).await.expect("a store"));
    assert_eq!(first.round().await.expect("a round"), Round::Elsewhere);
    assert_eq!(shop.state().await.position, state.position);
    rounds(&mut shop.relay(options())).await;
    shop.has_everything().await;
}

#[tokio::test]
async fn a_relay_that_ends_gives_its_lease_to_the_next_at_once() {
    let shop = Shop::new().await;
    let first = shop.relay(options());
    first.run(std::future::ready(())).await;
    assert_eq!(shop.state().await.lease, None);
    shop.order(2).await;
    rounds(&mut shop.relay(options())).await;
    shop.has_everything().await;
}

#[tokio::test]
async fn a_position_that_a_person_moved_is_gone_on_from() {
    let shop = Shop::new().await;
    shop.order(2).await;
    let mut relay = shop.relay(options());
    rounds(&mut relay).await;
    let state = shop.state().await;
    let back = state.moved_to(1, state.position, Skipping::Refused).expect("back");
    assert!(shop.store.replace_target(Some(&state), Some(&back)).await.expect("a store"));
    shop.advance(TimeDelta::seconds(5));
    rounds(&mut relay).await;
    let repeated: Vec<_> = shop.target.received().iter().map(|message| message.position).skip(4).collect();
    assert_eq!(repeated.first(), Some(&2), "{:?}", shop.target.received());
    shop.has_everything().await;
}

/// Whichever call of the store fails, before or after its effect.
#[tokio::test]
async fn a_store_that_fails_loses_no_event() {
    for fault in [Fault::Refused, Fault::Lost] {
        for calls in 0..8 {
            let shop = Shop::new().await;
            let store = FaultInjector::new(shop.store.clone(), 1);
            let limits = BatchLimits { messages: 3, bytes: 1_000_000 };
            let mut relay = shop.relay_on(Arc::new(store.clone()), TargetOptions { limits, ..options() });
            for _ in 0..3 {
                shop.order(2).await;
            }
            store.strike(calls, fault);
            for _ in 0..20 {
                relay.round().await.ok();
                shop.advance(TimeDelta::seconds(4));
            }
            shop.has_everything().await;
        }
    }
}

#[tokio::test]
async fn relays_of_a_process_read_the_feed_together() {
    let shop = Shop::new().await;
    for _ in 0..150 {
        shop.order(2).await;
    }
    let store = FaultInjector::new(shop.store.clone(), 1);
    let source = shop.source_on(Arc::new(store.clone()), Duration::from_secs(3600));
    let relay = |name: &str, types: EventTypes| {
        let options = TargetOptions { start: Start::Beginning, types, ..TargetOptions::new(parse(name)) };
        let target: Arc<FakeTarget> = Arc::default();
        (Relay::new(source.clone(), options, target.clone()), target)
    };
    let mut books = Relay::new(source.clone(), options(), shop.target.clone());
    let (mut late, lates) = relay("late", ["order.paid".to_owned()].into());
    assert!(matches!(late.round().await, Ok(Round::Published { more: true, .. })), "the first page");
    rounds(&mut books).await;
    shop.has_everything().await;
    rounds(&mut late).await;
    assert_eq!(lates.received().len(), 150, "a relay that is behind reads what is not kept");

    store.set(Faults { refused: 1000, ..Faults::NONE });
    let (mut near, nears) = relay("near", EventTypes::new());
    let end = shop.store.last_position().await.expect("a store");
    let state = TargetState::new(parse("near"), end - 120);
    assert!(shop.store.replace_target(None, Some(&state)).await.expect("stored"));
    rounds(&mut near).await;
    let positions: Vec<_> = nears.received().iter().map(|message| message.position).collect();
    assert_eq!(positions, (end - 119..=end).collect::<Vec<_>>(), "from what is kept, without the store");
}
