//! A small client of the HTTP API that measures times.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// The reason why a call failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// The server is not reachable, or the connection was aborted.
    #[error("{method} {path}: {source}")]
    Transport { method: Method, path: String, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("{method} {path}: {status}: {detail}")]
    Refused { method: Method, path: String, status: StatusCode, detail: String },
}

/// A client of one server, as one user.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: HyperClient<HttpConnector, Full<Bytes>>,
    base: String,
    token: String,
}

impl Client {
    /// A client of the server at `base`, such as `http://127.0.0.1:8080`.
    pub(crate) fn new(base: &str, token: String) -> Self {
        let http = HyperClient::builder(TokioExecutor::new()).build_http();
        Self { http, base: base.trim_end_matches('/').to_owned(), token }
    }

    ///
    /// # Errors
    /// [`CallError`].
    pub(crate) async fn get(&self, path: &str) -> Result<Value, CallError> {
        Ok(self.call(Method::GET, path, "", &Value::Null).await?.0)
    }

    /// Sends a write; `key` makes it repeatable. Also returns the time that it took.
    ///
    /// # Errors
    /// [`CallError`].
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        key: &str,
        body: &Value,
    ) -> Result<(Value, Duration), CallError> {
        let request = self.request(&method, path, key, body);
        let transport = |source: Box<dyn std::error::Error + Send + Sync>| CallError::Transport {
            method: method.clone(),
            path: path.to_owned(),
            source,
        };
        let start = Instant::now();
        let request = request.map_err(|error| transport(error.into()))?;
        let response = self.http.request(request).await.map_err(|error| transport(error.into()))?;
        let status = response.status();
        let bytes = response.into_body().collect().await.map_err(|error| transport(error.into()))?.to_bytes();
        let took = start.elapsed();
        let value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if !status.is_success() {
            let detail = value["detail"].as_str().unwrap_or_default().to_owned();
            return Err(CallError::Refused { method, path: path.to_owned(), status, detail });
        }
        Ok((value, took))
    }

    fn request(&self, method: &Method, path: &str, key: &str, body: &Value) -> http::Result<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}/v1{path}", self.base))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        if !key.is_empty() {
            request = request.header("idempotency-key", key);
        }
        if body.is_null() {
            return request.body(Full::default());
        }
        request.header(header::CONTENT_TYPE, "application/json").body(Full::from(body.to_string()))
    }
}
