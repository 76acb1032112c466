//! A shop over doubles behind a socket, and clients that speak to it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta};
use commerce_core::actor::{Actor, Role};
use commerce_core::engine::{Engine, EventTypes};
use commerce_core::inbox::{Envelope, IncomingType, Source};
use commerce_core::money::Currency;
use commerce_core::order::UnpaidLimits;
use commerce_core::payment::SandboxProcessor;
use commerce_core::port::{PageRequest, Processor, Users};
use commerce_core::settings::Settings;
use commerce_http::auth::{Auth, VerifyingKey, mint};
use commerce_http::telemetry::ShopMetrics;
use commerce_http::{Options, RequestTraces, Service};
use commerce_testkit::{FakeInbox, FakeUsers, FakeWebhooks, ManualClock, MemoryStore, SequentialIds};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client as Connections;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use crate::{document, event_schemas};

/// The secret that signs the tokens of every test.
pub(crate) const SECRET: &[u8] = b"the secret of the tests is long enough";

/// A shop behind a socket, with a product `MUG` at 9.99 USD and ten of it in the house.
#[derive(Clone)]
pub(crate) struct Shop {
    pub(crate) address: SocketAddr,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) users: Arc<FakeUsers>,
    pub(crate) webhooks: Arc<FakeWebhooks>,
    pub(crate) engine: Engine,
    pub(crate) store: MemoryStore,
    /// The position up to which events were checked.
    checked: Arc<Mutex<u64>>,
    connections: Connections<HttpConnector, Full<Bytes>>,
}

/// How a shop differs from the usual one.
pub(crate) struct Plan {
    pub(crate) users: Option<Arc<dyn Users>>,
    /// Nobody is asked whether a user exists.
    pub(crate) trusts_users: bool,
    pub(crate) payments: Arc<dyn Processor>,
    pub(crate) settings: Settings,
    pub(crate) options: Options,
    /// Every run has the same ids.
    pub(crate) has_fixed_ids: bool,
    pub(crate) sends_webhooks: bool,
}

impl Default for Plan {
    fn default() -> Self {
        let auth = Auth::new(vec![VerifyingKey::hs256(SECRET).unwrap()]);
        let options = Options { orders_per_minute: 0, codes_per_minute: 0, ..Options::new(auth) };
        let mut settings = Settings::new(Currency::USD);
        settings.unpaid = UnpaidLimits::NONE;
        let types = [("level".to_owned(), IncomingType::StockLevel)].into();
        settings.sources.insert("warehouse".parse().unwrap(), Source { envelope: Envelope::Plain, types });
        Self {
            users: None,
            trusts_users: false,
            payments: Arc::new(SandboxProcessor::in_memory()),
            settings,
            options,
            has_fixed_ids: false,
            sends_webhooks: true,
        }
    }
}

impl Shop {
    /// The usual shop, with its mugs.
    pub(crate) async fn open() -> Self {
        Self::with(Plan::default()).await
    }

    /// A shop with its mugs.
    pub(crate) async fn with(plan: Plan) -> Self {
        let shop = Self::empty(plan).await;
        shop.sells("MUG", "9.99", 10).await;
        shop
    }

