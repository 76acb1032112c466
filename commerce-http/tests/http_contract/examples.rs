//! The examples of the document: a story of a shop, whose requests are taken and whose answers are the examples.
//!
//! `UPDATE_GOLDEN=1` writes them anew.

use std::collections::BTreeMap;
use std::{env, fs};

use chrono::TimeDelta;
use commerce_core::payment::CaptureMode;
use http::Method;
use serde_json::{Value, json};

use super::document::{DOCUMENT, operation};
use super::inbox;
use super::shop::{Ask, Plan, Shop, fresh_key, path_of, text};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/openapi/examples.json");

/// What was last sent and answered of each schema.
#[derive(Default)]
struct Story(BTreeMap<String, Value>);

impl Story {
    /// Sends a request with a key if its operation takes one.
    async fn tell(&mut self, ask: Ask) -> Value {
        let (_, operation) = operation(&ask.method, &ask.path).unwrap();
        let takes_key = operation["parameters"].to_string().contains("Idempotency-Key");
        let ask = if takes_key { ask.key(&fresh_key()) } else { ask };
        let reply = ask.clone().send().await;
        assert!(reply.status.is_success(), "{}", String::from_utf8_lossy(&reply.body));
        self.note(&operation["requestBody"], serde_json::from_slice(&ask.body).unwrap_or_default());
        self.note(&operation["responses"][reply.status.as_str()], reply.json());
        reply.json()
    }

    fn note(&mut self, described: &Value, document: Value) {
        if let Some(name) = schemas(described).next() {
            self.0.insert(name, document);
        }
    }
}

/// The schemas of a body that have a name, except lists.
fn schemas(described: &Value) -> impl Iterator<Item = String> {
    let contents = described["content"].as_object().into_iter().flat_map(|contents| contents.values());
    let references = contents.filter_map(|content| content["schema"]["$ref"].as_str());
    references
        .map(|reference| reference.rsplit('/').next().unwrap().to_owned())
        .filter(|name| !name.starts_with("List_"))
}

#[tokio::test]
async fn the_examples_are_sent_and_answered() {
    let shop = Shop::empty(Plan { has_fixed_ids: true, ..Plan::default() }).await;
    let mut story = Story::default();
    capturing(&mut story).await;
    catalog(&shop, &mut story).await;
    let order = buying(&shop, &mut story).await;
    returning(&shop, &mut story, &order).await;
    system(&shop, &mut story).await;
    let told = format!("{:#}\n", json!(story.0));
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(FILE, &told).unwrap();
    }
    assert!(fs::read_to_string(FILE).unwrap() == told, "UPDATE_GOLDEN=1 accepts:\n{told}");
}

/// In another shop, which captures when it ships.
async fn capturing(story: &mut Story) {
    let mut plan = Plan { has_fixed_ids: true, ..Plan::default() };
    plan.settings.capture = CaptureMode::Manual;
    let shop = Shop::with(plan).await;
    let order = shop.paid_order(2).await;
    let capture = format!("/v1/payments/{}/capture", text(&order["payment"]["id"]));
    story.tell(shop.support().post(&capture, &json!({ "amount": "5.00", "final": false }))).await;
}

