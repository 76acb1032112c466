//! Webhooks of the program, which is killed while it sends, and of two programs on one database.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use commerce_core::actor::Role;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::home::Home;
use crate::running::{Caller, PATIENCE, Server, stocked};

const SETTINGS: &str = "[webhooks]\nallowed_networks = [\"127.0.0.0/8\"]\nallow_http = true\ntime_out = \"1s\"\n";
const WANTED: &str = "stock.adjusted";
/// How often the program is killed.
const KILLS: usize = 2;
/// Between two kills.
const EVENTS: usize = 8;

/// An endpoint that keeps the ids of what it gets. Where it is told so, it answers nothing, and tells that it has read a webhook.
#[derive(Clone)]
struct Receiver {
    address: SocketAddr,
    received: Arc<Mutex<Vec<String>>>,
    silent_at: Arc<Mutex<Option<usize>>>,
    read: mpsc::UnboundedSender<()>,
}

impl Receiver {
    async fn open() -> (Self, mpsc::UnboundedReceiver<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (read, reads) = mpsc::unbounded_channel();
        let this = Self { address, received: Arc::default(), silent_at: Arc::default(), read };
        let receiver = this.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(receiver.clone().answer(stream));
            }
        });
        (this, reads)
    }

    async fn answer(self, mut stream: TcpStream) {
        let mut text = Vec::new();
        while !is_whole(&text) {
            if stream.read_buf(&mut text).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let text = String::from_utf8(text).expect("text");
        let id = text.lines().find_map(|line| line.strip_prefix("webhook-id: ")).expect("an id").to_owned();
        let count = {
            let mut received = self.received.lock().expect("no test has failed");
            received.push(id);
            received.len()
        };
        let is_silent = self.silent_at.lock().expect("no test has failed").is_some_and(|at| count >= at);
        if is_silent {
            self.read.send(()).ok();
            stream.read_buf(&mut Vec::new()).await.ok(); // until the other side is gone
        } else {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.ok();
        }
    }

    fn received(&self) -> Vec<String> {
        self.received.lock().expect("no test has failed").clone()
    }

    fn be_silent_at(&self, count: Option<usize>) {
        *self.silent_at.lock().expect("no test has failed") = count;
    }

    /// Waits until it has got all of these ids.
    async fn gets(&self, ids: &[String]) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let received: BTreeSet<_> = self.received().into_iter().collect();
            if ids.iter().all(|id| received.contains(id)) {
                return;
            }
            assert!(Instant::now() < deadline, "{} of {} came", received.len(), ids.len());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn is_whole(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    body.len() >= length.parse().expect("a number")
}

fn start(home: &Home) -> Server {
    fs::write(home.path().join("shop.toml"), SETTINGS).expect("written");
    Server::start(home.path(), &["--config", "shop.toml"])
}

fn admin(home: &Home, server: &Server) -> Caller {
    Caller::guest(server.address).acting(home.path(), "root", Role::Admin)
}

async fn post(caller: &Caller, path: &str, body: &Value) -> Value {
    let answer = caller.send(Method::POST, path, None, body).await.expect("an answer");
    assert!(answer.status.is_success(), "{answer:?}");
    answer.body
}

/// Registers the endpoint. Returns its path.
async fn register(admin: &Caller, receiver: &Receiver) -> String {
    let body = json!({ "url": format!("http://{}/events", receiver.address), "types": [WANTED] });
    let made = post(admin, "/v1/webhook-endpoints", &body).await;
    format!("/v1/webhook-endpoints/{}", made["id"].as_str().expect("an id"))
}

async fn happen(admin: &Caller, count: usize) {
    for _ in 0..count {
        post(admin, "/v1/inventory/MUG/adjustments", &json!({ "delta": -1, "reason": "broken" })).await;
    }
}

/// The ids of the wanted events, in order.
async fn happened(admin: &Caller) -> Vec<String> {
    let page = admin.get(&format!("/v1/events?limit=100&types={WANTED}")).await.body;
    let items = page["items"].as_array().expect("a list");
    items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect()
}

/// Each id at its first place.
fn firsts(ids: &[String]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    ids.iter().filter(|id| seen.insert(*id)).cloned().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_is_killed_before_the_answer_sends_the_event_again() {
    let home = stocked(&[("MUG", 1000)]);
    let (receiver, mut reads) = Receiver::open().await;
    let mut server = start(&home);
    register(&admin(&home, &server), &receiver).await;
    for kill in 0..KILLS {
        receiver.be_silent_at(Some(receiver.received().len() + 3));
        happen(&admin(&home, &server), EVENTS).await;
        tokio::time::timeout(PATIENCE, reads.recv()).await.unwrap_or_else(|_| panic!("no webhook before kill {kill}"));
        server.kill();
        receiver.be_silent_at(None);
        server = start(&home);
    }
    let ids = happened(&admin(&home, &server)).await;
    assert_eq!(ids.len(), KILLS * EVENTS);
    receiver.gets(&ids).await;
    let received = receiver.received();
    assert_eq!(firsts(&received), ids, "nothing is left out, and everything is in order");
    assert!(received.len() >= ids.len() + KILLS, "what was not answered came again with its id: {received:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_programs_on_a_database_one_delivers() {
    let home = stocked(&[("MUG", 1000)]);
    let (receiver, _reads) = Receiver::open().await;
    let (one, other) = (start(&home), start(&home));
    let path = register(&admin(&home, &one), &receiver).await;
    for _ in 0..4 {
        happen(&admin(&home, &one), 5).await;
        happen(&admin(&home, &other), 5).await;
    }
    let caller = admin(&home, &other);
    let ids = happened(&caller).await;
    receiver.gets(&ids).await;
    assert_eq!(receiver.received(), ids, "each once, in order");
    let log = caller.get(&format!("{path}/deliveries?limit=1")).await.body;
    assert_eq!(log["items"][0]["delivered"], true, "{log}");
    let replayed = caller.send(Method::POST, &format!("{path}/replay"), None, &json!({})).await.expect("an answer");
    assert_eq!(replayed.status, StatusCode::NO_CONTENT);
    let deadline = Instant::now() + PATIENCE;
    while receiver.received().len() < 2 * ids.len() {
        assert!(Instant::now() < deadline, "{} came", receiver.received().len());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(receiver.received()[ids.len()..], ids, "all again, in order");
}