    /// A shop that sells nothing yet.
    pub(crate) async fn empty(plan: Plan) -> Self {
        let clock = Arc::new(ManualClock::new(DateTime::from_timestamp(1_772_366_400, 0).unwrap()));
        let known = ["ann", "bob", "root", "robot", "sue"].map(|name| name.parse().unwrap());
        let users = Arc::new(FakeUsers::knowing(known));
        let store = MemoryStore::new();
        let builder = Engine::builder(plan.settings, Arc::new(store.clone()), plan.payments)
            .clock(clock.clone())
            .inbox(Arc::new(FakeInbox))
            .observer(Arc::new(ShopMetrics))
            .traces(Arc::new(RequestTraces));
        let webhooks = Arc::new(FakeWebhooks::new());
        let log = Arc::new(store.clone());
        let builder = if plan.sends_webhooks { builder.webhooks(webhooks.clone(), log.clone(), log) } else { builder };
        let builder = if plan.has_fixed_ids { builder.ids(Arc::new(SequentialIds::new(1))) } else { builder };
        let asked: Arc<dyn Users> = plan.users.unwrap_or_else(|| users.clone());
        let engine = if plan.trusts_users { builder } else { builder.users(asked) }.build();
        let service = Service::new(engine.clone(), plan.options);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, service));
        let connections = Connections::builder(TokioExecutor::new()).build_http();
        Self { address, clock, users, webhooks, engine, store, checked: Arc::default(), connections }
    }

    /// Puts a product with one SKU of the same name on sale.
    pub(crate) async fn sells(&self, sku: &str, price: &str, on_hand: i64) {
        let product = json!({ "name": format!("The {sku}"), "variants": [{ "sku": sku, "price": price }] });
        let path = encoded(sku);
        self.admin().put(&format!("/v1/products/{path}"), &product).send().await.expect(200);
        let level = json!({ "on_hand": on_hand });
        self.admin().put(&format!("/v1/inventory/{path}"), &level).send().await.expect(200);
    }

    /// Lets time pass.
    pub(crate) fn later(&self, by: TimeDelta) {
        self.clock.advance(by);
    }

    pub(crate) fn guest(&self) -> Client {
        Client { shop: self.clone(), token: None }
    }

    pub(crate) fn with_token(&self, token: &str) -> Client {
        Client { shop: self.clone(), token: Some(token.to_owned()) }
    }

    pub(crate) fn someone(&self, name: &str, role: Role) -> Client {
        self.with_token(&mint(SECRET, name, role, Duration::from_secs(600)).unwrap())
    }

    pub(crate) fn ann(&self) -> Client {
        self.someone("ann", Role::Customer)
    }

    pub(crate) fn bob(&self) -> Client {
        self.someone("bob", Role::Customer)
    }

    pub(crate) fn support(&self) -> Client {
        self.someone("sue", Role::Support)
    }

    pub(crate) fn service(&self) -> Client {
        self.someone("robot", Role::Service)
    }

    pub(crate) fn admin(&self) -> Client {
        self.someone("root", Role::Admin)
    }

    /// Checks what happened since the last check against the schemas of events.
    async fn check_events(&self) {
        let mut checked = self.checked.lock().await;
        loop {
            let page = PageRequest { limit: 100, after: Some(*checked) };
            let Ok(page) = self.engine.feed(&Actor::SYSTEM, &EventTypes::new(), &page).await else { return };
            page.items.iter().for_each(event_schemas::check);
            *checked = page.end;
            if !page.more {
                return;
            }
        }
    }

    /// What is available of a SKU.
    pub(crate) async fn available(&self, sku: &str) -> i64 {
        let stock = self.admin().get(&format!("/v1/inventory/{}", encoded(sku))).send().await.expect(200);
        stock["available"].as_i64().unwrap()
    }

    /// An order of mugs by ann.
    pub(crate) async fn order(&self, quantity: i64) -> Value {
        let placed = self.ann().post("/v1/orders", &order_of("MUG", quantity)).key(&fresh_key()).send().await;
        without_secret(placed.expect(201))
    }

    /// A paid order of mugs by ann.
    pub(crate) async fn paid_order(&self, quantity: i64) -> Value {
        let order = self.order(quantity).await;
        let path = format!("/v1/payments/{}/confirm", text(&order["payment"]["id"]));
        self.ann().post(&path, &json!({ "token": "tok_ok" })).send().await.expect(200);
        self.ann().get(&path_of(&order)).send().await.expect(200)
    }

    /// A delivered order of mugs by ann.
    pub(crate) async fn delivered_order(&self, quantity: i64) -> Value {
        let order = self.paid_order(quantity).await;
        for status in ["shipped", "delivered"] {
            let shipment = json!({ "provider": "Post", "method": "parcel", "status": status });
            self.service().put(&format!("{}/shipping", path_of(&order)), &shipment).send().await.expect(200);
        }
        self.ann().get(&path_of(&order)).send().await.expect(200)
    }
}

/// Somebody who speaks to a shop.
#[derive(Clone)]
pub(crate) struct Client {
    shop: Shop,
    token: Option<String>,
}

impl Client {
    pub(crate) fn get(&self, path: &str) -> Ask {
        self.ask(Method::GET, path)
    }

