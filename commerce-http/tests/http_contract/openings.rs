//! Payments that are opened at the processor when the order is placed, and the secret with which the customer pays there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::TimeDelta;
use commerce_core::payment::OperationAnswer;
use commerce_core::port::{
    OpenedPayment, OperationLookup, OperationRequest, PageRequest, PaymentTerms, Processor, ProcessorError,
    ProcessorEvent, ProcessorEvents, Store as _, Webhook, WebhookRejection,
};
use commerce_testkit::{FakeProcessor, ProcessorBehavior};
use serde_json::{Value, json};

use super::shop::{Plan, Shop, fresh_key, order_of, text};

/// A processor that takes its time to open payments.
#[derive(Debug)]
struct Slow {
    fake: Arc<FakeProcessor>,
    takes: Duration,
}

#[async_trait]
impl Processor for Slow {
    fn name(&self) -> &'static str {
        self.fake.name()
    }

    fn must_open(&self) -> bool {
        self.fake.must_open()
    }

    async fn open(&self, payment: &PaymentTerms) -> Result<OpenedPayment, ProcessorError> {
        tokio::time::sleep(self.takes).await;
        self.fake.open(payment).await
    }

    async fn close(&self, payment: &PaymentTerms) -> Result<(), ProcessorError> {
        self.fake.close(payment).await
    }

    async fn perform(&self, request: &OperationRequest) -> Result<OperationAnswer, ProcessorError> {
        self.fake.perform(request).await
    }

    async fn find(&self, lookup: &OperationLookup) -> Result<Option<OperationAnswer>, ProcessorError> {
        self.fake.find(lookup).await
    }

    async fn list(&self, after: Option<&str>) -> Result<ProcessorEvents, ProcessorError> {
        self.fake.list(after).await
    }

    fn read_webhook(&self, webhook: &Webhook<'_>) -> Result<Vec<ProcessorEvent>, WebhookRejection> {
        self.fake.read_webhook(webhook)
    }
}

async fn shop(takes: Duration) -> (Shop, Arc<FakeProcessor>) {
    let fake = Arc::new(FakeProcessor::that_must_open());
    let payments = Arc::new(Slow { fake: fake.clone(), takes });
    (Shop::with(Plan { payments, ..Plan::default() }).await, fake)
}

async fn placed(shop: &Shop) -> Value {
    shop.ann().post("/v1/orders", &order_of("MUG", 1)).key(&fresh_key()).send().await.expect(201)
}

fn secret(order: &Value) -> &Value {
    &order["payment"]["client_secret"]
}

fn path(order: &Value) -> String {
    format!("/v1/payments/{}", text(&order["payment"]["id"]))
}

#[tokio::test]
async fn who_places_an_order_gets_the_secret_of_its_payment() {
    let (shop, _) = shop(Duration::ZERO).await;
    let key = fresh_key();
    let place = || shop.ann().post("/v1/orders", &order_of("MUG", 1)).key(&key).send();
    let order = place().await.expect(201);
    assert!(text(secret(&order)).ends_with("-secret"), "{order}");
    let again = place().await;
    assert_eq!((again.expect(201), again.header("idempotent-replayed")), (order.clone(), "true"));
    let payment = shop.ann().get(&path(&order)).send().await.expect(200);
    assert_eq!(&payment["client_secret"], secret(&order));
    for staff in [shop.support(), shop.admin()] {
        assert_eq!(staff.get(&path(&order)).send().await.expect(200)["client_secret"], Value::Null);
    }
}

#[tokio::test]
async fn the_secret_is_in_nothing_else() {
    let (shop, _) = shop(Duration::ZERO).await;
    let order = placed(&shop).await;
    let id = text(&order["id"]);
    for path in [format!("/v1/orders/{id}"), format!("/v1/orders/{id}/events"), "/v1/orders".to_owned()] {
        let shown = shop.ann().get(&path).send().await.expect(200).to_string();
        assert!(!shown.contains("secret"), "{path}: {shown}");
    }
    let everything = shop.store.history(&PageRequest { limit: 1_000, after: None }).await.unwrap();
    let told = format!("{:?}", everything.items);
    assert!(told.contains(text(&order["payment"]["id"])), "{told}");
    assert!(!told.contains("-secret"), "{told}");
}

#[tokio::test]
async fn a_slow_processor_delays_the_answer_by_two_seconds_at_most() {
    let (shop, fake) = shop(Duration::from_millis(2_500)).await;
    let started = Instant::now();
    let order = placed(&shop).await;
    assert!((2.0..2.4).contains(&started.elapsed().as_secs_f64()), "{:?}", started.elapsed());
    assert_eq!((secret(&order), &order["status"]), (&Value::Null, &json!("pending")));
    shop.later(TimeDelta::seconds(5));
    shop.engine.run_due_tasks(10).await.unwrap();
    assert_eq!(fake.opened().len(), 1);
}

#[tokio::test]
async fn an_order_stands_while_the_processor_is_down() {
    let (shop, fake) = shop(Duration::ZERO).await;
    fake.be(ProcessorBehavior::Unavailable);
    let order = placed(&shop).await;
    assert_eq!(secret(&order), &Value::Null);
    fake.be(ProcessorBehavior::Answers);
    let payment = shop.ann().get(&path(&order)).send().await.expect(200);
    assert!(text(&payment["client_secret"]).ends_with("-secret"), "{payment}");
}

#[tokio::test]
async fn what_cannot_be_paid_has_no_secret() {
    let (shop, fake) = shop(Duration::ZERO).await;
    let order = placed(&shop).await;
    shop.ann().post(&format!("/v1/orders/{}/cancel", text(&order["id"])), &json!({})).send().await.expect(200);
    assert_eq!(shop.ann().get(&path(&order)).send().await.expect(200)["client_secret"], Value::Null);
    shop.engine.run_due_tasks(10).await.unwrap();
    assert_eq!(fake.opened().into_values().collect::<Vec<_>>(), [false]);
}
