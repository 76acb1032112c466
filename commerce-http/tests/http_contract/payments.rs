//! Payments: confirmed or declined, refunded in part and in full.

use serde_json::{Value, json};

use super::shop::{Shop, fresh_key, order_of, path_of, text};

fn payment(order: &Value) -> String {
    format!("/v1/payments/{}", text(&order["payment"]["id"]))
}

#[tokio::test]
async fn a_declined_payment_can_be_tried_again() {
    let shop = Shop::open().await;
    let order = shop.order(1).await;
    let confirm = format!("{}/confirm", payment(&order));
    let declined = shop.ann().post(&confirm, &json!({ "token": "tok_declined" })).send().await.expect(200);
    assert_eq!((&declined["status"], &declined["captured"]), (&json!("failed"), &json!("0.00")));
    let paid = shop.ann().post(&confirm, &json!({ "token": "tok_ok" })).send().await.expect(200);
    assert_eq!(paid["status"], "succeeded");
    shop.ann().post(&confirm, &json!({ "token": "tok_ok" })).send().await.problem(409, "not_payable");
}

#[tokio::test]
async fn only_who_bought_pays_with_a_token() {
    let shop = Shop::open().await;
    let order = shop.order(1).await;
    let confirm = format!("{}/confirm", payment(&order));
    let token = json!({ "token": "tok_ok" });
    for staff in [shop.support(), shop.service(), shop.admin()] {
        staff.post(&confirm, &token).send().await.problem(403, "forbidden");
    }
    shop.bob().post(&confirm, &token).send().await.problem(404, "not_found");
    assert_eq!(shop.ann().get(&path_of(&order)).send().await.expect(200), order);
    shop.ann().post(&confirm, &token).send().await.expect(200);
    let own = shop.support().post("/v1/orders", &order_of("MUG", 1)).key(&fresh_key()).send().await.expect(201);
    shop.support().post(&format!("{}/confirm", payment(&own)), &token).send().await.expect(200);
}

#[tokio::test]
async fn a_processor_that_does_not_answer_changes_nothing() {
    let shop = Shop::open().await;
    let order = shop.order(1).await;
    let reply =
        shop.ann().post(&format!("{}/confirm", payment(&order)), &json!({ "token": "tok_timeout" })).send().await;
    reply.problem(503, "payment_service_unavailable");
    assert!(reply.header("retry-after").parse::<u32>().unwrap() > 0);
    assert_eq!(shop.ann().get(&path_of(&order)).send().await.expect(200), order);
}

#[tokio::test]
async fn a_token_has_a_length() {
    let shop = Shop::open().await;
    let confirm = format!("{}/confirm", payment(&shop.order(1).await));
    for token in [String::new(), "x".repeat(256)] {
        shop.ann().post(&confirm, &json!({ "token": token })).send().await.invalid("/token", "out_of_range");
    }
}

#[tokio::test]
async fn a_payment_is_refunded_in_part_and_then_in_full() {
    let shop = Shop::open().await;
    let order = shop.paid_order(2).await;
    let refunds = format!("{}/refunds", payment(&order));
    let part = json!({ "amount": "5.00", "reason": "scratch" });
    shop.ann().post(&refunds, &part).send().await.problem(403, "forbidden");
    let refunded = shop.support().post(&refunds, &part).send().await.expect(201);
    assert_eq!(
        (&refunded["refunds"][0]["amount"], &refunded["refunds"][0]["reason"]),
        (&json!("5.00"), &json!("scratch"))
    );
    shop.engine.run_due_tasks(100).await.unwrap();
    let now = shop.ann().get(&payment(&order)).send().await.expect(200);
    assert_eq!((&now["status"], &now["refunded"]), (&json!("partially_refunded"), &json!("5.00")));
    let too_much = json!({ "amount": "15.00", "reason": "more" });
    let problem = shop.support().post(&refunds, &too_much).send().await.problem(422, "invalid_refund_amount");
    assert_eq!((&problem["asked"], &problem["left"]), (&json!("15.00"), &json!("14.98")));
    shop.support().post(&refunds, &json!({ "reason": "all of it" })).send().await.expect(201);
    shop.engine.run_due_tasks(100).await.unwrap();
    assert_eq!(shop.ann().get(&payment(&order)).send().await.expect(200)["status"], "refunded");
    shop.support().post(&refunds, &json!({ "reason": "again" })).send().await.problem(422, "invalid_refund_amount");
}

#[tokio::test]
async fn refunds_are_amounts_above_zero() {
    let shop = Shop::open().await;
    let refunds = format!("{}/refunds", payment(&shop.paid_order(1).await));
    for amount in ["0", "-1.00"] {
        let refund = json!({ "amount": amount, "reason": "why" });
        shop.support().post(&refunds, &refund).send().await.problem(422, "invalid_refund_amount");
    }
    let fine = json!({ "amount": "0.001", "reason": "why" });
    shop.support().post(&refunds, &fine).send().await.invalid("/amount", "invalid_amount");
    shop.support().post(&refunds, &json!({ "amount": "1.00" })).send().await.invalid("/reason", "required");
}

