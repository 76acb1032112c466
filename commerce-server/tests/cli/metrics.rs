//! The metrics: those of the documentation and no others, and what a customer's journey adds to them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use commerce_core::actor::Role;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::publish::metrics;
use crate::running::{Answer, Caller, PATIENCE, Server, order_of, stocked};

const SETTINGS: &str = "[publish.archive]\nkind = \"file\"\npath = \"events.jsonl\"\nstart = \"beginning\"\n";

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The type and the labels of a metric.
type Kind = (String, BTreeSet<String>);

/// The metrics of the documentation.
fn documented() -> BTreeMap<String, Kind> {
    let page = fs::read_to_string(repository("docs/metrics.md")).expect("the page");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let row = |row: &str| {
        let cells: Vec<_> = row.split('|').collect();
        let labels = cells[2].split(',').map(|label| label.trim().trim_matches('`').to_owned());
        let labels = labels.filter(|label| !label.is_empty()).collect();
        (cells[0].trim().trim_end_matches('`').to_owned(), (cells[1].trim().to_owned(), labels))
    };
    rows.map(row).collect()
}

/// The name and the labels of a sample.
fn sample(line: &str) -> (&str, BTreeSet<String>) {
    let (name, rest) = line.split_at(line.find(['{', ' ']).expect("a sample"));
    let labels = rest.strip_prefix('{').map_or("", |rest| rest.rsplit_once('}').expect("closed").0);
    let names = labels.split("\",").filter_map(|label| label.split_once('=')).map(|(name, _)| name.to_owned());
    (name, names.filter(|name| name != "le").collect())
}

/// The metrics that a server shows.
fn shown(page: &str) -> BTreeMap<String, Kind> {
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let mut found: BTreeMap<_, Kind> =
        types.map(|(name, kind)| (name.to_owned(), (kind.to_owned(), BTreeSet::new()))).collect();
    for line in page.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (name, labels) = sample(line);
        let parts = ["_bucket", "_sum", "_count"];
        let whole = parts.iter().find_map(|part| name.strip_suffix(part)).filter(|name| found.contains_key(*name));
        found.get_mut(whole.unwrap_or(name)).expect("a type").1.extend(labels);
    }
    found
}

async fn send(caller: &Caller, (method, path): (Method, &str), key: &str, body: &Value, status: StatusCode) -> Answer {
    let answer = caller.send(method, path, Some(key), body).await.expect("an answer");
    assert_eq!(answer.status, status, "{path}: {answer:?}");
    answer
}

/// A cart with a code that nobody knows becomes an order, which is paid; then one that nobody can have, and a count.
async fn journey(ann: &Caller, admin: &Caller) {
    let post = Method::POST;
    let cart = send(ann, (post.clone(), "/v1/carts"), "cart", &json!({}), StatusCode::CREATED).await.body;
    let cart = cart["id"].as_str().expect("an id").to_owned();
    let items = format!("/v1/carts/{cart}/items");
    send(ann, (post.clone(), &items), "item", &json!({ "sku": "mug", "quantity": 2 }), StatusCode::OK).await;
    let codes = format!("/v1/carts/{cart}/promotions");
    send(ann, (post.clone(), &codes), "code", &json!({ "code": "NOPE" }), StatusCode::OK).await;
    let mut checkout = order_of("mug", 1);
    checkout.as_object_mut().expect("an object").remove("items");
    checkout["cart_id"] = json!(cart);
    let order = send(ann, (post.clone(), "/v1/checkouts"), "buy", &checkout, StatusCode::CREATED).await.body;
    send(ann, (post.clone(), "/v1/checkouts"), "buy", &checkout, StatusCode::CREATED).await;
    let confirm = format!("/v1/payments/{}/confirm", order["payment"]["id"].as_str().expect("an id"));
    send(ann, (post.clone(), &confirm), "no", &json!({ "token": "tok_declined" }), StatusCode::OK).await;
    send(ann, (post.clone(), &confirm), "yes", &json!({ "token": "tok_ok" }), StatusCode::OK).await;
    let cancel = format!("/v1/orders/{}/cancel", order["id"].as_str().expect("an id"));
    send(admin, (post.clone(), &cancel), "cancel", &json!({}), StatusCode::OK).await;
    send(ann, (post, "/v1/orders"), "greedy", &order_of("mug", 99), StatusCode::CONFLICT).await;
    send(admin, (Method::PUT, "/v1/inventory/mug"), "count", &json!({ "on_hand": 7 }), StatusCode::OK).await;
}

