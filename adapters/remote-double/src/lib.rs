//! A payment service for tests: the contract of `docs/remote-payments.md`, with books on disk and faults on demand.
//!
//! The tokens are those of the sandbox: `tok_ok`, `tok_declined`, `tok_insufficient_funds`, `tok_blocked`, `tok_3ds`, `tok_3ds_failed`,
//! `tok_slow`, `tok_timeout` (lost request) and `tok_timeout_paid` (lost answer). What is pending becomes final when the shop asks.
//!
//! Beside the contract, `GET /double/books` shows the sums of each payment, and `POST /double/outage?seconds=N` begins an outage.

mod books;
mod faults;
mod service;
mod webhooks;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use tokio::net::TcpListener;

pub use self::books::{Line, Sums};
use self::service::Served;

/// Where it listens, what it remembers, and how it fails. Shares are in thousandths of the requests or webhooks.
#[derive(Clone, Debug, Args)]
pub struct Settings {
    /// The address to listen on.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// The file with the books; it is read at the start. Without one, the books are in memory.
    #[arg(long)]
    pub books: Option<PathBuf>,
    /// Where webhooks are sent.
    #[arg(long)]
    pub webhook: Option<String>,
    /// The secret of webhooks.
    #[arg(long, env = "REMOTE_DOUBLE_SECRET", default_value = "whsec_double", hide_env_values = true)]
    pub secret: String,
    /// The account that events name.
    #[arg(long)]
    pub account: Option<String>,
    /// How long each answer takes, in milliseconds.
    #[arg(long, default_value_t = 0)]
    pub latency: u64,
    /// How long the caller waits for an answer that is lost, in milliseconds; then the connection is closed.
    #[arg(long, default_value_t = 0)]
    pub hang: u64,
    /// The share of requests that have no effect and no answer.
    #[arg(long, default_value_t = 0)]
    pub lost_requests: u64,
    /// The share of requests that have an effect and no answer.
    #[arg(long, default_value_t = 0)]
    pub lost_answers: u64,
    /// The share of webhooks that are sent twice.
    #[arg(long, default_value_t = 0)]
    pub duplicates: u64,
    /// The share of webhooks that are sent after the next one.
    #[arg(long, default_value_t = 0)]
    pub reordered: u64,
    /// The share of webhooks that are never sent; the list of events has them.
    #[arg(long, default_value_t = 0)]
    pub lost_webhooks: u64,
    /// Determines which requests and webhooks fail.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            books: None,
            webhook: None,
            secret: "whsec_double".to_owned(),
            account: None,
            latency: 0,
            hang: 0,
            lost_requests: 0,
            lost_answers: 0,
            duplicates: 0,
            reordered: 0,
            lost_webhooks: 0,
            seed: 1,
        }
    }
}

/// Starts it in this process, for as long as the runtime runs. Returns its address.
///
/// # Errors
/// It cannot listen, or the books cannot be read.
pub async fn start(settings: Settings) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(settings.listen).await?;
    let address = listener.local_addr()?;
    let served = Arc::new(Served::open(settings)?);
    tokio::spawn(service::serve(listener, served));
    Ok(address)
}
