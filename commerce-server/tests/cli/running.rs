//! The program in a directory of its own, and a client of it.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use commerce_core::actor::Role;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tempfile::TempDir;

use crate::home::{DATABASE, Home};

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A number of the environment, which makes a test longer.
pub(crate) fn setting(name: &str, usual: u32) -> u32 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(usual)
}

/// An address that is free now.
pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}

/// The program, with nothing of our own environment, for the database of the directory.
pub(crate) fn commerce(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_commerce"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("COMMERCE_") {
            command.env_remove(name);
        }
    }
    if let Ok(url) = std::fs::read_to_string(directory.join(DATABASE)) {
        command.env("COMMERCE_DATABASE", url);
    }
    command.current_dir(directory).stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub(crate) fn run<A: AsRef<OsStr>>(directory: &Path, arguments: &[A]) -> Output {
    commerce(directory).args(arguments).output().expect("it runs")
}

/// What it printed.
pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

/// What it complained of.
pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

/// Runs it, and it must succeed.
#[track_caller]
pub(crate) fn succeed<A: AsRef<OsStr>>(directory: &Path, arguments: &[A]) -> String {
    let output = run(directory, arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output)
}

/// Runs it, and it must fail with a code and one line that has some words.
#[track_caller]
pub(crate) fn fail<A: AsRef<OsStr>>(directory: &Path, arguments: &[A], code: i32, words: &str) {
    let output = run(directory, arguments);
    let complaint = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{complaint}");
    assert!(complaint.contains(words), "{complaint}");
    assert!(!complaint.contains("panicked"), "{complaint}");
    if code == 1 {
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
    }
}

/// A server at work.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    guide: mpsc::Receiver<String>,
    log: mpsc::Receiver<String>,
}

/// How a server ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) log: String,
}

impl Server {
    /// Starts one on a free port, and waits until it serves.
    pub(crate) fn start(directory: &Path, arguments: &[&str]) -> Self {
        Self::start_with(commerce(directory).args(["--listen", "127.0.0.1:0"]).args(arguments))
    }

    /// Starts one by a command.
    pub(crate) fn start_with(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let guide = collect(child.stdout.take().expect("piped"), None);
        let (found, address) = mpsc::channel();
        let log = collect(child.stderr.take().expect("piped"), Some(found));
        let Ok(address) = address.recv_timeout(PATIENCE) else {
            child.kill().ok();
            panic!("it does not serve: {:?}", log.recv_timeout(PATIENCE));
        };
        Self { child, address, guide, log }
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end.
    pub(crate) fn terminate(&self) {
        let killed = Command::new("kill").arg("-TERM").arg(self.pid().to_string()).status();
        assert!(killed.expect("kill runs").success());
    }

    /// Kills it in the middle of whatever it does.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Asks it to end, and waits.
    pub(crate) fn stop(self) -> Ended {
        self.terminate();
        self.wait()
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Ended {
        let deadline = Instant::now() + PATIENCE;
        let code = loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                break status.code();
            }
            assert!(Instant::now() < deadline, "it does not end");
            thread::sleep(Duration::from_millis(5));
        };
        let stdout = self.guide.recv_timeout(PATIENCE).expect("stdout");
        Ended { code, stdout, log: self.log.recv_timeout(PATIENCE).expect("stderr") }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Reads all of a stream in a thread; tells the address as soon as a line of log has it.
fn collect(stream: impl Read + Send + 'static, address: Option<mpsc::Sender<SocketAddr>>) -> mpsc::Receiver<String> {
    let (done, text) = mpsc::channel();
    thread::spawn(move || {
        let mut all = String::new();
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let found = serde_json::from_str::<Value>(&line).ok().filter(|line| line["message"] == "serving");
            let found = found.and_then(|line| line["address"].as_str()?.parse().ok());
            if let Some((address, found)) = address.as_ref().zip(found) {
                address.send(found).ok();
            }
            all.push_str(&line);
            all.push('\n');
        }
        done.send(all).ok();
    });
    text
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// When to try again, if it says so.
    pub(crate) retry_after: Option<String>,
    pub(crate) body: Value,
}

/// A client of a server, as nobody or with a token.
#[derive(Clone)]
pub(crate) struct Caller {
    client: Client<HttpConnector, Full<Bytes>>,
    address: SocketAddr,
    token: Option<String>,
}

/// The server or the connection broke off.
pub(crate) type Broken = Box<dyn std::error::Error + Send + Sync>;

impl Caller {
    pub(crate) fn guest(address: SocketAddr) -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http(), address, token: None }
    }

    /// The same client for somebody with a token of the development key in a directory.
    pub(crate) fn acting(&self, directory: &Path, sub: &str, role: Role) -> Self {
        let keys = ["commerce.db.key", "commerce.key"].map(|name| std::fs::read_to_string(directory.join(name)));
        let key = keys.into_iter().find_map(Result::ok).expect("a key");
        let token = commerce_http::auth::mint(key.trim().as_bytes(), sub, role, PATIENCE * 10).expect("a token");
        self.with_token(&token)
    }

    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    pub(crate) fn at(&self, address: SocketAddr) -> Self {
        Self { address, ..self.clone() }
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: &Value,
    ) -> Result<Answer, Broken> {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
        let request = request.header("content-type", "application/json").body(Full::new(body))?;
        let answer = tokio::time::timeout(PATIENCE, self.client.request(request)).await??;
        let status = answer.status();
        let retry_after = answer.headers().get("retry-after").and_then(|value| Some(value.to_str().ok()?.to_owned()));
        let body = answer.into_body().collect().await?.to_bytes();
        Ok(Answer { status, retry_after, body: serde_json::from_slice(&body).unwrap_or(Value::Null) })
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, &Value::Null).await.expect("an answer")
    }

    pub(crate) async fn order(&self, key: &str, body: &Value) -> Result<Answer, Broken> {
        self.send(Method::POST, "/v1/orders", Some(key), body).await
    }
}

/// One line of an order with all it needs.
pub(crate) fn order_of(sku: &str, quantity: u32) -> Value {
    serde_json::json!({
        "items": [{ "sku": sku, "quantity": quantity }],
        "shipping_method": "standard",
        "shipping_address": {
            "name": "Ann", "line1": "1 Main Street", "city": "Springfield", "postal_code": "12345", "country": "US"
        },
    })
}

/// An empty directory.
pub(crate) fn directory() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

/// Writes a file of products: SKU and units on hand.
pub(crate) fn products(directory: &Path, products: &[(&str, u32)]) -> String {
    let path = directory.join("products.csv");
    let row = |(sku, units): &(&str, u32)| format!("{sku},Product {sku},2.50,EUR,{units}\n");
    let rows: Vec<String> = products.iter().map(row).collect();
    std::fs::write(&path, format!("sku,name,price,currency,on_hand\n{}", rows.concat())).expect("written");
    path.to_str().expect("text").to_owned()
}

/// A directory with products in its database.
pub(crate) fn stocked(stock: &[(&str, u32)]) -> Home {
    let home = Home::sqlite();
    home.stock(stock);
    home
}
