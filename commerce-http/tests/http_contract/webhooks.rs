//! Webhooks of a payment processor: which are believed, and what follows from them.

use std::sync::Arc;

use chrono::TimeDelta;
use commerce_core::ids::OperationId;
use commerce_core::money::Money;
use commerce_core::payment::{Details, OperationAnswer, OperationKind, OperationOutcome};
use commerce_core::port::ProcessorEvent;
use commerce_testkit::FakeProcessor;
use commerce_testkit::commit_builder::parse;
use http::Method;
use serde_json::{Value, json};

use super::shop::{Ask, Plan, Shop, path_of, text};

const PATH: &str = "/v1/webhooks/payments/fake";

async fn shop() -> Shop {
    Shop::with(Plan { payments: Arc::new(FakeProcessor::new()), ..Plan::default() }).await
}

/// The customer paid at the processor, without an operation of the shop.
fn paid(order: &Value, id: &str) -> ProcessorEvent {
    let amount: Money = parse(&format!("{} USD", text(&order["payment"]["amount"])));
    let mut answer = OperationAnswer::new(OperationOutcome::Succeeded { amount });
    (answer.payment_reference, answer.reference) = (Some(parse("pi_1")), Some(parse("ch_1")));
    ProcessorEvent {
        id: parse(id),
        at: chrono::DateTime::UNIX_EPOCH,
        payment: Some(parse(text(&order["payment"]["id"]))),
        operation: None::<OperationId>,
        kind: OperationKind::Authorize,
        amount,
        answer,
    }
}

fn sent(shop: &Shop, events: &[ProcessorEvent]) -> Ask {
    let (signature, body) = FakeProcessor::webhook(shop.engine.now(), events);
    let guest = shop.guest().ask(Method::POST, PATH).bytes("application/json", &body);
    guest.header("x-signature", &signature)
}

#[tokio::test]
async fn a_payment_at_the_processor_completes_the_order_once() {
    let shop = shop().await;
    let order = shop.order(1).await;
    for _ in 0..3 {
        sent(&shop, &[paid(&order, "evt_1"), paid(&order, "evt_2")]).send().await.expect(204);
        shop.engine.run_due_tasks(100).await.unwrap();
    }
    let now = shop.ann().get(&path_of(&order)).send().await.expect(200);
    assert_eq!((&now["status"], &now["payment"]["captured"]), (&json!("paid"), &order["payment"]["amount"]));
    let shown = shop.ann().get(&payment_of(&order)).send().await.expect(200);
    assert_eq!(shown["operations"].as_array().unwrap().len(), 1, "{shown}");
    assert_eq!(shown["operations"][0]["reference"], "ch_1");
}

#[tokio::test]
async fn what_a_browser_or_a_gateway_adds_does_not_matter() {
    let shop = shop().await;
    let order = shop.order(1).await;
    let webhook = sent(&shop, &[paid(&order, "evt_1")]);
    let webhook = webhook.header("authorization", "Bearer of the gateway").header("origin", "https://pay.example.com");
    webhook.header("cookie", "session=x").header("sec-fetch-site", "cross-site").send().await.expect(204);
    shop.engine.run_due_tasks(100).await.unwrap();
    assert_eq!(shop.ann().get(&path_of(&order)).send().await.expect(200)["status"], "paid");
}

#[tokio::test]
async fn a_webhook_that_is_not_believed_changes_nothing() {
    let shop = shop().await;
    let order = shop.order(1).await;
    let webhook = sent(&shop, &[paid(&order, "evt_1")]);
    let forged = shop.guest().ask(Method::POST, PATH).bytes("application/json", &webhook.body);
    forged.clone().send().await.problem(400, "webhook_forged");
    forged.header("x-signature", "0 1").send().await.problem(400, "webhook_forged");
    let (signature, body) = FakeProcessor::webhook(shop.engine.now(), &[]);
    let damaged = [&body[..], b"x"].concat();
    let damaged = shop.guest().ask(Method::POST, PATH).bytes("application/json", &damaged);
    damaged.header("x-signature", &signature).send().await.problem(400, "webhook_forged");
    for other in ["/v1/webhooks/payments/other", "/v1/webhooks/payments"] {
        let mut elsewhere = webhook.clone();
        other.clone_into(&mut elsewhere.path);
        elsewhere.send().await.problem(404, "not_found");
    }
    shop.later(TimeDelta::hours(1));
    assert_eq!(webhook.send().await.problem(400, "webhook_stale")["age_seconds"], 3600);
    assert_eq!(events(&shop, "").await, Vec::<Value>::new());
    shop.engine.run_due_tasks(100).await.unwrap();
    let shown = shop.admin().get(&payment_of(&order)).send().await.expect(200);
    assert_eq!((&shown["status"], &shown["operations"]), (&json!("pending"), &json!([])));
}

#[tokio::test]
async fn a_webhook_has_a_limit_of_its_own() {
    let shop = shop().await;
    for bytes in [64 * 1024 + 1, 100_000] {
        let large = shop.guest().ask(Method::POST, PATH).bytes("application/json", &vec![b' '; bytes]);
        let refused = large.send().await.problem(413, "body_too_large");
        assert_eq!(refused["detail"], "The body is larger than 64 KiB.");
    }
}

