//! Uses of promotions: limited, counted, given back, refunded to the cent.

use std::sync::Arc;

use commerce_core::actor::Role;
use commerce_testkit::FakeUsers;
use serde_json::{Value, json};

use super::promotions::{cart_with, checkout, runs, tenth};
use super::shop::{Plan, Shop, fresh_key, path_of, text, with};

/// How many try to get the last use at once.
const RIVALS: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_last_use_goes_to_one_of_two_hundred() {
    let names: Vec<_> = (0..RIVALS).map(|rival| format!("rival-{rival}")).collect();
    let known = names.iter().map(|name| name.parse().unwrap()).chain(["root".parse().unwrap()]);
    let shop = Shop::empty(Plan { users: Some(Arc::new(FakeUsers::knowing(known))), ..Plan::default() }).await;
    shop.sells("MUG", "9.99", 1_000).await;
    runs(&shop, &tenth()).await;
    let mut asks = Vec::with_capacity(RIVALS);
    for name in &names {
        let rival = shop.someone(name, Role::Customer);
        let (cart, check) = cart_with(&rival, "TEN").await;
        assert_eq!(check["quote"]["total"], "17.98");
        asks.push(rival.post("/v1/checkouts", &checkout(&cart)).key(&fresh_key()));
    }
    let replies: Vec<_> = asks.into_iter().map(|ask| tokio::spawn(ask.send())).collect();
    let mut orders = Vec::new();
    for reply in replies {
        let reply = reply.await.unwrap();
        if reply.status == 201 {
            orders.push(reply.json());
            continue;
        }
        let problem = reply.problem(422, "promotion_rejected");
        assert_eq!(problem["reason"], "usage_limit");
        let named = (&problem["promotion_code"], &problem["promotion_id"]);
        assert!(named.0 == "TEN" || named.1 == "ten", "{problem}");
    }
    let [order] = &orders[..] else { panic!("{} orders have the last use", orders.len()) };
    assert_eq!((&order["total"], shop.available("MUG").await), (&json!("17.98"), 998));
    let kept = shop.admin().get("/v1/promos/ten").send().await.expect(200);
    assert_eq!(kept["usage"], json!({ "used": 1, "budget_used": "2.00" }));
    let uses = shop.admin().get("/v1/promos/ten/redemptions").send().await.expect(200);
    let [used] = &uses["items"].as_array().unwrap()[..] else { panic!("{uses}") };
    assert_eq!((&used["order_id"], &used["user_id"]), (&order["id"], &order["user_id"]));
    assert_eq!(
        (&used["promotion_id"], &used["amount"], &used["currency"]),
        (&json!("ten"), &json!("2.00"), &json!("USD"))
    );
}

#[tokio::test]
async fn a_use_is_released_with_an_order_that_was_not_paid() {
    let shop = Shop::open().await;
    runs(&shop, &tenth()).await;
    let (cart, _) = cart_with(&shop.ann(), "TEN").await;
    let order = shop.ann().post("/v1/checkouts", &checkout(&cart)).key(&fresh_key()).send().await.expect(201);
    let (cart, check) = cart_with(&shop.bob(), "TEN").await;
    assert_eq!(check["reason"], "usage_limit");
    let ask = shop.bob().post("/v1/checkouts", &checkout(&cart)).key("again");
    ask.clone().send().await.problem(422, "promotion_rejected");

    shop.ann().post(&format!("{}/cancel", path_of(&order)), &json!({})).send().await.expect(200);
    let kept = shop.admin().get("/v1/promos/ten").send().await.expect(200);
    assert_eq!(kept["usage"], json!({ "used": 0, "budget_used": "0.00" }));
    shop.later(chrono::TimeDelta::seconds(1));
    let second = ask.send().await.expect(201);
    assert_eq!(second["total"], "17.98");
    let uses = shop.admin().get("/v1/promos/ten/redemptions?limit=1").send().await.expect(200);
    assert_eq!((&uses["items"][0]["order_id"], &uses["items"][0]["given_back_at"]), (&second["id"], &Value::Null));
    let next = format!("/v1/promos/ten/redemptions?limit=1&cursor={}", text(&uses["next_cursor"]));
    let uses = shop.admin().get(&next).send().await.expect(200);
    assert_eq!((&uses["items"][0]["order_id"], &uses["next_cursor"]), (&order["id"], &Value::Null));
    assert!(uses["items"][0]["given_back_at"].is_string(), "{uses}");
}

