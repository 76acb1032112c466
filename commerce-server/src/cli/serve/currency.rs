//! The currency of a shop that nobody named one for.
//!
//! It is the currency of the products. A shop without products assumes US dollars; as soon as the first products come in
//! another currency, from an import beside the running server, it is theirs.

use std::convert::Infallible;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};
use std::time::Duration;

use commerce_core::money::Currency;
use commerce_http::{Options, Service};
use http::Request;
use hyper::body::Incoming;

use super::super::failure::Failure;
use super::super::opened::OpenStore;
use crate::config::Config;

const EVERY: Duration = Duration::from_millis(500);

/// The service, which may be another from one request to the next.
#[derive(Clone, Debug)]
pub(super) struct Counter {
    service: Arc<RwLock<Service>>,
}

impl Counter {
    pub(super) fn new(service: Service) -> Self {
        Self { service: Arc::new(RwLock::new(service)) }
    }

    fn replace(&self, service: Service) {
        *self.service.write().unwrap_or_else(PoisonError::into_inner) = service;
    }

    fn current(&self) -> Service {
        self.service.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl tower::Service<Request<Incoming>> for Counter {
    type Response = <Service as tower::Service<Request<Incoming>>>::Response;
    type Error = Infallible;
    type Future = <Service as tower::Service<Request<Incoming>>>::Future;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // The service is always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        self.current().call(request)
    }
}

/// Waits for the first products, and serves in their currency.
pub(super) async fn follow(opened: OpenStore, config: Config, options: Options, counter: Counter) {
    let assumed = Currency::USD;
    let found = loop {
        tokio::time::sleep(EVERY).await;
        match opened.catalog_currency().await {
            Ok(Some(found)) => break found,
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "the catalog could not be read"),
        }
    };
    if found == assumed {
        return;
    }
    match serve_in(found, &opened, &config, options) {
        Ok(service) => {
            counter.replace(service);
            tracing::info!(currency = %found, "the first products came; their currency is that of the shop");
        }
        Err(error) => {
            tracing::error!(%error, currency = %found, "the settings do not fit the currency of the products");
        }
    }
}

fn serve_in(currency: Currency, opened: &OpenStore, config: &Config, options: Options) -> Result<Service, Failure> {
    Ok(Service::new(opened.engine(config, currency)?, options))
}
