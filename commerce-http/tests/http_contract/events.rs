//! The feed: pages, waiting, and streams.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::shop::{Plan, Reply, Shop, fresh_key, order_of, path_of, text};

async fn read(shop: &Shop, query: &str) -> Value {
    shop.service().get(&format!("/v1/events{query}")).send().await.expect(200)
}

fn types(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|event| text(&event["type"])).collect()
}

fn cursor(page: &Value) -> &str {
    text(&page["next_cursor"])
}

/// Every event, read in pages of a size.
async fn all(shop: &Shop, limit: u16) -> Vec<Value> {
    let (mut events, mut query) = (Vec::new(), String::new());
    loop {
        let page = read(shop, &format!("?limit={limit}{query}")).await;
        let items = page["items"].as_array().unwrap();
        if items.is_empty() {
            return events;
        }
        assert!(items.len() <= limit.into());
        events.extend_from_slice(items);
        query = format!("&after={}", cursor(&page));
    }
}

#[tokio::test]
async fn every_change_is_an_event_with_the_state_after_it() {
    let shop = Shop::open().await;
    let order = shop.paid_order(2).await;
    let page = read(&shop, "").await;
    let catalog = ["product.created", "stock.set", "order.created", "payment.created"];
    assert_eq!(types(&page), [&catalog[..], &["payment.captured", "order.paid", "payment.updated"]].concat());
    let paid = page["items"].as_array().unwrap().iter().find(|event| event["type"] == "order.paid").unwrap();
    let head = ["specversion", "source", "datacontenttype", "authtype"].map(|name| &paid[name]);
    assert_eq!(head, ["1.0", "urn:commerce", "application/json", "system"]);
    let created = &page["items"][2];
    assert_eq!((&created["authtype"], &created["authid"]), (&json!("app_user"), &json!("ann")));
    assert_eq!(paid["subject"], format!("order/{}", text(&order["id"])));
    assert_eq!((&paid["data"]["status"], &paid["data"]["order_id"]), (&json!("paid"), &order["id"]));
    assert_eq!(paid["sequence"], format!("{:020}", order["version"].as_u64().unwrap()));
    assert_eq!(paid["data"]["total"], order["total"]);
}

#[tokio::test]
async fn an_event_is_part_of_the_trace_of_its_request() {
    let shop = Shop::open().await;
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let cart = shop.ann().post("/v1/carts", &json!({})).header("traceparent", parent).send().await.expect(201);
    let item = json!({ "sku": "MUG", "quantity": 1 });
    shop.ann().post(&format!("/v1/carts/{}/items", text(&cart["id"])), &item).send().await.expect(200);
    let page = read(&shop, "?types=cart.created,cart.updated").await;
    let (opened, filled) = (&page["items"][0], &page["items"][1]);
    let (trace, span) = (&parent[..36], &parent[36..52]);
    assert!(text(&opened["traceparent"]).starts_with(trace), "{opened}");
    assert!(!text(&opened["traceparent"]).contains(span), "{opened}"); // the request is a span of its own
    assert_eq!((&filled["type"], filled.get("traceparent")), (&json!("cart.updated"), None));
}

#[tokio::test]
async fn pages_of_any_size_have_every_event_once() {
    let shop = Shop::open().await;
    for _ in 0..3 {
        shop.delivered_order(1).await;
    }
    let whole = all(&shop, 100).await;
    assert!(whole.len() > 20, "{}", whole.len());
    for limit in [1, 7, 21] {
        assert_eq!(all(&shop, limit).await, whole, "{limit}");
    }
}

#[tokio::test]
async fn only_the_wanted_types_are_told() {
    let shop = Shop::open().await;
    shop.paid_order(1).await;
    let page = read(&shop, "?types=order.paid,%20stock.set&limit=100").await;
    assert_eq!(types(&page), ["stock.set", "order.paid"]);
    shop.paid_order(1).await;
    let next = read(&shop, &format!("?types=order.paid&after={}", cursor(&page))).await;
    assert_eq!(types(&next), ["order.paid"]);
    let none = read(&shop, &format!("?types=order.paid&after={}", cursor(&next))).await;
    assert_eq!(none["items"], json!([]));
}

