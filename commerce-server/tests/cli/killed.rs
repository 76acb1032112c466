//! A server that is killed again and again while customers order, pay and cancel and staff refund. Payments go through a service in a
//! process of its own, with its books on disk; it loses requests, answers and webhooks, and is killed, too. In the end every order is
//! paid or cancelled, and the shop's books are those of the service.
//!
//! `KILLED_ORDERS` (150) and `KILLED_TIMES` (3) make it longer.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use commerce_core::actor::Role;
use commerce_testkit::Random;
use futures_util::future::join_all;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::home::Home;
use crate::running::{Answer, Caller, PATIENCE, Server, commerce, free_address, order_of, setting, succeed};

/// Set for the process that is the payment service: its address, its books and where its webhooks go.
const SERVICE: [&str; 3] = ["KILLED_SERVICE_LISTEN", "KILLED_SERVICE_BOOKS", "KILLED_SERVICE_WEBHOOK"];
const BUYERS: u32 = 16;
const TOKENS: [&str; 8] =
    ["tok_ok", "tok_ok", "tok_ok", "tok_3ds", "tok_slow", "tok_timeout", "tok_timeout_paid", "tok_declined"];
/// How long an unpaid order reserves its units, and how much longer while the payment service does not answer.
const RESERVATION: &str = "reservation = \"15s\"\n[payments]\noutage_grace = \"30s\"\n";

/// Is the payment service where the test below starts it, and does nothing elsewhere.
#[tokio::test]
async fn only_pays() {
    let [Ok(listen), Ok(books), Ok(webhook)] = SERVICE.map(env::var) else { return };
    let settings = remote_double::Settings {
        listen: listen.parse().expect("an address"),
        books: Some(books.into()),
        webhook: Some(webhook),
        lost_requests: 15,
        lost_answers: 15,
        duplicates: 200,
        reordered: 200,
        lost_webhooks: 300,
        seed: u64::from(std::process::id()),
        ..remote_double::Settings::default()
    };
    remote_double::start(settings).await.expect("the service starts");
    std::future::pending::<()>().await;
}

/// The shop, its customers and its payment service.
struct World {
    home: Home,
    shop: SocketAddr,
    service: SocketAddr,
    books: PathBuf,
    guest: Caller,
    placed: AtomicU32,
    /// How often somebody got no answer.
    broken: AtomicU32,
    processes: Mutex<Option<(Server, Child)>>,
}

impl World {
    fn open() -> Self {
        let home = Home::postgres();
        home.stock(&[("mug", 1_000_000)]);
        fs::write(home.path().join("shop.toml"), RESERVATION).expect("written");
        let (shop, service) = (free_address(), free_address());
        let books = home.path().join("books");
        let guest = Caller::guest(shop);
        let (placed, broken) = (AtomicU32::new(0), AtomicU32::new(0));
        let world = Self { home, shop, service, books, guest, placed, broken, processes: Mutex::default() };
        *world.processes.lock().expect("no panic") = Some((world.serve(), world.pay()));
        world
    }

    fn serve(&self) -> Server {
        let (shop, service) = (self.shop.to_string(), format!("http://{}", self.service));
        let limits = ["--orders-per-minute", "0", "--unpaid-orders", "0", "--unpaid-units", "0"];
        let payments = ["--processor", "remote", "--processor-url", &service];
        let mut command = commerce(self.home.path());
        command.env("COMMERCE_WEBHOOK_SECRETS", "whsec_double");
        Server::start_with(command.args(["--config", "shop.toml", "--listen", &shop]).args(limits).args(payments))
    }

    fn pay(&self) -> Child {
        let mut service = Command::new(env::current_exe().expect("a test"));
        service.args(["--exact", "killed::only_pays"]).stdout(Stdio::null()).stderr(Stdio::null());
        let webhook = format!("http://{}/v1/webhooks/payments", self.shop);
        let values = [self.service.to_string(), self.books.display().to_string(), webhook];
        service.envs(SERVICE.into_iter().zip(values)).spawn().expect("it starts")
    }

    /// Kills the server, and sometimes the payment service, and starts them again.
    fn kill(&self, and_service: bool) {
        let mut processes = self.processes.lock().expect("no panic");
        let (server, mut service) = processes.take().expect("they run");
        server.kill();
        if and_service {
            service.kill().expect("it runs");
            service.wait().expect("it ends");
            service = self.pay();
        }
        *processes = Some((self.serve(), service));
    }

    fn acting(&self, sub: &str, role: Role) -> Caller {
        self.guest.acting(self.home.path(), sub, role)
    }

