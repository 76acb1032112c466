//! Events in a file: all of them, in order, by one process, in the form and by the names that its readers know.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use commerce_core::actor::Role;
use http::StatusCode;
use serde_json::Value;

use crate::home::{Home, on_each_database};
use crate::running::{Broken, Caller, PATIENCE, Server, commerce, directory, fail, order_of, succeed};

on_each_database!(
    events_are_in_the_file_and_can_be_published_again,
    of_two_processes_one_publishes_and_the_other_takes_over
);

const SETTINGS: &str = "[publish.archive]\nkind = \"file\"\npath = \"events.jsonl\"\nstart = \"beginning\"\n";
fn serve(home: &Home, address: &str) -> Server {
    fs::write(home.path().join("shop.toml"), SETTINGS).expect("written");
    let limits = ["--orders-per-minute", "0", "--unpaid-orders", "0", "--unpaid-units", "0"];
    Server::start_with(commerce(home.path()).args(["--config", "shop.toml", "--listen", address]).args(limits))
}

/// The lines of the file. One that is being written does not count.
fn lines(home: &Home) -> Vec<Value> {
    let text = fs::read_to_string(home.path().join("events.jsonl")).unwrap_or_default();
    let whole = text.rsplit_once('\n').map(|(whole, _)| whole).unwrap_or_default();
    whole.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

/// The whole feed, as the HTTP API shows it.
pub(crate) async fn feed(admin: &Caller) -> Vec<Value> {
    let (mut events, mut after) = (Vec::new(), String::new());
    loop {
        let page = admin.get(&format!("/v1/events?limit=100{after}")).await.body;
        let items = page["items"].as_array().expect("a page").clone();
        if items.is_empty() {
            return events;
        }
        events.extend(items);
        after = format!("&after={}", page["next_cursor"].as_str().expect("a cursor"));
    }
}

pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub(crate) fn caller(home: &Home, address: SocketAddr, sub: &str, role: Role) -> Caller {
    Caller::guest(address).acting(home.path(), sub, role)
}

pub(crate) async fn order(ann: &Caller, number: u32) {
    let answer = ann.order(&format!("order-{number}"), &order_of("mug", 1)).await.expect("an answer");
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
}

async fn events_are_in_the_file_and_can_be_published_again(home: Home) {
    home.stock(&[("mug", 100)]);
    let server = serve(&home, "127.0.0.1:0");
    let (ann, admin) =
        (caller(&home, server.address, "ann", Role::Customer), caller(&home, server.address, "ada", Role::Admin));
    for number in 0..3 {
        order(&ann, number).await;
    }
    let events = feed(&admin).await;
    until("every event is in the file", async || lines(&home).len() >= events.len()).await;
    assert_eq!(lines(&home), events);
    let end = events.len();
    let listed = format!("archive  position {end}  behind 0 events, 0 s  a process publishes  failures 0");
    until("the position is stored", async || succeed(home.path(), &["events", "targets"]).trim() == listed).await;
    until("the lag is gone", async || {
        let metrics = metrics(server.address).await;
        assert!(metrics.contains("publish_events_total{target=\"archive\",type=\"order.created\"} 3"), "{metrics}");
        metrics.contains("publish_lag_events{target=\"archive\"} 0")
    })
    .await;

    fail(home.path(), &["events", "replay", "--to", "books", "--after", "0"], 1, "nothing was ever published to books");
    let beyond = (end + 1).to_string();
    fail(home.path(), &["events", "replay", "--to", "archive", "--after", &beyond], 1, "the feed ends at");
    let moved = succeed(home.path(), &["events", "replay", "--to", "archive", "--after", "1"]);
    assert!(moved.contains(&format!("archive goes on after position 1; it was at {end}")), "{moved}");
    until("the events are there again", async || lines(&home).len() >= 2 * end - 1).await;
    assert_eq!(lines(&home)[end..], events[1..]);
    assert_eq!(server.stop().code, Some(0));
    let listed = succeed(home.path(), &["events", "targets"]);
    assert!(listed.contains("no process publishes"), "{listed}");
}

/// What a server shows at `/metrics`.
pub(crate) async fn metrics(address: SocketAddr) -> String {
    try_metrics(address).await.expect("an answer")
}

/// The same of a server that may be gone.
pub(crate) async fn try_metrics(address: SocketAddr) -> Result<String, Broken> {
    let path = format!("http://{address}/metrics");
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new()).build_http();
    let answer = client.request(http::Request::get(path).body(String::new())?).await?;
    let body = http_body_util::BodyExt::collect(answer.into_body()).await?;
    Ok(String::from_utf8(body.to_bytes().to_vec())?)
}

