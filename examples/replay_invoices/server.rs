//! A server in this process on a free port.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use commerce_core::actor::Role;
use commerce_core::engine::Engine;
use commerce_core::payment::SandboxProcessor;
use commerce_core::settings::Settings;
use commerce_diesel::sqlite::{SqliteOptions, SqliteStore};
use commerce_http::auth::{Auth, VerifyingKey, mint};
use commerce_http::{Options, Service};
use commerce_server::listener::{Limits, serve};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::invoices::CURRENCY;

type Failure = Box<dyn std::error::Error>;

/// The maximum duration of a replay.
const TOKEN_LIFETIME: Duration = Duration::from_secs(24 * 3600);

#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) base: String,
    pub(crate) token: String,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
    worker: JoinHandle<()>,
    directory: Option<tempfile::TempDir>,
}

impl Server {
    /// Starts a server on a database, by default a temporary one.
    ///
    /// # Errors
    /// The database cannot be opened, or no port is free.
    pub(crate) async fn start(database: Option<PathBuf>) -> Result<Self, Failure> {
        let directory = if database.is_none() { Some(tempfile::tempdir()?) } else { None };
        let path = database.or_else(|| directory.as_ref().map(|directory| directory.path().join("shop.db")));
        let store = SqliteStore::open(&path.unwrap_or_default(), SqliteOptions::default()).await?;
        let engine =
            Engine::builder(Settings::new(CURRENCY), Arc::new(store), Arc::new(SandboxProcessor::in_memory())).build();

        let secret = uuid::Uuid::now_v7().to_string();
        let auth = Auth::new(vec![VerifyingKey::hs256(secret.as_bytes())?]);
        let token = mint(secret.as_bytes(), "replay", Role::Admin, TOKEN_LIFETIME)?;
        let service = Service::new(engine.clone(), Options::new(auth));

        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            let stopped = async { stopped.await.unwrap_or_default() };
            serve(listener, service, &Limits::default(), stopped).await;
        });
        Ok(Self { base, token, stop, serving, worker: tokio::spawn(work(engine)), directory })
    }

    /// Stops after the running requests.
    pub(crate) async fn stop(self) {
        self.worker.abort();
        if self.stop.send(()).is_ok() {
            self.serving.await.unwrap_or_default();
        }
        drop(self.directory);
    }
}

/// Runs due tasks, such as refunds.
async fn work(engine: Engine) {
    loop {
        if let Err(error) = engine.run_due_tasks(100).await {
            eprintln!("tasks: {error}");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