#[tokio::test]
async fn a_budget_is_never_overdrawn() {
    let shop = Shop::open().await;
    let five = json!({
        "id": "five", "code": "FIVE", "budget": "7.00",
        "effect": { "type": "amount_off", "target": "order", "amount": "5.00" },
    });
    runs(&shop, &five).await;
    let mut given = Vec::new();
    for client in [shop.ann(), shop.bob()] {
        let (cart, _) = cart_with(&client, "FIVE").await;
        let order = client.post("/v1/checkouts", &checkout(&cart)).key(&fresh_key()).send().await.expect(201);
        given.push(text(&order["discount"]).to_owned());
    }
    assert_eq!(given, ["5.00", "2.00"]);
    let (cart, check) = cart_with(&shop.support(), "FIVE").await;
    assert_eq!((&check["valid"], &check["quote"]["explanation"][0]["limit"]), (&json!(false), &json!("budget")));
    let refused = shop.support().post("/v1/checkouts", &checkout(&cart)).key(&fresh_key()).send().await;
    assert_eq!(refused.problem(422, "promotion_rejected")["promotion_code"], "FIVE");
}

/// An amount in minor units.
#[track_caller]
fn cents(amount: &Value) -> i64 {
    text(amount).replace('.', "").parse().unwrap()
}

#[tokio::test]
async fn refunds_of_all_units_are_what_was_paid() {
    let shop = Shop::open().await;
    shop.sells("PEN", "0.99", 10).await;
    runs(&shop, &with(tenth(), "/effect/percent", json!("33.3"))).await;
    let ann = shop.ann();
    let (cart, _) = cart_with(&ann, "TEN").await;
    let items = format!("/v1/carts/{}/items", text(&cart));
    for item in [json!({ "sku": "MUG", "quantity": 1 }), json!({ "sku": "PEN", "quantity": 4 })] {
        ann.post(&items, &item).send().await.expect(200);
    }
    let order = ann.post("/v1/checkouts", &checkout(&cart)).key(&fresh_key()).send().await.expect(201);
    let confirm = format!("/v1/payments/{}/confirm", text(&order["payment"]["id"]));
    ann.post(&confirm, &json!({ "token": "tok_ok" })).send().await.expect(200);
    for status in ["shipped", "delivered"] {
        let shipment = json!({ "provider": "Post", "method": "parcel", "status": status });
        shop.service().put(&format!("{}/shipping", path_of(&order)), &shipment).send().await.expect(200);
    }
    for (line, units) in [(0, 1), (1, 1), (1, 1), (0, 2), (1, 2)] {
        let id = &order["items"][line]["id"];
        let back = json!({ "items": [{ "item_id": id, "quantity": units }] });
        let request = ann.post(&format!("{}/returns", path_of(&order)), &back).send().await.expect(201);
        for step in ["approve", "receive"] {
            let path = format!("/v1/returns/{}/{step}", text(&request["id"]));
            shop.support().post(&path, &json!({})).send().await.expect(200);
        }
    }
    shop.engine.run_due_tasks(100).await.unwrap();
    let payment = ann.get(&format!("/v1/payments/{}", text(&order["payment"]["id"]))).send().await.expect(200);
    let refunds = payment["refunds"].as_array().unwrap();
    assert_eq!((refunds.len(), &payment["status"]), (5, &json!("refunded")));
    assert_eq!(refunds.iter().map(|refund| cents(&refund["amount"])).sum::<i64>(), cents(&order["total"]));
    assert_eq!((&payment["refunded"], &payment["captured"]), (&order["total"], &order["total"]));
}
