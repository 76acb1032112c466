//! Orders over HTTP: from a token and a body to a committed order, over persistent loopback connections.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use commerce_core::actor::{Actor, Role};
use commerce_core::catalog::Variant;
use commerce_core::engine::{Engine, ImportRow, ProductInput};
use commerce_core::money::{Currency, Money};
use commerce_core::order::UnpaidLimits;
use commerce_core::payment::SandboxProcessor;
use commerce_core::port::Store;
use commerce_core::settings::Settings;
use commerce_diesel::DatabaseOptions;
use commerce_diesel::postgres::PostgresStore;
use commerce_diesel::sqlite::{SqliteOptions, SqliteStore};
use commerce_http::auth::{Auth, VerifyingKey, mint};
use commerce_http::{Options, Service};
use commerce_server::listener::{Limits, serve};
use http::{Request, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::json;
use test_servers::{Postgres, ServerOptions};
use tokio::net::TcpListener;

use crate::rounds::{Crowd, Failure, Placing};

const SECRET: &[u8] = b"a secret for the benchmark and nothing else";
/// The number of products.
const PRODUCTS: usize = 1_000;
/// Enough for any number of rounds.
const ON_HAND: i64 = 1_000_000_000;

/// The state that all clients share.
struct Shop {
    http: Client<HttpConnector, Full<Bytes>>,
    url: String,
    token: String,
    orders: AtomicUsize,
}

/// Clients of a server on SQLite in a temporary directory, with full durability.
pub(crate) async fn sqlite(clients: usize) -> Result<Crowd, Failure> {
    let directory = tempfile::tempdir()?;
    let store = SqliteStore::open(&directory.path().join("bench.db"), SqliteOptions::default()).await?;
    over(Arc::new(store), Box::new(directory), clients).await
}

/// Clients of a server on PostgreSQL, which runs on the same cores with its default durability.
pub(crate) async fn postgres(clients: usize) -> Result<Crowd, Failure> {
    let server = Postgres::start(&ServerOptions { durable: true, ..ServerOptions::default() })?;
    server.create_database("bench")?;
    let store = PostgresStore::open(&server.url("bench"), DatabaseOptions::default()).await?;
    over(Arc::new(store), Box::new(server), clients).await
}

async fn over(store: Arc<dyn Store>, keep: Box<dyn Any + Send>, clients: usize) -> Result<Crowd, Failure> {
    let mut settings = Settings::new(Currency::EUR);
    settings.unpaid = UnpaidLimits::NONE;
    let engine = Engine::builder(settings, store, Arc::new(SandboxProcessor::in_memory())).build();
    fill(&engine).await?;
    let auth = Auth::new(vec![VerifyingKey::hs256(SECRET)?]);
    let options = Options { orders_per_minute: 0, ..Options::new(auth) };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let shop = Arc::new(Shop {
        http: Client::builder(TokioExecutor::new()).build_http(),
        url: format!("http://{}/v1/orders", listener.local_addr()?),
        token: mint(SECRET, "ann", Role::Customer, Duration::from_secs(3600))?,
        orders: AtomicUsize::new(0),
    });
    let service = Service::new(engine, options);
    tokio::spawn(async move { serve(listener, service, &Limits::default(), std::future::pending()).await });
    let load = move |until: Instant| -> Placing {
        let shop = Arc::clone(&shop);
        Box::pin(async move { shop.order_until(until).await })
    };
    Ok(Crowd { submitters: clients, load: Arc::new(load), _keep: keep })
}

async fn fill(engine: &Engine) -> Result<(), Failure> {
    let admin = Actor::user(Role::Admin, "bench".parse()?);
    let rows = (0..PRODUCTS).map(row).collect::<Result<Vec<_>, _>>()?;
    for chunk in rows.chunks(250) {
        engine.import(&admin, chunk).await?;
    }
    Ok(())
}

fn row(n: usize) -> Result<ImportRow, Failure> {
    let sku = format!("SKU-{n:04}");
    let variant = Variant::new(sku.parse()?, Money::new(1_250, Currency::EUR));
    let product = ProductInput::new("A thing".parse()?, vec![variant]);
    Ok(ImportRow { id: sku.parse()?, product, on_hand: vec![ON_HAND] })
}

impl Shop {
    async fn order_until(&self, until: Instant) -> Result<u64, Failure> {
        let mut count = 0;
        while Instant::now() < until {
            self.order(self.orders.fetch_add(1, Ordering::Relaxed)).await?;
            count += 1;
        }
        Ok(count)
    }

    async fn order(&self, n: usize) -> Result<(), Failure> {
        let item = |step| json!({ "sku": format!("SKU-{:04}", (n * 3 + step) % PRODUCTS), "quantity": 1 });
        let body = json!({
            "items": [item(0), item(1), item(2)],
            "shipping_method": "standard",
            "shipping_address": { "name": "Ann", "line1": "1 High Street", "city": "London", "postal_code": "E1 6AN", "country": "GB" },
        });
        let request = Request::post(&self.url)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", format!("order-{n}"))
            .body(Full::from(body.to_string()))?;
        let response = self.http.request(request).await?;
        let status = response.status();
        let text = response.into_body().collect().await?.to_bytes();
        if status.is_success() { Ok(()) } else { Err(String::from_utf8_lossy(&text).into_owned().into()) }
    }
}