async fn catalog(shop: &Shop, story: &mut Story) {
    let admin = shop.admin();
    story.tell(admin.post("/v1/categories", &json!({ "id": "kitchen", "name": "Kitchen" }))).await;
    story.tell(admin.put("/v1/categories/kitchen", &json!({ "name": "In the kitchen" }))).await;
    let mug = json!({
        "id": "mug", "name": "Coffee mug", "description": "Holds 0.3 l.", "categories": ["kitchen"],
        "variants": [{ "sku": "mug", "price": "12.00", "tax_category": "standard" }],
        "metadata": { "supplier": "Potters" },
    });
    story.tell(admin.post("/v1/products", &mug)).await;
    story.tell(admin.get("/v1/products/mug/variants")).await;
    story.tell(admin.put("/v1/inventory/mug", &json!({ "on_hand": 100, "reorder_threshold": 10 }))).await;
    story.tell(admin.post("/v1/inventory/mug/adjustments", &json!({ "delta": -2, "reason": "broken" }))).await;
    let ann = json!({ "groups": ["regulars"], "tax_number": "GB 123 4567 89", "metadata": { "crm": "C-7" } });
    story.tell(admin.put("/v1/customers/ann", &ann)).await;
    let summer = json!({
        "id": "summer", "code": "SUMMER10", "max_uses": 1000,
        "conditions": [{ "type": "min_spend", "amount": "20.00" }],
        "effect": { "type": "percent_off", "target": "order", "percent": "10" },
    });
    story.tell(admin.post("/v1/promos", &summer)).await;
    story.tell(admin.patch("/v1/promos/summer", &json!({ "max_uses": 2000 }))).await;
    let quote = json!({
        "currency": "USD", "at": "2026-03-01T12:00:00Z", "codes": ["TEN"],
        "lines": [{ "id": "1", "sku": "mug", "quantity": 3, "unit_price": "12.00" }],
        "promotions": [{ "id": "ten", "code": "TEN", "effect": summer["effect"] }],
    });
    story.tell(admin.post("/v1/quotes", &quote)).await;
}

/// Ann's order, delivered.
async fn buying(shop: &Shop, story: &mut Story) -> Value {
    let ann = shop.ann();
    let new_order = json!({
        "items": [{ "sku": "mug", "quantity": 1 }], "shipping_method": "standard", "shipping_address": address(),
    });
    story.tell(ann.post("/v1/orders", &new_order)).await;
    let opened = story.tell(ann.post("/v1/carts", &json!({ "metadata": { "channel": "web" } }))).await;
    let cart = format!("/v1/carts/{}", text(&opened["id"]));
    story.tell(ann.patch(&cart, &json!({ "metadata": { "gift": true } }))).await;
    let filled = story.tell(ann.post(&format!("{cart}/items"), &json!({ "sku": "mug", "quantity": 2 }))).await;
    let line = format!("{cart}/items/{}", text(&filled["items"][0]["id"]));
    story.tell(ann.patch(&line, &json!({ "quantity": 3 }))).await;
    let trial = json!({ "code": "SUMMER10", "cart_id": opened["id"] });
    story.tell(ann.post("/v1/promos/validate", &trial)).await;
    story.tell(ann.post(&format!("{cart}/promotions"), &json!({ "code": "SUMMER10" }))).await;
    let checkout = json!({
        "cart_id": opened["id"], "shipping_method": "standard", "shipping_address": address(), "expected_total": "32.40",
    });
    let order = story.tell(ann.post("/v1/checkouts", &checkout)).await;
    let payment = format!("/v1/payments/{}", text(&order["payment"]["id"]));
    let method = json!({ "order_id": order["id"], "method": "credit_card" });
    story.tell(ann.post("/v1/payments", &method)).await;
    story.tell(ann.post("/v1/payment-methods", &json!({ "consent": true, "token": "tok_ok" }))).await;
    story.tell(ann.post(&format!("{payment}/confirm"), &json!({ "token": "tok_ok" }))).await;
    story.tell(shop.support().get(&format!("{payment}/evidence"))).await;
    let refund = json!({ "amount": "2.40", "reason": "a chipped mug" });
    story.tell(shop.support().post(&format!("{payment}/refunds"), &refund)).await;
    story.tell(shop.support().get(&format!("{}/saga", path_of(&order)))).await;
    let shipment = json!({ "provider": "Post", "method": "parcel", "tracking_number": "P-1", "status": "shipped" });
    story.tell(shop.service().put(&format!("{}/shipping", path_of(&order)), &shipment)).await;
    let delivered = json!({ "status": "delivered" });
    story.tell(shop.service().put(&format!("{}/status", path_of(&order)), &delivered)).await
}

