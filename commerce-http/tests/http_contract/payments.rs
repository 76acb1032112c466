//! Payments: confirmed or declined, refunded in part and in full.

use commerce_core::payment::CaptureMode;
use serde_json::{Value, json};

use super::shop::{Plan, Shop, fresh_key, order_of, path_of, text};

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

/// A shop that captures on shipping, with an order of 19.98 USD whose money is held.
async fn shop_with_hold() -> (Shop, String, Value) {
    let mut plan = Plan::default();
    plan.settings.capture = CaptureMode::Manual;
    let shop = Shop::with(plan).await;
    let order = shop.paid_order(2).await;
    (shop, payment(&order), order)
}

#[tokio::test]
async fn money_that_is_held_is_captured_in_parts() {
    let (shop, payment, order) = shop_with_hold().await;
    let held = shop.ann().get(&payment).send().await.expect(200);
    assert_eq!(
        (&held["status"], &held["held"], &held["captured"]),
        (&json!("authorized"), &json!("19.98"), &json!("0.00"))
    );
    let capture = format!("{payment}/capture");
    let requested = shop.service().post(&capture, &json!({ "amount": "5.00" })).send().await.expect(200);
    let last = &requested["operations"][1];
    assert_eq!(
        (&last["kind"], &last["state"], &last["final"]),
        (&json!("capture"), &json!("requested"), &json!(false))
    );
    shop.engine.run_due_tasks(100).await.unwrap();
    let part = shop.ann().get(&payment).send().await.expect(200);
    assert_eq!(
        (&part["status"], &part["held"], &part["captured"]),
        (&json!("authorized"), &json!("14.98"), &json!("5.00"))
    );
    let status = format!("{}/status", path_of(&order));
    shop.admin().put(&status, &json!({ "status": "shipped" })).send().await.expect(200);
    shop.engine.run_due_tasks(100).await.unwrap();
    let all = shop.ann().get(&payment).send().await.expect(200);
    assert_eq!((&all["status"], &all["held"], &all["captured"]), (&json!("succeeded"), &Value::Null, &json!("19.98")));
}

#[tokio::test]
async fn captures_that_are_not_covered_are_refused() {
    let (shop, payment, order) = shop_with_hold().await;
    let [capture, void] = ["capture", "void"].map(|what| format!("{payment}/{what}"));
    let before = shop.support().get(&payment).send().await.expect(200);
    let much = shop.support().post(&capture, &json!({ "amount": "19.99" })).send().await;
    assert_eq!(much.problem(422, "invalid_payment_amount")["left"], "19.98");
    for (body, code) in [
        (json!({ "amount": "1.00", "currency": "EUR" }), "currency_mismatch"),
        (json!({ "amount": "0" }), "invalid_payment_amount"),
        (json!({ "amount": "0.001" }), "validation_failed"),
        (json!({ "currency": "cent" }), "validation_failed"),
        (json!({ "sum": "1.00" }), "validation_failed"),
    ] {
        shop.support().post(&capture, &body).send().await.problem(422, code);
    }
    shop.guest().post(&capture, &json!({})).send().await.problem(401, "unauthenticated");
    for path in [&capture, &void] {
        shop.ann().post(path, &json!({})).send().await.problem(403, "forbidden");
    }
    assert_eq!(shop.support().get(&payment).send().await.expect(200), before);
    shop.support().post(&void, &Value::Null).send().await.expect(200);
    shop.support().post(&capture, &json!({})).send().await.problem(409, "nothing_held");
    shop.support().post(&void, &Value::Null).send().await.problem(409, "nothing_held");
    shop.engine.run_due_tasks(100).await.unwrap();
    assert_eq!(shop.ann().get(&payment).send().await.expect(200)["status"], "voided");
    let status = format!("{}/status", path_of(&order));
    shop.admin().put(&status, &json!({ "status": "shipped" })).send().await.problem(409, "payment_voided");
    shop.ann().post(&format!("{payment}/confirm"), &json!({ "token": "tok_ok" })).send().await.expect(200);
    shop.admin().put(&status, &json!({ "status": "shipped" })).send().await.expect(200);
}

