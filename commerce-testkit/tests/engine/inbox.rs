//! Events of other systems: what follows from them, once, whatever fails in between.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use commerce_core::catalog::Variant;
use commerce_core::engine::{Engine, EngineError, ImportRow, ItemRequest, PlaceOrderRequest, ProductInput};
use commerce_core::ids::OrderId;
use commerce_core::inbox::{
    DeadLetterReason, Envelope, InboxEvent, InboxState, IncomingType, MAX_UNSETTLED, Message, Receipt, Source,
};
use commerce_core::order::{Command, Order, OrderDetails, PaymentStatus, Phase};
use commerce_core::port::{OrderRef, PageRequest};
use commerce_core::replay::verify;
use commerce_core::settings::Settings;
use commerce_testkit::commit_builder::{CURRENCY, address, parse, units};
use commerce_testkit::{
    FakeProcessor, Fault, FaultInjector, ManualClock, MemoryStore, ProcessorBehavior, SequentialIds,
};
use serde_json::{Value, json};

use crate::shopfront::{admin, customer};

struct Shop {
    engine: Engine,
    store: Arc<FaultInjector<MemoryStore>>,
    clock: Arc<ManualClock>,
    processor: Arc<FakeProcessor>,
}

impl Shop {
    /// A shop with ten mugs that takes every type of event from the source `erp`, under its own name.
    async fn open() -> Self {
        let store = Arc::new(FaultInjector::new(MemoryStore::new(), 1));
        let clock = Arc::new(ManualClock::new(DateTime::from_timestamp(1_772_366_400, 0).expect("an instant")));
        let mut settings = Settings::new(CURRENCY);
        let types = IncomingType::ALL.iter().map(|kind| (kind.name().to_owned(), *kind)).collect();
        settings.sources.insert(parse("erp"), Source { envelope: Envelope::Plain, types });
        let processor = Arc::new(FakeProcessor::new());
        let types = [("level", IncomingType::StockLevel), ("paid", IncomingType::PaymentSucceeded)];
        let types = types.map(|(name, kind)| (name.to_owned(), kind)).into();
        settings.sources.insert(parse("cloud"), Source { envelope: Envelope::CloudEvents, types });
        let engine = Engine::builder(settings, store.clone(), processor.clone())
            .clock(clock.clone())
            .ids(Arc::new(SequentialIds::new(1)))
            .build();
        let mug = ProductInput::new(parse("Mug"), vec![Variant::new(parse("MUG"), parse("100.00 USD"))]);
        let row = ImportRow { id: parse("mug"), product: mug, on_hand: vec![10] };
        engine.import(&admin(), &[row]).await.expect("the product is good");
        Self { engine, store, clock, processor }
    }

    async fn place(&self, user: &str) -> Order {
        let items = vec![ItemRequest::sku(parse("MUG"), units(1))];
        let request = PlaceOrderRequest::new(items, OrderDetails::new(address()));
        let placed = self.engine.place_order(&customer(user), &request, None).await.expect("it can be placed");
        self.clock.advance(TimeDelta::seconds(1));
        placed.into_fresh().expect("it is new")
    }

    fn event(&self, id: &str, kind: &str, data: &Value) -> String {
        json!({ "event_id": id, "event_type": kind, "timestamp": self.clock_time(), "data": data }).to_string()
    }

    fn clock_time(&self) -> DateTime<Utc> {
        self.engine.now()
    }

    async fn send(&self, body: &str) -> Result<Receipt, EngineError> {
        self.send_as("erp", "m", body).await
    }

    async fn send_as(&self, source: &str, id: &str, body: &str) -> Result<Receipt, EngineError> {
        let message = Message { source: parse(source), id: parse(id), body: body.as_bytes() };
        self.engine.receive_message(&message).await.map(|received| received.receipt)
    }

    async fn told(&self, id: &str, kind: &str, data: &Value) -> Receipt {
        self.send(&self.event(id, kind, data)).await.expect("it is taken")
    }

    /// Runs what is due, now and after a pause.
    async fn work(&self, pause: TimeDelta) {
        self.clock.advance(pause);
        while self.engine.run_due_tasks(10).await.is_ok_and(|runs| !runs.is_empty()) {}
    }