#[tokio::test]
async fn staff_see_an_event_of_an_unknown_payment_and_try_it_again() {
    let shop = shop().await;
    let order = shop.order(1).await;
    let unknown = ProcessorEvent { payment: Some(parse(&uuid::Uuid::nil().to_string())), ..paid(&order, "evt_1") };
    sent(&shop, &[unknown]).send().await.expect(204);
    assert_eq!(events(&shop, "?state=received").await.len(), 1);
    shop.engine.run_due_tasks(100).await.unwrap();
    let [event] = &events(&shop, "?state=unmatched").await[..] else { panic!("one event") };
    assert_eq!(
        (&event["event_id"], &event["reference"], &event["tried"]),
        (&json!("evt_1"), &json!("ch_1"), &json!(1))
    );
    assert!(event["ask_at"].is_string(), "{event}");
    for _ in 0..20 {
        shop.later(TimeDelta::days(1));
        shop.engine.run_due_tasks(100).await.unwrap();
    }
    let [event] = &events(&shop, "?state=unmatched").await[..] else { panic!("one event") };
    assert_eq!(event["ask_at"], Value::Null, "it waits for staff");
    let retry = format!("/v1/webhooks/events/{}/retry", text(&event["id"]));
    shop.support().post(&retry, &json!({})).send().await.problem(403, "forbidden");
    shop.admin().post(&retry, &json!({})).send().await.expect(204);
    assert_eq!(events(&shop, "?state=unmatched").await[0]["tried"], 0);
    assert_eq!(shop.engine.run_due_tasks(100).await.unwrap().len(), 1);
    shop.ann().get("/v1/webhooks/events").send().await.problem(403, "forbidden");
    shop.guest().get("/v1/webhooks/events").send().await.problem(401, "unauthenticated");
    shop.admin().get("/v1/webhooks/events?state=lost").send().await.problem(422, "invalid_parameter");
    let nothing = format!("/v1/webhooks/events/{}/retry", uuid::Uuid::nil());
    shop.admin().post(&nothing, &json!({})).send().await.problem(404, "not_found");
}

/// The bank takes the money of an order back.
fn disputed(order: &Value) -> ProcessorEvent {
    let mut event = ProcessorEvent { kind: OperationKind::Dispute, ..paid(order, "evt_2") };
    (event.answer.outcome, event.answer.reference) = (OperationOutcome::Pending { next: None }, Some(parse("dp_1")));
    event.answer.details = Details::new(json!({ "reason": "fraudulent", "evidence_due_by": "2026-03-10T12:00:00Z" }));
    event
}

#[tokio::test]
async fn a_dispute_is_answered_with_what_the_history_knows() {
    let shop = shop().await;
    let order = shop.order(1).await;
    sent(&shop, &[paid(&order, "evt_1")]).send().await.expect(204);
    shop.engine.run_due_tasks(100).await.unwrap();
    let shipment = json!({ "provider": "Post", "method": "parcel", "tracking_number": "P-1", "status": "shipped" });
    shop.service().put(&format!("{}/shipping", path_of(&order)), &shipment).send().await.expect(200);
    sent(&shop, &[disputed(&order)]).send().await.expect(204);
    shop.engine.run_due_tasks(100).await.unwrap();
    let path = format!("{}/evidence", payment_of(&order));
    let evidence = shop.support().get(&path).send().await.expect(200);
    let [dispute] = evidence["disputes"].as_array().unwrap().as_slice() else { panic!("one dispute: {evidence}") };
    assert_eq!((&dispute["reference"], &dispute["state"]), (&json!("dp_1"), &json!("pending")));
    assert_eq!(dispute["reason"], "fraudulent");
    assert_eq!(dispute["evidence_due_by"], "2026-03-10T12:00:00Z");
    assert_eq!(evidence["order"]["shipments"][0]["tracking_number"], "P-1");
    let happened: Vec<_> = evidence["timeline"].as_array().unwrap().iter().map(|e| text(&e["event_type"])).collect();
    for event_type in ["order.created", "payment.captured", "order.shipped"] {
        assert!(happened.contains(&event_type), "{happened:?}");
    }
    shop.ann().get(&path).send().await.problem(403, "forbidden");
    let nothing = format!("/v1/payments/{}/evidence", uuid::Uuid::nil());
    shop.support().get(&nothing).send().await.problem(404, "not_found");
    let tasks = shop.admin().get("/v1/tasks?state=scheduled").send().await.expect(200)["items"].to_string();
    assert!(tasks.contains("answer_dispute") && tasks.contains("2026-03-08T12:00:00Z"), "{tasks}");
    let refund = shop.support().post(&format!("{}/refunds", payment_of(&order)), &json!({ "reason": "sorry" }));
    refund.send().await.problem(422, "invalid_refund_amount");
}

/// The events that staff see.
async fn events(shop: &Shop, query: &str) -> Vec<Value> {
    let listed = shop.support().get(&format!("/v1/webhooks/events{query}")).send().await.expect(200);
    listed["items"].as_array().unwrap().clone()
}

fn payment_of(order: &Value) -> String {
    format!("/v1/payments/{}", text(&order["payment"]["id"]))
}
