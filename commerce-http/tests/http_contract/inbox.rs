//! Events of other systems: which are believed, what follows from them, and the dead letters.

use http::Method;
use serde_json::{Value, json};

use super::shop::{Ask, Shop, text};

const PATH: &str = "/v1/inbox/warehouse";

/// A level of the mugs.
pub(crate) fn level(id: &str, on_hand: &Value, version: u64) -> Value {
    let data = json!({ "sku": "MUG", "on_hand": on_hand, "version": version });
    json!({ "event_id": id, "event_type": "level", "timestamp": "2026-03-01T12:00:00Z", "sequence": 1, "data": data })
}

/// A message that is signed now.
pub(crate) fn signed(shop: &Shop, body: &[u8]) -> Ask {
    let ask = shop.guest().ask(Method::POST, PATH).bytes("application/json", body).header("webhook-id", "msg_1");
    let ask = ask.header("webhook-timestamp", &shop.engine.now().timestamp().to_string());
    ask.header("webhook-signature", "v1,warehouse")
}

async fn send(shop: &Shop, event: &Value) -> Value {
    signed(shop, event.to_string().as_bytes()).send().await.expect(200)["outcome"].clone()
}

async fn on_hand(shop: &Shop) -> Value {
    shop.admin().get("/v1/inventory/MUG").send().await.expect(200)["on_hand"].clone()
}

async fn letters(shop: &Shop) -> Vec<Value> {
    shop.admin().get("/v1/dead-letters").send().await.expect(200)["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_level_is_taken_once_and_an_older_one_changes_nothing() {
    let shop = Shop::open().await;
    assert_eq!((send(&shop, &level("a", &json!(40), 7)).await, on_hand(&shop).await), (json!("applied"), json!(40)));
    assert_eq!(send(&shop, &level("a", &json!(40), 7)).await, "duplicate");
    assert_eq!((send(&shop, &level("b", &json!(30), 6)).await, on_hand(&shop).await), (json!("outdated"), json!(40)));
    let other = json!({ "event_id": "c", "event_type": "else", "timestamp": "2026-03-01T12:00:00Z", "data": {} });
    assert_eq!(send(&shop, &other).await, "ignored");
    assert!(letters(&shop).await.is_empty());
}

#[tokio::test]
async fn what_is_not_believed_leaves_nothing() {
    let shop = Shop::open().await;
    let body = level("a", &json!(40), 7).to_string().into_bytes();
    let now = shop.engine.now().timestamp();
    let ask = |path: &str| shop.guest().ask(Method::POST, path).bytes("application/json", &body);
    ask(PATH).send().await.problem(401, "invalid_signature");
    let asked = |signature: &str, time: i64| {
        let ask = ask(PATH).header("webhook-id", "msg_1").header("webhook-timestamp", &time.to_string());
        ask.header("webhook-signature", signature)
    };
    asked("v1,other", now).send().await.problem(401, "invalid_signature");
    let stale = asked("v1,warehouse", now - 301).send().await.problem(401, "stale_signature");
    assert_eq!(stale["age_seconds"], 301);
    asked("v1,warehouse", now + 301).send().await.problem(401, "stale_signature");
    ask("/v1/inbox/nobody").send().await.problem(404, "not_found");
    ask("/v1/inbox/%20").send().await.problem(404, "not_found");
    let large = vec![b' '; 64 * 1024 + 1];
    signed(&shop, &large).send().await.problem(413, "body_too_large");
    assert!(letters(&shop).await.is_empty());
    assert_eq!(on_hand(&shop).await, 10);
}

#[tokio::test]
async fn a_dead_letter_is_listed_retried_and_discarded() {
    let shop = Shop::open().await;
    let number = "9".repeat(40);
    let body = level("a", &json!("N"), 1).to_string().replace("\"N\"", &number);
    let sent = signed(&shop, body.as_bytes()).send().await.expect(200);
    assert_eq!(sent["outcome"], "dead_lettered");
    assert_eq!(signed(&shop, body.as_bytes()).send().await.expect(200)["outcome"], "duplicate");
    let listed = letters(&shop).await;
    let [letter] = listed.as_slice() else { panic!("{listed:?}") };
    assert_eq!((&letter["source"], &letter["event_id"]), (&json!("warehouse"), &json!("a")));
    assert_eq!((&letter["reason"], &letter["body"]), (&json!("malformed"), &json!(body)), "nothing is lost");

    let path = format!("/v1/dead-letters/{}", text(&letter["id"]));
    assert_eq!(shop.admin().get(&path).send().await.expect(200), *letter);
    let retried = shop.admin().ask(Method::POST, &format!("{path}/retry")).send().await.expect(200);
    assert_eq!((&retried["state"], &retried["reason"]), (&json!("dead"), &json!("malformed")));
    shop.admin().delete(&path).send().await.expect(204);
    assert!(letters(&shop).await.is_empty());
    let discarded = shop.admin().get(&path).send().await.expect(200);
    assert_eq!((&discarded["state"], &discarded["body"]), (&json!("discarded"), &Value::Null));
    assert_eq!(signed(&shop, body.as_bytes()).send().await.expect(200)["outcome"], "duplicate");
    shop.admin().get("/v1/dead-letters/x").send().await.problem(404, "not_found");
    let unknown = "/v1/dead-letters/01890000-0000-7000-8000-000000000001";
    shop.admin().delete(unknown).send().await.problem(404, "not_found");
}

#[tokio::test]
async fn an_event_that_waits_is_listed_and_discarded() {
    let shop = Shop::open().await;
    shop.order(1).await;
    assert_eq!(send(&shop, &level("a", &json!(0), 1)).await, "waiting", "a mug is reserved");
    assert!(letters(&shop).await.is_empty());
    let waiting = "/v1/dead-letters?state=waiting";
    let listed = shop.admin().get(waiting).send().await.expect(200);
    assert_eq!((&listed["items"][0]["state"], &listed["items"][0]["reason"]), (&json!("waiting"), &json!("refused")));
    let path = format!("/v1/dead-letters/{}", text(&listed["items"][0]["id"]));
    shop.admin().delete(&path).send().await.expect(204);
    assert_eq!(shop.admin().get(waiting).send().await.expect(200)["items"], json!([]));
    shop.admin().get("/v1/dead-letters?state=settled").send().await.problem(422, "invalid_parameter");
}

#[tokio::test]
async fn dead_letters_are_for_admins() {
    let shop = Shop::open().await;
    for client in [shop.ann(), shop.support(), shop.service()] {
        client.get("/v1/dead-letters").send().await.problem(403, "forbidden");
    }
    shop.guest().get("/v1/dead-letters").send().await.problem(401, "unauthenticated");
}
