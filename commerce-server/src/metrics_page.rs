//! Metrics and health on a separate listener, which clients cannot fill.

use std::convert::Infallible;

use bytes::Bytes;
use commerce_http::ResponseBody;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tower::{Service, ServiceExt};

use crate::listener::{self, Limits};

/// The maximum number of connections.
const CONNECTIONS: usize = 16;
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4");

/// Serves the metrics, and the health of the shop, until it is dropped.
pub(crate) async fn serve<S>(listener: TcpListener, metrics: PrometheusHandle, shop: S)
where
    S: Service<Request<Incoming>, Response = Response<ResponseBody>, Error = Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    let service = tower::service_fn(move |mut request: Request<Incoming>| {
        let (shop, metrics) = (shop.clone(), metrics.clone());
        async move {
            match request.uri().path() {
                "/metrics" => Ok(page(&metrics)),
                "/healthz" | "/readyz" => {
                    request.extensions_mut().clear(); // health needs no memory of answers
                    shop.oneshot(request).await
                }
                _ => Ok(not_found()),
            }
        }
    });
    let limits = Limits { connections: CONNECTIONS, per_client: CONNECTIONS, ..Limits::default() };
    listener::serve(listener, service, &limits, std::future::pending()).await;
}

fn page(metrics: &PrometheusHandle) -> Response<ResponseBody> {
    metrics.run_upkeep();
    let mut answer = Response::new(Bytes::from(metrics.render()).into());
    answer.headers_mut().insert(CONTENT_TYPE, TEXT);
    answer
}

fn not_found() -> Response<ResponseBody> {
    let mut answer = Response::new(Bytes::new().into());
    *answer.status_mut() = StatusCode::NOT_FOUND;
    answer
}