async fn of_two_processes_one_publishes_and_the_other_takes_over(home: Home) {
    home.stock(&[("mug", 100)]);
    let first = serve(&home, "127.0.0.1:0");
    until("the first one publishes", async || !lines(&home).is_empty()).await;
    let second = serve(&home, "127.0.0.1:0");
    let (ann, admin) =
        (caller(&home, second.address, "ann", Role::Customer), caller(&home, second.address, "ada", Role::Admin));
    for number in 0..5 {
        order(&ann, number).await;
        order(&ann.at(first.address), number + 5).await;
    }
    let events = feed(&admin).await;
    until("every event is in the file", async || lines(&home).len() >= events.len()).await;
    assert_eq!(lines(&home), events, "each event once");
    assert_eq!(first.stop().code, Some(0));
    order(&ann, 10).await;
    let events = feed(&admin).await;
    until("the second one publishes", async || lines(&home).len() >= events.len()).await;
    assert_eq!(lines(&home), events, "each event once");
}

/// An order service that knows its own envelope, and another system that calls a paid order confirmed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_target_gets_events_in_its_form_and_by_its_names() {
    let home = Home::sqlite();
    home.stock(&[("mug", 1)]);
    let target = |name: &str, more: &str| {
        format!("[publish.{name}]\nkind = \"file\"\npath = \"{name}.jsonl\"\nstart = \"beginning\"\n{more}\n")
    };
    let orders = target("orders", "envelope = \"plain\"\ntypes = [\"order.created\"]");
    let shop = target("shop", "names_of = \"003\"\n[publish.shop.names]\n\"order.created\" = \"OrderCreated\"");
    fs::write(home.path().join("shop.toml"), [orders, shop].concat()).expect("written");
    let server = Server::start_with(commerce(home.path()).args(["--config", "shop.toml", "--listen", "127.0.0.1:0"]));
    let (ann, admin) =
        (caller(&home, server.address, "ann", Role::Customer), caller(&home, server.address, "ada", Role::Admin));
    order(&ann, 1).await;
    let events = feed(&admin).await;
    let read = |name: &str| {
        let text = fs::read_to_string(home.path().join(name)).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect::<Vec<Value>>()
    };
    until("all events are there", async || read("shop.jsonl").len() >= events.len()).await;
    let names: BTreeSet<_> = read("shop.jsonl").iter().map(|event| event["type"].to_string()).collect();
    assert!(names.contains("\"OrderCreated\"") && names.contains("\"product.out_of_stock\""), "{names:?}");
    assert!(!names.contains("\"order.created\"") && !names.contains("\"stock.out\""), "{names:?}");

    until("the order is there", async || !read("orders.jsonl").is_empty()).await;
    let created = events.iter().find(|event| event["type"] == "order.created").expect("an order");
    let [order] = read("orders.jsonl").try_into().expect("one event");
    let data = &order["data"];
    assert_eq!((&order["event_id"], &order["event_type"]), (&created["id"], &"order.created".into()));
    assert_eq!((&order["timestamp"], &order["sequence"]), (&created["time"], &1.into()));
    assert_eq!((&data["user_id"], &data["status"], &data["order_id"]), (&"ann".into(), &"pending".into(), &data["id"]));
    assert_eq!(data["total"], created["data"]["total"]);
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn settings_of_targets_are_checked() {
    let directory = directory();
    let check = |text: &str, words: &str| {
        fs::write(directory.path().join("shop.toml"), text).expect("written");
        fail(directory.path(), &["--config", "shop.toml", "events", "targets"], 1, words);
    };
    let file = |name: &str, more: &str| format!("[publish.{name}]\nkind = \"file\"\npath = \"a.jsonl\"\n{more}\n");
    check(&file("a", "types = [\"order.lost\"]"), "a: `order.lost` is not an event type");
    check(&file("\"a/b\"", ""), "the name a/b may have letters, digits, - and _ only");
    check(&[file("a", ""), file("b", "")].concat(), "two targets have the file");
    check(&file("a", "colour = 1"), "unknown field `colour`");
    check(&file("a", "start = \"now\""), "unknown variant `now`");
    check("[publish.a]\nkind = \"file\"\n", "a: path is missing");
    check("[publish.a]\nkind = \"redis\"\n", "a: url or url_file is missing");
    check(&file("a", "channel = \"events\""), "a: this kind of target does not use channel");
    check(&file("a", "queue = \"events\""), "a: this kind of target does not use queue");
    check("[publish.a]\nkind = \"rabbitmq\"\nurl = \"amqp://localhost\"\ntopic = \"a\"\n", "does not use topic");
    check("[publish.a]\nkind = \"kafka\"\n", "a: url or url_file is missing");
    check(&file("a", "envelope = \"parcel\""), "unknown variant `parcel`");
    check(&file("a", "mode = \"binary\""), "a: this kind of target has no headers for the mode binary");
    let plain = "[publish.a]\nkind = \"nats\"\nurl = \"nats://localhost\"\nenvelope = \"plain\"\nmode = \"binary\"\n";
    check(plain, "a: the mode binary is one of CloudEvents");
    check(&file("a", "names_of = \"005\""), "a: `005` is no contract");
    check(&file("a", "[publish.a.names]\n\"order.lost\" = \"Lost\""), "a: `order.lost` is not an event type");
    check(&file("a", "[publish.a.names]\n\"order.paid\" = \"Order paid\""), "a: `Order paid` is not a name of events");
    check("[publish.a]\nkind = \"pigeon\"\npath = \"a\"\n", "unknown variant `pigeon`");
    assert!(!directory.path().join("commerce.db").exists());
}