    async fn order(&self, id: OrderId) -> Order {
        self.engine.order(&admin(), &OrderRef::Id(id)).await.expect("it is there")
    }

    async fn on_hand(&self) -> i64 {
        self.engine.stock(&admin(), &parse("MUG")).await.expect("it is stocked").on_hand
    }

    async fn letters(&self) -> Vec<InboxEvent> {
        self.letters_in(InboxState::Dead).await
    }

    async fn letters_in(&self, state: InboxState) -> Vec<InboxEvent> {
        self.engine.dead_letters(&admin(), state, &PageRequest::first(100)).await.expect("an admin").items
    }

    async fn verify(&self) {
        let report = verify(self.store.inner(), self.clock_time(), |_| ()).await.expect("it can be read");
        assert!(report.is_identical(), "{report:#?}");
    }
}

fn payment(order: &Order, status: &str) -> Value {
    json!({
        "operation_id": "01890000-0000-7000-8000-0000000000aa",
        "payment_id": order.payment.id,
        "kind": "authorize",
        "status": status,
        "amount_cents": 10_000,
        "currency": "USD",
    })
}

#[tokio::test]
async fn a_payment_elsewhere_pays_the_order_once() {
    let shop = Shop::open().await;
    let order = shop.place("ann").await;
    let paid = payment(&order, "succeeded");
    assert_eq!(shop.told("e1", "PaymentSucceeded", &paid).await, Receipt::Applied);
    assert_eq!(shop.told("e1", "PaymentSucceeded", &paid).await, Receipt::Duplicate);
    shop.work(TimeDelta::zero()).await;
    assert_eq!(shop.told("e2", "PaymentSucceeded", &paid).await, Receipt::Applied, "it says the same in other words");
    shop.work(TimeDelta::zero()).await;
    let order = shop.order(order.id).await;
    assert_eq!((order.payment.status, order.payment.captured), (PaymentStatus::Succeeded, parse("100.00 USD")));
    shop.verify().await;
}

/// Ids of events are unique within their source only.
#[tokio::test]
async fn payments_of_several_sources_with_one_id_are_all_taken() {
    let shop = Shop::open().await;
    let (one, two, three) = (shop.place("ann").await, shop.place("ann").await, shop.place("ann").await);
    assert_eq!(shop.told("1", "PaymentSucceeded", &payment(&one, "succeeded")).await, Receipt::Applied);
    for (source, order) in [("urn:a", &two), ("urn:b", &three)] {
        let data = payment(order, "succeeded");
        let event = json!({ "specversion": "1.0", "id": "1", "source": source, "type": "paid", "data": data });
        let sent = shop.send_as("cloud", "m", &event.to_string()).await.expect("it is taken");
        assert_eq!(sent, Receipt::Applied);
    }
    shop.work(TimeDelta::zero()).await;
    for id in [one.id, two.id, three.id] {
        assert_eq!(shop.order(id).await.payment.status, PaymentStatus::Succeeded);
    }
    let events = shop.engine.received_events(&admin(), None, &PageRequest::first(9)).await.expect("an admin").items;
    let mut names: Vec<_> = events.iter().map(|event| (event.processor.as_str(), event.event.id.as_str())).collect();
    names.sort_unstable();
    assert_eq!(names, [("inbox:cloud", "urn:a 1"), ("inbox:cloud", "urn:b 1"), ("inbox:erp", "1")]);
    shop.verify().await;
}

/// Whoever may tell of refunds cannot pay an order by them, nor rename its payment at the processor.
#[tokio::test]
async fn an_event_about_an_operation_of_another_kind_is_a_dead_letter() {
    let shop = Shop::open().await;
    let order = shop.place("ann").await;
    shop.processor.be(ProcessorBehavior::Hesitates);
    let view = shop.engine.confirm_payment(&customer("ann"), order.payment.id, "tok".to_owned(), None).await;
    let before = view.expect("it is sent").into_fresh().and_then(|view| view.payment).expect("it is new");
    let mut refund = payment(&order, "succeeded");
    refund["operation_id"] = json!(before.operations[0].id);
    refund["kind"] = json!("refund");
    assert_eq!(shop.told("r", "RefundProcessed", &refund).await, Receipt::DeadLettered);
    let reason = shop.letters().await[0].reason.clone().expect("it has one");
    assert_eq!(reason.code, DeadLetterReason::Malformed, "{reason:?}");
    shop.work(TimeDelta::zero()).await;
    assert_eq!(shop.order(order.id).await.phase, Phase::AwaitingPayment);

    refund["kind"] = json!("authorize");
    assert_eq!(shop.told("p", "PaymentSucceeded", &refund).await, Receipt::Applied);
    shop.work(TimeDelta::zero()).await;
    assert_eq!(shop.order(order.id).await.phase, Phase::Paid);
    let view = shop.engine.payment(&admin(), order.payment.id).await.expect("an admin");
    assert_eq!(view.payment.map(|after| after.reference), Some(before.reference));
    shop.verify().await;
}

