//! Tasks: seen and repaired by admins.

use serde_json::{Value, json};

use super::shop::{Shop, text};

#[tokio::test]
async fn a_task_is_listed_retried_and_dropped() {
    let shop = Shop::open().await;
    let order = shop.order(1).await;
    let listed = shop.admin().get("/v1/tasks?state=scheduled").send().await.expect(200);
    let [task] = listed["items"].as_array().expect("tasks").as_slice() else { panic!("one task: {listed}") };
    assert_eq!((&task["kind"], &task["subject"]), (&json!("expire_order"), &order["id"]));
    assert_eq!((&task["state"], &task["failures"]), (&json!("scheduled"), &json!(0)));

    let path = format!("/v1/tasks/expire_order/{}", text(&order["id"]));
    assert_eq!(shop.admin().get(&path).send().await.expect(200), *task);
    let retried = shop.admin().post(&format!("{path}/retry"), &json!({})).send().await.expect(200);
    assert_eq!(retried["state"], "due");
    assert_eq!(states(&shop, "due").await, 1);
    shop.admin().delete(&path).send().await.expect(204);
    shop.admin().get(&path).send().await.problem(404, "not_found");
    shop.admin().delete(&path).send().await.problem(404, "not_found");
    shop.admin().post(&format!("{path}/retry"), &json!({})).send().await.problem(404, "not_found");
}

#[tokio::test]
async fn tasks_are_for_admins() {
    let shop = Shop::open().await;
    shop.ann().get("/v1/tasks").send().await.problem(403, "forbidden");
    shop.support().get("/v1/tasks").send().await.problem(403, "forbidden");
    shop.guest().get("/v1/tasks").send().await.problem(401, "unauthenticated");
    shop.admin().get("/v1/tasks?state=lost").send().await.problem(422, "invalid_parameter");
}

async fn states(shop: &Shop, state: &str) -> usize {
    let listed: Value = shop.admin().get(&format!("/v1/tasks?state={state}")).send().await.expect(200);
    listed["items"].as_array().map_or(0, Vec::len)
}
