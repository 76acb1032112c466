//! A shop with orders, whose feed is published.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use commerce_core::engine::Engine;
use commerce_core::money::Currency;
use commerce_core::payment::SandboxProcessor;
use commerce_core::port::Store;
use commerce_core::settings::Settings;
use commerce_diesel::sqlite::{SqliteOptions, SqliteStore};
use commerce_events::{Relay, Round, SharedFeed, Source};
use commerce_http::dto::event::write;
use commerce_testkit::CommitBuilder;
use commerce_webhooks::{Config, HttpWebhooks, SigningKeys};
use futures_util::future::try_join_all;
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

const SKUS: [&str; 3] = ["MUG", "CUP", "POT"];
/// Commits at once while the shop is filled.
const TOGETHER: usize = 64;

pub(crate) struct Shop {
    pub(crate) engine: Engine,
    pub(crate) store: SqliteStore,
    pub(crate) commits: CommitBuilder,
    directory: TempDir,
}

impl Shop {
    /// An empty shop.
    pub(crate) async fn open() -> Result<Self, Failure> {
        let directory = tempfile::tempdir()?;
        let store = SqliteStore::open(&directory.path().join("bench.db"), SqliteOptions::default()).await?;
        let commits = CommitBuilder::new(1);
        store.commit(commits.stocked(&SKUS.map(|sku| (sku, 1_000_000_000)))).await?;
        let mut config = Config::new(SigningKeys::parse("a-signing-key-of-at-least-32-bytes")?);
        config.allowed_networks = vec!["127.0.0.0/8".parse()?];
        config.allow_http = true;
        let processor = Arc::new(SandboxProcessor::in_memory());
        let engine = Engine::builder(Settings::new(Currency::USD), Arc::new(store.clone()), processor);
        let (sender, log) = (Arc::new(HttpWebhooks::new(config)?), Arc::new(store.clone()));
        let engine = engine.webhooks(sender, log, Arc::new(store.clone())).build();
        Ok(Self { engine, store, commits, directory })
    }

    /// A shop with so many paid orders: two events each.
    pub(crate) async fn with_orders(count: usize) -> Result<Self, Failure> {
        let shop = Self::open().await?;
        for first in (0..count).step_by(TOGETHER) {
            let orders = (first..count.min(first + TOGETHER)).map(|_| shop.order());
            try_join_all(orders).await?;
        }
        Ok(shop)
    }

    /// Places an order of three lines and pays it.
    async fn order(&self) -> Result<(), Failure> {
        let placed = self.commits.order(&SKUS.map(|sku| (sku, 1)));
        let order = placed.orders.first().map(|change| change.order().clone()).ok_or("an order was placed")?;
        self.store.commit(placed).await?;
        self.store.commit(self.commits.pay(&order, self.commits.at(2))).await?;
        Ok(())
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn source(&self) -> Source {
        Source {
            engine: self.engine.clone(),
            feed: SharedFeed::new(self.engine.clone(), SharedFeed::LOOK_EVERY),
            targets: Arc::new(self.store.clone()),
            encode: write,
            event_source: "urn:commerce".to_owned(),
            holder: Uuid::now_v7(),
        }
    }
}

/// Publishes everything. Returns the number of events.
pub(crate) async fn drain(relay: &mut Relay) -> Result<usize, Failure> {
    let mut published = 0;
    loop {
        match relay.round().await? {
            Round::Published { events, more: true } => published += events,
            Round::Published { events, more: false } => return Ok(published + events),
            other @ (Round::Elsewhere | Round::Failing(_)) => return Err(format!("not published: {other:?}").into()),
        }
    }
}
