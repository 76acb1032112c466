//! What operators and developers use.

use std::sync::{Arc, OnceLock};

use chrono::TimeDelta;
use commerce_http::telemetry;
use commerce_testkit::{FakeProcessor, ProcessorBehavior};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Value, json};

use super::shop::{Plan, Shop, text};

/// A process keeps its metrics once.
fn metrics() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| telemetry::install().unwrap()).clone()
}

#[tokio::test]
async fn the_service_says_how_it_is() {
    let shop = Shop::open().await;
    for prefix in ["", "/v1", "/api/v1"] {
        assert_eq!(shop.guest().get(&format!("{prefix}/healthz")).send().await.expect(200)["status"], "ok");
        assert_eq!(shop.guest().get(&format!("{prefix}/readyz")).send().await.expect(200)["status"], "ready");
    }
}

#[tokio::test]
async fn metrics_count_by_route() {
    let mut plan = Plan::default();
    plan.options.metrics = Some(metrics());
    let shop = Shop::with(plan).await;
    shop.order(1).await;
    shop.guest().get("/v1/nowhere/at/all").send().await.expect(404);
    let reply = shop.guest().get("/metrics").send().await;
    assert!(reply.header("content-type").starts_with("text/plain"));
    let text = String::from_utf8(reply.body.to_vec()).unwrap();
    for line in [
        "http_requests_total{method=\"POST\",route=\"/orders\",status=\"201\"}",
        "http_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"}",
        "http_request_duration_seconds_bucket{method=\"PUT\",route=\"/inventory/{sku}\",le=\"0.001\"}",
        "http_requests_in_flight ",
        "orders_placed_total ",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert!(!text.contains("nowhere"), "{text}");
}

#[tokio::test]
async fn metrics_show_tasks_that_are_late_fail_and_are_given_up() {
    let payments = Arc::new(FakeProcessor::default());
    let mut plan = Plan { payments: payments.clone(), ..Plan::default() };
    plan.options.metrics = Some(metrics());
    let shop = Shop::with(plan).await;
    let refunds = format!("/v1/payments/{}/refunds", text(&shop.paid_order(1).await["payment"]["id"]));
    payments.be(ProcessorBehavior::Unavailable);
    shop.support().post(&refunds, &json!({ "reason": "broken" })).send().await.expect(201);
    shop.later(TimeDelta::seconds(90));
    work(&shop).await;
    for line in [
        "task_oldest_due_age_seconds{kind=\"settle_payment\"} 90",
        "task_oldest_due_age_seconds{kind=\"expire_order\"} 0",
        "task_runs_total{kind=\"settle_payment\",outcome=\"failed\"} 1",
        "tasks_dead{kind=\"settle_payment\"} 0",
    ] {
        check_scraped(&shop, line).await;
    }
    for _ in 0..20 {
        shop.later(TimeDelta::hours(1));
        work(&shop).await;
    }
    check_scraped(&shop, "task_runs_total{kind=\"settle_payment\",outcome=\"given_up\"} 1").await;
    check_scraped(&shop, "tasks_dead{kind=\"settle_payment\"} 1").await;
}

/// What a server does in the background.
async fn work(shop: &Shop) {
    telemetry::note_task_runs(&shop.engine.run_due_tasks(100).await.unwrap(), 100);
    telemetry::count_dead_tasks(&shop.engine).await.unwrap();
}

async fn check_scraped(shop: &Shop, line: &str) {
    let page = shop.guest().get("/metrics").send().await.body;
    let page = String::from_utf8_lossy(&page);
    assert!(page.lines().any(|found| found == line), "{line} is not in {page}");
}

#[tokio::test]
async fn an_outage_of_the_processor_shows_and_does_not_stop_the_shop() {
    let payments = Arc::new(FakeProcessor::default());
    let mut plan = Plan { payments: payments.clone(), ..Plan::default() };
    plan.options.metrics = Some(metrics());
    let shop = Shop::with(plan).await;
    let ready = shop.guest().get("/readyz").send().await.expect(200);
    assert_eq!(ready, json!({ "status": "ready", "payments": "available" }));
    let confirm = format!("/v1/payments/{}/confirm", text(&shop.order(1).await["payment"]["id"]));
    payments.be(ProcessorBehavior::Unavailable);
    for _ in 0..3 {
        let tried = shop.ann().post(&confirm, &json!({ "token": "tok_ok" })).send().await;
        tried.problem(503, "payment_service_unavailable");
        shop.later(TimeDelta::seconds(10));
    }
    let ready = shop.guest().get("/readyz").send().await.expect(200);
    assert_eq!((&ready["payments"], &ready["status"]), (&json!("unavailable"), &json!("ready")));
    assert_eq!(ready["payments_unavailable_since"], "2026-03-01T12:00:00Z");
    telemetry::note_processor(&shop.engine);
    check_scraped(&shop, "payment_processor_available 0").await;
    let order = shop.order(1).await;
    payments.be(ProcessorBehavior::Declines);
    let other = format!("/v1/payments/{}/confirm", text(&order["payment"]["id"]));
    shop.ann().post(&other, &json!({ "token": "tok_ok" })).send().await.expect(200);
    assert_eq!(shop.guest().get("/readyz").send().await.expect(200)["payments"], "available");
    let code = "code=\"card_declined\"";
    let line = format!("payment_operations_total{{kind=\"authorize\",state=\"declined\",{code}}} 1");
    check_scraped(&shop, &line).await;
}

#[tokio::test]
async fn metrics_can_be_elsewhere() {
    Shop::open().await.guest().get("/metrics").send().await.problem(404, "route_not_found");
}

#[tokio::test]
async fn the_document_is_served_as_it_is_generated() {
    let shop = Shop::open().await;
    let document = shop.guest().get("/openapi.json").send().await.expect(200);
    assert_eq!(document, serde_json::from_str::<Value>(&commerce_http::openapi()).unwrap());
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
}

#[tokio::test]
async fn the_document_is_readable_without_network() {
    let shop = Shop::open().await;
    let docs = shop.guest().get("/docs").send().await;
    assert_eq!((docs.status.as_u16(), docs.header("location")), (308, "/docs/"));
    let page = shop.guest().get("/docs/").send().await;
    assert!(String::from_utf8_lossy(&page.body).contains("<title>Commerce API</title>"));
    let html = String::from_utf8(page.body.to_vec()).unwrap();
    assert!(
        page.header("content-type").starts_with("text/html") && !html.contains("http://") && !html.contains("https://"),
        "{html}"
    );
    for asset in ["swagger-ui.css", "swagger-ui-bundle.js", "swagger-initializer.js"] {
        let reply = shop.guest().get(&format!("/docs/{asset}")).send().await;
        assert_eq!(reply.status.as_u16(), 200, "{asset}");
    }
    let initializer = shop.guest().get("/docs/swagger-initializer.js").send().await;
    assert!(String::from_utf8_lossy(&initializer.body).contains("/openapi.json"));
    shop.guest().get("/docs/etc/passwd").send().await.problem(404, "route_not_found");
}

#[tokio::test]
async fn the_root_says_where_to_go() {
    let shop = Shop::open().await;
    let page = shop.guest().get("/").send().await;
    assert_eq!((page.status, page.header("content-type")), (http::StatusCode::OK, "text/html; charset=utf-8"));
    let page = String::from_utf8(page.body.to_vec()).unwrap();
    for link in page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert_eq!(shop.guest().get(&format!("/{link}")).send().await.status, 200, "{link}");
    }
}
