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