#[tokio::test]
async fn what_cannot_be_read_is_refused() {
    let shop = Shop::open().await;
    let ask = async |query: &str| shop.admin().get(&format!("/v1/events?{query}")).send().await;
    for (query, code) in [
        ("after=nonsense", "invalid_cursor"),
        ("types=order.exploded", "invalid_parameter"),
        ("wait=31", "invalid_parameter"),
        ("wait=-1", "invalid_parameter"),
        ("limit=0", "invalid_parameter"),
        ("limit=101", "invalid_parameter"),
    ] {
        ask(query).await.problem(422, code);
    }
    let streaming = shop.admin().get("/v1/events").header("accept", "text/event-stream");
    streaming.header("last-event-id", "nonsense").send().await.problem(422, "invalid_cursor");
    let orders = shop.ann().get("/v1/orders").send().await.expect(200);
    assert_eq!(orders["next_cursor"], Value::Null);
    shop.ann().get("/v1/events").send().await.problem(403, "forbidden");
    shop.support().get("/v1/events").send().await.problem(403, "forbidden");
    shop.guest().get("/v1/events").send().await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn secrets_and_values_of_the_processor_stay_inside() {
    let shop = Shop::open().await;
    let placed = shop.ann().post("/v1/orders", &order_of("MUG", 1)).key(&fresh_key()).send().await.expect(201);
    let secret = placed["payment"]["client_secret"].as_str().unwrap_or("pi_secret").to_owned();
    shop.ann().post("/v1/payment-methods", &json!({ "consent": true })).send().await;
    let events = all(&shop, 100).await;
    assert!(!json!(events).to_string().contains(&secret));
    let kinds: Vec<_> = events.iter().map(|event| text(&event["type"]).split('.').next().unwrap()).collect();
    for inside in ["payment_method", "processor_event", "event_cursor"] {
        assert!(!kinds.contains(&inside), "{inside}");
    }
}

#[tokio::test]
async fn a_reader_waits_for_the_next_event() {
    let shop = Shop::open().await;
    let end = cursor(&read(&shop, "?limit=100").await).to_owned();
    let waiting = tokio::spawn({
        let (shop, end) = (shop.clone(), end.clone());
        async move { read(&shop, &format!("?after={end}&wait=30&types=order.created")).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!waiting.is_finished());
    shop.order(1).await;
    assert_eq!(types(&waiting.await.unwrap()), ["order.created"]);
    let began = Instant::now();
    let end = cursor(&read(&shop, "?limit=100").await).to_owned();
    let nothing = read(&shop, &format!("?after={end}&wait=1")).await;
    assert_eq!((&nothing["items"], cursor(&nothing)), (&json!([]), &*end));
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
}

/// A caller has eight places. They are free again when the requests end.
#[tokio::test]
async fn readers_have_places() {
    let plan = Plan::default();
    let drain = plan.options.drain.clone();
    let shop = Shop::with(plan).await;
    let end = cursor(&read(&shop, "?limit=100").await).to_owned();
    let wait = |shop: Shop, end: String| async move {
        shop.service().get(&format!("/v1/events?after={end}&wait=30")).send().await
    };
    let waiting: Vec<_> = (0..8).map(|_| tokio::spawn(wait(shop.clone(), end.clone()))).collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    wait(shop.clone(), end.clone()).await.problem(429, "too_many_event_readers");
    shop.service().get("/v1/events").send().await.expect(200);
    drain.begin();
    for waiting in waiting {
        let reply: Reply = waiting.await.unwrap();
        assert_eq!(reply.expect(200)["items"], json!([]), "a shutdown ends the wait");
    }
    wait(shop.clone(), end).await.expect(200);
}

/// Reads a stream until it has so many events. Returns them as id, type and data.
async fn follow(shop: &Shop, last: Option<&str>, count: usize) -> Vec<(String, String, Value)> {
    let mut events = Vec::new();
    let mut body = shop.service().stream("/v1/events?types=order.created,order.paid", last).await.into_data_stream();
    let mut unread = String::new();
    while events.len() < count {
        unread += std::str::from_utf8(&body.next().await.unwrap().unwrap()).unwrap();
        while let Some((event, rest)) = unread.split_once("\n\n") {
            let field = |name: &str| {
                let line = event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                line.map(str::to_owned)
            };
            if let Some(data) = field("data") {
                let data = serde_json::from_str(&data).unwrap();
                events.push((field("id").unwrap(), field("event").unwrap(), data));
            }
            unread = rest.to_owned();
        }
    }
    events
}

#[tokio::test]
async fn a_stream_goes_on_after_the_last_event() {
    let shop = Shop::open().await;
    let order = shop.paid_order(1).await;
    let first = follow(&shop, None, 2).await;
    assert_eq!((&*first[0].1, &*first[1].1), ("order.created", "order.paid"));
    assert_eq!(first[1].2["data"]["id"], order["id"]);
    let later = tokio::spawn({
        let (shop, last) = (shop.clone(), first[0].0.clone());
        async move { follow(&shop, Some(&last), 3).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let next = shop.paid_order(1).await;
    let later = later.await.unwrap();
    assert_eq!(later[0], first[1]);
    assert_eq!(later[2].2["data"]["status"], "paid");
    assert_eq!(shop.ann().get(&path_of(&next)).send().await.expect(200)["id"], later[2].2["data"]["id"]);
}

#[tokio::test]
async fn a_shutdown_ends_streams() {
    let plan = Plan::default();
    let drain = plan.options.drain.clone();
    let shop = Shop::with(plan).await;
    let body = shop.service().stream("/v1/events", None).await;
    drain.begin();
    let rest = tokio::time::timeout(Duration::from_secs(5), body.collect()).await.expect("an end");
    assert!(rest.unwrap().to_bytes().starts_with(b"retry: 1000\n\n"));
}
