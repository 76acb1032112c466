//! Carts in Redis keep the contract of a store, on a server of its own, and become one order each, whatever dies on the way.

#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::cart::{Cart, CartStatus};
use commerce_core::commit::{Commit, IdempotencyKey, IdempotencyRecord, RecordedReply, Refusal};
use commerce_core::document::DocumentKind;
use commerce_core::engine::{Engine, FeedItem};
use commerce_core::money::Currency;
use commerce_core::payment::SandboxProcessor;
use commerce_core::port::{Backlog, CommitError, OrderFilter, PageRequest, Store, StoreErrorKind};
use commerce_core::settings::Settings;
use commerce_redis::{CartEvents, CartOptions, Redis, RedisCarts};
use commerce_testkit::commit_builder::parse;
use commerce_testkit::suite::store::Fixture;
use commerce_testkit::{CommitBuilder, Fault, FaultInjector, MemoryStore};
use redis::{Client, cmd};
use test_servers::{Broker, BrokerKind, required};
use tokio::task::JoinSet;

const GRACE: Duration = Duration::from_secs(60);

struct OneServer {
    server: Broker,
    store: FaultInjector<MemoryStore>,
    grace: Duration,
    mark: Duration,
}

impl OneServer {
    fn carts(&self) -> RedisCarts {
        let redis = Redis::new(&self.server.url(), "shop").expect("an address");
        let options = CartOptions {
            grace: self.grace,
            mark: self.mark,
            answers: Duration::from_secs(60),
            is_of_carts: |key| key.scope.contains("/carts"),
        };
        RedisCarts::new(redis, Arc::new(self.store.clone()), options)
    }

    /// As a process of its own has them.
    fn events(&self) -> CartEvents {
        CartEvents::new(Redis::new(&self.server.url(), "shop").expect("an address"))
    }

    /// The events that wait for a target.
    async fn waiting(&self, target: &str) -> Vec<FeedItem> {
        self.events().waiting(&parse(target), 100).await.expect("it answers")
    }

    /// What Redis says to a command.
    async fn ask(&self, command: &str) -> i64 {
        let client = Client::open(self.server.url()).expect("an address");
        let mut connection = client.get_multiplexed_async_connection().await.expect("a connection");
        let (name, arguments) = command.split_once(' ').expect("a command");
        let arguments: Vec<_> = arguments.split(' ').collect();
        cmd(name).arg(arguments).query_async(&mut connection).await.expect("an answer")
    }

    /// The keys of a cart.
    async fn traces(&self, cart: &Cart) -> [i64; 2] {
        [self.ask(&format!("EXISTS shop:cart:{}", cart.id)).await, self.ask("ZCARD shop:cart:due").await]
    }
}

#[async_trait]
impl Fixture for OneServer {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.carts())
    }

    async fn reopen(&self) -> Arc<dyn Store> {
        self.store()
    }
}

fn start() -> Ready<OneServer> {
    let server = required(Broker::start(BrokerKind::Redis));
    ready(OneServer { server, store: FaultInjector::new(MemoryStore::new(), 1), grace: GRACE, mark: GRACE })
}

/// All of carts, and what others notice of them. Left out: lists and histories of carts, which there are none of, and commits that open a
/// cart and do something else, which the engine does not make.
macro_rules! suite {
    ($($subject:ident: $($case:ident)+;)+) => {
        commerce_testkit::store_suite! { @stamp (start) $($subject: $($case)+;)+ }
    };
}

suite! {
    carts:
        a_cart_comes_back_equal
        a_changed_cart_replaces_the_old_one
        a_stale_cart_is_refused
        a_customer_has_one_active_cart
        a_cart_may_take_the_place_of_a_closed_one_in_one_commit
        carts_opened_at_once_leave_one_active
        an_overdue_cart_is_still_the_active_one
        a_cart_becomes_one_order;
    commits:
        what_is_committed_is_read
        a_commit_cannot_contradict_itself
        a_key_is_answered_with_the_first_reply
        one_key_sent_at_once_has_one_effect;
    history:
        a_replay_makes_the_same_tables
        positions_of_the_history_have_no_gaps;
}

