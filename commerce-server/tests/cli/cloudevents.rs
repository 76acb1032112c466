//! The official SDK of `CloudEvents` reads what is published, in both modes of the envelope.
//!
//! `cargo xtask ci clients` installs it, and compiles the program that uses it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use async_nats::Message;
use chrono::{DateTime, SecondsFormat};
use commerce_core::actor::Role;
use serde_json::{Value, json};
use test_servers::{Broker, BrokerKind, required};

use crate::broker;
use crate::home::Home;
use crate::publish::{caller, feed, order, until};
use crate::running::{Server, commerce};

const MODES: [&str; 2] = ["binary", "structured"];
const READER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../clients/build/src/cloudevents.js");

/// What the SDK takes from a message: its headers are those of HTTP.
fn received(message: Message) -> Value {
    let headers = message.headers.unwrap_or_default();
    let headers = headers.iter().map(|(name, values)| (name.to_string(), values[0].to_string()));
    let body = String::from_utf8(message.payload.to_vec()).expect("text");
    json!({ "headers": headers.collect::<BTreeMap<_, _>>(), "body": body })
}

/// The events that the SDK makes of messages.
fn read(messages: &[Value]) -> Vec<Value> {
    let mut reader = Command::new("node");
    let mut reader = reader.arg(READER).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Node.js");
    let mut input = reader.stdin.take().expect("piped");
    input.write_all(json!(messages).to_string().as_bytes()).expect("written");
    drop(input);
    let ended = reader.wait_with_output().expect("it ends");
    assert!(ended.status.success(), "it does not take an event; was {READER} made by cargo xtask ci clients?");
    serde_json::from_slice(&ended.stdout).expect("events")
}

/// An event as the SDK shows it: to the millisecond.
fn as_read(mut event: Value) -> Value {
    let time = DateTime::parse_from_rfc3339(event["time"].as_str().expect("a time")).expect("a time");
    event["time"] = time.to_utc().to_rfc3339_opts(SecondsFormat::Millis, true).into();
    event
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the SDK: cargo xtask ci clients"]
async fn the_official_sdk_reads_events_in_both_modes() {
    let nats = required(Broker::start(BrokerKind::Nats));
    let home = Home::sqlite();
    home.stock(&[("mug", 9)]);
    for mode in MODES {
        broker::create_stream(&nats.url(), mode).await;
    }
    let url = nats.url();
    let target = |mode| {
        let name = format!("[publish.{mode}]\nkind = \"nats\"\nurl = \"{url}\"\nprefix = \"{mode}\"\n");
        format!("{name}mode = \"{mode}\"\nstart = \"beginning\"\n")
    };
    let settings = MODES.map(target).concat();
    fs::write(home.path().join("shop.toml"), settings).expect("written");
    let server = Server::start_with(commerce(home.path()).args(["--config", "shop.toml", "--listen", "127.0.0.1:0"]));
    let (ann, admin) =
        (caller(&home, server.address, "ann", Role::Customer), caller(&home, server.address, "ada", Role::Admin));
    order(&ann, 1).await;
    let events: Vec<_> = feed(&admin).await.into_iter().map(as_read).collect();
    for mode in MODES {
        let stored = async || broker::nats(&nats.url(), mode, received).await;
        until("all events are there", async || stored().await.len() >= events.len()).await;
        assert_eq!(read(&stored().await), events, "{mode}");
    }
    assert_eq!(server.stop().code, Some(0));
}