#[tokio::test]
async fn a_payment_that_failed_elsewhere_leaves_the_order_unpaid() {
    let shop = Shop::open().await;
    let order = shop.place("ann").await;
    shop.processor.be(ProcessorBehavior::Hesitates);
    let view = shop.engine.confirm_payment(&customer("ann"), order.payment.id, "tok".to_owned(), None).await;
    let view = view.expect("it is sent").into_fresh().expect("it is new");
    let operation = view.payment.and_then(|payment| payment.operations.first().map(|operation| operation.id));
    let mut declined = payment(&order, "declined");
    declined["operation_id"] = json!(operation.expect("it is open"));
    assert_eq!(shop.told("e", "PaymentFailed", &declined).await, Receipt::Applied);
    shop.work(TimeDelta::zero()).await;
    let found = shop.order(order.id).await;
    assert_eq!((found.payment.status, found.phase), (PaymentStatus::Failed, Phase::AwaitingPayment));
    let lied = shop.told("f", "PaymentSucceeded", &payment(&order, "declined")).await;
    assert_eq!(lied, Receipt::DeadLettered, "the type and the data contradict each other");
}

/// Its order may come later, and does not.
#[tokio::test]
async fn an_event_about_no_payment_is_dead_after_a_week() {
    let shop = Shop::open().await;
    let mut order = shop.place("ann").await;
    order.payment.id = parse("01890000-0000-7000-8000-0000000000bb");
    let event = shop.event("e", "PaymentSucceeded", &payment(&order, "succeeded"));
    assert_eq!(shop.send(&event).await.expect("it is taken"), Receipt::Waiting);
    for _ in 0..10 {
        assert!(shop.letters().await.is_empty());
        shop.work(TimeDelta::days(1)).await;
    }
    shop.work(TimeDelta::days(1)).await;
    let letters = shop.letters().await;
    assert_eq!(letters.len(), 1);
    let reason = letters[0].reason.as_ref().map(|reason| reason.code);
    assert_eq!((reason, letters[0].body.as_ref()), (Some(DeadLetterReason::NotFound), Some(&event)));
    shop.verify().await;
}

#[tokio::test]
async fn a_deactivated_user_loses_the_unpaid_orders_of_before() {
    let shop = Shop::open().await;
    let (unpaid, paid, other) = (shop.place("ann").await, shop.place("ann").await, shop.place("bob").await);
    shop.told("p", "PaymentSucceeded", &payment(&paid, "succeeded")).await;
    shop.work(TimeDelta::zero()).await;
    let event = shop.event("e", "user.deactivated", &json!({ "user_id": "ann" }));
    shop.clock.advance(TimeDelta::seconds(1));
    let later = shop.place("ann").await;
    assert_eq!(shop.send(&event).await.expect("it is taken"), Receipt::Applied);
    assert_eq!(shop.send(&event).await.expect("it is taken"), Receipt::Duplicate);
    let phases = [&unpaid, &paid, &other, &later].map(|order| order.id);
    let mut found = Vec::new();
    for id in phases {
        found.push(shop.order(id).await.phase);
    }
    assert_eq!(found, [Phase::Cancelled, Phase::Paid, Phase::AwaitingPayment, Phase::AwaitingPayment]);
    assert_eq!(shop.told("n", "user.deactivated", &json!({ "user_id": "nobody" })).await, Receipt::Applied);
    shop.verify().await;
}

