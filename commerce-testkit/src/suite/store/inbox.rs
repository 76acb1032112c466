//! Events of other systems: each takes effect once, and what cannot is kept.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use commerce_core::actor::{Actor, Role};
use commerce_core::engine::{Engine, EngineBuilder, EngineError};
use commerce_core::inbox::{
    DeadLetterReason, Envelope, InboxState, IncomingType, Message, Receipt, Source, SourceName,
};
use commerce_core::port::{Clock, IdGenerator, PageRequest, Store};
use commerce_core::replay::verify;
use commerce_core::settings::Settings;
use serde_json::{Value, json};

use super::Fixture;
use crate::commit_builder::{CURRENCY, parse};
use crate::{FakeProcessor, ManualClock, SequentialIds};

fn start() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}

fn admin() -> Actor {
    Actor::user(Role::Admin, parse("root"))
}

/// A shop that takes the stock of a warehouse.
fn engine(store: Arc<dyn Store>, seed: u32) -> Engine {
    let mut settings = Settings::new(CURRENCY);
    let types = [("level", IncomingType::StockLevel), ("delta", IncomingType::StockDelta)];
    let types = types.map(|(name, kind)| (name.to_owned(), kind)).into();
    settings.sources.insert(parse("warehouse"), Source { envelope: Envelope::Plain, types });
    let doubles: (Arc<dyn Clock>, Arc<dyn IdGenerator>) =
        (Arc::new(ManualClock::new(start())), Arc::new(SequentialIds::new(seed)));
    EngineBuilder::new(settings, store, Arc::new(FakeProcessor::new()), doubles).build()
}

fn event(id: &str, kind: &str, data: &Value) -> Vec<u8> {
    let event = json!({ "event_id": id, "event_type": kind, "timestamp": start(), "sequence": 1, "data": data });
    event.to_string().into_bytes()
}

async fn send(engine: &Engine, body: &[u8]) -> Receipt {
    let source: SourceName = parse("warehouse");
    engine.receive_message(&Message { source, id: parse("m"), body }).await.unwrap().receipt
}

async fn on_hand(engine: &Engine) -> i64 {
    match engine.stock(&admin(), &parse("MUG")).await {
        Ok(level) => level.on_hand,
        Err(EngineError::NotFound(_)) => 0,
        Err(error) => panic!("{error}"),
    }
}

async fn check(store: &dyn Store) {
    let report = verify(store, start(), |_| ()).await.unwrap();
    assert!(report.is_identical(), "{report:#?}");
}

/// Sends a message at once, 25 times over each of two stores on the same data. Returns the receipts.
async fn rush<F: Fixture>(fixture: &F, bodies: impl Fn(usize) -> Vec<u8>) -> (Engine, Vec<Receipt>) {
    let engines = [engine(fixture.store(), 1), engine(fixture.reopen().await, 2)];
    let attempts = (0..50).map(|turn| {
        let (engine, body) = (engines[turn % 2].clone(), bodies(turn));
        tokio::spawn(async move { send(&engine, &body).await })
    });
    let mut receipts = Vec::new();
    for attempt in attempts.collect::<Vec<_>>() {
        receipts.push(attempt.await.unwrap());
    }
    let [engine, _] = engines;
    (engine, receipts)
}

/// 50 times the same event.
pub async fn an_event_sent_at_once_takes_effect_once<F: Fixture>(fixture: &F) {
    let body = event("e", "delta", &json!({ "sku": "MUG", "delta": 5, "key": "k" }));
    let (engine, receipts) = rush(fixture, |_| body.clone()).await;
    let applied = receipts.iter().filter(|receipt| **receipt == Receipt::Applied).count();
    let doubled = receipts.iter().filter(|receipt| **receipt == Receipt::Duplicate).count();
    assert_eq!((applied, doubled, on_hand(&engine).await), (1, 49, 5));
    check(&*fixture.store()).await;
}

/// 50 events that say the same change.
pub async fn a_change_in_several_events_takes_effect_once<F: Fixture>(fixture: &F) {
    let change = json!({ "sku": "MUG", "delta": 5, "key": "k" });
    let (engine, receipts) = rush(fixture, |turn| event(&format!("e{turn}"), "delta", &change)).await;
    let applied = receipts.iter().filter(|receipt| **receipt == Receipt::Applied).count();
    let outdated = receipts.iter().filter(|receipt| **receipt == Receipt::Outdated).count();
    assert_eq!((applied, outdated, on_hand(&engine).await), (1, 49, 5));
    check(&*fixture.store()).await;
}