async fn returning(shop: &Shop, story: &mut Story, order: &Value) {
    shop.later(TimeDelta::days(1));
    let units = json!({ "items": [{ "item_id": order["items"][0]["id"], "quantity": 1 }], "reason": "too small" });
    let request = story.tell(shop.ann().post(&format!("{}/returns", path_of(order)), &units)).await;
    let approve = format!("/v1/returns/{}/approve", text(&request["id"]));
    story.tell(shop.support().post(&approve, &json!({ "reason": "as agreed" }))).await;
}

async fn system(shop: &Shop, story: &mut Story) {
    story.tell(shop.guest().get("/healthz")).await;
    story.tell(shop.guest().get("/readyz")).await;
    let feed = story.tell(shop.service().get("/v1/events?types=stock.adjusted")).await;
    let erp = json!({ "url": "https://erp.example.com/events", "description": "The ERP", "types": ["order.paid"] });
    let made = story.tell(shop.admin().post("/v1/webhook-endpoints", &erp)).await;
    let endpoint = format!("/v1/webhook-endpoints/{}", text(&made["id"]));
    story.tell(shop.admin().patch(&endpoint, &json!({ "types": ["order.paid", "order.cancelled"] }))).await;
    story.tell(shop.admin().ask(Method::POST, &format!("{endpoint}/test"))).await;
    story.tell(shop.admin().ask(Method::POST, &format!("{endpoint}/rotate-secret"))).await;
    story.tell(shop.admin().post(&format!("{endpoint}/replay"), &json!({ "after": feed["next_cursor"] }))).await;
    let level = inbox::level("level-1", &json!(-1), 1).to_string();
    story.tell(inbox::signed(shop, level.as_bytes())).await;
    let letters = shop.admin().get("/v1/dead-letters").send().await.expect(200);
    story.tell(shop.admin().get(&format!("/v1/dead-letters/{}", text(&letters["items"][0]["id"])))).await;
    let tasks = story.tell(shop.admin().get("/v1/tasks")).await;
    let task = &tasks["items"][0];
    story.tell(shop.admin().get(&format!("/v1/tasks/{}/{}", text(&task["kind"]), text(&task["subject"])))).await;
}

fn address() -> Value {
    json!({ "name": "Ann Example", "line1": "1 Main Street", "city": "Springfield", "postal_code": "12345", "country": "US" })
}

fn operations() -> impl Iterator<Item = &'static Value> {
    let paths = DOCUMENT["paths"].as_object().unwrap().values();
    paths.flat_map(|item| item.as_object().unwrap().values())
}

#[test]
fn every_body_has_an_example() {
    for operation in operations() {
        let answers = operation["responses"].as_object().unwrap().iter().filter(|(status, _)| status.starts_with('2'));
        for described in answers.map(|(_, answer)| answer).chain([&operation["requestBody"]]) {
            for name in schemas(described) {
                let example = DOCUMENT["components"]["examples"].get(&name);
                assert!(example.is_some(), "{} has no example of {name}", operation["operationId"]);
            }
        }
    }
}

/// A link leads to an operation with these parameters, and its expressions lead into the example of the answer.
#[test]
fn links_lead_somewhere() {
    let links = DOCUMENT["components"]["links"].as_object().unwrap();
    assert!(links.len() > 40, "{}", links.len());
    for (name, link) in links {
        let target = operations().find(|operation| operation["operationId"] == link["operationId"]);
        let target = target.unwrap_or_else(|| panic!("{name} leads nowhere"));
        let parameters = target["parameters"].as_array().cloned().unwrap_or_default();
        let wanted =
            parameters.iter().filter(|parameter| parameter["in"] == "path").map(|wanted| text(&wanted["name"]));
        let given = link["parameters"].as_object().into_iter().flat_map(|given| given.keys().map(String::as_str));
        assert_eq!(wanted.collect::<Vec<_>>(), given.collect::<Vec<_>>(), "{name}");
        let document = name.rsplit_once('_').unwrap().0;
        let Some(example) = DOCUMENT["components"]["examples"].get(document) else { continue };
        for place in link.to_string().split("$response.body#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(example["value"].pointer(place).is_some_and(Value::is_string), "{name}: {place}");
        }
    }
}