#[tokio::test]
async fn levels_and_changes_are_taken_in_their_order() {
    let shop = Shop::open().await;
    let level = |units: i64, version: u64| json!({ "sku": "MUG", "on_hand": units, "version": version });
    let change = |delta: i64, key: &str| json!({ "sku": "MUG", "delta": delta, "key": key });
    assert_eq!((shop.told("a", "stock.level", &level(50, 7)).await, shop.on_hand().await), (Receipt::Applied, 50));
    assert_eq!((shop.told("b", "stock.level", &level(9, 6)).await, shop.on_hand().await), (Receipt::Outdated, 50));
    assert_eq!((shop.told("c", "stock.level", &level(8, 7)).await, shop.on_hand().await), (Receipt::Outdated, 50));
    assert_eq!((shop.told("d", "stock.delta", &change(-5, "k")).await, shop.on_hand().await), (Receipt::Applied, 45));
    assert_eq!((shop.told("e", "stock.delta", &change(-5, "k")).await, shop.on_hand().await), (Receipt::Outdated, 45));
    assert_eq!((shop.told("f", "stock.level", &level(60, 8)).await, shop.on_hand().await), (Receipt::Applied, 60));
    let short = shop.told("g", "stock.delta", &change(-61, "l")).await;
    assert_eq!((short, shop.on_hand().await), (Receipt::Waiting, 60));
    shop.told("h", "stock.level", &level(70, 9)).await;
    shop.work(TimeDelta::seconds(6)).await;
    assert_eq!(shop.on_hand().await, 9, "what was short is taken now");
    let spaced = shop.told("i", "stock.delta", &change(-1, "k ")).await;
    assert_eq!((spaced, shop.on_hand().await), (Receipt::DeadLettered, 9), "it is not the key of another change");
    shop.verify().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_a_dead_letter() {
    let shop = Shop::open().await;
    let huge = format!(r#"{{"sku":"MUG","on_hand":{},"version":1}}"#, "9".repeat(40));
    let event = |data: &str| {
        format!(r#"{{"event_id":"E","event_type":"stock.level","timestamp":"2026-01-01T00:00:00Z",{data}}}"#)
    };
    let bad = [
        (event(&format!(r#""data":{huge}"#)), DeadLetterReason::Malformed),
        (event(r#""data":{"sku":"MUG","on_hand":1.5,"version":1}"#), DeadLetterReason::Malformed),
        (event(r#""data":{"sku":"MUG","on_hand":-1,"version":1}"#), DeadLetterReason::Malformed),
        (event(r#""data":{"sku":" ","on_hand":1,"version":1}"#), DeadLetterReason::Malformed),
        (event(r#""data":{"sku":"MUG","on_hand":1}"#), DeadLetterReason::Malformed),
        (event(r#""data":null"#), DeadLetterReason::Malformed),
        (event(r#""schema_version":2,"data":{}"#), DeadLetterReason::FutureVersion),
    ];
    for (turn, (body, reason)) in bad.iter().enumerate() {
        let body = body.replace("\"E\"", &format!("\"e{turn}\""));
        assert_eq!(shop.send(&body).await.expect("it is taken"), Receipt::DeadLettered, "{body}");
        let letters = shop.letters().await;
        let letter = letters.iter().find(|letter| letter.body.as_ref() == Some(&body)).expect("it is kept");
        assert_eq!(letter.reason.as_ref().map(|reason| reason.code), Some(*reason), "{letter:?}");
    }
    let unknown = shop.event("u", "stock.counted", &json!({}));
    assert_eq!(shop.send(&unknown).await.expect("it is taken"), Receipt::Ignored);
    let strange = r#"{"event_type":"stock.counted","event_id":7,"timestamp":"today"}"#;
    assert_eq!(shop.send(strange).await.expect("it is taken"), Receipt::Ignored, "the rest is not read");
    assert_eq!((shop.letters().await.len(), shop.on_hand().await), (bad.len(), 10));
    shop.verify().await;
}

/// Staff see what became of a dead letter that they retried.
#[tokio::test]
async fn a_dead_letter_that_takes_effect_is_still_shown() {
    let shop = Shop::open().await;
    let change = json!({ "sku": "MUG", "delta": -11, "key": "k" });
    assert_eq!(shop.told("short", "stock.delta", &change).await, Receipt::Waiting);
    for _ in 0..12 {
        shop.work(TimeDelta::days(1)).await;
    }
    let letter = shop.letters().await.remove(0);
    let level = json!({ "sku": "MUG", "on_hand": 20, "version": 1 });
    assert_eq!(shop.told("more", "stock.level", &level).await, Receipt::Applied);
    let retried = shop.engine.retry_dead_letter(&admin(), letter.id).await.expect("it is dead");
    assert_eq!((retried.state, shop.on_hand().await), (InboxState::Settled, 9));
    let shown = shop.engine.dead_letter(&admin(), letter.id).await.expect("it was a dead letter");
    assert_eq!((shown.state, shown.body), (InboxState::Settled, None));
}

#[tokio::test]
async fn a_cloud_event_is_known_by_its_source_and_id() {
    let shop = Shop::open().await;
    let send = async |event: &Value| {
        let body = event.to_string();
        let message = Message { source: parse("cloud"), id: parse("m"), body: body.as_bytes() };
        shop.engine.receive_message(&message).await.expect("it is taken").receipt
    };
    let event = |source: &str, on_hand: i64| {
        json!({
            "specversion": "1.0", "id": "1", "source": source, "type": "level", "sequence": format!("{on_hand:020}"),
            "data": { "sku": "MUG", "on_hand": on_hand },
        })
    };
    assert_eq!((send(&event("urn:a", 20)).await, shop.on_hand().await), (Receipt::Applied, 20));
    assert_eq!(send(&event("urn:a", 20)).await, Receipt::Duplicate);
    assert_eq!((send(&event("urn:b", 30)).await, shop.on_hand().await), (Receipt::Applied, 30));
    assert_eq!((send(&event("urn:c", 25)).await, shop.on_hand().await), (Receipt::Outdated, 30));
    let mut future = event("urn:d", 40);
    future["specversion"] = json!("2.0");
    assert_eq!(send(&future).await, Receipt::DeadLettered);
    let letters = shop.letters().await;
    assert_eq!(letters[0].reason.as_ref().map(|reason| reason.code), Some(DeadLetterReason::FutureVersion));
    assert_eq!(letters[0].event_id.as_str(), "m", "the id of its event is not known");
}

/// The ids of events and those of messages have nothing to do with each other.
#[tokio::test]
async fn a_broken_message_does_not_take_the_id_of_an_event() {
    let shop = Shop::open().await;
    assert_eq!(shop.send_as("erp", "7", "{").await.expect("it is taken"), Receipt::DeadLettered);
    assert_eq!(shop.send_as("erp", "7", "{").await.expect("it is taken"), Receipt::Duplicate);
    let level = json!({ "sku": "MUG", "on_hand": 3, "version": 1 });
    assert_eq!((shop.told("7", "stock.level", &level).await, shop.on_hand().await), (Receipt::Applied, 3));
    assert_eq!(shop.told("7", "stock.level", &level).await, Receipt::Duplicate);
    shop.verify().await;
}

#[tokio::test]
async fn an_event_that_waits_is_listed_and_can_be_discarded() {
    let shop = Shop::open().await;
    let change = json!({ "sku": "MUG", "delta": -11, "key": "k" });
    assert_eq!(shop.told("short", "stock.delta", &change).await, Receipt::Waiting);
    assert!(shop.letters().await.is_empty());
    let waiting = shop.letters_in(InboxState::Waiting).await;
    assert_eq!(waiting.len(), 1);
    shop.engine.discard_dead_letter(&admin(), waiting[0].id).await.expect("it waits");
    assert!(shop.letters_in(InboxState::Waiting).await.is_empty());
    let level = json!({ "sku": "MUG", "on_hand": 20, "version": 1 });
    assert_eq!(shop.told("more", "stock.level", &level).await, Receipt::Applied);
    shop.work(TimeDelta::days(1)).await;
    assert_eq!(shop.on_hand().await, 20, "nothing follows from it");
    assert_eq!(shop.told("short", "stock.delta", &change).await, Receipt::Duplicate);
    shop.verify().await;
}

/// A sender has to send it again: nothing is lost, and the list does not grow.
#[tokio::test]
async fn dead_letters_are_bounded() {
    let shop = Shop::open().await;
    let (mut taken, mut refused) = (0_u16, 0);
    let sent = MAX_UNSETTLED + 100;
    for turn in 0..sent {
        let message = Message { source: parse("erp"), id: parse(&format!("m{turn}")), body: b"{" };
        match shop.engine.receive_message(&message).await {
            Ok(received) => taken += u16::from(received.receipt == Receipt::DeadLettered),
            Err(EngineError::Refused(_)) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(taken > MAX_UNSETTLED * 3 / 4 && taken <= MAX_UNSETTLED, "{taken}");
    assert_eq!(taken + refused, sent);
    assert!(refused > 0, "there is an end");
    let other = shop.send_as("cloud", "m", "{").await.expect("it is taken");
    assert_eq!(other, Receipt::DeadLettered, "each source has places of its own");
    assert_eq!(
        shop.told("good", "stock.level", &json!({ "sku": "MUG", "on_hand": 3, "version": 1 })).await,
        Receipt::Applied
    );
}

/// A store that fails at any call, before or after it did what it was asked, and an event that is sent until it is taken.
#[tokio::test]
async fn an_event_takes_effect_once_whatever_fails() {
    for kind in ["PaymentSucceeded", "user.deactivated", "stock.level", "stock.delta", "waits", "dead"] {
        let end = run(kind, None).await.0;
        for fault in [Fault::Refused, Fault::Lost] {
            let mut call = 0;
            loop {
                let (found, struck) = run(kind, Some((call, fault))).await;
                assert_eq!(found, end, "{kind}: {fault:?} at call {call}");
                if !struck {
                    break;
                }
                call += 1;
            }
            assert!(call > 2, "{kind} calls the store");
        }
    }
}

/// Sends an event while a call of the store fails, then until it is taken, and once more. Returns the end, and whether the fault came.
async fn run(kind: &str, fault: Option<(usize, Fault)>) -> (String, bool) {
    let shop = Shop::open().await;
    let (one, two) = (shop.place("ann").await, shop.place("ann").await);
    let level = json!({ "sku": "MUG", "on_hand": 50, "version": 1 });
    let body = match kind {
        "PaymentSucceeded" => shop.event("e", kind, &payment(&one, "succeeded")),
        "user.deactivated" => shop.event("e", kind, &json!({ "user_id": "ann" })),
        "stock.level" => shop.event("e", kind, &level),
        "stock.delta" => shop.event("e", kind, &json!({ "sku": "MUG", "delta": 5, "key": "k" })),
        "waits" => shop.event("e", "stock.delta", &json!({ "sku": "MUG", "delta": -9, "key": "k" })),
        _ => "{".to_owned(),
    };
    if let Some((call, fault)) = fault {
        shop.store.strike(call, fault);
    }
    drop(shop.send(&body).await);
    shop.work(TimeDelta::zero()).await;
    // The paid order and the other one free their units, so that what waits can be taken.
    if kind == "waits" {
        for order in [&one, &two] {
            let cancel = Command::Cancel { reason: None };
            let target = OrderRef::Id(order.id);
            for _ in 0..2 {
                let target = commerce_core::engine::Target::any(&target);
                drop(shop.engine.command(&customer("ann"), target, cancel.clone(), None).await);
            }
        }
    }
    let struck = fault.is_some() && !shop.store.relent();
    let first = shop.send(&body).await.expect("nothing fails any more");
    assert!(matches!(first, Receipt::Applied | Receipt::Duplicate | Receipt::Waiting | Receipt::DeadLettered));
    assert_eq!(shop.send(&body).await.expect("nothing fails any more"), Receipt::Duplicate);
    shop.work(TimeDelta::seconds(70)).await;
    shop.verify().await;
    let letters: Vec<_> = shop.letters().await.iter().map(|letter| (letter.state, letter.body.clone())).collect();
    assert!(letters.iter().all(|(state, body)| *state == InboxState::Dead && body.is_some()));
    let (one, two) = (shop.order(one.id).await, shop.order(two.id).await);
    let end = format!(
        "{} on hand, {:?} {}, {:?}, {} letters",
        shop.on_hand().await,
        one.phase,
        one.payment.captured,
        two.phase,
        letters.len()
    );
    (end, struck)
}