/// 50 levels in any order. The one with the highest version is the last word.
pub async fn the_newest_level_wins<F: Fixture>(fixture: &F) {
    let level = |turn: usize| {
        let version = (turn * 7) % 50 + 1;
        event(&format!("e{turn}"), "level", &json!({ "sku": "MUG", "on_hand": version * 10, "version": version }))
    };
    let (engine, receipts) = rush(fixture, level).await;
    assert_eq!(on_hand(&engine).await, 500);
    assert!(receipts.iter().all(|receipt| matches!(receipt, Receipt::Applied | Receipt::Outdated)), "{receipts:?}");
    let old = event("old", "level", &json!({ "sku": "MUG", "on_hand": 3, "version": 50 }));
    assert_eq!((send(&engine, &old).await, on_hand(&engine).await), (Receipt::Outdated, 500));
    check(&*fixture.store()).await;
}

/// What cannot be read is there once, with its whole message, until staff discard it. Its place is free then.
pub async fn dead_letters_are_kept_until_they_are_discarded<F: Fixture>(fixture: &F) {
    let (one, other) = (engine(fixture.store(), 1), engine(fixture.reopen().await, 2));
    let digits = "9".repeat(40);
    let body = format!(
        r#"{{"event_id":"e","event_type":"level","timestamp":"2026-01-01T00:00:00Z","data":{{"sku":"MUG","on_hand":{digits},"version":1}}}}"#
    );
    assert_eq!(send(&one, body.as_bytes()).await, Receipt::DeadLettered);
    assert_eq!(send(&other, body.as_bytes()).await, Receipt::Duplicate);
    let strange = ["é\u{0}".as_bytes(), b"\xff\xfe", b"", b"[]"];
    for (turn, body) in strange.iter().enumerate() {
        let message = Message { source: parse("warehouse"), id: parse(&format!("m{turn}")), body };
        assert_eq!(one.receive_message(&message).await.unwrap().receipt, Receipt::DeadLettered, "{body:?}");
    }
    let letters = other.dead_letters(&admin(), InboxState::Dead, &PageRequest::first(100)).await.unwrap().items;
    assert_eq!(letters.len(), 5);
    let letter = letters.iter().find(|letter| letter.event_id.as_str() == "e").expect("it is listed");
    assert_eq!(
        (letter.body.as_deref(), letter.kind.as_deref()),
        (Some(&*body), Some("stock.level")),
        "nothing is lost"
    );
    assert_eq!(letter.reason.as_ref().map(|reason| reason.code), Some(DeadLetterReason::Malformed));

    let retried = one.retry_dead_letter(&admin(), letter.id).await.unwrap();
    assert_eq!((retried.state, retried.tried), (InboxState::Dead, 1), "it still cannot be read");
    for letter in &letters {
        other.discard_dead_letter(&admin(), letter.id).await.unwrap();
    }
    assert!(one.dead_letters(&admin(), InboxState::Dead, &PageRequest::first(100)).await.unwrap().items.is_empty());
    let discarded = one.dead_letter(&admin(), letter.id).await.unwrap();
    assert_eq!((discarded.state, discarded.body, discarded.slot), (InboxState::Discarded, None, None));
    assert_eq!(send(&one, body.as_bytes()).await, Receipt::Duplicate, "it is still known");
    check(&*fixture.store()).await;
}

/// What stock refuses waits, is tried again by its task, and takes effect when it can.
pub async fn a_refused_level_waits<F: Fixture>(fixture: &F) {
    let shop = crate::CommitBuilder::new(1);
    let store = fixture.store();
    store.commit(shop.stocked(&[("MUG", 10)])).await.unwrap();
    let order = shop.order(&[("MUG", 4)]);
    let placed = crate::commit_builder::order_of(&order).clone();
    let clock = Arc::new(ManualClock::new(shop.at(0)));
    store.commit(order).await.unwrap();
    let mut settings = Settings::new(CURRENCY);
    let types = [("level".to_owned(), IncomingType::StockLevel)].into();
    settings.sources.insert(parse("warehouse"), Source { envelope: Envelope::Plain, types });
    let doubles: (Arc<dyn Clock>, Arc<dyn IdGenerator>) = (clock.clone(), Arc::new(SequentialIds::new(3)));
    let engine = EngineBuilder::new(settings, store.clone(), Arc::new(FakeProcessor::new()), doubles).build();

    let body = event("e", "level", &json!({ "sku": "MUG", "on_hand": 3, "version": 1 }));
    assert_eq!(send(&engine, &body).await, Receipt::Waiting, "4 are reserved");
    assert_eq!((send(&engine, &body).await, on_hand(&engine).await), (Receipt::Duplicate, 10));
    clock.set(placed.reservation_end() + TimeDelta::seconds(1));
    engine.run_due_tasks(10).await.unwrap();
    assert_eq!(on_hand(&engine).await, 3);
    assert!(engine.run_due_tasks(10).await.unwrap().is_empty(), "it is done");
}
