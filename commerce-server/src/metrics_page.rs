//! The metrics on a listener of their own.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;

use crate::listener::{self, Limits};

const PATH: &str = "/metrics";
/// Those who read metrics are few.
const CONNECTIONS: usize = 16;
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4");

/// Serves them for as long as it is polled.
pub(crate) async fn serve(listener: TcpListener, metrics: PrometheusHandle) {
    let service = tower::service_fn(move |request: Request<Incoming>| {
        let answer = answer(request.uri().path(), &metrics);
        async move { Ok::<_, Infallible>(answer) }
    });
    let limits = Limits { connections: CONNECTIONS, ..Limits::default() };
    listener::serve(listener, service, &limits, std::future::pending()).await;
}

fn answer(path: &str, metrics: &PrometheusHandle) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::default());
    if path == PATH {
        metrics.run_upkeep();
        answer.headers_mut().insert(CONTENT_TYPE, TEXT);
        *answer.body_mut() = Full::from(metrics.render());
    } else {
        *answer.status_mut() = StatusCode::NOT_FOUND;
    }
    answer
}
