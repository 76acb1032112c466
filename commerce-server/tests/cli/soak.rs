//! Two servers on one database publish to one target. The server that publishes is killed again and again, and so is the target. In the
//! end the target has every event of the feed, those of each stream in sequence.
//!
//! `SOAK_EVENTS` (2,000), `SOAK_KILLS` (4) and `SOAK_STOPS` (1) make it longer; `SOAK_BROKER` (nats) chooses the broker.

mod entries;
mod target;

use std::env;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use commerce_core::actor::Role;
use commerce_testkit::Random;
use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};
use test_servers::BrokerKind;

use self::entries::{Entry, check};
use self::target::Target;
use crate::home::Home;
use crate::publish::try_metrics;
use crate::running::{Answer, Caller, PATIENCE, Server, commerce, free_address, order_of, setting, succeed};

const BUYERS: u32 = 4;
/// An order that is placed and paid makes at least so many events.
const EVENTS_PER_ORDER: u32 = 5;
/// The most events that a crash repeats: those of a batch.
const BATCH: usize = 100;
/// A call of the target ends a second before the lease does. Half of that is for the machine.
const APART: Duration = Duration::from_millis(500);

/// A server, and how often it was started before.
type Process = (usize, u32);

/// When a process was seen to have published, and how much.
struct Published {
    process: Process,
    from: Instant,
    to: Instant,
    events: u64,
}

struct Soak {
    home: Home,
    settings: String,
    addresses: [SocketAddr; 2],
    servers: [Mutex<Option<Server>>; 2],
    births: [AtomicU32; 2],
    published: Mutex<Vec<Published>>,
    orders: u32,
    placed: AtomicU32,
    /// So many orders may be placed by now.
    allowed: AtomicU32,
}

impl Soak {
    fn open(target: &Target, orders: u32) -> Arc<Self> {
        let home = Home::postgres();
        home.stock(&[("mug", 1_000_000)]);
        let soak = Arc::new(Self {
            home,
            settings: format!("reservation = \"7d\"\n[publish.soak]\nstart = \"beginning\"\n{}", target.settings()),
            addresses: [free_address(), free_address()],
            servers: [Mutex::default(), Mutex::default()],
            births: [AtomicU32::new(0), AtomicU32::new(0)],
            published: Mutex::default(),
            orders,
            placed: AtomicU32::new(0),
            allowed: AtomicU32::new(0),
        });
        (0..2).for_each(|server| soak.start(server));
        soak
    }

    fn start(&self, server: usize) {
        let address = self.addresses[server].to_string();
        std::fs::write(self.home.path().join("shop.toml"), &self.settings).expect("written");
        let limits = ["--orders-per-minute", "0", "--unpaid-orders", "0", "--unpaid-units", "0"];
        let mut command = commerce(self.home.path());
        let started = Server::start_with(command.args(["--config", "shop.toml", "--listen", &address]).args(limits));
        *self.servers[server].lock().expect("no panic") = Some(started);
    }

    fn kill(&self, server: usize) {
        let killed = self.servers[server].lock().expect("no panic").take().expect("it runs");
        killed.kill();
        self.births[server].fetch_add(1, Ordering::SeqCst);
        self.start(server);
    }

    fn process(&self, server: usize) -> Process {
        (server, self.births[server].load(Ordering::SeqCst))
    }

    fn caller(&self, name: &str, role: Role) -> Caller {
        Caller::guest(self.addresses[0]).acting(self.home.path(), name, role)
    }

    /// Places orders and pays them, until there are enough.
    async fn buy(&self, buyer: u32) {
        loop {
            let number = self.placed.fetch_add(1, Ordering::Relaxed);
            if number >= self.orders {
                return;
            }
            while number >= self.allowed.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            let ann = self.caller(&format!("user-{buyer}"), Role::Customer);
            let key = format!("order-{number}");
            let order = self.persist(&ann, "/v1/orders", &key, &order_of("mug", 1)).await;
            let path = format!("/v1/payments/{}/confirm", order.body["payment"]["id"].as_str().expect("an id"));
            self.persist(&ann, &path, &format!("pay-{number}"), &json!({ "token": "tok_ok" })).await;
        }
    }

