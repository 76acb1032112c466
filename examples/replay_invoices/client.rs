//! A small client of the HTTP API: JSON in, JSON out, and how long it took.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// Why a call came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// The server could not be reached, or broke off.
    #[error("{method} {path}: {source}")]
    Transport {
        /// What was asked.
        method: Method,
        /// Of which resource.
        path: String,
        /// What the network said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server refused.
    #[error("{method} {path}: {status}: {detail}")]
    Refused {
        /// What was asked.
        method: Method,
        /// Of which resource.
        path: String,
        /// The status.
        status: StatusCode,
        /// The problem's detail.
        detail: String,
    },
}

/// The API of one server, as one user.
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

    /// Reads a resource.
    ///
    /// # Errors
    /// [`CallError`].
    pub(crate) async fn get(&self, path: &str) -> Result<Value, CallError> {
        Ok(self.call(Method::GET, path, "", &Value::Null).await?.0)
    }

    /// Changes something; `key` makes it safe to send again. Says how long the server took as well.
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
