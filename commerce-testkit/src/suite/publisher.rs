//! Tests of the contract of the [`Publisher`] port.
//!
//! An adapter runs all of them with one line. It provides a function that creates a [`Fixture`] on an empty target:
//!
//! ```
//! use std::sync::Arc;
//!
//! use commerce_testkit::suite::publisher::InMemory;
//!
//! async fn start() -> InMemory {
//!     InMemory::default()
//! }
//!
//! commerce_testkit::publisher_suite!(start);
//! ```
//!
//! A case that needs what the fixture does not [have](Fixture::stop) passes at once.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a case fails by panicking")]
#![expect(missing_docs, reason = "the names of the cases say it")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use chrono::DateTime;
use commerce_core::port::{PublishFailure, Publisher};
use commerce_core::publishing::Message;
use uuid::Uuid;

use crate::{FakeTarget, TargetBehavior};

/// A target for one case. Dropping the fixture cleans up.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// A publisher with connections of its own, like that of another process.
    async fn publisher(&self) -> Arc<dyn Publisher>;

    /// The bodies that a consumer gets, in the order in which it gets them. At least those of a stream have an order.
    async fn received(&self) -> Vec<Vec<u8>>;

    /// Makes the target unavailable, and keeps what it has. Returns whether it can.
    async fn stop(&self) -> bool {
        false
    }

    /// Makes it available again.
    async fn start(&self) {}

    /// A message that the target refuses for good, if there is one.
    fn unwanted(&self) -> Option<Message> {
        None
    }
}

/// The target in memory.
#[derive(Clone, Debug, Default)]
pub struct InMemory {
    target: Arc<FakeTarget>,
}

#[async_trait]
impl Fixture for InMemory {
    async fn publisher(&self) -> Arc<dyn Publisher> {
        self.target.clone()
    }

    async fn received(&self) -> Vec<Vec<u8>> {
        self.target.received().into_iter().map(|message| message.body).collect()
    }

    async fn stop(&self) -> bool {
        self.target.be(TargetBehavior::Unavailable);
        true
    }

    async fn start(&self) {
        self.target.be(TargetBehavior::Confirms);
    }

    fn unwanted(&self) -> Option<Message> {
        let unwanted = Message { event_type: "unwanted".into(), ..message("order/9", 1) };
        self.target.be(TargetBehavior::Refuses(unwanted.event_type.clone()));
        Some(unwanted)
    }
}

/// Runs all tests of the publisher's contract on an adapter. See [`suite::publisher`](crate::suite::publisher).
#[macro_export]
macro_rules! publisher_suite {
    ($start:expr) => {
        $crate::publisher_suite! { @stamp ($start)
            what_is_confirmed_is_there
            nothing_is_confirmed_at_once
            streams_keep_their_order
            any_text_arrives_as_it_is
            a_full_batch_arrives
            a_long_message_arrives
            a_repeated_batch_loses_nothing
            two_publishers_in_turn_keep_the_order
            a_target_that_stopped_confirms_nothing_that_is_not_there
            a_refused_message_is_named_by_its_place
        }
    };
    (@stamp $start:tt $($case:ident)+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::suite::publisher::$case(&$start().await).await;
        }
    )+};
}

/// A message of a stream, distinct from all others.
pub fn message(stream: &str, sequence: u64) -> Message {
    with_text(stream, sequence, "ordinary")
}

fn with_text(stream: &str, sequence: u64, text: &str) -> Message {
    let event_type = "order.paid".to_owned();
    let id = Uuid::new_v4();
    let body = serde_json::json!({
        "specversion": "1.0", "id": id, "source": "urn:commerce", "type": event_type, "subject": stream,
        "sequence": format!("{sequence:020}"), "data": { "text": text },
    });
    let body = body.to_string().into_bytes();
    let (id, at) = (commerce_core::ids::EventId::new(id), DateTime::UNIX_EPOCH);
    let (stream, content_type) = (stream.to_owned(), "application/cloudevents+json");
    Message { position: sequence, id, event_type, stream, sequence, at, content_type, attributes: Vec::new(), body }
}

/// Messages of some streams by turns.
fn messages(streams: u64, numbers: std::ops::Range<u64>) -> Vec<Message> {
    numbers.flat_map(|number| (0..streams).map(move |stream| message(&format!("order/{stream}"), number))).collect()
}

/// The bodies of each stream, each once, in the order of their first arrival.
async fn by_stream<F: Fixture>(fixture: &F) -> BTreeMap<String, Vec<Vec<u8>>> {
    let (mut streams, mut known) = (BTreeMap::new(), BTreeSet::new());
    for body in fixture.received().await {
        let event: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let stream = event["subject"].as_str().unwrap().to_owned();
        if known.insert(body.clone()) {
            streams.entry(stream).or_insert_with(Vec::new).push(body);
        }
    }
    streams
}

