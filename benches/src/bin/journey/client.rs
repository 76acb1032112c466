//! A client on a connection of its own.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::Failure;

/// The longest time for an answer. The server itself gives up after ten seconds.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

/// A request of somebody. It is a GET without a body.
pub(crate) struct Call<'a> {
    pub(crate) token: &'a str,
    pub(crate) path: &'a str,
    pub(crate) body: Option<String>,
    /// The idempotency key.
    pub(crate) key: Option<String>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender, host: address.to_string() })
    }

    /// Sends a request and takes its answer, which must have this status.
    pub(crate) async fn call(&mut self, call: Call<'_>, expected: StatusCode) -> Result<Bytes, Failure> {
        let path = call.path.to_owned();
        let request = self.request(call)?;
        let (status, body) = timeout(PATIENCE, self.send(request)).await??;
        if status == expected {
            return Ok(body);
        }
        Err(format!("{path} was answered with {status}: {}", String::from_utf8_lossy(&body)).into())
    }

    fn request(&self, call: Call<'_>) -> Result<Request<Full<Bytes>>, Failure> {
        let method = if call.body.is_some() { "POST" } else { "GET" };
        let mut request = Request::builder().method(method).uri(call.path).header(header::HOST, &self.host);
        request = request.header(header::AUTHORIZATION, call.token);
        if let Some(key) = call.key {
            request = request.header("idempotency-key", key);
        }
        if call.body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        Ok(request.body(Full::from(call.body.unwrap_or_default()))?)
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), Failure> {
        self.sender.ready().await?;
        let answer = self.sender.send_request(request).await?;
        Ok((answer.status(), answer.into_body().collect().await?.to_bytes()))
    }
}