/// Waits until the server shows lines.
async fn until_shown(address: SocketAddr, lines: &[&str]) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let page = metrics(address).await;
        let missing = lines.iter().find(|line| !page.lines().any(|shown| shown == **line));
        let Some(missing) = missing else { return };
        assert!(Instant::now() < deadline, "{missing} is not in {page}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_journey_is_counted_as_the_documentation_says() {
    let home = stocked(&[("mug", 10)]);
    fs::write(home.path().join("shop.toml"), SETTINGS).expect("written");
    let server = Server::start(home.path(), &["--config", "shop.toml"]);
    let guest = Caller::guest(server.address);
    guest.get("/healthz").await;
    until_shown(server.address, &["carts_total{step=\"abandoned\"} 0", "orders_placed_total 0"]).await;
    journey(&guest.acting(home.path(), "ann", Role::Customer), &guest.acting(home.path(), "ada", Role::Admin)).await;
    until_shown(
        server.address,
        &[
            "carts_total{step=\"opened\"} 1",
            "carts_total{step=\"converted\"} 1",
            "order_requests_total{source=\"checkout\",outcome=\"placed\",code=\"\"} 2",
            "order_requests_total{source=\"order\",outcome=\"refused\",code=\"out_of_stock\"} 1",
            "orders_placed_total 1",
            "order_phases_total{phase=\"paid\"} 1",
            "order_phases_total{phase=\"cancelled\"} 1",
            "order_paid_after_seconds_count 1",
            "promotion_codes_tried_total{outcome=\"unknown_code\"} 1",
            "stock_units_total{movement=\"reserved\"} 2",
            "stock_refusals_total{reason=\"out_of_stock\"} 1",
            "inventory_updates_total{kind=\"set\"} 1",
            "payment_declines_total{kind=\"authorize\",class=\"ask_customer\"} 1",
            "saga_duration_seconds_count{outcome=\"cancelled\"} 1",
            "saga_compensations_total{by=\"release\"} 1",
            "saga_compensations_total{by=\"refund\"} 1",
            "publish_lag_events{target=\"archive\"} 0",
            "publish_events_total{target=\"archive\",type=\"order.cancelled\"} 1",
        ],
    )
    .await;
    assert_eq!(shown(&metrics(server.address).await), documented());
}

/// The metrics that an expression names.
fn named(expression: &str) -> BTreeSet<String> {
    let mut bare = String::new();
    let (mut in_text, mut depth) = (false, 0);
    for char in expression.chars() {
        match char {
            '"' => in_text = !in_text,
            '{' | '[' if !in_text => depth += 1,
            '}' | ']' if !in_text => depth -= 1,
            _ if !in_text && depth == 0 => bare.push(char),
            _ => {}
        }
    }
    for grouping in ["by (", "without (", "on (", "ignoring ("] {
        while let Some(start) = bare.find(grouping) {
            let end = bare[start..].find(')').expect("closed") + start;
            bare.replace_range(start..=end, "");
        }
    }
    while bare.contains(" (") {
        bare = bare.replace(" (", "(");
    }
    let mut names = BTreeSet::new();
    let words = bare.split(|char: char| !(char.is_ascii_alphanumeric() || char == '_' || char == '(' || char == '.'));
    for word in words.flat_map(|word| word.split_inclusive('(')).filter(|word| !word.ends_with('(')) {
        let is_name = word.starts_with(|char: char| char.is_ascii_alphabetic());
        if is_name && !["and", "or", "unless", "bool", "offset"].contains(&word) {
            names.insert(word.to_owned());
        }
    }
    names
}

/// Every expression of a dashboard.
fn expressions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("expr").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| expressions(member, found));
        }
        Value::Array(values) => values.iter().for_each(|value| expressions(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn dashboards_and_rules_name_metrics_that_exist() {
    let known = documented();
    let mut found = Vec::new();
    let folder = fs::read_dir(repository("deploy/grafana")).expect("the dashboards");
    for file in folder.map(|entry| entry.expect("a file").path()) {
        let text = fs::read_to_string(&file).expect("text");
        expressions(&serde_json::from_str(&text).expect("a dashboard"), &mut found);
    }
    let rules = fs::read_to_string(repository("deploy/prometheus/alerts.yml")).expect("the rules");
    found.extend(rules.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).map(str::to_owned));
    assert!(found.len() > 30, "only {} expressions", found.len());
    for expression in found {
        let names = named(&expression);
        assert!(!names.is_empty(), "{expression}");
        for name in names.iter().filter(|name| *name != "up") {
            let whole = ["_bucket", "_sum", "_count"].iter().find_map(|part| name.strip_suffix(part));
            let whole = whole.filter(|whole| known.get(*whole).is_some_and(|(kind, _)| kind == "histogram"));
            assert!(known.contains_key(whole.unwrap_or(name)), "{name} of {expression} does not exist");
        }
    }
}