    pub(crate) fn delete(&self, path: &str) -> Ask {
        self.ask(Method::DELETE, path)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Ask {
        self.ask(Method::POST, path).json(body)
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Ask {
        self.ask(Method::PUT, path).json(body)
    }

    pub(crate) fn patch(&self, path: &str, body: &Value) -> Ask {
        self.ask(Method::PATCH, path).json(body)
    }

    /// A stream of events, after one.
    pub(crate) async fn stream(&self, path: &str, last: Option<&str>) -> Incoming {
        let uri = format!("http://{}{path}", self.shop.address);
        let request = Request::get(uri).header("accept", "text/event-stream");
        let request = request.header("authorization", format!("Bearer {}", self.token.as_deref().unwrap_or_default()));
        let request = request.header("last-event-id", last.unwrap_or_default());
        let response = self.shop.connections.request(request.body(Full::default()).unwrap()).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        response.into_body()
    }

    /// A request without a body.
    pub(crate) fn ask(&self, method: Method, path: &str) -> Ask {
        let ask = Ask { shop: self.shop.clone(), method, path: path.to_owned(), headers: vec![], body: Bytes::new() };
        match &self.token {
            Some(token) => ask.header("authorization", &format!("Bearer {token}")),
            None => ask,
        }
    }
}

/// Serves every connection until the test ends.
async fn serve(listener: TcpListener, service: Service) {
    while let Ok((stream, _)) = listener.accept().await {
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await.ok();
        });
    }
}

/// A request that is being put together.
#[derive(Clone)]
pub(crate) struct Ask {
    shop: Shop,
    pub(crate) method: Method,
    pub(crate) path: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Ask {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.text(&body.to_string())
    }

    pub(crate) fn text(self, body: &str) -> Self {
        self.bytes("application/json", body.as_bytes())
    }

    pub(crate) fn bytes(self, content_type: &str, body: &[u8]) -> Self {
        let mut ask = self.header("content-type", content_type);
        ask.body = Bytes::copy_from_slice(body);
        ask
    }

    /// The last value of a header.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.headers.iter().rfind(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) async fn send(self) -> Reply {
        let uri = format!("http://{}{}", self.shop.address, self.path);
        let mut request = Request::builder().method(&self.method).uri(uri);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let response =
            self.shop.connections.request(request.body(Full::new(self.body.clone())).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let reply = Reply { status: parts.status, headers: parts.headers, body };
        document::check(&self, &reply);
        self.shop.check_events().await;
        reply
    }
}

/// What a client gets.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The document, which has to come with this status.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }

    /// The problem, which has to be of this status and code, and whole.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        let problem = self.expect(status);
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], format!("urn:commerce:problem:{code}"));
        assert_eq!(problem["error"], problem["title"]);
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        assert!(problem["detail"].is_string(), "{problem}");
        problem
    }

    /// A problem about one value of the body.
    #[track_caller]
    pub(crate) fn invalid(&self, pointer: &str, code: &str) {
        let problem = self.problem(422, "validation_failed");
        let places: Vec<_> =
            problem["errors"].as_array().unwrap().iter().map(|e| (text(&e["pointer"]), text(&e["code"]))).collect();
        assert!(places.contains(&(pointer, code)), "{problem}");
    }
}

/// A text in a document.
#[track_caller]
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

/// The names of the members of a document, sorted.
#[track_caller]
pub(crate) fn names(document: &Value) -> Vec<&str> {
    let mut names: Vec<_> = document.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// The path of an order.
#[track_caller]
/// An order as every answer but the first shows it.
pub(crate) fn without_secret(mut placed: Value) -> Value {
    placed["payment"].as_object_mut().unwrap().remove("client_secret").unwrap();
    placed
}

pub(crate) fn path_of(order: &Value) -> String {
    format!("/v1/orders/{}", text(&order["id"]))
}

pub(crate) fn address() -> Value {
    json!({ "name": "Ann", "line1": "1 High Street", "city": "London", "postal_code": "N1 1AA", "country": "GB" })
}

/// An order of units of a SKU.
pub(crate) fn order_of(sku: &str, quantity: i64) -> Value {
    json!({
        "items": [{ "sku": sku, "quantity": quantity }],
        "shipping_address": address(),
        "shipping_method": "standard",
    })
}

/// A key nobody has used.
pub(crate) fn fresh_key() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// A name as it stands in a path.
pub(crate) fn encoded(name: &str) -> String {
    percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// A document with one member changed.
pub(crate) fn with(mut document: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = document.pointer_mut(parent).unwrap();
    match name.parse::<usize>() {
        Ok(place) => parent[place] = value,
        Err(_) => parent[name] = value,
    }
    document
}
