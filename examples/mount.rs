//! The HTTP API in another program, as a `tower::Service`.
//!
//! The program has its own page at `/`, and the shop under `/v1`. It requests both, prints the answers and exits.
//!
//! ```sh
//! cargo run -p examples --example mount
//! ```

#![expect(clippy::print_stdout, reason = "an example reports on standard output")]

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use commerce_core::engine::Engine;
use commerce_core::money::Currency;
use commerce_core::payment::SandboxProcessor;
use commerce_core::settings::Settings;
use commerce_diesel::sqlite::{SqliteOptions, SqliteStore};
use commerce_http::auth::{Auth, VerifyingKey};
use commerce_http::{Options, Service};
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use tower::ServiceExt;

type Failure = Box<dyn std::error::Error + Send + Sync>;
type PageRequest = Response<UnsyncBoxBody<Bytes, Failure>>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let directory = tempfile::tempdir()?;
    let store = SqliteStore::open(&directory.path().join("shop.db"), SqliteOptions::default()).await?;
    let engine =
        Engine::builder(Settings::new(Currency::EUR), Arc::new(store), Arc::new(SandboxProcessor::in_memory())).build();
    let auth = Auth::new(vec![VerifyingKey::hs256(b"a secret of at least thirty-two bytes")?]);
    let shop = Service::new(engine, Options::new(auth));

    for path in ["/", "/v1/products", "/v1/carts/none"] {
        let request = Request::get(path).body(Full::<Bytes>::default())?;
        let (head, body) = route(shop.clone(), request).await?.into_parts();
        let text = body.collect().await?.to_bytes();
        println!("GET {path}\n  {} {}", head.status, String::from_utf8_lossy(&text));
    }
    Ok(())
}

/// The routing of the program. Paths that begin with `/v1` go to the shop.
async fn route(shop: Service, request: Request<Full<Bytes>>) -> Result<PageRequest, Failure> {
    if request.uri().path().starts_with("/v1/") {
        let response = shop.oneshot(request).await?;
        return Ok(response.map(|body| body.map_err(Failure::from).boxed_unsync()));
    }
    let page = Full::from("a page of this program").map_err(|never: Infallible| match never {});
    Ok(Response::new(page.map_err(Failure::from).boxed_unsync()))
}
