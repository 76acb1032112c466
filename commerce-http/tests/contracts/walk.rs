//! A shop with a contract behind a socket, and the steps through its document.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::DateTime;
use commerce_core::actor::{Actor, Role};
use commerce_core::engine::Engine;
use commerce_core::money::Currency;
use commerce_core::order::{Lifecycle, UnpaidLimits};
use commerce_core::payment::SandboxProcessor;
use commerce_core::settings::Settings;
use commerce_http::auth::{Auth, VerifyingKey, mint};
use commerce_http::contract::{Contract, ContractSettings};
use commerce_http::{Options, Service};
use commerce_testkit::{FakeUsers, ManualClock, MemoryStore};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use tokio::net::TcpListener;

const SECRET: &[u8] = b"the secret of the tests is long enough";
const SHOP: &str = include_str!("shop.json");

/// A shop that speaks a contract.
pub(crate) struct Walk {
    address: SocketAddr,
    engine: Engine,
    /// What the shop says of itself.
    document: Value,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// What a client gets.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

/// Stands for any value in what a step expects.
pub(crate) const ANY: Value = Value::Null;

impl Walk {
    /// A shop with a built-in contract and a lifecycle, which sells the mugs of `shop.json`.
    pub(crate) async fn start(contract: &str, lifecycle: &str) -> Self {
        let settings = ContractSettings { contract: Some(contract.to_owned()), ..ContractSettings::default() };
        Self::with(settings, Lifecycle::built_in(lifecycle).unwrap()).await
    }

    pub(crate) async fn with(contract: ContractSettings, lifecycle: Lifecycle) -> Self {
        let mut settings = Settings::new(Currency::USD);
        (settings.unpaid, settings.lifecycle) = (UnpaidLimits::NONE, lifecycle);
        let known = ["ann", "bob", "root", "robot"].map(|name| name.parse().unwrap());
        let clock = Arc::new(ManualClock::new(DateTime::from_timestamp(1_772_366_400, 0).unwrap()));
        let store = Arc::new(MemoryStore::new());
        let engine = Engine::builder(settings, store, Arc::new(SandboxProcessor::in_memory()));
        let engine = engine.clock(clock).users(Arc::new(FakeUsers::knowing(known))).build();
        let options = Options::new(Auth::new(vec![VerifyingKey::hs256(SECRET).unwrap()]));
        let plain = Service::new(engine.clone(), options.clone());
        let contract = Contract::new(contract).unwrap();
        let document: Value = serde_json::from_slice(contract.document()).unwrap();
        let service = Service::new(engine.clone(), Options { contract: Some(contract), ..options });
        let client = Client::builder(TokioExecutor::new()).build_http();
        let inner = Self { address: listen(plain).await, engine, client, document: Value::Null };
        inner.stock().await;
        Self { address: listen(service).await, document, ..inner }
    }

    /// Checks an answer against the document of the contract.
    #[track_caller]
    fn check(&self, method: &str, path: &str, reply: &Reply) {
        let fits = |template: &str| {
            let (given, named) = (path.split('?').next().unwrap().split('/'), template.split('/'));
            given.clone().count() == named.clone().count()
                && given.zip(named).all(|(given, named)| given == named || named.starts_with('{'))
        };
        let paths = self.document["paths"].as_object().into_iter().flatten();
        let found =
            paths.filter(|(template, _)| fits(template)).min_by_key(|(template, _)| template.matches('{').count());
        let Some((template, item)) = found else { return };
        let described = &item[method.to_lowercase()]["responses"][reply.status.as_str()];
        let schema = &described["content"]["application/json"]["schema"];
        if !reply.status.is_success() || schema.is_null() {
            assert!(reply.text.is_empty() || !reply.status.is_success(), "{method} {template} has a body");
            return;
        }
        let whole = json!({ "allOf": [schema], "components": { "schemas": self.document["components"]["schemas"] } });
        let validator = jsonschema::options().with_draft(jsonschema::Draft::Draft202012).build(&whole).unwrap();
        let faults: Vec<_> =
            validator.iter_errors(&reply.json()).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(faults.is_empty(), "{method} {template}: {}\n{}", faults.join("\n"), reply.text);
    }

