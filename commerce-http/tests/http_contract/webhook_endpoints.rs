//! Endpoints of webhooks, over the API.

use chrono::TimeDelta;
use commerce_core::webhook::{DeliveryFailure, DeliveryOutcome, MAX_WEBHOOK_ENDPOINTS};
use serde_json::{Value, json};

use super::shop::{Plan, Shop, fresh_key, names, text};

const ENDPOINTS: &str = "/v1/webhook-endpoints";

fn erp() -> Value {
    json!({ "url": "https://erp.example.com/events?shop=1", "description": "The ERP", "types": ["order.paid", "order.created"] })
}

async fn made(shop: &Shop) -> (String, Value) {
    let made = shop.admin().post(ENDPOINTS, &erp()).send().await.expect(201);
    (format!("{ENDPOINTS}/{}", text(&made["id"])), made)
}

#[tokio::test]
async fn an_endpoint_is_made_read_changed_and_deleted() {
    let shop = Shop::open().await;
    let admin = shop.admin();
    let reply = admin.post(ENDPOINTS, &erp()).send().await;
    let mut made = reply.expect(201);
    let path = reply.header("location").to_owned();
    assert_eq!(path, format!("{ENDPOINTS}/{}", text(&made["id"])));
    assert_eq!(reply.header("etag"), "\"1\"");
    assert!(text(&made["secret"]).starts_with("whsec_"));
    made.as_object_mut().unwrap().remove("secret");
    let members =
        ["created_at", "description", "enabled", "id", "secret_number", "types", "updated_at", "url", "version"];
    assert_eq!(names(&made), members);
    assert_eq!((&made["url"], &made["enabled"]), (&erp()["url"], &json!(true)));
    assert_eq!(made["types"], json!(["order.created", "order.paid"]));
    assert_eq!(admin.get(&path).send().await.expect(200), made, "the secret is shown once");
    assert_eq!(admin.get(ENDPOINTS).send().await.expect(200)["items"], json!([made]));
    let patch = json!({ "url": "https://erp.example.com/v2", "description": null, "types": [] });
    let changed = admin.patch(&path, &patch).header("if-match", "\"1\"").send().await.expect(200);
    assert_eq!((changed.get("description"), &changed["types"]), (None, &json!([])));
    assert_eq!((&changed["url"], &changed["version"]), (&patch["url"], &json!(2)));
    assert_eq!(admin.patch(&path, &json!({})).send().await.expect(200), changed, "an empty patch changes nothing");
    admin
        .patch(&path, &json!({ "types": [] }))
        .header("if-match", "\"1\"")
        .send()
        .await
        .problem(412, "precondition_failed");
    admin.delete(&path).header("if-match", "\"1\"").send().await.problem(412, "precondition_failed");
    assert_eq!(admin.delete(&path).header("if-match", "\"2\"").send().await.status, 204);
    admin.get(&path).send().await.problem(404, "not_found");
    admin.delete(&path).send().await.problem(404, "not_found");
    admin.patch(&path, &patch).send().await.problem(404, "not_found");
    assert_eq!(admin.get(ENDPOINTS).send().await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn only_admins_manage_endpoints() {
    let shop = Shop::open().await;
    let (path, _) = made(&shop).await;
    for caller in [shop.ann(), shop.support(), shop.service()] {
        caller.get(ENDPOINTS).send().await.problem(403, "forbidden");
        caller.post(ENDPOINTS, &erp()).send().await.problem(403, "forbidden");
        caller.get(&path).send().await.problem(403, "forbidden");
        caller.patch(&path, &json!({})).send().await.problem(403, "forbidden");
        caller.delete(&path).send().await.problem(403, "forbidden");
        for action in ["rotate-secret", "test"] {
            caller.post(&format!("{path}/{action}"), &json!({})).send().await.problem(403, "forbidden");
        }
        caller.get(&format!("{path}/deliveries")).send().await.problem(403, "forbidden");
    }
    shop.guest().get(ENDPOINTS).send().await.problem(401, "unauthenticated");
    assert_eq!(shop.webhooks.received(), []);
}

#[tokio::test]
async fn bad_endpoints_are_refused_and_change_nothing() {
    let shop = Shop::open().await;
    let admin = shop.admin();
    admin.post(ENDPOINTS, &json!({})).send().await.invalid("/url", "required");
    for url in ["", "erp", "ftp://erp.example.com", "https://u:p@erp.example.com", "https://erp.example.com/#x"] {
        admin.post(ENDPOINTS, &json!({ "url": url })).send().await.invalid("/url", "invalid");
    }
    let plain = json!({ "url": "http://erp.example.com" });
    admin.post(ENDPOINTS, &plain).send().await.invalid("/url", "invalid");
    let types =
        json!({ "url": "https://erp.example.com", "types": ["order.paid", "order.payd", "webhook_endpoint.created"] });
    let reply = admin.post(ENDPOINTS, &types).send().await;
    reply.invalid("/types/1", "invalid");
    reply.invalid("/types/2", "invalid");
    let many = json!({ "url": "https://erp.example.com", "types": vec!["order.paid"; 201] });
    admin.post(ENDPOINTS, &many).send().await.invalid("/types", "too_many");
    let secret = json!({ "url": "https://erp.example.com", "secret": "whsec_mine" });
    admin.post(ENDPOINTS, &secret).send().await.problem(422, "validation_failed");
    let (path, made) = made(&shop).await;
    admin.patch(&path, &plain).send().await.invalid("/url", "invalid");
    admin.patch(&path, &json!({ "types": ["x"] })).send().await.invalid("/types/0", "invalid");
    admin.get(&format!("{ENDPOINTS}/nobody")).send().await.problem(404, "not_found");
    let listed = admin.get(ENDPOINTS).send().await.expect(200);
    assert_eq!((listed["items"].as_array().unwrap().len(), &listed["items"][0]["id"]), (1, &made["id"]));
    assert_eq!(listed["items"][0]["version"], 1);
}

#[tokio::test]
async fn a_repeated_request_gets_the_same_endpoint_and_its_secret() {
    let shop = Shop::open().await;
    let key = fresh_key();
    let create = || shop.admin().post(ENDPOINTS, &erp()).key(&key);
    let (first, again) = (create().send().await, create().send().await);
    assert_eq!(again.expect(201), first.expect(201));
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(shop.admin().get(ENDPOINTS).send().await.expect(200)["items"].as_array().unwrap().len(), 1);
    let path = format!("{ENDPOINTS}/{}", text(&first.json()["id"]));
    let rotate = |key: &str| shop.admin().post(&format!("{path}/rotate-secret"), &json!({})).key(key);
    let (second, third) = (fresh_key(), fresh_key());
    let rotated = rotate(&second).send().await.expect(200);
    assert_eq!(rotate(&second).send().await.expect(200), rotated);
    assert_eq!(create().send().await.expect(201).get("secret"), None, "it is no longer the current one");
    rotate(&third).send().await.expect(200);
    assert_eq!(rotate(&second).send().await.expect(200).get("secret"), None);
    assert_eq!(shop.admin().get(&path).send().await.expect(200)["secret_number"], 3);
}

#[tokio::test]
async fn webhooks_are_signed_with_the_secret_before_for_a_day() {
    let shop = Shop::open().await;
    let (path, made) = made(&shop).await;
    let test = async || {
        shop.admin().post(&format!("{path}/test"), &json!({})).send().await.expect(200);
        let received = shop.webhooks.received();
        received[0].secrets.iter().map(|secret| secret.reveal().to_owned()).collect::<Vec<_>>()
    };
    let first = text(&made["secret"]);
    assert_eq!(test().await, [first]);
    let rotated = shop.admin().post(&format!("{path}/rotate-secret"), &json!({})).header("if-match", "\"1\"");
    let rotated = rotated.send().await.expect(200);
    let second = text(&rotated["secret"]);
    assert_ne!(first, second);
    assert_eq!(rotated["replaced_secret_until"], "2026-03-02T12:00:00Z");
    shop.later(TimeDelta::hours(24) - TimeDelta::seconds(1));
    assert_eq!(test().await, [second, first]);
    shop.later(TimeDelta::seconds(1));
    assert_eq!(test().await, [second]);
}

#[tokio::test]
async fn a_secret_is_in_no_answer_but_the_first_and_in_no_event() {
    let shop = Shop::open().await;
    let (path, made) = made(&shop).await;
    let secret = text(&made["secret"]);
    shop.admin().post(&format!("{path}/test"), &json!({})).send().await.expect(200);
    for path in [ENDPOINTS, &path, &format!("{path}/deliveries"), "/v1/events"] {
        let shown = shop.admin().get(path).send().await.expect(200).to_string();
        assert!(!shown.contains(secret) && !shown.contains("whsec"), "{path}: {shown}");
    }
    let events = shop.admin().get("/v1/events?limit=100").send().await.expect(200).to_string();
    assert!(!events.contains("erp.example.com"), "a URL may be a secret, too: {events}");
}

#[tokio::test]
async fn a_test_tells_what_the_endpoint_said_and_is_logged() {
    let shop = Shop::open().await;
    let (path, made) = made(&shop).await;
    let test = || shop.admin().post(&format!("{path}/test"), &json!({}));
    let said = test().send().await.expect(200);
    assert_eq!((&said["delivered"], &said["status_code"], said.get("error")), (&json!(true), &json!(200), None));
    let received = shop.webhooks.received();
    let body: Value = serde_json::from_slice(&received[0].body).unwrap();
    assert_eq!((&body["type"], &body["id"]), (&json!("webhook_endpoint.test"), &said["event_id"]));
    assert_eq!((&body["specversion"], &body["data"]), (&json!("1.0"), &json!({ "id": made["id"] })));
    shop.webhooks.answer(DeliveryOutcome::Answered(500));
    assert_eq!(test().send().await.expect(200)["delivered"], false);
    shop.webhooks.answer(DeliveryOutcome::Failed(DeliveryFailure::TimedOut));
    let failed = test().send().await.expect(200);
    assert_eq!((&failed["error"], failed.get("status_code")), (&json!("timed_out"), None));
    let log = shop.admin().get(&format!("{path}/deliveries?limit=2")).send().await.expect(200);
    assert_eq!(log["items"][0], failed);
    assert_eq!(log["items"][1]["status_code"], 500);
    let rest = format!("{path}/deliveries?cursor={}", text(&log["next_cursor"]));
    assert_eq!(shop.admin().get(&rest).send().await.expect(200)["items"], json!([said]));
    let enabled = shop.admin().get(&path).send().await.expect(200);
    assert_eq!((&enabled["enabled"], &enabled["version"]), (&json!(true), &json!(1)), "a test disables nothing");
}

#[tokio::test]
async fn an_endpoint_is_disabled_and_enabled() {
    let shop = Shop::open().await;
    let (path, _) = made(&shop).await;
    let switch = |enabled: bool| shop.admin().patch(&path, &json!({ "enabled": enabled }));
    let disabled = switch(false).send().await.expect(200);
    assert_eq!((&disabled["enabled"], &disabled["disabled_reason"]), (&json!(false), &json!("requested")));
    assert_eq!(disabled["disabled_at"], "2026-03-01T12:00:00Z");
    shop.later(TimeDelta::seconds(1));
    assert_eq!(switch(false).send().await.expect(200), disabled);
    shop.admin().post(&format!("{path}/test"), &json!({})).send().await.expect(200);
    let enabled = switch(true).send().await.expect(200);
    assert_eq!((&enabled["enabled"], enabled.get("disabled_reason")), (&json!(true), None));
}

#[tokio::test]
async fn there_is_a_most_of_endpoints() {
    let shop = Shop::open().await;
    let mut last = String::new();
    for _ in 0..MAX_WEBHOOK_ENDPOINTS {
        last = made(&shop).await.0;
    }
    let one_more = || shop.admin().post(ENDPOINTS, &erp());
    one_more().send().await.problem(409, "too_many_webhook_endpoints");
    assert_eq!(shop.admin().delete(&last).send().await.status, 204);
    one_more().send().await.expect(201);
}

#[tokio::test]
async fn a_shop_without_a_signing_key_has_no_endpoints() {
    let shop = Shop::with(Plan { sends_webhooks: false, ..Plan::default() }).await;
    shop.admin().post(ENDPOINTS, &erp()).send().await.problem(501, "webhooks_not_configured");
    assert_eq!(shop.admin().get(ENDPOINTS).send().await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn events_are_sent_again_from_a_cursor_of_the_feed() {
    let shop = Shop::open().await;
    let feed = shop.admin().get("/v1/events").send().await.expect(200);
    let (path, _) = made(&shop).await;
    let replay = |body: Value| shop.admin().post(&format!("{path}/replay"), &body);
    assert_eq!(replay(json!({ "after": feed["next_cursor"] })).send().await.status, 204);
    shop.order(1).await;
    let feed = shop.admin().get("/v1/events").send().await.expect(200);
    let skipping = replay(json!({ "after": feed["next_cursor"] })).send().await;
    skipping.invalid("/after", "out_of_range");
    assert_eq!(replay(json!({})).send().await.status, 204);
    for cursor in ["", "7", "x"] {
        replay(json!({ "after": cursor })).send().await.invalid("/after", "invalid_cursor");
    }
    replay(json!({ "before": "x" })).send().await.problem(422, "validation_failed");
    shop.service().post(&format!("{path}/replay"), &json!({})).send().await.problem(403, "forbidden");
    let missing = format!("{ENDPOINTS}/01890000-0000-7000-8000-00000000ffff/replay");
    shop.admin().post(&missing, &json!({})).send().await.problem(404, "not_found");
}

#[tokio::test]
async fn only_an_endpoint_that_is_enabled_skips_what_it_missed() {
    let shop = Shop::open().await;
    let (path, _) = made(&shop).await;
    for patch in [json!({ "skip_missed": true }), json!({ "skip_missed": true, "enabled": false })] {
        shop.admin().patch(&path, &patch).send().await.invalid("/skip_missed", "invalid");
    }
    shop.admin().patch(&path, &json!({ "skip_missed": true, "enabled": true })).send().await.expect(200);
}