    /// Asks one server and the other until it is done.
    async fn persist(&self, ann: &Caller, path: &str, key: &str, body: &Value) -> Answer {
        let started = Instant::now();
        for address in self.addresses.iter().cycle().skip(key.len() % 2) {
            match ann.at(*address).send(Method::POST, path, Some(key), body).await {
                Ok(answer) if answer.status.is_success() => return answer,
                other => assert!(started.elapsed() < PATIENCE, "{other:?}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        unreachable!("it asks on")
    }

    /// Notes when a server has published, as its metrics say.
    async fn watch(&self, server: usize) {
        let (mut process, mut before, mut from) = (self.process(server), 0, Instant::now());
        loop {
            let (asked, of) = (Instant::now(), self.process(server));
            let count = try_metrics(self.addresses[server]).await.map(|metrics| published_by(&metrics));
            if let Some(count) = count.ok().filter(|_| of == self.process(server)) {
                before = if of == process { before } else { 0 };
                if count > before {
                    let noted = Published { process: of, from, to: Instant::now(), events: count - before };
                    self.published.lock().expect("no panic").push(noted);
                }
                (process, before, from) = (of, count, asked);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until a server that runs has published after an instant.
    async fn publisher(&self, since: Instant) -> usize {
        let waiting = Instant::now();
        loop {
            let is_it = |noted: &&Published| noted.from > since && noted.process == self.process(noted.process.0);
            let found = self.published.lock().expect("no panic").iter().rev().find(is_it).map(|noted| noted.process.0);
            if let Some(server) = found {
                return server;
            }
            assert!(waiting.elapsed() < 3 * PATIENCE, "nobody publishes: {}", self.targets());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn targets(&self) -> String {
        succeed(self.home.path(), &["events", "targets"])
    }

    /// Lets further orders be placed: one share for each of so many disturbances.
    fn allow(&self, disturbances: u32) {
        self.allowed.fetch_add(self.orders.div_ceil(disturbances), Ordering::Relaxed);
    }

    /// The entries of the feed after a cursor, and the cursor of its end.
    async fn feed(&self, cursor: &str) -> (Vec<Entry>, String) {
        let (mut entries, mut cursor) = (Vec::new(), cursor.to_owned());
        loop {
            let after = if cursor.is_empty() { String::new() } else { format!("&after={cursor}") };
            let page = self.caller("ada", Role::Admin).get(&format!("/v1/events?limit=100{after}")).await.body;
            let items = page["items"].as_array().expect("a page");
            if items.is_empty() {
                return (entries, cursor);
            }
            entries.extend(items.iter().map(Entry::of));
            page["next_cursor"].as_str().expect("a cursor").clone_into(&mut cursor);
        }
    }

    /// Nobody publishes while another process does: what two processes published was not at the same time. Says who published how much.
    fn turns(&self) -> String {
        let mut published = std::mem::take(&mut *self.published.lock().expect("no panic"));
        published.sort_by_key(|noted| noted.to);
        let (mut turns, mut closest, mut events) = (1_u32, Duration::MAX, [0, 0]);
        for noted in &published {
            events[noted.process.0] += noted.events;
        }
        for pair in published.windows(2).filter(|pair| pair[0].process != pair[1].process) {
            let apart = pair[1].to.saturating_duration_since(pair[0].from);
            assert!(apart >= APART, "{:?} and {:?} published within {apart:?}", pair[0].process, pair[1].process);
            (turns, closest) = (turns + 1, closest.min(apart));
        }
        let [one, other] = events;
        format!("{turns} turns, {one} and {other} events, at least {closest:?} apart")
    }
}

/// The number of events that a server has published, by its metrics.
fn published_by(metrics: &str) -> u64 {
    let counts = metrics.lines().filter_map(|line| line.strip_prefix("publish_events_total{")?.rsplit_once(' '));
    counts.filter_map(|(_, count)| count.parse::<u64>().ok()).sum()
}

/// Kills whoever publishes, and the target in between.
async fn disturb(soak: &Arc<Soak>, target: &mut Target, kills: u32, stops: u32) {
    let mut random = Random::new(u64::from(std::process::id()));
    let mut since = Instant::now();
    for number in 1..=kills {
        if number * stops / kills > (number - 1) * stops / kills {
            soak.allow(kills + stops);
            soak.publisher(since).await;
            target.stop().await;
            tokio::time::sleep(Duration::from_millis(1_000 + random.below(3_000))).await;
            target.start().await;
            since = Instant::now();
        }
        soak.allow(kills + stops);
        let victim = soak.publisher(since).await;
        tokio::time::sleep(Duration::from_millis(random.below(300))).await;
        let killing = Arc::clone(soak);
        tokio::task::spawn_blocking(move || killing.kill(victim)).await.expect("no panic");
        since = Instant::now();
    }
}

async fn soak(mut target: Target) {
    let (events, kills, stops) = (setting("SOAK_EVENTS", 2_000), setting("SOAK_KILLS", 4), setting("SOAK_STOPS", 1));
    let begun = Instant::now();
    target.prepare().await;
    let soak = Soak::open(&target, events.div_ceil(EVENTS_PER_ORDER));
    let spawn = |soak: &Arc<Soak>, buyer| {
        let soak = Arc::clone(soak);
        tokio::spawn(async move { soak.buy(buyer).await })
    };
    let buyers: Vec<_> = (0..BUYERS).map(|buyer| spawn(&soak, buyer)).collect();
    let watches = [0, 1].map(|server| {
        let soak = Arc::clone(&soak);
        tokio::spawn(async move { soak.watch(server).await })
    });
    disturb(&soak, &mut target, kills, stops).await;
    for buyer in join_all(buyers).await {
        buyer.expect("no panic");
    }
    let (mut feed, end) = soak.feed("").await;
    let deadline = Instant::now() + 3 * PATIENCE;
    while !soak.targets().contains(" behind 0 events") {
        assert!(Instant::now() < deadline, "not everything is published: {}", soak.targets());
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let turns = soak.turns();
    watches.iter().for_each(tokio::task::JoinHandle::abort);
    let entries = target.read().await;
    feed.extend(soak.feed(&end).await.0);
    assert!(feed.len() >= usize::try_from(events).expect("small"), "{} events are too few", feed.len());
    let found = check(&feed, &entries);
    eprintln!(
        "{}: {found}; {kills} kills, {stops} stops of the target, {} s; {turns}",
        target.name(),
        begun.elapsed().as_secs()
    );
    let most = BATCH * usize::try_from(kills + stops).expect("small");
    assert!(found.duplicates <= most, "{} duplicates are more than {most}", found.duplicates);
    if target.leaves_out_duplicates() {
        assert_eq!(found.duplicates, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_has_every_event_in_sequence() {
    soak(Target::file()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_has_every_event_in_sequence() {
    let kind = match env::var("SOAK_BROKER").as_deref() {
        Ok("rabbitmq") => BrokerKind::RabbitMq,
        Ok("redis") => BrokerKind::Redis,
        Ok("nats") | Err(_) => BrokerKind::Nats,
        Ok(other) => panic!("SOAK_BROKER is nats, rabbitmq or redis, not {other}"),
    };
    soak(Target::broker(kind)).await;
}
