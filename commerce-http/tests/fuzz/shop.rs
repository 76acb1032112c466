//! A shop in memory that is asked without a socket.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use commerce_core::prelude::*;
use commerce_http::auth::{Auth, VerifyingKey, mint};
use commerce_http::contract::Contract;
use commerce_http::{Options, Service, openapi};
use commerce_testkit::{MemoryStore, SequentialIds};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

pub(crate) const SECRET: &[u8] = b"the secret of the tests is long enough";
/// A shop is opened anew after so many requests, because it keeps what they made.
const LIFE: u32 = 1000;

/// Headers of a request.
pub(crate) type Headers<'a> = &'a [(HeaderName, HeaderValue)];

/// A shop with a product, a cart, a delivered order and a return.
pub(crate) struct Shop {
    runtime: Runtime,
    token: HeaderValue,
    document: Value,
    contract: Option<Contract>,
    service: Service,
    /// What makes the orders and carts: the same shop without a contract.
    maker: Service,
    /// The values of the parameters of paths, by the noun.
    places: BTreeMap<&'static str, String>,
    sent: u32,
}

impl Shop {
    pub(crate) fn open() -> Self {
        Self::with(None)
    }

    /// A shop that is asked in the form of a contract.
    pub(crate) fn with(contract: Option<Contract>) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let token = mint(SECRET, "ann", Role::Admin, Duration::from_secs(1_000_000)).expect("a token");
        let token = HeaderValue::try_from(format!("Bearer {token}")).expect("a header");
        let document = serde_json::from_str(&openapi()).expect("a document");
        let (service, maker) = services(contract.as_ref());
        let mut shop = Self { runtime, token, document, contract, service, maker, places: BTreeMap::new(), sent: 0 };
        shop.renew();
        shop
    }

    /// The operations with a body, each with the example of it: the method, the path, and in the next line the body.
    pub(crate) fn requests(&self) -> Vec<Vec<u8>> {
        let asked = self.contract.as_ref().and_then(|contract| serde_json::from_slice(contract.document()).ok());
        let document: Value = asked.unwrap_or_else(|| self.document.clone());
        let paths = document["paths"].as_object().into_iter().flatten();
        let operations = paths.flat_map(|(path, item)| {
            item.as_object().into_iter().flatten().map(move |(method, operation)| (path, method, operation))
        });
        let requests = operations.filter_map(|(path, method, operation)| {
            let content = operation["requestBody"]["content"].as_object()?.values().next()?;
            let name = content["schema"]["$ref"].as_str()?.rsplit('/').next()?;
            let example = &document["components"]["examples"][name]["value"];
            Some(format!("{} {path}\n{example}", method.to_uppercase()))
        });
        requests.map(String::into_bytes).collect()
    }

    pub(crate) fn example(&self, name: &str) -> Value {
        self.document["components"]["examples"][name]["value"].clone()
    }

    /// Sends a request as an admin, to a path with parameters or without.
    pub(crate) fn ask(&mut self, method: &str, path: &str, headers: Headers<'_>, body: &[u8]) -> Option<StatusCode> {
        self.sent += 1;
        if self.sent.is_multiple_of(LIFE) {
            self.renew();
        }
        let path = self.at(path);
        let token = (AUTHORIZATION, self.token.clone());
        let key = (HeaderName::from_static("idempotency-key"), HeaderValue::from(self.sent));
        let own: Vec<_> =
            [token, key].into_iter().filter(|(name, _)| headers.iter().all(|(given, _)| given != name)).collect();
        let mut request = Request::builder().method(method).uri(path).header(CONTENT_TYPE, "application/json");
        for (name, value) in own.iter().chain(headers) {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::copy_from_slice(body))).ok()?;
        let (status, answer) = self.answer(&self.service, request);
        let is_broken = status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED;
        assert!(!is_broken, "{status}: {}", String::from_utf8_lossy(&answer));
        Some(status)
    }

    fn answer(&self, service: &Service, request: Request<Full<Bytes>>) -> (StatusCode, Bytes) {
        self.runtime.block_on(async {
            let Ok(answer) = service.clone().oneshot(request).await;
            let status = answer.status();
            (status, answer.into_body().collect().await.expect("a body").to_bytes())
        })
    }

    fn renew(&mut self) {
        (self.service, self.maker) = services(self.contract.as_ref());
        self.places = BTreeMap::from([("sku", "mug".to_owned()), ("products", "mug".to_owned())]);
        let make =
            |shop: &Self, method: &str, path: &str, example: &str| shop.make(method, path, &shop.example(example));
        make(self, "POST", "/v1/categories", "NewCategory");
        make(self, "POST", "/v1/products", "NewProduct");
        make(self, "PUT", "/v1/inventory/mug", "NewLevel");
        make(self, "POST", "/v1/promos", "NewPromotion");
        let order = make(self, "POST", "/v1/orders", "NewOrder");
        self.place("orders", &order["id"]);
        self.place("payments", &order["payment"]["id"]);
        make(self, "POST", "/v1/payments/{id}/confirm", "Confirmation");
        for status in ["shipped", "delivered"] {
            self.make("PUT", "/v1/orders/{id}/status", &serde_json::json!({ "status": status }));
        }
        let mut units = self.example("NewReturn");
        units["items"][0]["item_id"] = order["items"][0]["id"].clone();
        let request = self.make("POST", "/v1/orders/{id}/returns", &units);
        self.place("returns", &request["id"]);
        let cart = make(self, "POST", "/v1/carts", "NewCart");
        self.place("carts", &cart["id"]);
        let cart = make(self, "POST", "/v1/carts/{id}/items", "NewItem");
        self.place("item_id", &cart["items"][0]["id"]);
    }

    /// Sends a request that must be carried out.
    fn make(&self, method: &str, path: &str, body: &Value) -> Value {
        let request = Request::builder().method(method).uri(self.at(path)).header(CONTENT_TYPE, "application/json");
        let request = request.header(AUTHORIZATION, &self.token).header("idempotency-key", path);
        let request = request.body(Full::new(body.to_string().into())).expect("a request");
        let (status, answer) = self.answer(&self.maker, request);
        assert!(status.is_success(), "{method} {path}: {}", String::from_utf8_lossy(&answer));
        serde_json::from_slice(&answer).expect("JSON")
    }

    fn place(&mut self, name: &'static str, value: &Value) {
        self.places.insert(name, value.as_str().expect("a text").to_owned());
    }

    /// A path with the values of its parameters.
    fn at(&self, path: &str) -> String {
        let noun = path.split('/').nth(2).unwrap_or_default();
        let fallback = match noun {
            "categories" => "kitchen",
            "customers" => "ann",
            "promos" => "summer",
            _ => "mug",
        };
        let id = self.places.get(noun).map_or(fallback, String::as_str);
        let item = self.places.get("item_id").map_or("", String::as_str);
        path.replace("{id}", id).replace("{item_id}", item).replace("{sku}", "mug")
    }
}

/// A shop in the form of a contract, and the same shop without it.
fn services(contract: Option<&Contract>) -> (Service, Service) {
    let auth = Auth::new(vec![VerifyingKey::hs256(SECRET).expect("a key")]);
    let options = Options { orders_per_minute: 0, codes_per_minute: 0, ..Options::new(auth) };
    let builder = Engine::builder(
        Settings::new(Currency::USD),
        Arc::new(MemoryStore::new()),
        Arc::new(SandboxProcessor::in_memory()),
    );
    let engine = builder.ids(Arc::new(SequentialIds::new(1))).build();
    let asked = Options { contract: contract.cloned(), ..options.clone() };
    (Service::new(engine.clone(), asked), Service::new(engine, options))
}