/// A cart of a customer with one thing in it.
async fn filled(fixture: &OneServer, shop: &CommitBuilder) -> Cart {
    fixture.store.commit(shop.stocked(&[("MUG", 500)])).await.expect("it is stocked");
    let mut cart = shop.cart("ann".parse().expect("an id"), shop.at(1));
    cart.items = vec![shop.cart_item("MUG", commerce_testkit::commit_builder::units(1))];
    fixture.carts().commit(shop.create(&cart)).await.expect("it is opened");
    cart
}

fn changed(cart: &Cart) -> Cart {
    let mut next = cart.clone();
    next.version += 1;
    next
}

fn checkout(shop: &CommitBuilder, cart: &Cart) -> Commit {
    let at = shop.at(2);
    let mut order = shop.new_order(&[("MUG", 1)], at);
    order.cart_id = Some(cart.id);
    let mut commit = shop.place(order, at);
    let closed = shop.checked_out(cart, commit.orders[0].order().id, at);
    commit.change(Some(cart), closed);
    commit
}

async fn orders(fixture: &OneServer) -> usize {
    let page = PageRequest { limit: 100, after: None };
    fixture.store.orders(&OrderFilter::default(), &page).await.expect("orders").items.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_buyers_of_one_cart_at_two_stores_place_one_order() {
    let (fixture, shop) = (start().await, CommitBuilder::new(1));
    let cart = filled(&fixture, &shop).await;
    let stores = [Arc::new(fixture.carts()), Arc::new(fixture.carts())];
    let mut buyers = JoinSet::new();
    for buyer in 0..200 {
        let (store, commit) = (Arc::clone(&stores[buyer % 2]), checkout(&shop, &cart));
        buyers.spawn(async move { store.commit(commit).await });
    }
    let answers = buyers.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    let conflict = |answer: &&Result<(), CommitError>| {
        matches!(answer, Err(CommitError::Refused(Refusal::VersionConflict { expected: 1, actual: 2, .. })))
    };
    assert_eq!(answers.iter().filter(conflict).count(), 199);
    assert_eq!(orders(&fixture).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cart_whose_buyer_dies_between_order_and_closing_is_ordered_once() {
    let (fixture, shop) = (start().await, CommitBuilder::new(1));
    let cart = filled(&fixture, &shop).await;
    fixture.store.strike(0, Fault::Lost);
    let lost = fixture.carts().commit(checkout(&shop, &cart)).await.expect_err("its answer is lost");
    assert!(matches!(lost, CommitError::Failed(error) if error.kind == StoreErrorKind::Unknown));
    let stores = [Arc::new(fixture.carts()), Arc::new(fixture.carts())];
    let mut buyers = JoinSet::new();
    for buyer in 0..200 {
        let (store, commit) = (Arc::clone(&stores[buyer % 2]), checkout(&shop, &cart));
        buyers.spawn(async move { store.commit(commit).await });
    }
    assert!(buyers.join_all().await.iter().all(Result::is_err));
    assert_eq!(orders(&fixture).await, 1);
    let found = fixture.carts().cart(cart.id).await.expect("it answers").expect("it is kept");
    assert_eq!((found.status, found.version), (CartStatus::CheckedOut, 2));
    assert_eq!(fixture.carts().active_cart(&cart.user_id).await.expect("it answers"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ordered_cart_is_never_open_again_however_long_ago_its_buyer_died() {
    let (mut fixture, shop) = (start().await, CommitBuilder::new(1));
    fixture.mark = Duration::from_millis(100);
    let cart = filled(&fixture, &shop).await;
    fixture.store.strike(0, Fault::Lost);
    fixture.carts().commit(checkout(&shop, &cart)).await.expect_err("its answer is lost");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let late = fixture.carts().commit(shop.update(&cart, &changed(&cart))).await;
    assert!(matches!(late, Err(CommitError::Refused(Refusal::VersionConflict { expected: 1, actual: 2, .. }))));
    let found = fixture.carts().cart(cart.id).await.expect("it answers").expect("it is kept");
    assert_eq!(found.status, CartStatus::CheckedOut);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cart_whose_buyer_dies_before_the_order_can_be_changed_when_the_mark_ends() {
    let (mut fixture, shop) = (start().await, CommitBuilder::new(1));
    fixture.mark = Duration::from_millis(500);
    let cart = filled(&fixture, &shop).await;
    fixture.store.strike(0, Fault::Late(Duration::from_secs(60)));
    let (store, commit) = (fixture.carts(), checkout(&shop, &cart));
    let buyer = tokio::spawn(async move { store.commit(commit).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    buyer.abort();
    let began = std::time::Instant::now();
    fixture.carts().commit(shop.update(&cart, &changed(&cart))).await.expect("it waits for the mark");
    assert!(began.elapsed() > Duration::from_millis(100), "{:?}", began.elapsed());
    assert_eq!(orders(&fixture).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cart_whose_order_is_refused_can_be_changed_at_once() {
    let (fixture, shop) = (start().await, CommitBuilder::new(1));
    let cart = filled(&fixture, &shop).await;
    fixture.store.strike(0, Fault::Refused);
    fixture.carts().commit(checkout(&shop, &cart)).await.expect_err("the store is away");
    let next = changed(&cart);
    fixture.carts().commit(shop.update(&cart, &next)).await.expect("nothing was ordered");
    let stale = fixture.carts().commit(checkout(&shop, &cart)).await;
    assert!(matches!(stale, Err(CommitError::Refused(Refusal::VersionConflict { expected: 1, actual: 2, .. }))));
    assert_eq!(orders(&fixture).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cart_that_redis_restores_after_it_was_ordered_is_not_ordered_again() {
    let (fixture, shop) = (start().await, CommitBuilder::new(1));
    let cart = filled(&fixture, &shop).await;
    fixture.carts().commit(checkout(&shop, &cart)).await.expect("it is ordered");
    fixture.carts().commit(shop.create(&cart)).await.expect("as an old file of Redis would");
    fixture.carts().commit(checkout(&shop, &cart)).await.expect_err("it was ordered");
    assert_eq!(orders(&fixture).await, 1);
    let found = fixture.carts().cart(cart.id).await.expect("it answers").expect("it is kept");
    assert_eq!(found.status, CartStatus::CheckedOut);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_cart_is_gone_after_its_grace() {
    let (mut fixture, shop) = (start().await, CommitBuilder::new(1));
    fixture.grace = Duration::from_millis(300);
    let mut cart = shop.cart("ann".parse().expect("an id"), shop.at(1));
    cart.expires_at = shop.at(1);
    fixture.carts().commit(shop.create(&cart)).await.expect("it is opened");
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(fixture.carts().cart(cart.id).await.expect("it answers"), None);
    assert_eq!(fixture.carts().active_cart(&cart.user_id).await.expect("it answers"), None);
    let next = shop.cart(cart.user_id, shop.at(2));
    fixture.carts().commit(shop.create(&next)).await.expect("nothing is in the way");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_kept_with_the_change_and_survives_a_crash() {
    let (mut fixture, shop) = (start().await, CommitBuilder::new(1));
    let cart = shop.cart("ann".parse().expect("an id"), shop.at(1));
    let key = IdempotencyKey { scope: "ann POST /carts".to_owned(), key: "first".to_owned() };
    let reply = RecordedReply::Text("{\"id\":1}".to_owned());
    let record = IdempotencyRecord { key: key.clone(), fingerprint: "print".to_owned(), reply, at: shop.at(1) };
    let commit = Commit { idempotency: Some(record.clone()), ..shop.create(&cart) };
    fixture.carts().commit(commit.clone()).await.expect("it is opened");
    fixture.server.restart().expect("it starts");
    let again = fixture.carts().commit(commit).await;
    let Err(CommitError::Refused(Refusal::DuplicateKey(found))) = again else { panic!("{again:?}") };
    assert_eq!(*found, record);
    assert_eq!(fixture.carts().idempotency_record(&key).await.expect("it answers"), Some(record));
    assert_eq!(fixture.store.idempotency_record(&key).await.expect("it answers"), None);
}

fn types(events: &[FeedItem]) -> Vec<&str> {
    events.iter().map(|item| item.event.event_type()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_event_of_every_change_waits_for_each_target_until_it_is_confirmed() {
    let (mut fixture, shop) = (start().await, CommitBuilder::new(1));
    for target in ["one", "other"] {
        assert_eq!(fixture.waiting(target).await, [], "it begins now");
    }
    let cart = filled(&fixture, &shop).await;
    let next = changed(&cart);
    fixture.carts().commit(shop.update(&cart, &next)).await.expect("it is changed");
    fixture.carts().commit(shop.update(&cart, &next)).await.expect_err("it was changed before");
    fixture.server.restart().expect("it starts");
    let events = fixture.waiting("one").await;
    assert_eq!(types(&events), ["cart.created", "cart.updated"]);
    let of = |item: &FeedItem| (item.position, item.event.sequence(), item.event.stream());
    let stream = format!("{}/{}", DocumentKind::Cart, cart.id);
    assert_eq!(events.iter().map(of).collect::<Vec<_>>(), [(1, 1, stream.clone()), (2, 2, stream)]);
    assert_eq!(fixture.waiting("one").await, events, "they are not confirmed");
    fixture.events().confirm(&parse("one"), 2).await.expect("it answers");
    fixture.events().confirm(&parse("one"), 1).await.expect("a late process changes nothing");
    assert_eq!(fixture.waiting("one").await, []);
    assert_eq!(fixture.waiting("other").await, events);
    fixture.events().confirm(&parse("other"), 1).await.expect("it answers");
    assert_eq!(fixture.waiting("other").await, events[1..]);
    assert_eq!(fixture.ask("XLEN shop:cart:events").await, 1, "what all have is removed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_nobody_waits_for_are_not_kept() {
    let (fixture, shop) = (start().await, CommitBuilder::new(1));
    let cart = filled(&fixture, &shop).await;
    assert_eq!(fixture.waiting("gone").await, [], "it asks for the first time");
    let next = changed(&cart);
    fixture.carts().commit(shop.update(&cart, &next)).await.expect("it is changed");
    assert_eq!(types(&fixture.waiting("gone").await), ["cart.updated"]);
    fixture.events().forget(&parse("gone")).await.expect("it answers");
    fixture.carts().commit(shop.update(&next, &changed(&next))).await.expect("it is changed");
    assert_eq!(fixture.ask("XLEN shop:cart:events").await, 0);
    assert_eq!(fixture.waiting("gone").await, [], "it begins again");
}

/// Redis removes the oldest if too many wait. Here it is told to, and then to forget the stream.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_were_removed_do_not_hold_up_those_after_them() {
    let (fixture, shop) = (start().await, CommitBuilder::new(1));
    fixture.waiting("slow").await;
    let mut cart = filled(&fixture, &shop).await;
    for _ in 0..3 {
        let next = changed(&cart);
        fixture.carts().commit(shop.update(&cart, &next)).await.expect("it is changed");
        cart = next;
    }
    fixture.ask("XTRIM shop:cart:events MAXLEN 2").await;
    let left: Vec<_> = fixture.waiting("slow").await.iter().map(|item| item.position).collect();
    assert_eq!(left, [3, 4]);
    fixture.ask("DEL shop:cart:events").await;
    assert_eq!(fixture.waiting("slow").await, []);
    fixture.carts().commit(shop.update(&cart, &changed(&cart))).await.expect("it is changed");
    assert_eq!(types(&fixture.waiting("slow").await), ["cart.updated"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ordered_cart_whose_buyer_died_is_removed_although_nobody_reads_it() {
    let (mut fixture, shop) = (start().await, CommitBuilder::new(1));
    fixture.mark = Duration::from_millis(100);
    let cart = filled(&fixture, &shop).await;
    fixture.store.strike(0, Fault::Lost);
    fixture.carts().commit(checkout(&shop, &cart)).await.expect_err("its answer is lost");
    assert_eq!(fixture.traces(&cart).await, [1, 1]);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let processes = [fixture.carts(), fixture.carts()];
    let (one, other) = tokio::join!(processes[0].sweep(100), processes[1].sweep(100));
    assert_eq!((one.expect("it answers"), other.expect("it answers")), (vec![], vec![]));
    assert_eq!(fixture.traces(&cart).await, [0, 0]);
    assert_eq!(orders(&fixture).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cart_whose_buyer_died_before_the_order_is_released_and_stays_open() {
    let (mut fixture, shop) = (start().await, CommitBuilder::new(1));
    fixture.mark = Duration::from_millis(300);
    let cart = filled(&fixture, &shop).await;
    fixture.store.strike(0, Fault::Late(Duration::from_secs(60)));
    let (store, commit) = (fixture.carts(), checkout(&shop, &cart));
    let buyer = tokio::spawn(async move { store.commit(commit).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    buyer.abort();
    assert_eq!(fixture.carts().sweep(100).await.expect("it answers"), []);
    assert_eq!(fixture.ask(&format!("HEXISTS shop:cart:{} token", cart.id)).await, 1, "the mark is not over");
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(fixture.carts().sweep(100).await.expect("it answers"), []);
    assert_eq!(fixture.ask(&format!("HEXISTS shop:cart:{} token", cart.id)).await, 0);
    assert_eq!(fixture.traces(&cart).await, [1, 1], "it waits until it expires");
    fixture.carts().commit(shop.update(&cart, &changed(&cart))).await.expect("it is open");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cart_that_nobody_comes_back_to_expires_with_an_event() {
    let (fixture, shop) = (start().await, CommitBuilder::new(1));
    fixture.waiting("books").await;
    let open = filled(&fixture, &shop).await;
    let mut cart = shop.cart("bob".parse().expect("an id"), shop.at(1));
    cart.expires_at = shop.at(1);
    fixture.carts().commit(shop.create(&cart)).await.expect("it is opened");
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(fixture.carts().sweep(100).await.expect("it answers"), [cart.id]);
    let processor = Arc::new(SandboxProcessor::in_memory());
    let engine = Engine::builder(Settings::new(Currency::USD), Arc::new(fixture.carts()), processor).build();
    let (one, other) = tokio::join!(engine.expire_cart(cart.id), engine.expire_cart(cart.id));
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    let events = fixture.waiting("books").await;
    assert_eq!(types(&events), ["cart.created", "cart.created", "cart.expired"]);
    assert_eq!(events[2].event.stream(), format!("{}/{}", DocumentKind::Cart, cart.id));
    assert_eq!(fixture.carts().sweep(100).await.expect("it answers"), []);
    let found = fixture.carts().cart(cart.id).await.expect("it answers").expect("it is there for a while");
    assert_eq!(found.status, CartStatus::Expired);
    assert_eq!(fixture.carts().active_cart(&cart.user_id).await.expect("it answers"), None);
    assert_eq!(fixture.carts().active_cart(&open.user_id).await.expect("it answers"), Some(open));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_carts_are_away_and_everything_else_goes_on() {
    let (mut fixture, shop) = (start().await, CommitBuilder::new(1));
    let cart = filled(&fixture, &shop).await;
    let carts = fixture.carts();
    fixture.server.kill().expect("it is killed");
    let away = carts.cart(cart.id).await.expect_err("Redis is away");
    assert_eq!(away.kind, StoreErrorKind::Unavailable);
    assert!(!format!("{away} {carts:?}").contains("commerce:"), "{away}");
    carts.commit(checkout(&shop, &cart)).await.expect_err("the cart cannot be marked");
    carts.commit(shop.order(&[("MUG", 1)])).await.expect("an order without a cart");
    assert_eq!(orders(&fixture).await, 1);
}