#[tokio::test]
async fn a_refund_has_two_paths() {
    let shop = Shop::open().await;
    let order = shop.paid_order(1).await;
    let part = json!({ "amount": "5.00", "reason": "scratch" });
    let unknown = "/v1/payments/01890000-0000-7000-8000-00000000ffff";
    for path in [format!("{}/refund", payment(&order)), format!("{}/refunds", payment(&order))] {
        shop.guest().post(&path, &part).send().await.problem(401, "unauthenticated");
        shop.ann().post(&path, &part).send().await.problem(403, "forbidden");
        shop.support().post(&path, &json!({ "amount": "5.00" })).send().await.invalid("/reason", "required");
        shop.support()
            .post(&path, &json!({ "amount": "50.00", "reason": "x" }))
            .send()
            .await
            .problem(422, "invalid_refund_amount");
        let alias = path.replace(&payment(&order), unknown);
        shop.support().post(&alias, &part).send().await.problem(404, "not_found");
    }
    let refund = shop.support().post(&format!("{}/refund", payment(&order)), &part).send().await.expect(201);
    assert_eq!(refund["refunds"][0]["amount"], "5.00");
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
async fn units_are_refunded_without_a_return() {
    let shop = Shop::open().await;
    let order = shop.delivered_order(3).await;
    let refunds = format!("{}/refunds", payment(&order));
    let units = |quantity: i64| json!([{ "item_id": order["items"][0]["id"], "quantity": quantity }]);
    let body = |quantity: i64| json!({ "items": units(quantity), "reason": "scratched" });
    let part = shop.support().post(&refunds, &body(1)).send().await.expect(201);
    assert_eq!((&part["refunds"][0]["amount"], &part["refunds"][0]["items"]), (&json!("9.99"), &units(1)));
    let greedy = shop.support().post(&refunds, &body(3)).send().await.problem(422, "too_many_refunded");
    assert_eq!((&greedy["asked"], &greedy["left"]), (&json!(3), &json!(2)));
    let returns = format!("{}/returns", path_of(&order));
    shop.ann().post(&returns, &json!({ "items": units(3) })).send().await.problem(422, "too_many_returned");
    shop.ann().post(&returns, &json!({ "items": units(1) })).send().await.expect(201);
    shop.support().post(&refunds, &body(2)).send().await.problem(422, "too_many_refunded");
    let last = shop.support().post(&refunds, &body(1)).send().await.expect(201);
    assert_eq!(last["refunds"][1]["amount"], "9.99");
    assert_eq!(shop.available("MUG").await, 7, "the customer keeps the units");
    shop.engine.run_due_tasks(100).await.unwrap();
    assert_eq!(shop.ann().get(&payment(&order)).send().await.expect(200)["refunded"], "19.98");
}

#[tokio::test]
async fn a_refund_of_units_names_them() {
    let shop = Shop::open().await;
    let order = shop.paid_order(1).await;
    let refunds = format!("{}/refunds", payment(&order));
    let line = json!({ "item_id": order["items"][0]["id"], "quantity": 1 });
    let foreign = json!({ "item_id": "01890000-0000-7000-8000-00000000ffff", "quantity": 1 });
    let refund = |items: Value| shop.support().post(&refunds, &json!({ "items": items, "reason": "why" })).send();
    refund(json!([])).await.invalid("/items", "invalid");
    refund(json!([line, line])).await.invalid("/items", "invalid");
    refund(json!([foreign])).await.problem(422, "unknown_item");
    refund(json!([{ "item_id": line["item_id"], "quantity": 0 }])).await.invalid("/items/0/quantity", "invalid");
    let both = json!({ "items": [line], "amount": "1.00", "reason": "why" });
    shop.support().post(&refunds, &both).send().await.invalid("", "invalid");
    assert_eq!(shop.ann().get(&payment(&order)).send().await.expect(200)["refunds"], json!([]));
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