    /// Repeats a POST with its key until it is answered for good.
    async fn persist(&self, caller: &Caller, (path, key): (&str, &str), body: &Value) -> Answer {
        let started = Instant::now();
        loop {
            match caller.send(Method::POST, path, Some(key), body).await {
                Ok(answer) if !answer.status.is_server_error() => return answer,
                other => assert!(started.elapsed() < PATIENCE, "{other:?}"),
            }
            self.broken.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Buys until enough was bought.
    async fn buy(&self, buyer: u32, orders: u32) {
        let (ann, admin) = (self.acting(&format!("user-{buyer}"), Role::Customer), self.acting("ada", Role::Admin));
        let mut random = Random::new(buyer.into());
        loop {
            let number = self.placed.fetch_add(1, Ordering::Relaxed);
            if number >= orders {
                return;
            }
            let (key, body) = (format!("order-{number}"), order_of("mug", 1));
            let order = self.persist(&ann, ("/v1/orders", &key), &body).await;
            assert_eq!(order.status, StatusCode::CREATED, "{order:?}");
            self.confirm(&ann, text(&order.body["payment"]["id"]), &mut random).await;
            match random.below(8) {
                0 => {
                    let path = format!("/v1/orders/{}/cancel", text(&order.body["id"]));
                    self.persist(&ann, (&path, &path), &json!({})).await;
                }
                1 => {
                    let path = format!("/v1/payments/{}/refunds", text(&order.body["payment"]["id"]));
                    self.persist(&admin, (&path, &path), &json!({ "amount": "1.00" })).await;
                }
                _ => {}
            }
        }
    }

    /// Pays, and perhaps walks away without an answer. Otherwise tries again, in the end with money.
    async fn confirm(&self, ann: &Caller, payment: &str, random: &mut Random) {
        let path = format!("/v1/payments/{payment}/confirm");
        let token = TOKENS[usize::try_from(random.below(8)).expect("small")];
        let first = ann.send(Method::POST, &path, None, &json!({ "token": token })).await;
        let answered = first.is_ok_and(|answer| !answer.status.is_server_error());
        if !answered && random.happens(500) {
            self.persist(ann, (&path, &path), &json!({ "token": "tok_ok" })).await;
        }
    }

    async fn orders(&self) -> Vec<Value> {
        let (admin, mut orders, mut cursor) = (self.acting("ada", Role::Admin), Vec::new(), String::new());
        loop {
            let page = admin.get(&format!("/v1/orders?limit=100{cursor}")).await.body;
            orders.extend(page["items"].as_array().expect("a page").iter().cloned());
            let Some(next) = page["next_cursor"].as_str() else { return orders };
            cursor = format!("&cursor={next}");
        }
    }

    /// Orders that are neither paid nor cancelled, or whose sums are not those of the payment service.
    async fn differences(&self) -> Vec<String> {
        let books = Caller::guest(self.service).get("/double/books").await.body;
        let sums = |sums: &Value| (text(&sums["payment"]).to_owned(), [&sums["captured"], &sums["refunded"]].map(int));
        let mut books: BTreeMap<_, _> = books.as_array().expect("books").iter().map(sums).collect();
        let mut found = Vec::new();
        for order in self.orders().await {
            let payment = &order["payment"];
            let theirs = books.remove(text(&payment["id"])).unwrap_or_default();
            let [taken, back] = [&payment["captured"], &payment["refunded"]].map(cents);
            let is_whole = match order["phase"].as_str() {
                Some("paid") => taken > 0,
                Some("cancelled") => taken == back,
                _ => false,
            };
            if !is_whole || [taken, back] != theirs {
                found.push(format!("{theirs:?} and {order}"));
            }
        }
        found.extend(books.into_iter().map(|theirs| format!("{theirs:?} without an order")));
        found
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let processes = self.processes.get_mut().ok().and_then(Option::take);
        if let Some((server, mut service)) = processes {
            server.kill();
            service.kill().ok();
            service.wait().ok();
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text, not {value}"))
}

fn int(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("a number, not {value}"))
}

fn cents(value: &Value) -> i64 {
    text(value).replace('.', "").parse().expect("an amount")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_while_money_moves_agrees_with_the_payment_service() {
    let (orders, kills) = (setting("KILLED_ORDERS", 150), setting("KILLED_TIMES", 3));
    let world = Arc::new(World::open());
    let buy = |buyer| {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.buy(buyer, orders).await })
    };
    let buyers: Vec<_> = (0..BUYERS).map(buy).collect();
    for number in 1..=kills {
        while world.placed.load(Ordering::Relaxed) < orders * number / (kills + 1) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let world = Arc::clone(&world);
        tokio::task::spawn_blocking(move || world.kill(number % 3 == 0)).await.expect("no panic");
    }
    for buyer in join_all(buyers).await {
        buyer.expect("no panic");
    }
    assert!(world.broken.load(Ordering::Relaxed) > 0, "nobody noticed that the server was killed");
    // A payment is asked about again after five minutes if two questions were lost, and many orders leave many tasks.
    let deadline = Instant::now() + 7 * PATIENCE + orders * Duration::from_millis(200);
    loop {
        let found = world.differences().await;
        if found.is_empty() {
            break;
        }
        assert!(Instant::now() < deadline, "{} differ, such as {:#?}", found.len(), found.first());
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    settled(&world, orders).await;
}

/// One order for each key, and as many units reserved as orders are paid.
async fn settled(world: &World, count: u32) {
    let orders = world.orders().await;
    assert_eq!(u32::try_from(orders.len()), Ok(count));
    let paid = orders.iter().filter(|order| order["phase"] == "paid").count();
    assert!(paid > 0 && paid < orders.len(), "{paid} of {count} are paid");
    let stock = world.acting("ada", Role::Admin).get("/v1/inventory/mug").await.body;
    assert_eq!(stock["reserved"].as_i64(), i64::try_from(paid).ok(), "{stock}");
    let verified = succeed(world.home.path(), &["replay", "--verify"]);
    assert!(verified.contains("the tables agree with the events"), "{verified}");
}
