//! What the log says of a request, and what it does not.

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::{Value, json};
use tracing::Level;
use tracing_subscriber::fmt::MakeWriter;

use super::shop::{Plan, Shop, order_of, path_of, text};

/// Lines of log, kept.
#[derive(Clone, Debug, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn read(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// What is said of a request that was answered.
    fn answered(&self, request: &str) -> Vec<Value> {
        let text = self.read();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let own = |line: &Value| line["span"]["request_id"] == request && line["fields"]["message"] == "answered";
        lines.filter(own).collect()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// The log of the whole process: other tests write to it too.
fn listen() -> Lines {
    static LINES: OnceLock<Lines> = OnceLock::new();
    let lines = LINES.get_or_init(|| {
        let lines = Lines::default();
        let subscriber = tracing_subscriber::fmt().json().with_writer(lines.clone()).with_max_level(Level::INFO);
        tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
        lines
    });
    lines.clone()
}

#[tokio::test]
async fn a_request_is_one_line_with_who_and_what() {
    let lines = listen();
    let shop = Shop::open().await;
    let ask = shop.ann().post("/v1/orders?secret=in-the-query", &order_of("MUG", 1)).key("k");
    let order = ask.clone().header("x-request-id", "placed").send().await.expect(201);
    ask.header("x-request-id", "replayed").send().await.expect(201);
    for request in ["placed", "replayed"] {
        let lines = lines.answered(request);
        let [line] = &lines[..] else { panic!("{lines:?}") };
        let fields = &line["fields"];
        assert_eq!(
            (&fields["method"], &fields["route"], &fields["status"]),
            (&json!("POST"), &json!("/orders"), &json!(201))
        );
        assert!(fields["latency_us"].is_u64());
        assert_eq!((&line["span"]["user_id"], &line["span"]["order_id"]), (&json!("ann"), &order["id"]));
    }
    shop.bob().get(&path_of(&order)).header("x-request-id", "refused").send().await.expect(404);
    assert_eq!(lines.answered("refused")[0]["span"]["order_id"], order["id"]);
}

#[tokio::test]
async fn the_log_tells_no_secret() {
    let lines = listen();
    let shop = Shop::open().await;
    shop.with_token("a-bad-token.x.y").get("/v1/orders?code=in-the-query").send().await.expect(401);
    let order = shop.order(1).await;
    let confirm = format!("/v1/payments/{}/confirm", text(&order["payment"]["id"]));
    shop.ann().post(&confirm, &json!({ "token": "tok_of_the_customer" })).send().await.expect(200);
    shop.ann().post("/v1/carts", &json!({ "in-the-body": 1 })).send().await.expect(422);
    let text = lines.read();
    for secret in ["a-bad-token", "in-the-query", "tok_of_the_customer", "in-the-body", "High Street", "Bearer"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn what_went_wrong_inside_is_in_the_log_only() {
    let lines = listen();
    let shop = Shop::with(Plan::default()).await;
    shop.users.go_down();
    let reply = shop.ann().post("/v1/orders", &order_of("MUG", 1)).key("k").send().await;
    assert!(!reply.problem(503, "user_service_unavailable").to_string().contains("told to be down"));
    assert!(lines.read().contains("told to be down"));
}

#[tokio::test]
async fn the_line_of_an_unknown_path_has_the_path() {
    let (lines, shop) = (listen(), Shop::open().await);
    shop.guest().get("/v1/produkts?q=x").header("x-request-id", "lost").send().await.problem(404, "route_not_found");
    shop.guest().get("/v1/products").header("x-request-id", "found").send().await.expect(200);
    assert_eq!(lines.answered("lost")[0]["fields"]["path"], "/v1/produkts");
    assert_eq!(lines.answered("found")[0]["fields"].get("path"), None);
}