#[tokio::test]
async fn an_attempt_to_pay_is_started_once() {
    let shop = Shop::open().await;
    let order = shop.order(1).await;
    let start = |method: &str| {
        let body = json!({ "order_id": order["id"], "method": method });
        shop.ann().post("/v1/payments", &body).key(&fresh_key()).send()
    };
    let reply = start("wallet").await;
    let started = reply.expect(201);
    assert_eq!((&started["id"], &started["method"]), (&order["payment"]["id"], &json!("wallet")));
    assert_eq!(reply.header("location"), payment(&order));
    assert!(text(&started["client_secret"]).ends_with("-secret"), "{started}");
    assert_eq!(start("wallet").await.expect(200), started);
    assert_eq!(start("credit_card").await.expect(201)["method"], "credit_card");
    let confirm = format!("{}/confirm", payment(&order));
    shop.ann().post(&confirm, &json!({ "token": "tok_slow" })).send().await.expect(200);
    assert_eq!(start("debit_card").await.expect(200)["method"], "credit_card", "one is under way");
    shop.later(chrono::TimeDelta::minutes(1));
    shop.engine.run_due_tasks(10).await.unwrap();
    start("wallet").await.problem(409, "not_payable");
}

#[tokio::test]
async fn a_repeated_start_has_the_secret_of_today_which_is_not_recorded() {
    let shop = Shop::open().await;
    let order = shop.order(1).await;
    let key = fresh_key();
    let body = json!({ "order_id": order["id"], "method": "wallet" });
    let start = || shop.ann().post("/v1/payments", &body).key(&key).send();
    let first = start().await.expect(201);
    let again = start().await;
    assert_eq!((again.header("idempotent-replayed"), again.expect(201)), ("true", first));
    shop.ann().post(&format!("{}/confirm", payment(&order)), &json!({ "token": "tok_ok" })).send().await.expect(200);
    assert_eq!(start().await.expect(201)["client_secret"], Value::Null, "it was not recorded");
}

#[tokio::test]
async fn only_the_customer_starts_to_pay() {
    let shop = Shop::open().await;
    let order = shop.order(1).await;
    let body = json!({ "order_id": order["id"], "method": "wallet" });
    for staff in [shop.support(), shop.service(), shop.admin()] {
        staff.post("/v1/payments", &body).send().await.problem(403, "forbidden");
    }
    shop.bob().post("/v1/payments", &body).send().await.problem(404, "not_found");
    let unknown = json!({ "order_id": order["id"], "method": "cash" });
    shop.ann().post("/v1/payments", &unknown).send().await.problem(422, "validation_failed");
}

#[tokio::test]
async fn payments_are_found_by_order_customer_and_reference() {
    let shop = Shop::open().await;
    let (first, second, third) = (shop.paid_order(1).await, shop.paid_order(1).await, shop.order(1).await);
    let ids = |found: Value| -> Vec<String> {
        found["items"].as_array().unwrap().iter().map(|item| text(&item["id"]).to_owned()).collect()
    };
    let id = |order: &Value| text(&order["payment"]["id"]).to_owned();
    let find = |client: super::shop::Client, query: &str| {
        let path = format!("/v1/payments?{query}");
        async move { client.get(&path).send().await }
    };
    assert_eq!(ids(find(shop.ann(), "").await.expect(200)), [id(&first), id(&second)]);
    assert_eq!(ids(find(shop.support(), "user_id=ann").await.expect(200)), [id(&first), id(&second)]);
    assert_eq!(ids(find(shop.bob(), "").await.expect(200)), [""; 0]);
    let by_order = format!("order_id={}", text(&third["id"]));
    assert_eq!(ids(find(shop.ann(), &by_order).await.expect(200)), [id(&third)], "nothing was done with it yet");
    assert_eq!(ids(find(shop.bob(), &by_order).await.expect(200)), [""; 0]);
    let payment = shop.support().get(&payment(&first)).send().await.expect(200);
    let by_reference = format!("reference={}", text(&payment["reference"]));
    assert_eq!(ids(find(shop.support(), &by_reference).await.expect(200)), [id(&first)]);
    find(shop.ann(), &by_reference).await.problem(403, "forbidden");
    find(shop.ann(), "user_id=bob").await.problem(404, "not_found");
    let page = find(shop.support(), "limit=1").await.expect(200);
    let next = format!("limit=1&cursor={}", text(&page["next_cursor"]));
    assert_eq!([ids(page), ids(find(shop.support(), &next).await.expect(200))].concat(), [id(&first), id(&second)]);
}