    /// Puts what the shop sells on sale, in the form of a shop without a contract.
    async fn stock(&self) {
        let shop: Value = serde_json::from_str(SHOP).unwrap();
        for step in shop.as_array().unwrap() {
            let (asked, body) = (step["ask"].as_str().unwrap(), &step["body"]);
            let reply = self.ask("root", asked, body).await;
            assert!(reply.status.is_success(), "{asked}: {}", reply.text);
        }
    }

    /// Sends a request, such as `POST /carts`. The token of `robot` is that of a service, that of `root` of an admin.
    pub(crate) async fn ask(&self, who: &str, asked: &str, body: &Value) -> Reply {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        self.send(who, asked, &[], &text).await
    }

    pub(crate) async fn send(&self, who: &str, asked: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let (method, path) = asked.split_once(' ').unwrap();
        let role = match who {
            "root" => Role::Admin,
            "robot" => Role::Service,
            _ => Role::Customer,
        };
        let token = mint(SECRET, who, role, Duration::from_secs(600)).unwrap();
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        request = request.header("authorization", format!("Bearer {token}"));
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.client.request(request.body(Full::from(body.to_owned())).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        let reply = Reply { status: parts.status, headers: parts.headers, text };
        self.check(method, path, &reply);
        reply
    }

    /// What a document asks for in a line without an endpoint, and the shop does not have yet: no path has one of the words.
    #[track_caller]
    pub(crate) fn lacks(&self, line: u32, words: &[&str]) {
        let paths = self.document["paths"].as_object().unwrap();
        let found = paths.keys().find(|path| words.iter().any(|word| path.contains(word)));
        assert_eq!(found, None, "line {line} is no longer pending");
    }

    /// Does what is due, such as refunds.
    pub(crate) async fn run_tasks(&self) {
        self.engine.run_due_tasks(100).await.unwrap();
    }

    /// The types of the events of the states of an order.
    pub(crate) async fn events(&self, order: &str) -> Vec<String> {
        let page = commerce_core::port::PageRequest { limit: 100, after: None };
        let order = commerce_core::port::OrderRef::Id(order.parse().unwrap());
        let history = self.engine.order_history(&Actor::SYSTEM, &order, &page).await.unwrap();
        let types = history.items.iter().map(|item| item.entry.event.event_type());
        types.filter(|known| known.starts_with("order.")).map(str::to_owned).collect()
    }
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Whether the status or a wanted member is not there. A list may have entries that are not wanted.
    fn differs(&self, status: u16, wanted: &Value) -> Result<(), String> {
        if self.status.as_u16() != status {
            return Err(format!("{} instead of {status}", self.status));
        }
        contains(&self.json(), wanted, "")
    }

    /// A problem about one value.
    #[track_caller]
    pub(crate) fn invalid(&self, pointer: &str, code: &str) {
        let wanted = json!({ "errors": [{ "pointer": pointer, "code": code }] });
        assert!(self.differs(422, &wanted).is_ok(), "{}", self.text);
    }
}

fn contains(given: &Value, wanted: &Value, place: &str) -> Result<(), String> {
    let within = |given: Option<&Value>, wanted: &Value, name: &str| match given {
        Some(given) => contains(given, wanted, &format!("{place}/{name}")),
        None => Err(format!("{place}/{name} is missing")),
    };
    match wanted {
        Value::Null => Ok(()),
        Value::Object(members) => members.iter().try_for_each(|(name, wanted)| within(given.get(name), wanted, name)),
        Value::Array(entries) if given.is_array() => {
            entries.iter().enumerate().try_for_each(|(at, wanted)| within(given.get(at), wanted, &at.to_string()))
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) if given == wanted => Ok(()),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(format!("{place} is {given} instead of {wanted}"))
        }
    }
}

async fn listen(service: Service) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await.ok();
            });
        }
    });
    address
}

/// A step that the document asks for in a line, and that the shop has.
#[track_caller]
pub(crate) fn has(line: u32, reply: &Reply, status: u16, wanted: &Value) -> Value {
    if let Err(difference) = reply.differs(status, wanted) {
        panic!("line {line}: {difference}\n{}", reply.text);
    }
    reply.json()
}

/// A step that the document asks for in a line, and that the shop does not have yet.
#[track_caller]
pub(crate) fn pending(line: u32, reply: &Reply, status: u16, wanted: &Value) {
    assert!(reply.differs(status, wanted).is_err(), "line {line} is no longer pending: {}", reply.text);
}

/// A text in a document.
#[track_caller]
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}