/// Checks that the target has some messages, and of each stream nothing else, in order.
async fn has<F: Fixture>(fixture: &F, messages: &[Message]) {
    let mut expected: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for message in messages {
        expected.entry(message.stream.clone()).or_default().push(message.body.clone());
    }
    let found = by_stream(fixture).await;
    assert!(found == expected, "{} streams, expected {}", found.len(), expected.len());
}

pub async fn what_is_confirmed_is_there<F: Fixture>(fixture: &F) {
    let (publisher, messages) = (fixture.publisher().await, messages(3, 1..4));
    publisher.publish(&messages).await.unwrap();
    has(fixture, &messages).await;
}

pub async fn nothing_is_confirmed_at_once<F: Fixture>(fixture: &F) {
    fixture.publisher().await.publish(&[]).await.unwrap();
    has(fixture, &[]).await;
}

/// Over several batches.
pub async fn streams_keep_their_order<F: Fixture>(fixture: &F) {
    let (publisher, messages) = (fixture.publisher().await, messages(5, 1..41));
    for batch in messages.chunks(17) {
        publisher.publish(batch).await.unwrap();
    }
    has(fixture, &messages).await;
}

pub async fn any_text_arrives_as_it_is<F: Fixture>(fixture: &F) {
    let texts = ["", "\n\r\t\0\u{7f}", "\u{2028}🦀é\u{202e}", "\"\\ 'x' <&>; DROP", "{\"a\":1}\n{\"b\":2}"];
    let messages: Vec<_> = (1..).zip(texts).map(|(number, text)| with_text("order/1", number, text)).collect();
    fixture.publisher().await.publish(&messages).await.unwrap();
    has(fixture, &messages).await;
}

pub async fn a_full_batch_arrives<F: Fixture>(fixture: &F) {
    let messages = messages(16, 1..17);
    assert_eq!(messages.len(), 256);
    fixture.publisher().await.publish(&messages).await.unwrap();
    has(fixture, &messages).await;
}

/// 400 KiB.
pub async fn a_long_message_arrives<F: Fixture>(fixture: &F) {
    let messages = [with_text("order/1", 1, &"x".repeat(400 * 1024)), message("order/1", 2)];
    fixture.publisher().await.publish(&messages).await.unwrap();
    has(fixture, &messages).await;
}

/// As after a crash between the confirmation and the storing of the position.
pub async fn a_repeated_batch_loses_nothing<F: Fixture>(fixture: &F) {
    let (publisher, messages) = (fixture.publisher().await, messages(2, 1..10));
    for repeated in [&messages[..7], &messages[3..12], &messages[..]] {
        publisher.publish(repeated).await.unwrap();
    }
    has(fixture, &messages).await;
}

/// As when a lease goes to another process and back.
pub async fn two_publishers_in_turn_keep_the_order<F: Fixture>(fixture: &F) {
    let (publishers, messages) = ([fixture.publisher().await, fixture.publisher().await], messages(3, 1..13));
    for (batch, publisher) in messages.chunks(4).zip(publishers.iter().cycle()) {
        publisher.publish(batch).await.unwrap();
    }
    has(fixture, &messages).await;
}

/// It goes on after it was started again, with the same publisher.
pub async fn a_target_that_stopped_confirms_nothing_that_is_not_there<F: Fixture>(fixture: &F) {
    let (publisher, messages) = (fixture.publisher().await, messages(2, 1..10));
    publisher.publish(&messages[..4]).await.unwrap();
    if !fixture.stop().await {
        return;
    }
    let failed = publisher.publish(&messages[4..]).await.unwrap_err();
    assert!(matches!(failed.failure, PublishFailure::Unavailable(_)), "{failed}");
    fixture.start().await;
    let found: usize = by_stream(fixture).await.values().map(Vec::len).sum();
    assert!(found >= 4 + failed.confirmed, "{found}");
    let mut rest = &messages[4 + failed.confirmed..];
    for _ in 0..100 {
        let Err(failed) = publisher.publish(rest).await else { break };
        rest = &rest[failed.confirmed..];
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    has(fixture, &messages).await;
}

pub async fn a_refused_message_is_named_by_its_place<F: Fixture>(fixture: &F) {
    let Some(unwanted) = fixture.unwanted() else { return };
    let (publisher, messages) = (fixture.publisher().await, messages(1, 1..5));
    let batch = [&messages[..2], &[unwanted], &messages[2..]].concat();
    let refused = publisher.publish(&batch).await.unwrap_err();
    assert!(matches!(refused.failure, PublishFailure::Refused(_)), "{refused}");
    assert_eq!(refused.confirmed, 2);
    publisher.publish(&messages[2..]).await.unwrap();
    has(fixture, &messages).await;
}
